import type { Knex } from 'knex';

/** Customers, how they pay, and the tender they hold. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table customers (
      account_id text not null references accounts (id),
      id text not null,
      name text,
      email text,
      phone text,
      description text,
      address jsonb,
      currency text check (currency ~ '^[a-z]{3}$'),
      balance bigint not null default 0,
      default_payment_method_id text,
      default_tax_rate_ids text[] not null default '{}',
      tax_exempt text not null check (tax_exempt in ('none', 'exempt', 'reverse')),
      billing_timezone text,
      external_id text,
      metadata jsonb not null,
      deleted boolean not null default false,
      created_at timestamptz not null,
      primary key (account_id, id),
      unique (account_id, external_id),
      check (balance = 0 or currency is not null)
    ) with (fillfactor = 85);
    create index customers_newest on customers (account_id, created_at desc, id desc);
    create index customers_by_email on customers (account_id, email, created_at desc);

    create table payment_methods (
      account_id text not null references accounts (id),
      id text not null,
      customer_id text,
      type text not null check (type in ('card', 'us_bank_account', 'sepa_debit')),
      gateway text not null,
      gateway_reference text not null,
      card jsonb,
      metadata jsonb not null,
      created_at timestamptz not null,
      primary key (account_id, id),
      foreign key (account_id, customer_id) references customers
    );
    create index payment_methods_of_customer on payment_methods (account_id, customer_id, created_at desc, id desc);
    alter table customers add foreign key (account_id, default_payment_method_id) references payment_methods;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table customers drop constraint customers_account_id_default_payment_method_id_fkey;
    drop table payment_methods, customers;
  `);
}
