import type { Knex } from 'knex';

/**
 * What starting workflows anew from the books takes: the generation of a subscription's workflow (an older one decides nothing any more), how an invoice's money was to be
 * asked for, and a way for an operator's command to go through the accounts one by one.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table subscriptions add column generation integer not null default 1 check (generation > 0);
    alter table operations add column payment_behavior text;
    create policy every_account on accounts for select using (current_setting('app.every_account', true) = 'on');
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop policy every_account on accounts;
    alter table operations drop column payment_behavior;
    alter table subscriptions drop column generation;
  `);
}
