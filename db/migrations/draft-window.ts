import type { Knex } from 'knex';

/** The time between an invoice's creation and its finalising. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table accounts add column invoice_grace_seconds integer not null default 0 check (invoice_grace_seconds between 0 and 259200);
    update accounts set invoice_grace_seconds = 3600 where livemode;
    alter table invoices add column automatically_finalizes_at timestamptz, add column footer text;
    create index invoice_items_of_nobody on invoice_items (account_id, customer_id)
      where subscription_id is null and invoice_id is null and not removed;
    create index invoice_items_of_invoice on invoice_items (account_id, invoice_id) where invoice_id is not null;

    -- What somebody asked to be done to a draft. It may hold words about a customer, which do not travel through workflows: those get its id.
    create table invoice_edits (
      account_id text not null references accounts (id),
      id text not null,
      invoice_id text not null,
      edit jsonb not null,
      created_at timestamptz not null,
      primary key (account_id, id)
    );
    alter table invoice_edits enable row level security;
    alter table invoice_edits force row level security;
    create policy own_account on invoice_edits using (account_id = current_setting('app.account_id', true));

    alter table invoices add check (automatically_finalizes_at is null or (status = 'draft' and auto_advance));
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table invoice_edits;
    drop index invoice_items_of_nobody, invoice_items_of_invoice;
    alter table invoices drop column automatically_finalizes_at, drop column footer;
    alter table accounts drop column invoice_grace_seconds;
  `);
}
