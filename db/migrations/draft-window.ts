import type { Knex } from 'knex';

/** The time between an invoice's creation and its finalising. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table accounts add column invoice_grace_seconds integer not null default 0 check (invoice_grace_seconds between 0 and 259200);
    update accounts set invoice_grace_seconds = 3600 where livemode;
    alter table invoices add column automatically_finalizes_at timestamptz, add column footer text;
    alter table invoices add check (automatically_finalizes_at is null or (status = 'draft' and auto_advance));
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table invoices drop column automatically_finalizes_at, drop column footer;
    alter table accounts drop column invoice_grace_seconds;
  `);
}
