import type { Knex } from 'knex';

/** Prices with tiers, in packages, in several currencies, and those made in passing for one thing alone. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table prices no force row level security;
    alter table prices
      add column billing_scheme text not null default 'per_unit' check (billing_scheme in ('per_unit', 'tiered')),
      add column tiers_mode text check (tiers_mode in ('graduated', 'volume')),
      add column tiers jsonb check (jsonb_typeof(tiers) = 'array'),
      add column transform_quantity jsonb,
      add column currency_options jsonb not null default '{}',
      add column made_for text,
      alter column unit_amount_decimal drop not null,
      add check (case billing_scheme
        when 'tiered' then tiers is not null and tiers_mode is not null and unit_amount_decimal is null and transform_quantity is null
        else tiers is null and tiers_mode is null and unit_amount_decimal is not null end);
    alter table prices alter column billing_scheme drop default, alter column currency_options drop default;
    update prices set recurring = recurring || '{"usageType": "licensed", "meterId": null}' where recurring is not null;
    alter table prices force row level security;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table prices no force row level security;
    -- What cannot be said without tiers becomes free: the rows are referred to.
    update prices set unit_amount_decimal = '0', billing_scheme = 'per_unit', tiers = null, tiers_mode = null where billing_scheme = 'tiered';
    update prices set recurring = recurring - 'usageType' - 'meterId' where recurring is not null;
    alter table prices force row level security;
    alter table prices alter column unit_amount_decimal set not null;
    alter table prices
      drop column billing_scheme, drop column tiers_mode, drop column tiers, drop column transform_quantity,
      drop column currency_options, drop column made_for;
  `);
}
