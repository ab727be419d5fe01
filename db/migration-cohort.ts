import type { MigrationGroup, PriceMigration } from '../domain/subscription/migrate-price.ts';
import type { Subscription } from '../domain/subscription/subscription.ts';
import type { AccountTransaction } from './client.ts';
import { SUBSCRIPTION_JSON, subscriptionFromRow } from './subscriptions.ts';
import { type Row, toTimestamp } from './table.ts';

type Asked = Pick<PriceMigration, 'fromPriceId' | 'filters'>;

/** The living subscriptions that have the price and pass the filters, the oldest first. Parameters $1 to $5. */
const COHORT = `select s.id from subscriptions s join customers c on c.account_id = s.account_id and c.id = s.customer_id
  where s.account_id = $1 and s.status not in ('canceled', 'incomplete_expired')
    and exists (select from subscription_items i where i.account_id = s.account_id and i.subscription_id = s.id and i.price_id = $2 and not i.removed)
    and ($3::timestamptz is null or c.created_at < $3::timestamptz) and ($4::jsonb is null or s.metadata @> $4::jsonb)
  order by s.created_at, s.position limit $5::integer`;

const valuesOf = (t: AccountTransaction, { fromPriceId, filters }: Asked): unknown[] => [
  t.accountId,
  fromPriceId,
  filters.customerCreatedBefore === null ? null : toTimestamp(filters.customerCreatedBefore),
  filters.metadata === null ? null : JSON.stringify(filters.metadata),
  filters.limit,
];

/** Writes who belongs to a migration, in one statement. */
export async function enrolCohort(t: AccountTransaction, migration: PriceMigration): Promise<void> {
  await t.run(
    `insert into price_migration_subscriptions (account_id, migration_id, subscription_id, outcome)
     select $1, $6, cohort.id, 'pending' from (${COHORT}) cohort on conflict do nothing`,
    [...valuesOf(t, migration), migration.id],
  );
}

/** Whether anything but status and items decides what a migration does to it. */
const IS_PLAIN = `kept.pending_update is null and kept.cancel_at is null and kept.scheduled_changes = '[]'::jsonb`;

/** How many have the price in which quantity, of those that nothing is planned for. Every one of them gets the change, unless the change itself is refused. */
export async function groupCohort(t: AccountTransaction, asked: Asked): Promise<MigrationGroup[]> {
  const { rows } = await t.run<MigrationGroup>(
    `select kept.currency, i.quantity, count(*)::integer as count from (${COHORT}) cohort
     join subscriptions kept on kept.account_id = $1 and kept.id = cohort.id
     join subscription_items i on i.account_id = $1 and i.subscription_id = kept.id and i.price_id = $2 and not i.removed
     where ${IS_PLAIN} group by 1, 2 order by 1, 2`,
    valuesOf(t, asked),
  );
  return rows;
}

/** `plain`: those of `groupCohort`; else the rest, whose plans have to be looked at. In the order of their ids, after one of them. */
export async function readCohort(
  t: AccountTransaction,
  asked: Asked,
  { plain, after, limit }: { plain: boolean; after: string; limit: number },
): Promise<Subscription[]> {
  const { rows } = await t.run<{ row: Row }>(
    `select ${SUBSCRIPTION_JSON} as row from (${COHORT}) cohort join subscriptions kept on kept.account_id = $1 and kept.id = cohort.id
     where ${plain ? '' : 'not '}(${IS_PLAIN}) and kept.id > $6 order by kept.id limit $7::integer`,
    [...valuesOf(t, asked), after, limit],
  );
  return rows.map(({ row }) => subscriptionFromRow(row));
}
