import type { Knex } from 'knex';

/** What was asked for and answered, what happened (the outbox), and the requests of API clients. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table operations (
      account_id text not null references accounts (id),
      operation_id text not null,
      kind text not null,
      as_of timestamptz not null,
      request_hash text not null,
      subscription_id text,
      invoice_id text,
      actor text not null,
      result jsonb,
      recorded_at timestamptz not null default clock_timestamp(),
      primary key (account_id, operation_id)
    );
    create index operations_of_subscription on operations (account_id, subscription_id, recorded_at);
    create trigger operations_stay before update or delete on operations for each row execute function forbid_change();

    create table events (
      account_id text not null references accounts (id),
      id text not null,
      type text not null,
      object_type text not null,
      object_id text not null,
      sequence integer not null,
      data jsonb not null,
      previous jsonb,
      operation_id text,
      occurred_at timestamptz not null,
      recorded_at timestamptz not null default clock_timestamp(),
      position bigint generated always as identity,
      primary key (account_id, id),
      unique (account_id, object_id, sequence)
    );
    create index events_newest on events (account_id, position desc);
    create index events_by_type on events (account_id, type, position desc);
    create trigger events_stay before update or delete on events for each row execute function forbid_change();

    create table idempotency_keys (
      account_id text not null references accounts (id),
      key text not null,
      request_hash text not null,
      resource_id text not null,
      response_status integer,
      response_body jsonb,
      locked_until timestamptz,
      created_at timestamptz not null,
      primary key (account_id, key)
    );
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table idempotency_keys, events, operations');
}
