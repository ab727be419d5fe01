import type { Knex } from 'knex';

/** Subscriptions and their items. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table subscriptions (
      account_id text not null references accounts (id),
      id text not null,
      customer_id text not null,
      status text not null check (status in ('incomplete', 'incomplete_expired', 'active', 'past_due', 'unpaid', 'canceled')),
      currency text not null check (currency ~ '^[a-z]{3}$'),
      cycle jsonb not null,
      billing_cycle_anchor timestamptz not null,
      billing_timezone text not null,
      start_date timestamptz not null,
      current_period_start timestamptz not null,
      current_period_end timestamptz not null,
      cancel_at_period_end boolean not null,
      cancel_at timestamptz,
      canceled_at timestamptz,
      ended_at timestamptz,
      cancellation_details jsonb not null,
      incomplete_expires_at timestamptz,
      default_payment_method_id text,
      default_tax_rate_ids text[] not null default '{}',
      latest_invoice_id text,
      pending_update jsonb,
      description text,
      external_id text,
      metadata jsonb not null,
      created_at timestamptz not null,
      primary key (account_id, id),
      foreign key (account_id, customer_id) references customers,
      foreign key (account_id, default_payment_method_id) references payment_methods,
      unique (account_id, external_id),
      check (current_period_start < current_period_end),
      check ((status in ('canceled', 'incomplete_expired')) = (ended_at is not null))
    ) with (fillfactor = 80);
    create index subscriptions_newest on subscriptions (account_id, created_at desc, id desc);
    create index subscriptions_of_customer on subscriptions (account_id, customer_id, created_at desc, id desc);

    create table subscription_items (
      account_id text not null,
      id text not null,
      subscription_id text not null,
      position integer not null,
      price_id text not null,
      quantity text not null check (quantity ~ '^\\d{1,15}(\\.\\d+){0,1}$'),
      tax_rate_ids text[] not null default '{}',
      metadata jsonb not null,
      created_at timestamptz not null,
      -- Coverage and invoice lines refer to items for ever; an item that was taken off a subscription is kept as removed.
      removed boolean not null default false,
      primary key (account_id, id),
      foreign key (account_id, subscription_id) references subscriptions,
      foreign key (account_id, price_id) references prices
    );
    create index items_of_subscription on subscription_items (account_id, subscription_id);
    create index items_by_price on subscription_items (account_id, price_id) where not removed;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table subscription_items, subscriptions');
}
