import knexModule, { type Knex } from 'knex';
import pg from 'pg';
import { migrationSource } from './migrations/index.ts';

const { knex } = knexModule as unknown as { knex: typeof import('knex').knex };

// bigint: amounts and counters, all within a safe integer by the domain's own limit.
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is beyond a safe integer`);
  return value;
});
// Instants are unix seconds everywhere above this line.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => Math.floor(Date.parse(`${text.replace(' ', 'T')}`.replace(/([+-]\d\d)$/, '$1:00')) / 1000));
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

export interface Database {
  knex: Knex;
  close(): Promise<void>;
}

/** One transaction that sees one account's rows only. */
export interface AccountTransaction {
  trx: Knex.Transaction;
  accountId: string;
}

/**
 * A pool of connections to Postgres. Each acts as `perennial_app` where that role exists (see the row-level security migration).
 * Nothing is connected until the first query.
 */
export function openDatabase({ url, poolMax = 10 }: { url: string; poolMax?: number }): Database {
  const pool = knex({
    client: 'pg',
    connection: { connectionString: url, application_name: 'perennial', keepAlive: true },
    acquireConnectionTimeout: 10_000,
    pool: {
      min: 0,
      max: poolMax,
      afterCreate: (connection: pg.Client, done: (error: Error | null, connection: pg.Client) => void) => {
        connection
          .query(
            `set timezone = 'UTC'; set idle_in_transaction_session_timeout = '60s'; do $$ begin if pg_has_role(current_user, 'perennial_app', 'member') then set role perennial_app; end if; exception when undefined_object then null; end $$`,
          )
          .then(() => done(null, connection), (error: Error) => done(error, connection));
      },
    },
  });
  return { knex: pool, close: () => pool.destroy() };
}

/** Runs `work` in one transaction bound to the account: committed when it resolves, rolled back when it throws. */
export function withAccount<T>(db: Database, accountId: string, work: (t: AccountTransaction) => Promise<T>): Promise<T> {
  return db.knex.transaction(async (trx) => {
    await trx.raw(`select set_config('app.account_id', ?, true)`, [accountId]);
    return work({ trx, accountId });
  });
}

/** @throws when Postgres does not answer */
export async function pingDatabase(db: Database): Promise<void> {
  await db.knex.raw('select 1');
}

/** Brings the schema up to date; safe when several processes do it at once. Needs a login that may create tables. */
export async function migrate(url: string): Promise<void> {
  await withMigrator(url, async (migrator) => void (await migrator.migrate.latest()));
}

/** Takes every migration back: an empty database. */
export async function rollback(url: string): Promise<void> {
  await withMigrator(url, async (migrator) => void (await migrator.migrate.rollback(undefined, true)));
}

async function withMigrator(url: string, work: (migrator: Knex) => Promise<void>): Promise<void> {
  const migrator = knex({
    client: 'pg',
    connection: url,
    pool: { min: 0, max: 4 },
    migrations: { migrationSource, tableName: 'perennial_migrations' },
  });
  try {
    // Two processes that migrate at once would both try the first step; the second waits here and finds nothing left to do.
    const lock = await migrator.client.acquireConnection();
    try {
      await lock.query(`select pg_advisory_lock(hashtext('perennial migrations'))`);
      await work(migrator);
    } finally {
      await lock.query(`select pg_advisory_unlock_all()`);
      await migrator.client.releaseConnection(lock);
    }
  } finally {
    await migrator.destroy();
  }
}
