import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { migrate } from '../../db/client.ts';

/** A migrated database of its own for one test file. */
export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

const TEMPLATE = 'perennial_template';

/** Clones the migrated template (made by whoever comes first), which takes a fraction of migrating anew. `adminUrl` is of the server's superuser. */
export async function createTestDatabase(adminUrl: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdmin(adminUrl, async (admin) => {
    await admin.query(`select pg_advisory_lock(4711)`);
    try {
      const { rowCount } = await admin.query(`select from pg_database where datname = $1 and datallowconn = false`, [TEMPLATE]);
      if (rowCount === 0) {
        await admin.query(`drop database if exists ${TEMPLATE} with (force)`);
        await admin.query(`create database ${TEMPLATE}`);
        await migrate(withDatabase(adminUrl, TEMPLATE));
        await admin.query(`alter database ${TEMPLATE} allow_connections false`);
      }
      await admin.query(`create database ${name} template ${TEMPLATE}`);
    } finally {
      await admin.query(`select pg_advisory_unlock(4711)`);
    }
  });
  return {
    url: withDatabase(adminUrl, name),
    drop: () => asAdmin(adminUrl, async (admin) => void (await admin.query(`drop database if exists ${name} with (force)`))),
  };
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function asAdmin(url: string, work: (admin: pg.Client) => Promise<void>): Promise<void> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}
