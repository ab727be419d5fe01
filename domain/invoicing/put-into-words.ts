import type { Percentage, Price, Product } from '../catalog/price.ts';
import { formatAmount } from '../money.ts';
import type { Fraction } from '../rating/prorate.ts';
import { ratePrice } from '../rating/rate-price.ts';
import { formatUnitAmount } from '../rating/round-line.ts';
import { type Instant, localDate } from '../time.ts';
import type { Period } from './invoice.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** "16 Jan 2025", the local date in the zone. */
export function dayMonthYear(at: Instant, zone: string): string {
  const [year = '', month = '1', day = ''] = localDate(at, zone).split('-');
  return `${Number(day)} ${MONTHS[Number(month) - 1]} ${year}`;
}

/** "month", "3 months". */
export function everyCycle(price: Price): string {
  const { interval, intervalCount } = price.recurring ?? { interval: 'once', intervalCount: 1 };
  return intervalCount === 1 ? interval : `${intervalCount} ${interval}s`;
}

/** "one month", "3 months": what a full cycle is. */
export const oneCycle = (price: Price): string => `${price.recurring?.intervalCount === 1 ? 'one ' : ''}${everyCycle(price)}`;

/** "at EUR 20.00", "at EUR 100.00 per 10", "graduated tiers". */
export function rateInWords(price: Price): string {
  if (price.unitAmountDecimal === null) return `${price.tiersMode} tiers`;
  if (price.recurring?.percentage) return `at ${percentageInWords(price.recurring.percentage, price.currency)}`;
  const each = price.transformQuantity ? ` per ${price.transformQuantity.divideBy}` : '';
  return `at ${formatUnitAmount(price.unitAmountDecimal, price.currency)}${each}`;
}

/** "1.3% + EUR 2.00 each, EUR 3.00 to EUR 50.00 each". */
export function percentageInWords({ rate, fixedAmount, minimumAmount, maximumAmount }: Percentage, currency: string): string {
  const money = (amount: number): string => formatAmount(amount, currency);
  const fixed = fixedAmount === 0 ? '' : ` + ${money(fixedAmount)} each`;
  if (minimumAmount === null && maximumAmount === null) return `${rate}%${fixed}`;
  const limits =
    maximumAmount === null
      ? `at least ${money(minimumAmount ?? 0)}`
      : `${minimumAmount === null ? 'at most ' : `${money(minimumAmount)} to `}${money(maximumAmount)}`;
  return `${rate}%${fixed}, ${limits} each`;
}

export const dates = (period: Period, zone: string): string => `${localDate(period.start, zone)} to ${localDate(period.end, zone)}`;

/** "16 of 31 days"; a 30-day-month day is called so. */
export function shareInWords(fraction: Fraction): string {
  const unit = { second: 'seconds', day: 'days', fixed_30: 'days of 30-day months' }[fraction.basis];
  return `${fraction.numerator} of ${fraction.denominator} ${unit}`;
}

/** "3 seats", "3 boxes", "3 entries", "1 seat", "3". */
export function quantityInWords({ unitLabel }: Pick<Product, 'unitLabel'>, quantity: string): string {
  if (!unitLabel) return quantity;
  return `${quantity} ${quantity === '1' ? unitLabel : pluralOf(unitLabel)}`;
}

/** As English words form it by rule. */
function pluralOf(word: string): string {
  if (/[^aeiou]y$/i.test(word)) return `${word.slice(0, -1)}ies`;
  return /(?:s|x|z|ch|sh)$/i.test(word) ? `${word}es` : `${word}s`;
}

/**
 * What is multiplied: "EUR 20.00 x 3 seats", "EUR 100.00 x 13 packages of 10 (121 seats, rounded up)" or, of tiers, "12 seats (EUR 10.00 x 10 + EUR 2.00 flat + EUR 5.00 x 2)".
 */
export function factorsInWords(price: Price, quantity: string, product: Pick<Product, 'unitLabel'> = { unitLabel: null }): string {
  const { tiers, packages } = ratePrice(price, quantity);
  const money = (amount: string): string => formatUnitAmount(amount, price.currency);
  const units = quantityInWords(product, quantity);
  if (tiers !== null) {
    const terms = tiers.flatMap(({ tier, quantity: used }) => [
      ...(tier.unitAmountDecimal === null ? [] : [`${money(tier.unitAmountDecimal)} x ${used}`]),
      ...(tier.flatAmountDecimal === null ? [] : [`${money(tier.flatAmountDecimal)} flat`]),
    ]);
    return `${units} (${terms.join(' + ')})`;
  }
  const unit = money(price.unitAmountDecimal ?? '0');
  if (price.transformQuantity === null || packages === null) return `${unit} x ${units}`;
  const { divideBy, round } = price.transformQuantity;
  return `${unit} x ${packages} package${packages === '1' ? '' : 's'} of ${divideBy} (${units}, rounded ${round})`;
}
