import type { Knex } from 'knex';

/** Pauses of a subscription and of its collection, and what one that ended leaves to its reactivation. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table subscriptions
      add column pause jsonb,
      add column pause_collection jsonb,
      add column resumed_at timestamptz,
      add column moved_cycle jsonb,
      add column forfeited jsonb not null default '[]';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table subscriptions
      drop column pause,
      drop column pause_collection,
      drop column resumed_at,
      drop column moved_cycle,
      drop column forfeited;
  `);
}
