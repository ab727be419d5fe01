import { findPrice } from '../catalog/find-price.ts';
import type { Price, Product } from '../catalog/price.ts';
import { priceIn } from '../catalog/price-in.ts';
import type { IdSource } from '../decision.ts';
import { ID_PREFIX } from '../ids.ts';
import { compareDecimals } from '../money.ts';
import { type ProrationTerms, prorateCharge, prorateCredit } from '../rating/prorate.ts';
import type { BilledPeriod, BilledShrink } from '../subscription/subscription.ts';
import type { Instant } from '../time.ts';
import type { UsagePeriod } from '../usage/usage-period.ts';
import { describeCharge, describeCredit, describeFullPeriod, explainCharge, explainCredit } from './describe-line.ts';
import type { InvoiceItem, Period } from './invoice.ts';

/** One item as it should be billed over [from, to), a part of the full cycle [cycleStart, cycleEnd). */
export interface DueItem {
  itemId: string;
  priceId: string;
  quantity: string;
  /** The tax rates that apply to it, already resolved from item, subscription, customer or account. */
  taxRateIds: string[];
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
 * first. After shrinking and inserting, the coverage of an item never overlaps. Amounts are minor units, each line rounded once, half up.
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
    const covered = rows.flatMap((row) => settleRow(row, due, input, settlement));
    if (due) for (const gap of gapsIn({ start: due.from, end: due.to }, covered)) chargeGap(gap, due, input, settlement);
  }
  return settlement;
}

/** Gives back what of the row is no longer due. @returns what stays covered, by this row or by what its value moved to */
function settleRow(row: BilledPeriod, due: DueItem | null, input: SettleInput, settlement: Settlement): Period[] {
  const from = Math.max(row.start, input.at);
  if (input.unused === 'keep') return [{ start: from, end: row.end }];
  const until = due && input.endIsSettled ? row.end : (due?.to ?? from);
  const keptUntil = due && (input.onlyEndMoves || isSame(row, due)) ? Math.min(row.end, Math.max(until, from)) : from;
  const kept: Period[] = keptUntil > from ? [{ start: from, end: keptUntil }] : [];
  if (keptUntil === row.end) return kept;
  if (input.charge === 'carry' && due) return [...kept, ...carry(row, keptUntil, due, input, settlement)];
  const credit = input.unused === 'credit' ? prorateCredit(row, keptUntil, input.terms) : null;
  settlement.shrinks.push({ id: row.id, end: keptUntil, credited: row.credited + (credit?.amount ?? 0) });
  if (!credit || credit.amount === 0) return kept;
  const { price, product } = catalogue(row.priceId, input);
  const period = { start: keptUntil, end: row.end };
  settlement.lines.push({
    line: {
      ...lineOf(price, row.subscriptionItemId, row.quantity, period),
      description: describeCredit(product, row.quantity, keptUntil, input.terms.zone),
      amount: -credit.amount,
      proration: true,
      creditedInvoiceId: row.invoiceId,
      creditedLineId: row.invoiceLineId,
      explanation: explainCredit(product, price, row, period, credit, input.terms),
    },
    taxRateIds: row.taxRateIds,
    covers: null,
  });
  return kept;
}

const isSame = (row: BilledPeriod, due: DueItem): boolean =>
  row.priceId === due.priceId &&
  compareDecimals(row.quantity, due.quantity) === 0 &&
  row.cycleStart === due.cycleStart &&
  row.cycleEnd === due.cycleEnd;

/** Moves the value of the row's time from `from` on to the new price and quantity. What lies after the end that is due is forfeited. */
function carry(row: BilledPeriod, from: Instant, due: DueItem, input: SettleInput, settlement: Settlement): Period[] {
  const value = prorateCredit(row, from, input.terms).amount;
  settlement.shrinks.push({ id: row.id, end: from, credited: row.credited + value });
  const to = Math.min(row.end, due.to);
  if (to <= from) return [];
  settlement.carried.push({
    ...coverage(due, { start: from, end: to }, value, row.taxRateIds, input.newId),
    invoiceId: row.invoiceId,
    invoiceLineId: row.invoiceLineId,
    invoiceItemId: row.invoiceItemId,
  });
  return [{ start: from, end: to }];
}

function chargeGap(gap: Period, due: DueItem, input: SettleInput, settlement: Settlement): void {
  if (input.charge === 'carry') {
    const end = Math.min(gap.end, Math.max(gap.start, input.carryUntil ?? gap.end));
    if (end > gap.start) settlement.carried.push(coverage(due, { start: gap.start, end }, 0, due.taxRateIds, input.newId));
    return;
  }
  const { price, product } = catalogue(due.priceId, input);
  const charge = prorateCharge(price, due.quantity, gap, { start: due.cycleStart, end: due.cycleEnd }, input.terms);
  const zone = input.terms.zone;
  settlement.lines.push({
    line: {
      ...lineOf(price, due.itemId, due.quantity, gap),
      description: charge.fraction
        ? describeCharge(product, due.quantity, gap.start, zone)
        : describeFullPeriod(product, price, due.quantity),
      amount: charge.amount,
      proration: charge.fraction !== null,
      explanation: explainCharge(product, price, due.quantity, gap, charge, input.terms),
    },
    taxRateIds: due.taxRateIds,
    covers: coverage(due, gap, charge.amount, due.taxRateIds, input.newId),
  });
}

const lineOf = (price: Price, itemId: string, quantity: string, period: Period) => ({
  subscriptionItemId: itemId,
  priceId: price.id,
  productId: price.productId,
  quantity,
  unitAmountDecimal: price.unitAmountDecimal,
  currency: price.currency,
  period,
  creditedInvoiceId: null,
  creditedLineId: null,
  metadata: {},
});

const coverage = (due: DueItem, period: Period, amount: number, taxRateIds: string[], newId: IdSource): BilledPeriod => ({
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

function catalogue(priceId: string, input: SettleInput): { price: Price; product: Product } {
  const { price, product } = findPrice(input, priceId);
  return { price: priceIn(price, input.currency), product };
}
