import type { Knex } from 'knex';

/** What a stretch of usage costs at least and at most, so that late events are held by the same limits. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table usage_periods add column minimum bigint, add column maximum bigint, add check (minimum <= maximum)');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table usage_periods drop column minimum, drop column maximum');
}
