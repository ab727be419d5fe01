import type { Knex } from 'knex';

/** Products that are sold only beside one of others. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`alter table products add column requires_one_of text[] not null default '{}'`);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table products drop column requires_one_of');
}
