import type { Price } from '../catalog/price.ts';
import type { Period, TierAmount } from '../invoicing/invoice.ts';
import { type ExactAmount, exact, exactToString, fractionOf, roundTogether } from '../money.ts';
import type { BilledPeriod, ProrationBasis } from '../subscription/subscription.ts';
import { fractionOfPeriod, type Instant } from '../time.ts';
import type { TierCharge } from './charge-tier.ts';
import { ratePrice } from './rate-price.ts';
import { roundLine } from './round-line.ts';

/** How time is measured: in which units, and for calendar days in which zone. */
export interface ProrationTerms {
  basis: ProrationBasis;
  zone: string;
}

/** Part of a whole in units of the basis. */
export interface Fraction {
  numerator: number;
  denominator: number;
  basis: ProrationBasis;
}

export interface Prorated {
  /** Minor units, not negative. */
  amount: number;
  /** The same before rounding, as a decimal string. */
  exact: string;
  /** null where nothing was prorated: the whole, or the exact remainder of it. */
  fraction: Fraction | null;
  /** Of a charge at a price with tiers. */
  tiers?: TierAmount[];
  notes: string[];
}

/**
 * What share of `whole` the `part` is. A whole that has no length on the basis (a day in 30-day months that is a 31st, or a stub inside one calendar day)
 * is measured in seconds, so that no share is ever undefined.
 */
export function shareOf(part: Period, whole: Period, terms: ProrationTerms): Fraction {
  const share = fractionOfPeriod(part, whole, terms.basis, terms.zone);
  if (share.denominator > 0) return { ...share, basis: terms.basis };
  return { ...fractionOfPeriod(part, whole, 'second', terms.zone), basis: 'second' };
}

/**
 * What the quantity costs x (part / cycle), rounded once, half up; the whole cycle costs the whole price. Of a price with tiers the sum of all of them is prorated, flat
 * amounts too. `part` lies within `cycle`. The price is in the currency that is billed.
 */
export function prorateCharge(price: Price, quantity: string, part: Period, cycle: Period, terms: ProrationTerms): Prorated {
  if (part.start === cycle.start && part.end === cycle.end) return chargeOnce(price, quantity);
  const { total: full, tiers } = ratePrice(price, quantity);
  const fraction = shareOf(part, cycle, terms);
  const share = (value: ExactAmount): ExactAmount => fractionOf(value, fraction.numerator, fraction.denominator);
  return { amount: roundLine(share(full)), exact: exactToString(share(full)), fraction, ...amountsOf(tiers, share), notes: [] };
}

/** What the quantity costs as it is sold once, rounded once, half up. The price is in the currency that is billed. */
export function chargeOnce(price: Price, quantity: string): Prorated {
  const { total, tiers } = ratePrice(price, quantity);
  return { amount: roundLine(total), exact: exactToString(total), fraction: null, ...amountsOf(tiers, (value) => value), notes: [] };
}

/** The tiers' amounts, rounded together, so that they sum to the line. */
function amountsOf(tiers: readonly TierCharge[] | null, share: (value: ExactAmount) => ExactAmount): { tiers?: TierAmount[] } {
  if (tiers === null) return {};
  const amounts = roundTogether(tiers.map(({ total }) => share(total)));
  return {
    tiers: tiers.map(({ from, quantity, tier }, index) => ({ from, ...tier, quantity, amount: amounts[index] ?? 0 })),
  };
}

/**
 * What giving back [newEnd, row.end) is worth, as a positive amount: what was billed (net of discount) x unused share of the time originally billed, rounded once, half up, and
 * never more than is left of the line after earlier credits. When all of it goes, exactly what is left of it, so that rounding never keeps a cent.
 */
export function prorateCredit(row: BilledPeriod, newEnd: Instant, terms: ProrationTerms): Prorated {
  const left = row.amount - row.credited;
  if (newEnd <= row.originalStart) {
    const notes = row.credited > 0 ? ['the exact remainder after earlier credits'] : [];
    return { amount: left, exact: exactToString(exact(left)), fraction: null, notes };
  }
  const fraction = shareOf({ start: newEnd, end: row.end }, { start: row.originalStart, end: row.originalEnd }, terms);
  const value = fractionOf(row.amount, fraction.numerator, fraction.denominator);
  const rounded = roundLine(value);
  if (rounded <= left) return { amount: rounded, exact: exactToString(value), fraction, notes: [] };
  return { amount: left, exact: exactToString(value), fraction, notes: ['capped at what earlier credits left of the line'] };
}
