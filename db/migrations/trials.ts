import type { Knex } from 'knex';

/** What is remembered of a subscription's trial. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table subscriptions
      add column trial_start timestamptz,
      add column trial_end timestamptz,
      add column trial_reminder_at timestamptz,
      add column trial_missing_payment_method text not null default 'create_invoice'
        check (trial_missing_payment_method in ('create_invoice', 'pause', 'cancel')),
      add constraint subscriptions_trial check ((trial_start is null) = (trial_end is null) and trial_start <= trial_end),
      add constraint subscriptions_on_trial check (status <> 'trialing' or trial_end is not null);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table subscriptions
      drop constraint subscriptions_on_trial,
      drop constraint subscriptions_trial,
      drop column trial_start,
      drop column trial_end,
      drop column trial_reminder_at,
      drop column trial_missing_payment_method;
  `);
}
