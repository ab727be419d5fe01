import type { Knex } from 'knex';
import { isolateAccounts } from './row-level-security.ts';

const TABLES = ['price_migrations', 'price_migration_subscriptions'];

/** Migrations of all subscriptions of a price to another one, and what became of each. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table price_migrations (
      account_id text not null references accounts (id),
      id text not null,
      from_price_id text not null,
      to_price_id text not null,
      -- 'period_end', 'now', or unix seconds
      effective_at jsonb not null,
      proration_behavior text not null check (proration_behavior in ('create_prorations', 'always_invoice', 'none')),
      filters jsonb not null,
      status text not null check (status in ('pending', 'running', 'completed', 'canceling', 'canceled')),
      actor text not null,
      created_at timestamptz not null,
      completed_at timestamptz,
      canceled_at timestamptz,
      primary key (account_id, id),
      foreign key (account_id, from_price_id) references prices,
      foreign key (account_id, to_price_id) references prices
    );
    create index price_migrations_newest on price_migrations (account_id, created_at desc, id desc);

    -- What became of a change once it was scheduled is told by the change itself, so it is written in one place only.
    create table price_migration_subscriptions (
      account_id text not null references accounts (id),
      migration_id text not null,
      subscription_id text not null,
      outcome text not null check (outcome in ('pending', 'scheduled', 'applied', 'skipped', 'failed', 'canceled')),
      reason jsonb,
      -- Written before the subscription is asked, as the change has no other id on any try. No foreign key: it may never come to be.
      scheduled_change_id text,
      -- Of a change at once.
      invoice_id text,
      undo text check (undo in ('done', 'refused')),
      undo_reason jsonb,
      primary key (account_id, migration_id, subscription_id),
      foreign key (account_id, migration_id) references price_migrations,
      foreign key (account_id, subscription_id) references subscriptions,
      check ((outcome in ('skipped', 'failed')) = (reason is not null))
    );
    create index price_migration_subscriptions_to_ask on price_migration_subscriptions (account_id, migration_id, subscription_id) where outcome = 'pending';
  `);
  await isolateAccounts(knex, TABLES);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`drop table ${[...TABLES].reverse().join(', ')}`);
}
