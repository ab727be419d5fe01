import type { Knex } from 'knex';

/** Accounts, their keys, and what they sell. Every later table refers to accounts, and every row to its account. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create extension if not exists btree_gist;

    create table accounts (
      id text primary key,
      name text not null,
      livemode boolean not null,
      billing_timezone text not null,
      proration_basis text not null check (proration_basis in ('second', 'day', 'fixed_30')),
      default_tax_rate_ids text[] not null default '{}',
      tax_calculator text not null,
      dunning_policy jsonb not null,
      invoice_number_prefix text not null,
      seller jsonb not null
    );

    create table api_keys (
      account_id text not null references accounts (id),
      id text not null,
      secret_hash text not null unique,
      last4 text not null,
      revoked boolean not null default false,
      recorded_at timestamptz not null default clock_timestamp(),
      primary key (account_id, id)
    );

    create table invoice_number_series (
      account_id text primary key references accounts (id),
      next_number bigint not null default 1 check (next_number > 0)
    ) with (fillfactor = 20);

    create table products (
      account_id text not null references accounts (id),
      id text not null,
      name text not null,
      description text,
      active boolean not null,
      default_price_id text,
      unit_label text,
      external_id text,
      metadata jsonb not null,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      primary key (account_id, id),
      unique (account_id, external_id)
    );
    create index products_newest on products (account_id, created_at desc, id desc);

    create table prices (
      account_id text not null references accounts (id),
      id text not null,
      product_id text not null,
      currency text not null check (currency ~ '^[a-z]{3}$'),
      unit_amount_decimal text not null check (unit_amount_decimal ~ '^\\d+(\\.\\d{1,12}){0,1}$'),
      recurring jsonb,
      tax_behavior text not null check (tax_behavior in ('inclusive', 'exclusive', 'unspecified')),
      active boolean not null,
      nickname text,
      lookup_key text,
      external_id text,
      metadata jsonb not null,
      created_at timestamptz not null,
      primary key (account_id, id),
      foreign key (account_id, product_id) references products,
      unique (account_id, external_id),
      unique (account_id, lookup_key)
    );
    create index prices_newest on prices (account_id, created_at desc, id desc);
    create index prices_of_product on prices (account_id, product_id, created_at desc);
    alter table products add foreign key (account_id, default_price_id) references prices;

    create table tax_rates (
      account_id text not null references accounts (id),
      id text not null,
      display_name text not null,
      description text,
      percentage text not null check (percentage ~ '^\\d{1,3}(\\.\\d{1,4}){0,1}$' and percentage::numeric <= 100),
      inclusive boolean not null,
      active boolean not null,
      country text,
      state text,
      jurisdiction text,
      tax_type text,
      metadata jsonb not null,
      created_at timestamptz not null,
      primary key (account_id, id)
    );
    create index tax_rates_newest on tax_rates (account_id, created_at desc, id desc);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table products drop constraint products_account_id_default_price_id_fkey;
    drop table tax_rates, prices, products, invoice_number_series, api_keys, accounts;
  `);
}
