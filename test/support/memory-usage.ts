import type { Percentage, Price } from '../../domain/catalog/price.ts';
import { dividedBy, exact, exactToString } from '../../domain/money.ts';
import { termsPerTransaction } from '../../domain/rating/rate-percentage.ts';
import type { Subscription } from '../../domain/subscription/subscription.ts';
import type { Instant } from '../../domain/time.ts';
import { joinTotals, NO_USAGE, type UsageTotals } from '../../domain/usage/measure.ts';
import type { Meter } from '../../domain/usage/meter.ts';
import { planReadings } from '../../domain/usage/plan-readings.ts';
import { type MeteredUsage, readingKey, type UsagePeriod } from '../../domain/usage/usage-period.ts';

/** An event that a meter took; whole values. `canceled`: it counts no longer. */
export interface MeteredEvent {
  meterId: string;
  at: Instant;
  value: number;
  canceled?: boolean;
}

const totalsOf = ({ at, value }: MeteredEvent, index: number): UsageTotals => ({
  count: 1,
  sum: String(value),
  max: String(value),
  last: { at, identifier: String(index).padStart(9, '0'), value: String(value) },
  moment: String(value * at),
  before: '0',
  unique: 0,
});

/** What each costs by itself, in hundredths of the minor unit; rates with at most 3 decimals. */
export function feesOf(events: readonly Pick<MeteredEvent, 'at' | 'value'>[], terms: Percentage): string {
  const rate = Math.round(Number(terms.rate) * 1000);
  const most = terms.maximumAmount === null ? Infinity : terms.maximumAmount * 100_000;
  let [sold, place, fees] = [0, 0, 0];
  for (const { value } of [...events].sort((a, b) => a.at - b.at)) {
    const paidBefore = Math.max(0, sold - terms.freeAmount);
    sold += value;
    place += 1;
    const fee = (Math.max(0, sold - terms.freeAmount) - paidBefore) * rate + (place > terms.freeEvents ? terms.fixedAmount * 100_000 : 0);
    fees += value > 0 && fee > 0 ? Math.min(Math.max(fee, (terms.minimumAmount ?? 0) * 100_000), most) : fee;
  }
  return exactToString(dividedBy(exact(fees), 1000));
}

/** What the database would read: see `db/load-metered-usage.ts`. */
export function usageAt(
  book: {
    meters: Record<string, Meter>;
    used: readonly MeteredEvent[];
    usage: ReadonlyMap<string, UsagePeriod>;
    prices: Record<string, Price>;
  },
  subscription: Subscription,
  asOf: Instant,
): MeteredUsage {
  const periods = [...book.usage.values()].map((period) => ({ ...period, changed: true })).sort((a, b) => a.start - b.start);
  const wanted = planReadings(subscription, book.prices, periods, asOf);
  const readings = Object.fromEntries(
    wanted.map(({ price, start, end }): [string, UsageTotals] => {
      const { meterId } = price.recurring;
      const terms = termsPerTransaction(price.recurring);
      const within = (event: MeteredEvent): boolean => event.meterId === meterId && !event.canceled && event.at >= start && event.at < end;
      const events = book.used.filter(within);
      const fees = terms === null ? {} : { fees: feesOf(events, terms) };
      return [readingKey(price.recurring, { start, end }), { ...events.map(totalsOf).reduce(joinTotals, NO_USAGE), ...fees }];
    }),
  );
  return { asOf, meters: book.meters, periods, readings, watermark: book.used.length };
}
