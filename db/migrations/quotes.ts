import type { Knex } from 'knex';

/** Quotes, and the series of their numbers. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table quotes (
      account_id text not null references accounts (id),
      id text not null,
      customer_id text not null,
      status text not null check (status in ('draft', 'open', 'accepted', 'canceled')),
      number text,
      currency text not null,
      lines jsonb not null,
      amounts jsonb not null,
      default_tax_rate_ids text[] not null default '{}',
      discounts jsonb not null default '[]',
      collection_method text not null check (collection_method in ('charge_automatically', 'send_invoice')),
      days_until_due integer,
      expires_at timestamptz not null,
      effective_date timestamptz,
      trial_period_days integer,
      subscription_description text,
      subscription_metadata jsonb not null default '{}',
      description text,
      header text,
      footer text,
      metadata jsonb not null default '{}',
      from_quote_id text,
      is_revision boolean not null default false,
      -- Of what an acceptance creates.
      subscription_id text not null,
      schedule_id text not null,
      accepted jsonb,
      created_at timestamptz not null,
      finalized_at timestamptz,
      accepted_at timestamptz,
      canceled_at timestamptz,
      primary key (account_id, id),
      foreign key (account_id, customer_id) references customers,
      foreign key (account_id, from_quote_id) references quotes,
      unique (account_id, number),
      unique (account_id, subscription_id),
      check ((status = 'accepted') = (accepted_at is not null)),
      check ((accepted_at is null) = (accepted is null)),
      check ((status = 'canceled') = (canceled_at is not null)),
      check (status not in ('open', 'accepted') or number is not null)
    );
    create index quotes_newest on quotes (account_id, created_at desc, id desc);
    create index quotes_of_customer on quotes (account_id, customer_id, created_at desc, id desc);
    alter table quotes enable row level security;
    alter table quotes force row level security;
    create policy own_account on quotes using (account_id = current_setting('app.account_id', true));

    create table quote_number_series (
      account_id text primary key references accounts (id),
      next_number integer not null
    );
    alter table quote_number_series enable row level security;
    alter table quote_number_series force row level security;
    create policy own_account on quote_number_series using (account_id = current_setting('app.account_id', true));
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table quote_number_series; drop table quotes');
}
