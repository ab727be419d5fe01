import pg from 'pg';
import { reasonOf, SetupError } from '../config/setup-error.ts';

const OLDEST_POSTGRES = 15;

/**
 * Makes sure that Postgres answers, lets us in and is new enough.
 * @throws SetupError naming DATABASE_URL
 */
export async function checkDatabase(url: string): Promise<void> {
  const { host, pathname } = new URL(url);
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  // A connection that breaks later is reported by the query that notices it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string }>(`select current_setting('server_version_num') as version`);
    const major = Math.floor(Number(rows[0]?.version) / 10_000);
    if (major < OLDEST_POSTGRES) throw new Error(`it is version ${major}, and ${OLDEST_POSTGRES} is the oldest that will do`);
  } catch (error) {
    throw new SetupError(
      `DATABASE_URL ${host}${pathname} cannot be used (${reasonOf(error)}): start Postgres there, or mend the address, the user or the password`,
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}
