import pg from 'pg';

/** Applied in order, each once. Released ones are never edited; a change is a new one at the end. */
const MIGRATIONS: readonly string[] = [
  `
  create table sandbox.charges (
    id text primary key,
    idempotency_key text not null unique,
    request_hash text not null,
    account_id text not null,
    customer_id text not null,
    invoice_id text not null,
    attempt_id text not null,
    payment_method text not null,
    amount bigint not null check (amount > 0),
    currency text not null,
    status text not null check (status in ('succeeded', 'declined', 'processing', 'requires_action')),
    decline_code text,
    first_answer jsonb not null,
    charged_at bigint not null,
    settles_at bigint,
    settles_with text,
    stamped_at timestamptz not null default now()
  );
  create index on sandbox.charges (account_id, invoice_id);
  create index on sandbox.charges (account_id, customer_id);

  create table sandbox.captures (
    id bigint generated always as identity primary key,
    charge_id text not null references sandbox.charges,
    account_id text not null,
    invoice_id text not null,
    amount bigint not null,
    currency text not null,
    captured_at bigint not null,
    stamped_at timestamptz not null default now()
  );
  create index on sandbox.captures (account_id, invoice_id);

  create table sandbox.first_calls (
    idempotency_key text primary key,
    stamped_at timestamptz not null default now()
  );

  create table sandbox.faults (
    id bigint generated always as identity primary key,
    kind text not null,
    idempotency_key text,
    account_id text,
    invoice_id text,
    times_left integer not null check (times_left >= 0),
    stamped_at timestamptz not null default now()
  );

  create table sandbox.events (
    sequence bigint generated always as identity primary key,
    charge_id text not null references sandbox.charges,
    type text not null,
    occurred_at bigint not null,
    emitted boolean not null default false,
    stamped_at timestamptz not null default now()
  );
  `,
];

/**
 * Brings the schema `sandbox` up to date; running it again, or from two processes at once, changes nothing. The processor's tables are not
 * the billing engine's: they have no accounts to keep apart, hence no row-level security, and nothing else refers to them. The gateway connects as the login that migrates.
 */
export async function migrateSandbox(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('perennial sandbox migrations'))`);
    await client.query('create schema if not exists sandbox');
    await client.query(
      'create table if not exists sandbox.migrations (number integer primary key, stamped_at timestamptz not null default now())',
    );
    const done = await client.query<{ number: number }>('select number from sandbox.migrations');
    const numbers = new Set(done.rows.map((row) => row.number));
    for (const [index, sql] of MIGRATIONS.entries()) {
      if (numbers.has(index + 1)) continue;
      await client.query(sql);
      await client.query('insert into sandbox.migrations (number) values ($1)', [index + 1]);
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    await client.end();
  }
}
