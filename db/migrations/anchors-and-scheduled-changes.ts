import type { Knex } from 'knex';

/** How an anchor was found, and the changes of subscriptions that are for later. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table subscriptions add column billing_cycle_anchor_config jsonb;
    -- Those still to come, as the next decision needs them; the table below keeps all there ever were.
    alter table subscriptions add column scheduled_changes jsonb not null default '[]';

    create table scheduled_changes (
      account_id text not null references accounts (id),
      id text not null,
      subscription_id text not null,
      status text not null check (status in ('scheduled', 'applied', 'replaced', 'canceled', 'failed')),
      effective_at timestamptz not null,
      at_period_end boolean not null,
      change jsonb not null,
      replaced_by text,
      cancellation_reason text check (cancellation_reason in ('requested', 'subscription_ended')),
      failure jsonb,
      created_at timestamptz not null,
      closed_at timestamptz,
      -- The operation that closed it: a request that is sent again must name again what it replaced.
      closed_by text,
      primary key (account_id, id),
      foreign key (account_id, subscription_id) references subscriptions,
      check ((status = 'scheduled') = (closed_at is null)),
      check ((status = 'failed') = (failure is not null)),
      check ((status = 'canceled') = (cancellation_reason is not null))
    );
    create index scheduled_changes_of_subscription on scheduled_changes (account_id, subscription_id, effective_at, id);
    create index scheduled_changes_by_operation on scheduled_changes (account_id, closed_by) where closed_by is not null;
    alter table scheduled_changes enable row level security;
    alter table scheduled_changes force row level security;
    create policy own_account on scheduled_changes using (account_id = current_setting('app.account_id', true));
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table scheduled_changes;
    alter table subscriptions drop column scheduled_changes;
    alter table subscriptions drop column billing_cycle_anchor_config;
  `);
}
