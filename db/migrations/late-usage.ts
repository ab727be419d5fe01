import type { Knex } from 'knex';

/** What an account does about usage that is reported after it was billed. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(
    `alter table accounts add column late_usage text not null default 'next_invoice' check (late_usage in ('next_invoice', 'rerate'))`,
  );
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table accounts drop column late_usage');
}
