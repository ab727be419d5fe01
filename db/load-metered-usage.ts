import { isMetered, type Price } from '../domain/catalog/price.ts';
import { termsPerTransaction } from '../domain/rating/rate-percentage.ts';
import type { Subscription } from '../domain/subscription/subscription.ts';
import type { Instant } from '../domain/time.ts';
import { OLDEST_EVENT } from '../domain/usage/meter-event.ts';
import { planReadings } from '../domain/usage/plan-readings.ts';
import { type MeteredUsage, readingKey, type UsagePeriod } from '../domain/usage/usage-period.ts';
import type { AccountTransaction } from './client.ts';
import { METERS } from './meters.ts';
import { readUsage } from './read-usage.ts';
import { fromRow, type Row, type TableShape } from './table.ts';

export const USAGE_PERIODS: TableShape<UsagePeriod> = {
  table: 'usage_periods',
  keys: [
    'id',
    'subscriptionId',
    'subscriptionItemId',
    'priceId',
    'start',
    'end',
    'quantity',
    'amount',
    'net',
    'watermark',
    'minimum',
    'maximum',
    'runsOn',
    'taxRateIds',
    'invoiceId',
    'invoiceLineId',
    'invoiceItemId',
  ],
  instants: ['start', 'end'],
};

/** Billed stretches of a subscription to which an event of its current period may still belong, as a condition on `usage_periods`. */
export const LATE_MAY_COME = `"end" > (select current_period_start from sub) - interval '${OLDEST_EVENT + 86_400} seconds'`;

const READ = `
with sub as (select * from subscriptions where account_id = $1 and id = $2)
select
  (select coalesce(jsonb_agg(to_jsonb(m)), '[]') from meters m where m.account_id = $1 and m.id = any($3::text[])) as meters,
  (select coalesce(jsonb_agg(to_jsonb(p) || jsonb_build_object('changed', exists (
      select from prices r join usage_rollups u on u.account_id = $1 and u.meter_id = r.recurring ->> 'meterId' and u.customer_id = (select customer_id from sub)
        and u.hour >= date_trunc('hour', p."start") and u.hour < p."end" and u.touched > p.watermark
      where r.account_id = $1 and r.id = p.price_id)) order by p."start", p.id), '[]')
    from usage_periods p where p.account_id = $1 and p.subscription_id = $2 and (${LATE_MAY_COME} or p."end" = (
      select max(q."end") from usage_periods q where q.account_id = $1 and q.subscription_id = $2 and q.subscription_item_id = p.subscription_item_id))) as periods`;

/** What is measured of a subscription, for a decision at `asOf`; undefined where none of the prices is metered. */
export async function loadMeteredUsage(
  t: AccountTransaction,
  subscription: Subscription,
  prices: Record<string, Price>,
  asOf: Instant,
): Promise<MeteredUsage | undefined> {
  const metered = Object.values(prices).filter(isMetered);
  if (metered.length === 0) return undefined;
  const { rows } = await t.run<{ meters: Row[]; periods: (Row & { changed: boolean })[] }>(READ, [
    t.accountId,
    subscription.id,
    metered.map(({ recurring }) => recurring.meterId),
  ]);
  const meters = Object.fromEntries((rows[0]?.meters ?? []).map((row) => fromRow(METERS, row)).map((meter) => [meter.id, meter]));
  const periods = (rows[0]?.periods ?? []).map((row) => ({ ...fromRow(USAGE_PERIODS, row), changed: row.changed }));
  const wanted = planReadings(subscription, prices, periods, asOf).map(({ price, start, end }) => ({
    meterId: price.recurring.meterId,
    formula: meters[price.recurring.meterId]?.formula ?? 'sum',
    customerId: subscription.customerId,
    groups: price.recurring.groups ?? {},
    terms: termsPerTransaction(price.recurring),
    recurring: price.recurring,
    start,
    end,
    through: null,
  }));
  const { totals, watermark } = wanted.length === 0 ? { totals: [], watermark: 0 } : await readUsage(t, wanted);
  const readings = Object.fromEntries(
    wanted.flatMap((query, index) => {
      const read = totals[index];
      return read === undefined ? [] : [[readingKey(query.recurring, query), read]];
    }),
  );
  return { asOf, meters, periods, readings, watermark };
}
