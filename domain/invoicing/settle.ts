import { splitOver } from '../catalog/bundle.ts';
import { findPrice } from '../catalog/find-price.ts';
import type { Price, Product } from '../catalog/price.ts';
import { priceIn } from '../catalog/price-in.ts';
import type { IdSource } from '../decision.ts';
import { ID_PREFIX } from '../ids.ts';
import { compareDecimals } from '../money.ts';
import { type Prorated, type ProrationTerms, prorateCharge } from '../rating/prorate.ts';
import type { BilledPeriod, BilledShrink } from '../subscription/subscription.ts';
import type { Instant } from '../time.ts';
import type { UsagePeriod } from '../usage/usage-period.ts';
import { type Cover, coversOf, creditCover, creditOfPart } from './cover-together.ts';
import {
  describeCharge,
  describeComponent,
  describeCredit,
  describeFullPeriod,
  explainCharge,
  explainComponent,
  explainCredit,
} from './describe-line.ts';
import type { InvoiceItem, Period } from './invoice.ts';

/** One item as it should be billed over [from, to), a part of the full cycle [cycleStart, cycleEnd). */
export interface DueItem {
  itemId: string;
  priceId: string;
  quantity: string;
  /** The tax rates that apply to it, already resolved from item, subscription, customer or account. */
  taxRateIds: string[];
  /** Of a bundle: those that apply to each component, in their order. Absent: those of the item to all. */
  componentTaxRateIds?: string[][];
  from: Instant;
  to: Instant;
  cycleStart: Instant;
  cycleEnd: Instant;
}

export interface SettleInput {
  due: DueItem[];
  /** Coverage of the items that are settled, and of no other. */
  billed: BilledPeriod[];
  /** Nothing before this instant is touched. */
  at: Instant;
  /** Covered time that is no longer due: `credit` it, `forfeit` it (uncovered, nothing given back), or `keep` it covered. */
  unused: 'credit' | 'forfeit' | 'keep';
  /** The items are right as they are billed, and only where they are due until has moved: what is covered until then stays, whatever cycle it was billed by. */
  onlyEndMoves?: boolean;
  /** What is billed as it is due, but beyond its end, was settled when that end was set, and stays as it is. */
  endIsSettled?: boolean;
  /**
   * Newly due time: `bill` it, or `carry` it (proration_behavior none): no line is made, and the value of the old coverage moves to the new price and
   * quantity, so that a later credit gives back what was really paid and the new price is first billed with the next period.
   */
  charge: 'bill' | 'carry';
  /** What is carried without having been paid for is covered until here at most: the end of the current period. What a longer cycle has beyond it is billed with the next one. */
  carryUntil?: Instant;
  terms: ProrationTerms;
  /** What is billed in; prices that have several are taken in it. */
  currency: string;
  prices: Record<string, Price>;
  products: Record<string, Product>;
  newId: IdSource;
}

/** A line to be put on an invoice or kept pending; `covers` is the coverage it pays for (null for a credit), still without its line's id. */
export interface SettledLine {
  line: InvoiceItem['line'];
  taxRateIds: string[];
  covers: BilledPeriod | null;
  /** The usage it bills, still without its line's id; `late`: of a stretch that was billed before, as a whole or in part. */
  measures?: { period: UsagePeriod; late: boolean };
}

export interface Settlement {
  lines: SettledLine[];
  shrinks: BilledShrink[];
  /** Coverage that moved without a line. */
  carried: BilledPeriod[];
}

/**
 * Bills what is due less what is billed. Time covered at the same price, quantity and cycle is not billed again; covered time that is no longer due is given
 * back (see `prorateCredit`); newly due time is charged at its share of the full cycle (see `prorateCharge`). Per item: credits first, then charges; items that end come
 * first. After shrinking and inserting, the coverage of an item never overlaps. Amounts are minor units, each line rounded once, half up. A bundle is settled as the one price that it is, and then
 * split: a line and a row of coverage for each component, which sum to what the price would bill, carry or give back as one line.
 * @throws Refusal amount_out_of_range
 */
export function settle(input: SettleInput): Settlement {
  const settlement: Settlement = { lines: [], shrinks: [], carried: [] };
  const duePerItem = new Map(input.due.map((due) => [due.itemId, due]));
  const ending = input.billed.map((row) => row.subscriptionItemId).filter((itemId) => !duePerItem.has(itemId));
  for (const itemId of new Set([...ending, ...duePerItem.keys()])) {
    const due = duePerItem.get(itemId) ?? null;
    const rows = input.billed.filter((row) => row.subscriptionItemId === itemId && row.end > input.at && row.end > row.start);
    rows.sort((a, b) => a.start - b.start);
    const covered = coversOf(rows).flatMap((cover) => settleCover(cover, due, input, settlement));
    if (due) for (const gap of gapsIn({ start: due.from, end: due.to }, covered)) chargeGap(gap, due, input, settlement);
  }
  return settlement;
}

/** Gives back what of the cover is no longer due. @returns what stays covered, by it or by what its value moved to */
function settleCover(cover: Cover, due: DueItem | null, input: SettleInput, settlement: Settlement): Period[] {
  const { whole: row, parts } = cover;
  const from = Math.max(row.start, input.at);
  if (input.unused === 'keep') return [{ start: from, end: row.end }];
  const until = due && input.endIsSettled ? row.end : (due?.to ?? from);
  const keptUntil = due && (input.onlyEndMoves || isSame(row, due)) ? Math.min(row.end, Math.max(until, from)) : from;
  const kept: Period[] = keptUntil > from ? [{ start: from, end: keptUntil }] : [];
  if (keptUntil === row.end) return kept;
  if (input.charge === 'carry' && due) return [...kept, ...carry(cover, keptUntil, due, input, settlement)];
  const credit = input.unused === 'credit' ? creditCover(cover, keptUntil, input.terms) : null;
  parts.forEach((part, index) => {
    const share = credit?.shares[index] ?? 0;
    settlement.shrinks.push({ id: part.id, end: keptUntil, credited: part.credited + share });
    if (credit !== null && share !== 0) giveBack(cover, part, { share, whole: credit.whole, from: keptUntil }, input, settlement);
  });
  return kept;
}

/** The line that credits one part of a cover, to the line that billed it. */
function giveBack(
  cover: Cover,
  part: BilledPeriod,
  { share, whole, from }: { share: number; whole: Prorated; from: Instant },
  input: SettleInput,
  settlement: Settlement,
): void {
  const { price, product } = catalogue(part.priceId, input, part.component);
  const period = { start: from, end: part.end };
  const credit = creditOfPart(cover, part, share, whole, from, input.terms);
  settlement.lines.push({
    line: {
      ...lineOf(price, product, part, period),
      description: describeCredit(product, part.quantity, from, input.terms.zone),
      amount: -share,
      proration: true,
      creditedInvoiceId: part.invoiceId,
      creditedLineId: part.invoiceLineId,
      explanation: explainCredit(product, price, part, period, credit, input.terms),
    },
    taxRateIds: part.taxRateIds,
    covers: null,
  });
}

const isSame = (row: BilledPeriod, due: DueItem): boolean =>
  row.priceId === due.priceId &&
  compareDecimals(row.quantity, due.quantity) === 0 &&
  row.cycleStart === due.cycleStart &&
  row.cycleEnd === due.cycleEnd;

/** A line that the due price makes: all of it, or that of one component. */
interface Place {
  component: number | null;
  productId: string;
  taxRateIds: string[];
}

const placesOf = ({ productId, bundle }: Price, due: DueItem): Place[] =>
  bundle
    ? bundle.map((part, index) => ({
        component: index,
        productId: part.productId,
        taxRateIds: due.componentTaxRateIds?.[index] ?? due.taxRateIds,
      }))
    : [{ component: null, productId, taxRateIds: due.taxRateIds }];

const split = ({ bundle }: Price, amount: number): number[] => (bundle ? splitOver(bundle, amount) : [amount]);

/**
 * Moves the value of the cover's time from `from` on to the new price and quantity: where the products of the lines stay the same, from line to line; else by the shares of the new price. What lies
 * after the end that is due is forfeited.
 */
function carry(cover: Cover, from: Instant, due: DueItem, input: SettleInput, settlement: Settlement): Period[] {
  const { whole: row, parts } = cover;
  const { whole, shares: values } = creditCover(cover, from, input.terms);
  parts.forEach((part, index) => {
    settlement.shrinks.push({ id: part.id, end: from, credited: part.credited + (values[index] ?? 0) });
  });
  const to = Math.min(row.end, due.to);
  if (to <= from) return [];
  const { price } = catalogue(due.priceId, input);
  const places = placesOf(price, due);
  const sources = parts.map((part) => catalogue(part.priceId, input, part.component).product.id);
  const isAsBefore = places.length === parts.length && places.every(({ productId }) => sources.includes(productId));
  const amounts = isAsBefore ? places.map(({ productId }) => values[sources.indexOf(productId)] ?? 0) : split(price, whole.amount);
  const largest = parts.reduce((best, part) => (part.amount > best.amount ? part : best));
  places.forEach((place, index) => {
    const source = parts[sources.indexOf(place.productId)] ?? largest;
    settlement.carried.push({
      ...coverage(due, place, { start: from, end: to }, amounts[index] ?? 0, input.newId),
      taxRateIds: source.taxRateIds,
      invoiceId: source.invoiceId,
      invoiceLineId: source.invoiceLineId,
      invoiceItemId: source.invoiceItemId,
    });
  });
  return [{ start: from, end: to }];
}

function chargeGap(gap: Period, due: DueItem, input: SettleInput, settlement: Settlement): void {
  const { price } = catalogue(due.priceId, input);
  const places = placesOf(price, due);
  if (input.charge === 'carry') {
    const end = Math.min(gap.end, Math.max(gap.start, input.carryUntil ?? gap.end));
    if (end <= gap.start) return;
    settlement.carried.push(...places.map((place) => coverage(due, place, { start: gap.start, end }, 0, input.newId)));
    return;
  }
  const charge = prorateCharge(price, due.quantity, gap, { start: due.cycleStart, end: due.cycleEnd }, input.terms);
  const amounts = split(price, charge.amount);
  const zone = input.terms.zone;
  places.forEach((place, index) => {
    const { product, sold } = catalogue(due.priceId, input, place.component);
    const amount = amounts[index] ?? 0;
    const explanation = explainCharge(sold, price, due.quantity, gap, charge, input.terms);
    settlement.lines.push({
      line: {
        ...lineOf(price, product, { subscriptionItemId: due.itemId, quantity: due.quantity, component: place.component }, gap),
        description: charge.fraction
          ? describeCharge(product, due.quantity, gap.start, zone)
          : place.component === null
            ? describeFullPeriod(product, price, due.quantity)
            : describeComponent(product, sold, price, due.quantity),
        amount,
        proration: charge.fraction !== null,
        explanation:
          place.component === null ? explanation : explainComponent(explanation, product, price, place.component, amount, charge.amount),
      },
      taxRateIds: place.taxRateIds,
      covers: coverage(due, place, gap, amount, input.newId),
    });
  });
}

const lineOf = (
  price: Price,
  product: Product,
  { subscriptionItemId, quantity, component }: Pick<BilledPeriod, 'subscriptionItemId' | 'quantity' | 'component'>,
  period: Period,
) => ({
  subscriptionItemId,
  priceId: price.id,
  productId: product.id,
  quantity,
  // What a unit of a component costs has no end of decimals.
  unitAmountDecimal: component === null ? price.unitAmountDecimal : null,
  currency: price.currency,
  period,
  creditedInvoiceId: null,
  creditedLineId: null,
  metadata: {},
});

const coverage = (due: DueItem, { component, taxRateIds }: Place, period: Period, amount: number, newId: IdSource): BilledPeriod => ({
  id: newId(ID_PREFIX.billedPeriod),
  subscriptionItemId: due.itemId,
  priceId: due.priceId,
  quantity: due.quantity,
  start: period.start,
  end: period.end,
  originalStart: period.start,
  originalEnd: period.end,
  cycleStart: due.cycleStart,
  cycleEnd: due.cycleEnd,
  amount,
  credited: 0,
  taxRateIds,
  component,
  invoiceId: null,
  invoiceLineId: null,
  invoiceItemId: null,
});

/** What of `whole` the sorted, disjoint periods leave uncovered. */
function gapsIn(whole: Period, covered: Period[]): Period[] {
  const gaps: Period[] = [];
  let from = whole.start;
  for (const { start, end } of covered) {
    if (start > from) gaps.push({ start: from, end: Math.min(start, whole.end) });
    from = Math.max(from, end);
  }
  if (from < whole.end) gaps.push({ start: from, end: whole.end });
  return gaps.filter((gap) => gap.start < gap.end);
}

/** The price in what is billed in, the product that it sells, and that of the line: its own where it bills a component. */
function catalogue(
  priceId: string,
  input: SettleInput,
  component: number | null = null,
): { price: Price; product: Product; sold: Product } {
  const { price, product: sold } = findPrice(input, priceId);
  const part = component === null ? undefined : price.bundle?.[component];
  const product = part === undefined ? sold : input.products[part.productId];
  if (!product) throw new Error(`the product ${part?.productId} of the bundle ${priceId} is missing`);
  return { price: priceIn(price, input.currency), product, sold };
}
