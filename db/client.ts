import { createHash } from 'node:crypto';
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
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) =>
  Math.floor(Date.parse(`${text.replace(' ', 'T')}`.replace(/([+-]\d\d)$/, '$1:00')) / 1000),
);
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);

export interface Database {
  knex: Knex;
  close(): Promise<void>;
}

/** One transaction that sees one account's rows only. */
export interface AccountTransaction {
  trx: Knex.Transaction;
  accountId: string;
  /**
   * Runs a statement with `$1` parameters, planned once per connection. Statements sent without waiting for each other travel together and are run in the order in
   * which they were sent; when one fails, all behind it fail with it. For texts of which there are few: each stays prepared on the connection.
   */
  run<R = Record<string, unknown>>(text: string, values: readonly unknown[]): Promise<pg.QueryResult<R & pg.QueryResultRow>>;
}

const names = new Map<string, string>();

/** A prepared statement's name, the same for the same text. */
function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = createHash('sha256').update(text).digest('base64url').slice(0, 24);
    names.set(text, name);
  }
  return name;
}

/**
 * jit: compiling the plan of a statement this short costs more than it saves. The timeouts free the locks of a process that hangs. Superusers are beyond row-level
 * security, so the connection takes the role that is not; where there is none, the login owns the tables, and security is forced on owners.
 */
const SESSION = `
  set timezone = 'UTC'; set jit = off; set statement_timeout = '30s'; set idle_in_transaction_session_timeout = '60s';
  do $$
  begin
    if pg_has_role(current_user, 'perennial_app', 'member') then set role perennial_app; end if;
  exception when undefined_object then null;
  end $$;
  do $$
  begin
    if (select rolsuper or rolbypassrls from pg_roles where rolname = current_user) then
      raise exception 'the database is not migrated, or was not by this login: run npm run migrate with the same DATABASE_URL';
    end if;
  end $$`;

/**
 * A pool of connections to Postgres. Each acts as `perennial_app` where that role exists (see the row-level security migration).
 * Nothing is connected until the first query.
 */
export function openDatabase({ url, poolMax = 10 }: { url: string; poolMax?: number }): Database {
  const pool = knex({
    client: 'pg',
    // Statements sent without waiting for each other go out together (see AccountTransaction.run).
    connection: {
      connectionString: url,
      application_name: 'perennial',
      keepAlive: true,
      connectionTimeoutMillis: 10_000,
      pipeline: true,
    } as Knex.PgConnectionConfig,
    acquireConnectionTimeout: 10_000,
    pool: {
      min: 0,
      max: poolMax,
      afterCreate: (connection: pg.Client, done: (error: Error | null, connection: pg.Client) => void) => {
        connection.query(SESSION).then(
          () => done(null, connection),
          (error: Error) => done(error, connection),
        );
      },
    },
  });
  return { knex: pool, close: () => pool.destroy() };
}

/** Runs `work` in one transaction bound to the account: committed when it resolves, rolled back when it throws. */
export function withAccount<T>(db: Database, accountId: string, work: (t: AccountTransaction) => Promise<T>): Promise<T> {
  return db.knex.transaction(async (trx) => {
    const connection = (await trx.client.acquireConnection()) as pg.Client;
    const run: AccountTransaction['run'] = (text, values) =>
      trx.isCompleted()
        ? Promise.reject(new Error('the transaction has ended'))
        : connection.query({ name: nameOf(text), text, values: [...values] });
    // Not awaited: it goes out with the first statement of the work, and before it.
    const bound = run(`select set_config('app.account_id', $1, true)`, [accountId]);
    const [binding, outcome] = await Promise.allSettled([bound, work({ trx, accountId, run })]);
    if (binding.status === 'rejected') throw binding.reason;
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}

/** Runs `work` while nobody else on this database runs anything of this name. @throws Error where somebody does */
export async function alone<T>(db: Database, name: string, work: () => Promise<T>): Promise<T> {
  const connection = (await db.knex.client.acquireConnection()) as pg.Client;
  try {
    const { rows } = await connection.query('select pg_try_advisory_lock(hashtext($1)) as free', [`perennial ${name}`]);
    if (rows[0]?.free !== true) throw new Error(`another ${name} is under way on this database: wait until it has ended`);
    try {
      return await work();
    } finally {
      await connection.query('select pg_advisory_unlock(hashtext($1))', [`perennial ${name}`]);
    }
  } finally {
    await db.knex.client.releaseConnection(connection);
  }
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
      // Knex has a lock of its own, a row that a killed process leaves locked for ever; whoever holds ours knows that nobody else migrates.
      await migrator.migrate.forceFreeMigrationsLock();
      await work(migrator);
    } finally {
      await lock.query(`select pg_advisory_unlock_all()`);
      await migrator.client.releaseConnection(lock);
    }
  } finally {
    await migrator.destroy();
  }
}
