import type { Price } from '../catalog/price.ts';
import type { Period } from '../invoicing/invoice.ts';
import { exact, exactToString, fractionOf } from '../money.ts';
import type { BilledPeriod, ProrationBasis } from '../subscription/subscription.ts';
import { fractionOfPeriod, type Instant } from '../time.ts';
import { rate, roundLine } from './rate.ts';

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

/** price x quantity x (part / cycle), rounded once, half up; the whole cycle costs the whole price. `part` lies within `cycle`. */
export function prorateCharge(price: Price, quantity: string, part: Period, cycle: Period, terms: ProrationTerms): Prorated {
  const full = rate(price, quantity);
  if (part.start === cycle.start && part.end === cycle.end)
    return { amount: roundLine(full), exact: exactToString(full), fraction: null, notes: [] };
  const fraction = shareOf(part, cycle, terms);
  const value = fractionOf(full, fraction.numerator, fraction.denominator);
  return { amount: roundLine(value), exact: exactToString(value), fraction, notes: [] };
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
