import type { Knex } from 'knex';

/** Of two readings of a subscription it is known which is the later. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table subscriptions add column revision integer not null default 0');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table subscriptions drop column revision');
}
