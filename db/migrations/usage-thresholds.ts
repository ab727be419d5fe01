import type { Knex } from 'knex';

/** When usage is billed before its period ends, and which of its stretches run on after they were billed. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table subscriptions add column billing_thresholds jsonb, add column has_thresholds boolean not null default false;
    alter table subscription_items add column usage_gte bigint;
    alter table usage_periods add column runs_on boolean not null default false;
    create index subscriptions_with_thresholds on subscriptions (account_id, customer_id) where has_thresholds;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index subscriptions_with_thresholds;
    alter table usage_periods drop column runs_on;
    alter table subscription_items drop column usage_gte;
    alter table subscriptions drop column has_thresholds, drop column billing_thresholds;
  `);
}
