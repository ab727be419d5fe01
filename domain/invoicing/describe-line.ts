import type { Price, Product } from '../catalog/price.ts';
import { dividedBy, exact, exactSum, exactToString, formatAmount, negated, times } from '../money.ts';
import type { Prorated, ProrationTerms } from '../rating/prorate.ts';
import type { BilledPeriod } from '../subscription/subscription.ts';
import type { Instant } from '../time.ts';
import type { Explanation, Period } from './invoice.ts';
import { dates, dayMonthYear, everyCycle, factorsInWords, oneCycle, quantityInWords, rateInWords, shareInWords } from './put-into-words.ts';

const several = (product: Product, quantity: string): string => (quantity === '1' ? product.name : `${quantity} × ${product.name}`);

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
    fraction,
    exact: charge.exact,
    rounding: 'half_up',
    notes: charge.notes,
    ...(charge.tiers === undefined ? {} : { tiers: charge.tiers }),
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
