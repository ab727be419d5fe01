import type { Knex } from 'knex';

/** Test clocks, and the customers whose time they are. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table test_clocks (
      account_id text not null references accounts (id),
      id text not null,
      name text,
      status text not null check (status in ('ready', 'advancing', 'internal_failure')),
      frozen_time timestamptz not null,
      target_frozen_time timestamptz,
      previous_frozen_time timestamptz,
      operation_id text,
      deleted boolean not null default false,
      created_at timestamptz not null,
      primary key (account_id, id),
      check ((status = 'advancing') = (target_frozen_time is not null)),
      check (target_frozen_time > frozen_time)
    );
    create index test_clocks_newest on test_clocks (account_id, created_at desc, id desc);
    alter table test_clocks enable row level security;
    alter table test_clocks force row level security;
    create policy own_account on test_clocks using (account_id = current_setting('app.account_id', true));

    alter table customers add column test_clock_id text;
    alter table customers add foreign key (account_id, test_clock_id) references test_clocks;
    create index customers_of_test_clock on customers (account_id, test_clock_id, created_at desc, id desc) where test_clock_id is not null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table customers drop column test_clock_id; drop table test_clocks');
}
