import type { InvoiceLine } from '../invoicing/invoice.ts';
import { allocate, dividedBy, exact, exactToString, formatAmount, fractionOf, roundTogether, roundToMinor, sum, times } from '../money.ts';
import { amountOffIn } from './coupon.ts';
import type { Discount, DiscountAmount } from './discount.ts';

export type DiscountedLine = Pick<
  InvoiceLine,
  | 'amount'
  | 'currency'
  | 'priceId'
  | 'productId'
  | 'subscriptionItemId'
  | 'invoiceItemId'
  | 'creditedLineId'
  | 'period'
  | 'proration'
  | 'explanation'
  | 'discountable'
  | 'discountAmounts'
>;

/**
 * How much of an amount off counts: `whole` on the invoice of a period; on that of a change (`share`), and on what a change leaves pending (`pending`), prorated charges get the share of
 * it that the charge is of its period.
 */
export type AmountsOff = 'whole' | 'share' | 'pending';

/** Charges only: what gives back is net already. What was discounted when it was made is not discounted again. */
export const isDiscountable = ({ amount, discountable, creditedLineId }: DiscountedLine): boolean =>
  discountable !== false && creditedLineId === null && amount > 0;

/**
 * What each discount takes off each line, in the order in which they do: first those of items, then those of the invoice, each in the order given. A percentage is one of what the
 * earlier ones left, computed once over its lines and spread by largest remainder; an amount is spread over its lines in proportion to what is left of them, and what
 * is more than that is lost. Ties go to the earlier line. The components of a bundle share as one line, whose part is then spread over them. No line falls below zero. Lines that carry discounts already keep them.
 */
export function applyDiscounts(
  lines: readonly DiscountedLine[],
  discounts: readonly Discount[],
  amountsOff: AmountsOff,
): DiscountAmount[][] {
  const taken: DiscountAmount[][] = lines.map(({ discountAmounts }) => [...(discountAmounts ?? [])]);
  const left = lines.map(({ amount }) => amount);
  const ordered = [...discounts.filter(isOfItem), ...discounts.filter((discount) => !isOfItem(discount))];
  for (const discount of ordered) {
    const meant = lines.flatMap((line, index) => (isDiscountable(line) && isFor(discount, line) ? [index] : []));
    for (const indexes of discount.terms.percentOff === null ? groupsOf(lines, meant, discount, amountsOff) : [meant]) {
      const units = unitsOf(lines, indexes);
      const leftOf = (unit: readonly number[]): number[] => unit.map((index) => left[index] ?? 0);
      const bases = units.map((unit) => sum(leftOf(unit)));
      const [first] = indexes.flatMap((index) => lines[index] ?? []);
      if (!first) continue;
      amountsTaken(discount, first, bases, amountsOff).forEach((amount, n) => {
        const unit = units[n] ?? [];
        allocate(amount, leftOf(unit)).forEach((part, m) => {
          const index = unit[m] ?? 0;
          if (part === 0) return;
          left[index] = (left[index] ?? 0) - part;
          taken[index]?.push({ ...named(discount, first.currency), amount: part });
        });
      });
    }
  }
  return taken;
}

const isOfItem = ({ subscriptionItemId, invoiceItemId }: Discount): boolean => subscriptionItemId !== null || invoiceItemId !== null;

function isFor({ terms: { appliesTo }, subscriptionItemId, invoiceItemId }: Discount, line: DiscountedLine): boolean {
  if (subscriptionItemId !== null && subscriptionItemId !== line.subscriptionItemId) return false;
  if (invoiceItemId !== null && invoiceItemId !== line.invoiceItemId) return false;
  const products = [line.productId ?? '', line.explanation.bundle?.productId ?? ''];
  return appliesTo === null || products.some((id) => appliesTo.productIds.includes(id)) || appliesTo.priceIds.includes(line.priceId ?? '');
}

/** The lines that share in a discount as one: the components of a bundle get together what the bundle would get as one line. */
function unitsOf(lines: readonly DiscountedLine[], indexes: readonly number[]): number[][] {
  const bundles = new Map<string, number[]>();
  return indexes.flatMap((index): number[][] => {
    const line = lines[index];
    if (!line?.explanation.bundle) return [[index]];
    const { subscriptionItemId, priceId, period, explanation } = line;
    const key = JSON.stringify([subscriptionItemId, priceId, period, explanation.bundle?.amount]);
    const known = bundles.get(key);
    if (known) {
      known.push(index);
      return [];
    }
    const unit = [index];
    bundles.set(key, unit);
    return [unit];
  });
}

const isShare = ({ proration, explanation }: DiscountedLine): boolean => proration && explanation.fraction !== null;

/** An amount off counts once for the lines that bill whole periods, and by its share for those that bill a part of one. */
function groupsOf(lines: readonly DiscountedLine[], indexes: number[], { terms }: Discount, amountsOff: AmountsOff): number[][] {
  if (amountsOff === 'whole') return [indexes];
  // Used once, it belongs to the next invoice as a whole.
  if (terms.duration === 'once') return amountsOff === 'pending' ? [] : [indexes];
  const isPart = (index: number): boolean => lines[index] !== undefined && isShare(lines[index]);
  return [indexes.filter((index) => !isPart(index)), indexes.filter(isPart)];
}

function amountsTaken({ terms }: Discount, first: DiscountedLine, bases: number[], amountsOff: AmountsOff): number[] {
  const { percentOff } = terms;
  if (percentOff !== null) return roundTogether(bases.map((base) => dividedBy(times(exact(base), percentOff), 100)));
  const whole = amountOffIn(terms, first.currency) ?? 0;
  const { fraction } = first.explanation;
  const isPart = amountsOff !== 'whole' && terms.duration !== 'once' && isShare(first) && fraction !== null;
  const amount = isPart ? roundToMinor(fractionOf(whole, fraction.numerator, fraction.denominator)) : whole;
  return allocate(Math.min(amount, sum(bases)), bases);
}

const named = (discount: Discount, currency: string): Omit<DiscountAmount, 'amount'> => ({
  discountId: discount.id,
  couponId: discount.couponId,
  level: isOfItem(discount) ? 'item' : 'invoice',
  name: discount.terms.name,
  percentOff: discount.terms.percentOff,
  amountOff: amountOffIn(discount.terms, currency),
});

/** What is taken off a line by all its discounts. */
export const discountOf = ({ discountAmounts }: Pick<InvoiceLine, 'discountAmounts'>): number =>
  sum((discountAmounts ?? []).map(({ amount }) => amount));

/** The line's amount after discounts. */
export const netOf = (line: Pick<InvoiceLine, 'amount' | 'discountAmounts'>): number => sum([line.amount, -discountOf(line)]);

/** "less 20 % (Spring) = -EUR 6.00", "less its share of EUR 10.00 (WELCOME) = -EUR 4.00". */
export function describeDiscount({ name, couponId, percentOff, amountOff, amount }: DiscountAmount, currency: string): string {
  const what = percentOff === null ? amountInWords(amountOff ?? amount, amount, currency) : `${exactToString(exact(percentOff))} %`;
  return `less ${what} (${name ?? couponId}) = ${formatAmount(-amount, currency)}`;
}

const amountInWords = (whole: number, share: number, currency: string): string =>
  `${whole === share ? '' : 'its share of '}${formatAmount(whole, currency)}`;

/** The lines with what is taken off them, which their explanation then names. */
export const withDiscounts = <L extends DiscountedLine>(
  lines: readonly L[],
  discounts: readonly Discount[],
  amountsOff: AmountsOff,
): L[] => {
  const taken = applyDiscounts(lines, discounts, amountsOff);
  return lines.map((line, index) => {
    const known = line.discountAmounts?.length ?? 0;
    const all = taken[index] ?? [];
    if (all.length === known) return line;
    const notes = [...line.explanation.notes, ...all.slice(known).map((amount) => describeDiscount(amount, line.currency))];
    return { ...line, discountAmounts: all, explanation: { ...line.explanation, notes } };
  });
};

/** An amount off less what lines have had of it already. */
export function leftOf(discount: Discount, lines: readonly Pick<InvoiceLine, 'currency' | 'discountAmounts'>[]): Discount {
  const { terms, id } = discount;
  const [first] = lines;
  const amountOff = first ? amountOffIn(terms, first.currency) : null;
  if (!first || amountOff === null) return discount;
  const had = sum(
    lines.flatMap(({ discountAmounts = [] }) => discountAmounts.filter(({ discountId }) => discountId === id).map(({ amount }) => amount)),
  );
  return { ...discount, terms: { ...terms, currency: first.currency, amountOff: Math.max(0, sum([amountOff, -had])) } };
}

/** What each discount takes off an invoice, in order of first appearance. */
export function sumDiscounts(lines: readonly Pick<InvoiceLine, 'discountAmounts'>[]): DiscountAmount[] {
  const totals = new Map<string, DiscountAmount>();
  for (const taken of lines.flatMap(({ discountAmounts }) => discountAmounts ?? []))
    totals.set(taken.discountId, { ...taken, amount: sum([totals.get(taken.discountId)?.amount ?? 0, taken.amount]) });
  return [...totals.values()];
}
