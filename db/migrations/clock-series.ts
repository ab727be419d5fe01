import type { Knex } from 'knex';

/**
 * Customers on a test clock have a series of invoice numbers each, and customers an order in which they came. An event knows whose it is, so that what happened on a
 * clock is read by index.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table customers add column next_invoice_number integer not null default 1 check (next_invoice_number > 0),
      add column position bigint generated always as identity;
    alter table events add column customer_id text;
    alter table events disable trigger events_stay;
    alter table events no force row level security;
    alter table subscriptions no force row level security;
    update events set customer_id = case when object_type = 'customer' then object_id else coalesce(data ->> 'customerId',
      (select s.customer_id from subscriptions s where s.account_id = events.account_id and s.id = events.data ->> 'subscriptionId')) end;
    alter table subscriptions force row level security;
    alter table events force row level security;
    alter table events enable trigger events_stay;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table events drop column customer_id;
    alter table customers drop column next_invoice_number, drop column position;
  `);
}
