import type { Knex } from 'knex';
import { isolateAccounts } from './row-level-security.ts';

/** Features, the products they come with, and what each customer is entitled to. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table features (
      account_id text not null references accounts (id),
      id text not null,
      lookup_key text not null,
      name text not null,
      active boolean not null,
      metadata jsonb not null,
      created_at timestamptz not null,
      primary key (account_id, id),
      unique (account_id, lookup_key)
    );
    create index features_newest on features (account_id, created_at desc, id desc);

    create table product_features (
      account_id text not null references accounts (id),
      id text not null,
      product_id text not null,
      feature_id text not null,
      "limit" bigint check ("limit" >= 0),
      created_at timestamptz not null,
      primary key (account_id, id),
      foreign key (account_id, product_id) references products,
      foreign key (account_id, feature_id) references features,
      unique (account_id, product_id, feature_id)
    );

    create table active_entitlements (
      account_id text not null references accounts (id),
      id text not null,
      customer_id text not null,
      feature_id text not null,
      lookup_key text not null,
      "limit" bigint check ("limit" >= 0),
      created_at timestamptz not null,
      primary key (account_id, id),
      foreign key (account_id, customer_id) references customers,
      foreign key (account_id, feature_id) references features,
      -- "May this customer do that?" is one look into this index.
      unique (account_id, customer_id, lookup_key)
    );
    create index subscription_items_of_price on subscription_items (account_id, price_id) where not removed;
    create index active_entitlements_newest on active_entitlements (account_id, customer_id, created_at desc, id desc);
  `);
  await isolateAccounts(knex, ['features', 'product_features', 'active_entitlements']);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index subscription_items_of_price; drop table active_entitlements, product_features, features');
}
