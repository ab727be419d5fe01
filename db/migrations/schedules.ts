import type { Knex } from 'knex';

/** Subscription schedules, and what is asked of them. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table subscription_schedules (
      account_id text not null references accounts (id),
      id text not null,
      customer_id text not null,
      -- Before the start there is no such subscription yet.
      subscription_id text not null,
      status text not null check (status in ('not_started', 'active', 'completed', 'released', 'canceled')),
      currency text not null,
      phases jsonb not null,
      current_phase integer,
      starts_at timestamptz not null,
      end_behavior text not null check (end_behavior in ('release', 'cancel')),
      settings jsonb not null,
      metadata jsonb not null default '{}',
      failure jsonb,
      created_at timestamptz not null,
      completed_at timestamptz,
      released_at timestamptz,
      canceled_at timestamptz,
      primary key (account_id, id),
      foreign key (account_id, customer_id) references customers,
      check ((status = 'completed') = (completed_at is not null)),
      check ((status = 'released') = (released_at is not null)),
      check ((status = 'canceled') = (canceled_at is not null)),
      check (status <> 'not_started' or current_phase is null)
    );
    -- One subscription is driven by one schedule at a time.
    create unique index subscription_schedules_driving on subscription_schedules (account_id, subscription_id) where status in ('not_started', 'active');
    create index subscription_schedules_newest on subscription_schedules (account_id, created_at desc, id desc);
    create index subscription_schedules_of_customer on subscription_schedules (account_id, customer_id, created_at desc, id desc);
    alter table subscription_schedules enable row level security;
    alter table subscription_schedules force row level security;
    create policy own_account on subscription_schedules using (account_id = current_setting('app.account_id', true));

    -- What somebody asked of a schedule. Workflows get its id: it may be long, and its words do not travel through them.
    create table schedule_edits (
      account_id text not null references accounts (id),
      id text not null,
      schedule_id text not null,
      edit jsonb not null,
      created_at timestamptz not null,
      primary key (account_id, id)
    );
    alter table schedule_edits enable row level security;
    alter table schedule_edits force row level security;
    create policy own_account on schedule_edits using (account_id = current_setting('app.account_id', true));

    alter table subscriptions add column schedule_id text;
    alter table subscriptions add foreign key (account_id, schedule_id) references subscription_schedules;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table subscriptions drop column schedule_id;
    drop table schedule_edits;
    drop table subscription_schedules;
  `);
}
