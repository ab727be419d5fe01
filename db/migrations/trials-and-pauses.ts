import type { Knex } from 'knex';

/** The statuses of a subscription that is on trial, and of one that is paused. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table subscriptions drop constraint subscriptions_status_check;
    alter table subscriptions add constraint subscriptions_status_check
      check (status in ('incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'unpaid', 'paused', 'canceled'));
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table subscriptions drop constraint subscriptions_status_check;
    alter table subscriptions add constraint subscriptions_status_check
      check (status in ('incomplete', 'incomplete_expired', 'active', 'past_due', 'unpaid', 'canceled'));
  `);
}
