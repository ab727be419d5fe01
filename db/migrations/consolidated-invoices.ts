import type { Knex } from 'knex';

/** Customers whose subscriptions share an invoice, and the invoices they share. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table customers add column consolidated_invoicing boolean not null default false;
    alter table invoices
      add column subscription_ids text[] not null default '{}',
      add column consolidation_key text,
      add check (subscription_id is null or subscription_ids = '{}'),
      add check ((consolidation_key is null) = (subscription_ids = '{}'));
    alter table invoice_lines add column subscription_id text, add foreign key (account_id, subscription_id) references subscriptions;
    create index invoices_consolidated on invoices (account_id, customer_id) where consolidation_key is not null and status in ('draft', 'open');
    drop index invoices_awaited_of_nobody;
    create index invoices_awaited_of_nobody on invoices (account_id, id)
      where subscription_id is null and consolidation_key is null and status = 'open' and due_date is not null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index invoices_awaited_of_nobody;
    create index invoices_awaited_of_nobody on invoices (account_id, id) where subscription_id is null and status = 'open' and due_date is not null;
    drop index invoices_consolidated;
    alter table invoice_lines drop column subscription_id;
    alter table invoices drop column subscription_ids, drop column consolidation_key;
    alter table customers drop column consolidated_invoicing;
  `);
}
