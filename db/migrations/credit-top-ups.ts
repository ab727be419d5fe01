import type { Knex } from 'knex';
import { isolateAccounts } from './row-level-security.ts';

/** What buys credit when a customer's runs low: at most one of a customer and currency, and at most one invoice of it that is not paid. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table credit_top_ups (
      account_id text not null,
      id text not null,
      customer_id text not null,
      name text,
      currency text not null check (currency ~ '^[a-z]{3}$'),
      threshold bigint not null check (threshold > 0),
      amount bigint not null check (amount > 0),
      scope jsonb not null,
      priority integer not null check (priority between 0 and 100),
      expires_after jsonb,
      payment_method_id text,
      max_per_month integer check (max_per_month > 0),
      active boolean not null,
      count integer not null,
      month text,
      month_count integer not null,
      pending_invoice_id text,
      suspended_at timestamptz,
      latest_invoice_id text,
      metadata jsonb not null,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (account_id, id),
      unique (account_id, customer_id, currency),
      foreign key (account_id, customer_id) references customers,
      foreign key (account_id, pending_invoice_id) references invoices deferrable initially deferred,
      check (suspended_at is null or pending_invoice_id is not null)
    );
    create index credit_top_ups_newest on credit_top_ups (account_id, created_at desc, id desc);
  `);
  await isolateAccounts(knex, ['credit_top_ups']);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table credit_top_ups');
}
