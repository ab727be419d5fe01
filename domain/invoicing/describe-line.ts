import type { MeteredPrice, Percentage, Price, Product } from '../catalog/price.ts';
import { dividedBy, exact, exactSum, exactToString, formatAmount, minus, negated, times } from '../money.ts';
import type { Fraction, Prorated, ProrationTerms } from '../rating/prorate.ts';
import { ratePrice } from '../rating/rate-price.ts';
import { formatUnitAmount } from '../rating/round-line.ts';
import type { BilledPeriod } from '../subscription/subscription.ts';
import { type Instant, localDate } from '../time.ts';
import type { Meter } from '../usage/meter.ts';
import type { UsagePeriod } from '../usage/usage-period.ts';
import type { Explanation, Period } from './invoice.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/** "16 Jan 2025", the local date in the zone. */
function dayMonthYear(at: Instant, zone: string): string {
  const [year = '', month = '1', day = ''] = localDate(at, zone).split('-');
  return `${Number(day)} ${MONTHS[Number(month) - 1]} ${year}`;
}

/** "month", "3 months". */
function everyCycle(price: Price): string {
  const { interval, intervalCount } = price.recurring ?? { interval: 'once', intervalCount: 1 };
  return intervalCount === 1 ? interval : `${intervalCount} ${interval}s`;
}

/** "one month", "3 months": what a full cycle is. */
const oneCycle = (price: Price): string => `${price.recurring?.intervalCount === 1 ? 'one ' : ''}${everyCycle(price)}`;

const several = (product: Product, quantity: string): string => (quantity === '1' ? product.name : `${quantity} × ${product.name}`);

/** "at EUR 20.00", "at EUR 100.00 per 10", "graduated tiers". */
function rateInWords(price: Price): string {
  if (price.unitAmountDecimal === null) return `${price.tiersMode} tiers`;
  if (price.recurring?.percentage) return `at ${percentageInWords(price.recurring.percentage, price.currency)}`;
  const each = price.transformQuantity ? ` per ${price.transformQuantity.divideBy}` : '';
  return `at ${formatUnitAmount(price.unitAmountDecimal, price.currency)}${each}`;
}

/** Stripe's words: "3 × Pro (at EUR 20.00 / month)". */
export const describeFullPeriod = (product: Product, price: Price, quantity: string): string =>
  `${quantity} × ${product.name} (${rateInWords(price)} / ${everyCycle(price)})`;

/** "3 × Chat (of Suite, at EUR 49.00 / month)". */
export const describeComponent = (product: Product, sold: Product, price: Price, quantity: string): string =>
  `${quantity} × ${product.name} (of ${sold.name}, ${rateInWords(price)} / ${everyCycle(price)})`;

/** Stripe's words: "Remaining time on 3 × Pro after 16 Jan 2025". */
export const describeCharge = (product: Product, quantity: string, from: Instant, zone: string): string =>
  `Remaining time on ${several(product, quantity)} after ${dayMonthYear(from, zone)}`;

/** Stripe's words: "Unused time on 3 × Pro after 16 Jan 2025". */
export const describeCredit = (product: Product, quantity: string, from: Instant, zone: string): string =>
  `Unused time on ${several(product, quantity)} after ${dayMonthYear(from, zone)}`;

/** Stripe's words: "Trial period for 3 × Pro". */
export const describeTrial = (product: Product, quantity: string): string => `Trial period for ${several(product, quantity)}`;

/** "Setup fee", "2 × Setup fee". */
export const describeOneTime = (product: Product, quantity: string): string => several(product, quantity);

const dates = (period: Period, zone: string): string => `${localDate(period.start, zone)} to ${localDate(period.end, zone)}`;

/** "16 of 31 days"; a 30-day-month day is called so. */
function shareInWords(fraction: Fraction): string {
  const unit = { second: 'seconds', day: 'days', fixed_30: 'days of 30-day months' }[fraction.basis];
  return `${fraction.numerator} of ${fraction.denominator} ${unit}`;
}

/** "3 seats", "3 boxes", "3 entries", "1 seat", "3". */
function quantityInWords({ unitLabel }: Pick<Product, 'unitLabel'>, quantity: string): string {
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

/** "EUR 20.00 x 3 seats for 16 of 31 days (2025-01-16 to 2025-02-01) = EUR 30.97". */
export function explainCharge(
  product: Product,
  price: Price,
  quantity: string,
  period: Period,
  charge: Prorated,
  terms: ProrationTerms,
): Explanation {
  const fraction = charge.fraction;
  const share = fraction ? `${shareInWords(fraction)} (${dates(period, terms.zone)})` : `${oneCycle(price)} (${dates(period, terms.zone)})`;
  return {
    sentence: `${factorsInWords(price, quantity, product)} for ${share} = ${formatAmount(charge.amount, price.currency)}`,
    rule: fraction ? 'prorated_charge' : 'full_period',
    unitAmountDecimal: price.unitAmountDecimal,
    quantity,
    ...(charge.tiers === undefined ? {} : { tiers: charge.tiers }),
    fraction,
    exact: charge.exact,
    rounding: 'half_up',
    notes: charge.notes,
  };
}

/** Of a bundle: "EUR 49.00 x 1 seat for one month (2025-01-01 to 2025-02-01) = EUR 49.00, 20 of 49 parts of it for Chat = EUR 20.00". */
export function explainComponent(
  { tiers: _, ...whole }: Explanation,
  product: Product,
  price: Price,
  component: number,
  amount: number,
  bundleAmount: number,
): Explanation {
  const all = price.bundle ?? [];
  const share = all[component]?.share ?? '0';
  const shares = exactToString(exactSum(all.map((part) => exact(part.share))));
  return {
    ...whole,
    sentence: `${whole.sentence}, ${share} of ${shares} parts of it for ${product.name} = ${formatAmount(amount, price.currency)}`,
    bundle: { productId: price.productId, amount: bundleAmount, share, shares },
    exact: exactToString(dividedBy(times(exact(bundleAmount), share), shares)),
    notes: [...whole.notes, 'the parts are rounded together, so that they sum to the bundle'],
  };
}

/** "Free on trial (2025-01-16 to 2025-01-30) = EUR 0.00". */
export function explainTrial(price: Price, quantity: string, period: Period, zone: string): Explanation {
  return {
    sentence: `Free on trial (${dates(period, zone)}) = ${formatAmount(0, price.currency)}`,
    rule: 'trial',
    unitAmountDecimal: price.unitAmountDecimal,
    quantity,
    fraction: null,
    exact: '0',
    rounding: 'half_up',
    notes: [],
  };
}

/** "EUR 49.00 x 2 = EUR 98.00". */
export function explainOneTime(
  price: Price,
  quantity: string,
  { amount, exact: exactAmount, tiers }: Pick<Prorated, 'amount' | 'exact' | 'tiers'>,
  rule: 'one_time' | 'quantity' = 'one_time',
): Explanation {
  return {
    sentence: `${factorsInWords(price, quantity)} = ${formatAmount(amount, price.currency)}`,
    rule,
    unitAmountDecimal: price.unitAmountDecimal,
    quantity,
    ...(tiers === undefined ? {} : { tiers }),
    fraction: null,
    exact: exactAmount,
    rounding: 'half_up',
    notes: [],
  };
}

/** "16 of 31 days (2025-01-16 to 2025-02-01) of EUR 60.00 billed for 3 seats = -EUR 30.97". */
export function explainCredit(
  product: Product,
  price: Price,
  row: BilledPeriod,
  period: Period,
  credit: Prorated,
  terms: ProrationTerms,
): Explanation {
  const what = `${formatAmount(row.amount, price.currency)} billed for ${quantityInWords(product, row.quantity)}`;
  const earlier = row.credited > 0 ? ` (${formatAmount(row.credited, price.currency)} of it credited before)` : '';
  const share = credit.fraction
    ? `${shareInWords(credit.fraction)} (${dates(period, terms.zone)})`
    : `all that is left (${dates(period, terms.zone)})`;
  const because = credit.notes.length > 0 ? `, ${credit.notes.join(', ')}` : '';
  return {
    sentence: `${share} of ${what}${earlier} = ${formatAmount(-credit.amount, price.currency)}${because}`,
    rule: 'prorated_credit',
    unitAmountDecimal: price.unitAmountDecimal,
    quantity: row.quantity,
    fraction: credit.fraction,
    exact: exactToString(negated(exact(credit.exact))),
    rounding: 'half_up',
    notes: credit.notes,
  };
}

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

/** "1.3% + EUR 2.00 each, EUR 3.00 to EUR 50.00 each". */
function percentageInWords({ rate, fixedAmount, minimumAmount, maximumAmount }: Percentage, currency: string): string {
  const money = (amount: number): string => formatAmount(amount, currency);
  const fixed = fixedAmount === 0 ? '' : ` + ${money(fixedAmount)} each`;
  if (minimumAmount === null && maximumAmount === null) return `${rate}%${fixed}`;
  const limits =
    maximumAmount === null
      ? `at least ${money(minimumAmount ?? 0)}`
      : `${minimumAmount === null ? 'at most ' : `${money(minimumAmount)} to `}${money(maximumAmount)}`;
  return `${rate}%${fixed}, ${limits} each`;
}

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
