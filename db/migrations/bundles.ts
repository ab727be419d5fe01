import type { Knex } from 'knex';

/**
 * Prices that are billed by several lines, each of which covers its component. What is covered as a whole covers every component, so no instant of anything is billed twice, whatever the item was
 * before.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table prices add column bundle jsonb check (bundle is null or (jsonb_typeof(bundle) = 'array' and recurring is not null));
    alter table billed_periods add column component integer check (component >= 0);
    alter table billed_periods drop constraint billed_periods_never_overlap;
    alter table billed_periods add constraint billed_periods_never_overlap exclude using gist (
      account_id with =, subscription_item_id with =, tstzrange("start", "end") with &&,
      int4range(coalesce(component, 0), component + 1) with &&
    );
  `);
}

/** The first component of what was billed stands for all of them. */
export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table billed_periods no force row level security;
    update billed_periods first set amount = whole.amount, credited = whole.credited
      from (select account_id, subscription_item_id, original_start, "start", "end", sum(amount) as amount, sum(credited) as credited
        from billed_periods where component is not null group by 1, 2, 3, 4, 5) whole
      where first.component = 0 and (first.account_id, first.subscription_item_id, first.original_start, first."start", first."end")
        = (whole.account_id, whole.subscription_item_id, whole.original_start, whole."start", whole."end");
    delete from billed_periods where component > 0;
    alter table billed_periods force row level security;
    alter table billed_periods drop constraint billed_periods_never_overlap;
    alter table billed_periods drop column component;
    alter table billed_periods add constraint billed_periods_never_overlap exclude using gist (
      account_id with =, subscription_item_id with =, tstzrange("start", "end") with &&
    );
    alter table prices drop column bundle;
  `);
}
