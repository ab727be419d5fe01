import type { MeteredPrice, Percentage } from '../catalog/price.ts';
import { type ExactAmount, exact, exactToString, isNegative, minus, plus, times } from '../money.ts';
import type { UsageTotals } from '../usage/measure.ts';
import { chargeOnce, type Prorated } from './prorate.ts';
import { roundLine } from './round-line.ts';

/** The terms that need each transaction by itself: with a minimum or maximum for each, a sum and a count do not say what they cost. */
export const termsPerTransaction = ({ percentage }: MeteredPrice['recurring']): Percentage | null =>
  percentage && (percentage.minimumAmount !== null || percentage.maximumAmount !== null) ? percentage : null;

const orZero = (value: ExactAmount): ExactAmount => (isNegative(value) ? exact(0) : value);

/**
 * A percentage of the transacted amount and a fixed amount for each transaction, less what is free, in minor units and exact. Never below zero, whatever was refunded.
 *
 * 1.3 % of EUR 800.00, of which EUR 250.00 are free, in 5 transactions at EUR 2.00, of which 3 are free: 55000 x 0.013 + 2 x 200 = 1115, EUR 11.15.
 */
export function ratePercentage(terms: Percentage, { sum, count, fees }: UsageTotals): ExactAmount {
  if (terms.minimumAmount !== null || terms.maximumAmount !== null) return orZero(times(exact(fees ?? '0'), '0.01'));
  const amount = orZero(minus(exact(sum), exact(terms.freeAmount)));
  return plus(times(times(amount, terms.rate), '0.01'), times(exact(terms.fixedAmount), Math.max(0, count - terms.freeEvents)));
}

/** What usage costs, rounded once, half up. The price is in the currency that is billed; `quantity` is what its meter's formula makes of the totals. */
export function chargeUsage(price: MeteredPrice, quantity: string, totals: UsageTotals): Prorated {
  const { percentage } = price.recurring;
  if (percentage === undefined) return chargeOnce(price, quantity);
  const total = ratePercentage(percentage, totals);
  return { amount: roundLine(total), exact: exactToString(total), fraction: null, notes: [] };
}
