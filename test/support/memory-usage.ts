import type { Price } from '../../domain/catalog/price.ts';
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
      const within = (event: MeteredEvent): boolean => event.meterId === meterId && !event.canceled && event.at >= start && event.at < end;
      return [readingKey(meterId, {}, { start, end }), book.used.filter(within).map(totalsOf).reduce(joinTotals, NO_USAGE)];
    }),
  );
  return { asOf, meters: book.meters, periods, readings, watermark: book.used.length };
}
