import type { Knex } from 'knex';
import { isolateAccounts } from './row-level-security.ts';

const TABLES = ['meters', 'usage_sequences', 'meter_events', 'usage_rollups'];

/** Meters, the events they measure, and what the events of each hour come to. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table meters (
      account_id text not null references accounts (id),
      id text not null,
      display_name text not null,
      event_name text not null,
      formula text not null check (formula in ('sum', 'count', 'last', 'max', 'unique_count', 'weighted_sum')),
      customer_key text not null,
      value_key text not null,
      event_time_window text check (event_time_window in ('hour', 'day')),
      filters jsonb not null,
      group_by text[] not null,
      status text not null check (status in ('active', 'inactive')),
      deactivated_at timestamptz,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (account_id, id),
      check ((status = 'inactive') = (deactivated_at is not null))
    );
    create unique index meters_event_name on meters (account_id, event_name) where status = 'active';
    create index meters_newest on meters (account_id, created_at desc, id desc);

    -- Numbers what arrives. Its row is held until the events are committed, so a number that can be read means that all below it can.
    create table usage_sequences (
      account_id text not null references accounts (id),
      last bigint not null,
      primary key (account_id)
    ) with (fillfactor = 50);

    -- A row is never changed but for ended, the number at which it was cancelled or gave way to the next revision. No foreign key to customer and meter:
    -- the rollups have them, at a thousandth of the price.
    create table meter_events (
      account_id text not null references accounts (id),
      meter_id text not null,
      identifier text collate "C" not null,
      revision integer not null,
      sequence bigint not null,
      ended bigint,
      customer_id text not null,
      at timestamptz not null,
      value numeric,
      unique_value text,
      group_key text not null,
      counted boolean not null,
      digest text not null,
      primary key (account_id, meter_id, identifier, revision)
    );
    create index meter_events_in_time on meter_events (account_id, meter_id, customer_id, at);

    create table usage_rollups (
      account_id text not null references accounts (id),
      meter_id text not null,
      customer_id text not null,
      hour timestamptz not null,
      group_key text not null,
      count bigint not null,
      sum numeric not null,
      max numeric,
      last numeric,
      last_at timestamptz,
      last_identifier text collate "C",
      -- Sum of value x seconds since the hour began.
      moment numeric not null,
      -- The number of the last event or adjustment that is in it.
      touched bigint not null,
      primary key (account_id, meter_id, customer_id, hour, group_key),
      foreign key (account_id, meter_id) references meters,
      foreign key (account_id, customer_id) references customers
    ) with (fillfactor = 70);
  `);
  await isolateAccounts(knex, TABLES);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`drop table ${[...TABLES].reverse().join(', ')}`);
}
