import { allocate, sum } from '../money.ts';
import { type Prorated, type ProrationTerms, prorateCredit } from '../rating/prorate.ts';
import type { BilledPeriod } from '../subscription/subscription.ts';
import type { Instant } from '../time.ts';

/** What a price has billed for one stretch of time: a row, or one for each component of a bundle. Its parts begin, shrink and end together. */
export interface Cover {
  /** The parts as if they were one row. */
  whole: BilledPeriod;
  /** In the order of the components. */
  parts: [BilledPeriod, ...BilledPeriod[]];
}

const keyOf = ({ subscriptionItemId, priceId, quantity, ...row }: BilledPeriod): string =>
  JSON.stringify([
    ...[subscriptionItemId, priceId, quantity, row.start, row.end, row.originalStart, row.originalEnd],
    ...[row.cycleStart, row.cycleEnd],
  ]);

/** The rows by what they billed together, in the order of their first ones. */
export function coversOf(rows: readonly BilledPeriod[]): Cover[] {
  const bundles = new Map<string, [BilledPeriod, ...BilledPeriod[]]>();
  const groups = rows.flatMap((row): [BilledPeriod, ...BilledPeriod[]][] => {
    if (row.component === null) return [[row]];
    const known = bundles.get(keyOf(row));
    if (known) {
      known.push(row);
      return [];
    }
    const begun: [BilledPeriod] = [row];
    bundles.set(keyOf(row), begun);
    return [begun];
  });
  return groups.map((parts) => {
    parts.sort((a, b) => (a.component ?? 0) - (b.component ?? 0));
    const [first] = parts;
    const whole =
      parts.length === 1
        ? first
        : { ...first, amount: sum(parts.map(({ amount }) => amount)), credited: sum(parts.map(({ credited }) => credited)) };
    return { whole, parts };
  });
}

/**
 * What giving back [newEnd, end) is worth for the whole (`prorateCredit`), and the share of each part in it: by what is left of the parts, with largest remainder, so that the shares sum to what the
 * same price gives back without a bundle and no part gives back more than is left of it.
 */
export function creditCover({ whole, parts }: Cover, newEnd: Instant, terms: ProrationTerms): { whole: Prorated; shares: number[] } {
  const credit = prorateCredit(whole, newEnd, terms);
  return {
    whole: credit,
    shares: allocate(
      credit.amount,
      parts.map(({ amount, credited }) => Math.max(0, amount - credited)),
    ),
  };
}

/** The credit of one part, explained by itself; where the parts were rounded together, it says so. */
export function creditOfPart(
  cover: Cover,
  part: BilledPeriod,
  share: number,
  whole: Prorated,
  newEnd: Instant,
  terms: ProrationTerms,
): Prorated {
  if (cover.parts.length === 1) return whole;
  const own = prorateCredit(part, newEnd, terms);
  return {
    ...own,
    amount: share,
    notes: own.amount === share ? own.notes : [...own.notes, 'rounded together with the rest of the bundle'],
  };
}
