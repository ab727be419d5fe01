import type { Period } from '../invoicing/invoice.ts';
import { compareDecimals, dividedBy, exact, exactToString, plus, roundDecimals, times } from '../money.ts';
import type { Instant } from '../time.ts';
import type { Formula } from './meter.ts';

/** What is known of the events of a stretch of time, from which every formula finds its quantity. Decimals are strings. */
export interface UsageTotals {
  count: number;
  sum: string;
  max: string | null;
  /** The value of the latest event; of several at one instant, of the one with the last identifier. */
  last: { at: Instant; identifier: string; value: string } | null;
  /** Sum of value x unix seconds: what a level that events raise and lower has to give back for the time before each of them. */
  moment: string;
  /** The sum of all values before the stretch: the level at its start. */
  before: string;
  /** How many different values there are; it cannot be joined, so it is given for the whole stretch. */
  unique: number;
  /** What the transactions cost in hundredths of the minor unit, where each has a minimum or maximum; given once for the whole stretch, as `unique`. */
  fees?: string;
}

export const NO_USAGE: UsageTotals = { count: 0, sum: '0', max: null, last: null, moment: '0', before: '0', unique: 0 };

const add = (a: string, b: string): string => exactToString(plus(exact(a), exact(b)));

/** Two parts of one stretch as a whole, in whatever order; `before` and `unique` are those of the stretch and given once. */
export function joinTotals(a: UsageTotals, b: UsageTotals): UsageTotals {
  const fees = a.fees === undefined && b.fees === undefined ? {} : { fees: add(a.fees ?? '0', b.fees ?? '0') };
  return {
    ...fees,
    count: a.count + b.count,
    sum: add(a.sum, b.sum),
    max: a.max === null || (b.max !== null && compareDecimals(b.max, a.max) > 0) ? b.max : a.max,
    last: later(a.last, b.last),
    moment: add(a.moment, b.moment),
    before: add(a.before, b.before),
    unique: a.unique + b.unique,
  };
}

function later(a: UsageTotals['last'], b: UsageTotals['last']): UsageTotals['last'] {
  if (a === null || b === null) return a ?? b;
  if (a.at !== b.at) return a.at > b.at ? a : b;
  return a.identifier > b.identifier ? a : b;
}

/**
 * What has come together of a stretch so far, `quantity` having been measured up to `now`, before `end`. A level is averaged over the whole stretch, so it counts for the part that is over; everything else
 * counts at once.
 */
export function quantitySoFar(formula: Formula, quantity: string, { start, now, end }: Period & { now: Instant }): string {
  if (formula !== 'weighted_sum' || now >= end) return quantity;
  return roundDecimals(dividedBy(times(exact(quantity), now - start), end - start), 12);
}

/**
 * The quantity of a stretch, a decimal with at most 12 decimals. Nothing is billed below zero, so a negative sum is zero, as with Stripe. A `weighted_sum` is the level at every moment, averaged over
 * [start, end): an event of +10 in the middle of an empty stretch is 5.
 */
export function quantityOf(formula: Formula, totals: UsageTotals, { start, end }: Period): string {
  const quantity = ((): string => {
    switch (formula) {
      case 'sum':
        return totals.sum;
      case 'count':
        return String(totals.count);
      case 'max':
        return totals.max ?? '0';
      case 'last':
        return totals.last?.value ?? '0';
      case 'unique_count':
        return String(totals.unique);
      case 'weighted_sum': {
        if (end <= start) return totals.before;
        const held = plus(times(exact(totals.sum), end), times(exact(totals.moment), -1));
        return roundDecimals(plus(exact(totals.before), dividedBy(held, end - start)), 12);
      }
    }
  })();
  return compareDecimals(quantity, '0') < 0 ? '0' : exactToString(exact(quantity));
}
