import type { Knex } from 'knex';

/** Prices that give credit for each period, and the grants that come of it. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table prices add column credit_grant jsonb check (credit_grant is null or recurring is not null);
    alter table credit_grants add column recurring jsonb;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table credit_grants drop column recurring;
    alter table prices drop column credit_grant;
  `);
}
