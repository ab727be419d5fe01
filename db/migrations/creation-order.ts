import type { Knex } from 'knex';

/** What is listed newest first, by when it was created, and had no order within a second. */
const LISTED = [
  'products',
  'prices',
  'tax_rates',
  'payment_methods',
  'coupons',
  'promotion_codes',
  'subscriptions',
  'subscription_schedules',
  'scheduled_changes',
  'quotes',
  'price_migrations',
  'features',
  'product_features',
  'active_entitlements',
  'meters',
  'billing_alerts',
  'credit_grants',
  'credit_top_ups',
  'test_clocks',
];

/** Gives the indexes that lists are read off another last column. */
const reindex = (from: string, to: string): string => `
  do $$
  declare listed record;
  begin
    for listed in select indexname, indexdef from pg_indexes where schemaname = current_schema() and indexdef like '%${from})%' loop
      execute format('drop index %I', listed.indexname);
      execute replace(listed.indexdef, '${from})', '${to})');
    end loop;
  end $$;
  drop index scheduled_changes_of_subscription;
  create index scheduled_changes_of_subscription on scheduled_changes (account_id, subscription_id, effective_at, ${to.includes('position') ? 'position' : 'id'});
`;

const BY_ID = 'created_at DESC, id DESC';
const BY_POSITION = 'created_at DESC, "position" DESC';

/**
 * Ids say nothing of when a thing was made, and on a test clock very many are made in one second. A number drawn when the row is written puts them in order; rows that are
 * there get theirs as they lie in the table. It takes the place of the id in the indexes of the lists, which become smaller by it.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(LISTED.map((table) => `alter table ${table} add column position bigint generated always as identity;`).join('\n'));
  await knex.raw(reindex(BY_ID, BY_POSITION));
  await knex.raw(`
    drop index balance_transactions_of_customer;
    create index balance_transactions_of_customer on balance_transactions (account_id, customer_id, position desc);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index balance_transactions_of_customer;
    create index balance_transactions_of_customer on balance_transactions (account_id, customer_id, created_at desc, "position" desc);
  `);
  await knex.raw(reindex(BY_POSITION, BY_ID));
  await knex.raw(LISTED.map((table) => `alter table ${table} drop column position;`).join('\n'));
}
