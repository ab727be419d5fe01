import type { MeteredPrice, Percentage, Product } from '../catalog/price.ts';
import { exact, exactToString, formatAmount, minus } from '../money.ts';
import type { Fraction, Prorated } from '../rating/prorate.ts';
import { formatUnitAmount } from '../rating/round-line.ts';
import type { Meter } from '../usage/meter.ts';
import type { UsagePeriod } from '../usage/usage-period.ts';
import type { Explanation, Period } from './invoice.ts';
import {
  dates,
  dayMonthYear,
  everyCycle,
  factorsInWords,
  oneCycle,
  percentageInWords,
  rateInWords,
  shareInWords,
} from './put-into-words.ts';

interface Measured {
  meter: Meter;
  events: number;
  quantity: string;
  period: Period;
  watermark: number;
  zone: string;
}

/** "sum of 300 events", "1 event", "highest of 2 events". */
function measuredInWords({ meter, events }: Measured): string {
  const words = {
    sum: 'sum of ',
    count: '',
    last: 'last of ',
    max: 'highest of ',
    unique_count: 'different values of ',
    weighted_sum: 'average level of ',
  };
  return `${words[meter.formula]}${events} event${events === 1 ? '' : 's'}`;
}

const usageOf = (
  { meter, events, quantity, period, watermark }: Measured,
  corrects: NonNullable<Explanation['usage']>['corrects'],
): NonNullable<Explanation['usage']> => ({
  meterId: meter.id,
  formula: meter.formula,
  start: period.start,
  end: period.end,
  events,
  quantity,
  watermark,
  corrects,
});

/** What was transacted is money, everything else a number. */
const usedInWords = (price: MeteredPrice, quantity: string): string =>
  price.recurring.percentage === undefined ? quantity : formatUnitAmount(quantity, price.currency);

/** "1500 × API calls (graduated tiers / month)", "EUR 800.00 × Payments (at 1.3% + EUR 2.00 each / month)". */
export const describeUsage = (product: Product, price: MeteredPrice, quantity: string): string =>
  `${usedInWords(price, quantity)} × ${product.name} (${rateInWords(price)} / ${everyCycle(price)})`;

/** "1.3% of EUR 800.00 (EUR 250.00 of it free) + EUR 2.00 x 5 transactions (3 of them free)". */
function sharesInWords(terms: Percentage, { events, quantity }: Measured, currency: string): string {
  const { rate, fixedAmount, freeAmount, freeEvents, minimumAmount, maximumAmount } = terms;
  const money = (amount: number): string => formatAmount(amount, currency);
  const amount = `${formatUnitAmount(quantity, currency)}${freeAmount === 0 ? '' : ` (${money(freeAmount)} of it free)`}`;
  const transactions = `${events} transaction${events === 1 ? '' : 's'}${freeEvents === 0 ? '' : ` (${freeEvents} of them free)`}`;
  if (minimumAmount !== null || maximumAmount !== null) return `${percentageInWords(terms, currency)}, of ${amount} in ${transactions}`;
  return `${rate}% of ${amount}${fixedAmount === 0 ? '' : ` + ${money(fixedAmount)} x ${transactions}`}`;
}

/** "EUR 0.01 x 12345 used 2027-01-01 to 2027-02-01 (sum of 300 events) = EUR 123.45". */
export function explainUsage(product: Product, price: MeteredPrice, measured: Measured, charge: Prorated): Explanation {
  const { quantity, period, zone } = measured;
  const { percentage } = price.recurring;
  const factors = percentage ? sharesInWords(percentage, measured, price.currency) : factorsInWords(price, quantity, product);
  const used = `used ${dates(period, zone)} (${measuredInWords(measured)})`;
  return {
    sentence: `${factors} ${[used, ...charge.notes].join(', ')} = ${formatAmount(charge.amount, price.currency)}`,
    rule: 'usage',
    unitAmountDecimal: price.unitAmountDecimal,
    quantity,
    ...(charge.tiers === undefined ? {} : { tiers: charge.tiers }),
    usage: usageOf(measured, null),
    fraction: null,
    exact: charge.exact,
    rounding: 'half_up',
    notes: charge.notes,
  };
}

/** "16 of 31 days (2027-01-16 to 2027-02-01) of a minimum of EUR 100.00 = EUR 51.61, less EUR 10.00 for what was used = EUR 41.61". */
export function explainMinimum(
  price: MeteredPrice,
  period: Period,
  { minimum, used, missing, fraction }: { minimum: number; used: number; missing: number; fraction: Fraction | null },
  zone: string,
): Explanation {
  const money = (amount: number): string => formatAmount(amount, price.currency);
  const whole = `a minimum of ${money(price.recurring.minimumAmount ?? 0)}`;
  const share = fraction
    ? `${shareInWords(fraction)} (${dates(period, zone)}) of ${whole} = ${money(minimum)}`
    : `${whole} for ${oneCycle(price)} (${dates(period, zone)})`;
  return {
    sentence: `${share}, less ${money(used)} for what was used = ${money(missing)}`,
    rule: 'minimum_commitment',
    unitAmountDecimal: null,
    quantity: null,
    fraction,
    exact: String(missing),
    rounding: 'half_up',
    notes: [],
  };
}

/** "500 more × API calls (graduated tiers / month)": since a threshold was reached. */
export const describeMoreUsage = (product: Product, price: MeteredPrice, difference: string): string => {
  const [more, quantity] = difference.startsWith('-') ? ['less', difference.slice(1)] : ['more', difference];
  return `${usedInWords(price, quantity)} ${more} × ${product.name} (${rateInWords(price)} / ${everyCycle(price)})`;
};

/** "25 more × API calls, used 1 Jan 2027 to 1 Feb 2027 and reported late". */
export const describeLateUsage = (product: Product, price: MeteredPrice, difference: string, period: Period, zone: string): string => {
  const [more, quantity] = difference.startsWith('-') ? ['less', difference.slice(1)] : ['more', difference];
  const amount = quantity === '0' ? '' : `${usedInWords(price, quantity)} ${more} × `;
  return `${amount}${product.name}, used ${dayMonthYear(period.start, zone)} to ${dayMonthYear(period.end, zone)} and reported late`;
};

/** "EUR 0.01 x 12370 used 2027-01-01 to 2027-02-01 (sum of 302 events) = EUR 123.70, less EUR 123.45 billed for 12345 = EUR 0.25". */
export function explainLateUsage(
  product: Product,
  price: MeteredPrice,
  measured: Measured,
  charge: Prorated,
  billed: UsagePeriod,
  amount: number,
  rule: 'usage' | 'late_usage' = 'late_usage',
): Explanation {
  const whole = explainUsage(product, price, measured, charge);
  const money = (amount: number): string => formatAmount(amount, price.currency);
  const { tiers: _, ...rest } = whole;
  return {
    ...rest,
    sentence: `${whole.sentence}, less ${money(billed.amount)} billed for ${usedInWords(price, billed.quantity)} = ${money(amount)}`,
    rule,
    usage: usageOf(measured, {
      invoiceId: billed.invoiceId,
      invoiceLineId: billed.invoiceLineId,
      quantity: billed.quantity,
      amount: billed.amount,
    }),
    exact: exactToString(minus(exact(charge.exact), exact(billed.amount))),
    notes: amount === charge.amount - billed.amount ? whole.notes : [...whole.notes, 'given back at what was paid for it after discounts'],
  };
}
