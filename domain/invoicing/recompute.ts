import { type BillingSnapshot, zoneOf } from '../billing-snapshot.ts';
import { splitOver } from '../catalog/bundle.ts';
import type { Price } from '../catalog/price.ts';
import { isSoldIn, priceIn } from '../catalog/price-in.ts';
import { netOf } from '../discounts/apply-discounts.ts';
import { Refusal } from '../errors.ts';
import { compareDecimals, type ExactAmount, exact, fractionOf, sum } from '../money.ts';
import { chargeOnce, prorateCharge } from '../rating/prorate.ts';
import { formatUnitAmount, roundLine } from '../rating/round-line.ts';
import type { BilledPeriod, ProrationBasis } from '../subscription/subscription.ts';
import { applyTaxRates, taxRatesFor } from '../tax/apply-tax-rates.ts';
import type { TaxAmount } from '../tax/tax-rate.ts';
import type { Invoice, InvoiceLine } from './invoice.ts';
import { withTotals } from './total-invoice.ts';

/** One line as it was billed and as it would be billed now; `difference` in minor units, with exclusive tax, positive where it would be more. */
export interface RecomputedLine {
  billed: InvoiceLine;
  now: InvoiceLine;
  difference: number;
  /** Why they differ, as sentences; empty where they do not. */
  reasons: string[];
}

/** A part of the difference, by line: what is to be given back (`credit`) or still to be asked for (`charge`). Amounts are positive. */
export interface ProposedLine {
  line: InvoiceLine;
  /** Before exclusive tax. */
  amount: number;
  taxes: TaxAmount[];
  total: number;
}

export interface Recomputation {
  billed: Invoice;
  /** The invoice with today's prices, coverage and taxes; nothing of it is stored. */
  now: Invoice;
  lines: RecomputedLine[];
  credit: ProposedLine[];
  charge: ProposedLine[];
  /** How much of the credit lowers what is still owed of the invoice, and how much has been paid already. */
  prePaymentAmount: number;
  postPaymentAmount: number;
}

/**
 * What a finalised invoice would be with today's inputs. `coverage` is all that its lines ever paid for, as it is recorded today. A line is billed again at today's price for what is
 * left of it: what later invoices gave back is theirs, and lines that give back stay what they are. The tax rates are those that would apply today, at today's
 * percentages, and so is the customer's exemption; those of an external engine are `external`, what it says today of `linesToday`. Nothing changed: no difference, to the cent.
 * @throws Refusal invoice_not_open for a draft or a void invoice; parameter_invalid where the external taxes are not those of its lines; amount_out_of_range
 */
export function recomputeInvoice(snapshot: BillingSnapshot, coverage: readonly BilledPeriod[], external?: TaxAmount[][]): Recomputation {
  const billed = finalised(snapshot);
  const priced = billed.lines.map((line) => reprice(line, snapshot, coverage));
  if (external && external.length !== priced.length) {
    throw new Refusal('parameter_invalid', `Taxes of ${external.length} lines do not fit an invoice of ${priced.length}.`, 'taxes');
  }
  const taxes =
    external ??
    applyTaxRates(
      priced.map(({ line }) => ({ amount: netOf(line), taxRateIds: ratesToday(line, snapshot) })),
      snapshot.taxRates,
      { taxExempt: snapshot.customer.taxExempt },
    );
  const lines = billed.lines.map((before, index): RecomputedLine => {
    const { line, reasons } = priced[index] ?? { line: before, reasons: [] };
    const now = { ...line, taxes: taxes[index] ?? [] };
    const difference = sum([withTax(now), -withTax(before)]);
    return { billed: before, now, difference, reasons: [...reasons, ...whyTaxed(before, now, snapshot)] };
  });
  const credit = lines.filter(({ difference }) => difference < 0).map((line) => propose(line, -1));
  const credited = sum(credit.map(({ total }) => total));
  const prePaymentAmount = billed.status === 'paid' ? 0 : Math.min(credited, billed.amountRemaining);
  return {
    billed,
    now: withTotals({ ...billed, lines: lines.map(({ now }) => now), amountCredited: 0 }),
    lines,
    credit,
    charge: lines.filter(({ difference }) => difference > 0).map((line) => propose(line, 1)),
    prePaymentAmount,
    postPaymentAmount: sum([credited, -prePaymentAmount]),
  };
}

/** The lines of the invoice at today's prices and coverage, with the taxes they had: what an external engine is asked about. @throws as `recomputeInvoice` */
export const linesToday = (snapshot: BillingSnapshot, coverage: readonly BilledPeriod[]): InvoiceLine[] =>
  finalised(snapshot).lines.map((line) => reprice(line, snapshot, coverage).line);

function finalised({ invoice }: BillingSnapshot): Invoice {
  if (invoice === null) throw new Refusal('resource_missing', 'No such invoice.', 'invoice');
  if (invoice.status !== 'draft' && invoice.status !== 'void') return invoice;
  throw new Refusal('invoice_not_open', `Only a finalised invoice can be recomputed; this one is ${invoice.status}.`);
}

const withTax = ({ taxes, ...line }: InvoiceLine): number =>
  sum([netOf(line), ...taxes.filter((tax) => !tax.inclusive).map((tax) => tax.amount)]);

function reprice(
  line: InvoiceLine,
  snapshot: BillingSnapshot,
  coverage: readonly BilledPeriod[],
): { line: InvoiceLine; reasons: string[] } {
  const rows = line.creditedLineId === null ? coverage.filter((row) => row.invoiceLineId === line.id) : [];
  if (rows.length === 0) return repriceOneTime(line, snapshot);
  const reasons: string[] = [];
  let amount = line.amount;
  for (const row of rows) {
    const price = priceOf(row.priceId, line, snapshot);
    if (!price) continue;
    const left = sum([row.amount, -row.credited]);
    const due = dueOf(row, left, line, snapshot);
    if (due === left) continue;
    amount = sum([amount, due, -left]);
    const [then, now] = [line.unitAmountDecimal, price.unitAmountDecimal].map((unit) => unitInWords(unit, price.currency));
    const isLines = row.priceId === line.priceId && compareDecimals(row.quantity, line.quantity ?? '1') === 0;
    reasons.push(
      isLines
        ? `The price ${row.priceId} is ${now} and was ${then} when this was billed.`
        : `A later change without proration made it ${row.quantity} × ${row.priceId} at ${now}; ${line.quantity ?? '1'} × ${line.priceId} at ${then} was billed.`,
    );
  }
  const [only] = rows;
  const unit = rows.length === 1 && only ? priceOf(only.priceId, line, snapshot)?.unitAmountDecimal : undefined;
  return { line: amount === line.amount ? line : { ...line, amount, ...(unit === undefined ? {} : { unitAmountDecimal: unit }) }, reasons };
}

/** The price in the currency of the line; one that is no longer sold in it is as it was billed. */
function priceOf(priceId: string, line: InvoiceLine, { prices }: BillingSnapshot): Price | undefined {
  const price = prices[priceId];
  return price && isSoldIn(price, line.currency) ? priceIn(price, line.currency) : undefined;
}

const unitInWords = (unit: string | null, currency: string): string => (unit === null ? 'in tiers' : formatUnitAmount(unit, currency));

/** What was sold once for price x quantity, at today's price. */
function repriceOneTime(line: InvoiceLine, snapshot: BillingSnapshot): { line: InvoiceLine; reasons: string[] } {
  const price = priceOf(line.priceId ?? '', line, snapshot);
  const { quantity, unitAmountDecimal } = line;
  if (!price || price.recurring || quantity === null || unitAmountDecimal === null) return { line, reasons: [] };
  const wasPriced = price.tiers === null && chargeOnce({ ...price, unitAmountDecimal }, quantity).amount === line.amount;
  const amount = wasPriced ? chargeOnce(price, quantity).amount : line.amount;
  if (amount === line.amount) return { line, reasons: [] };
  const [then, now] = [unitAmountDecimal, price.unitAmountDecimal].map((unit) => unitInWords(unit, price.currency));
  return {
    line: { ...line, amount, unitAmountDecimal: price.unitAmountDecimal },
    reasons: [`The price ${price.id} is ${now} and was ${then} when this was billed.`],
  };
}

/** What is left of the row at today's price: the same share of today's whole as is left of what was billed. */
function dueOf(row: BilledPeriod, left: number, line: InvoiceLine, snapshot: BillingSnapshot): number {
  const { account } = snapshot;
  const subscription = ownerOf(line, snapshot);
  const price = priceOf(row.priceId, line, snapshot);
  if (!price) return left;
  const basis = (line.explanation.fraction?.basis as ProrationBasis | undefined) ?? account.prorationBasis;
  const terms = { basis, zone: subscription?.billingTimezone ?? zoneOf(snapshot) };
  const cycle = { start: row.cycleStart, end: row.cycleEnd };
  const { component } = row;
  const ofComponent = (amount: number): number =>
    price.bundle && component !== null ? (splitOver(price.bundle, amount)[component] ?? 0) : amount;
  // Coverage is worth what was billed after discounts, which would be the same share of another amount.
  const discounted = (amount: number): ExactAmount => (line.amount > 0 ? fractionOf(amount, netOf(line), line.amount) : exact(amount));
  if (row.amount === 0) {
    const { amount } = prorateCharge(price, row.quantity, { start: row.start, end: row.end }, cycle, terms);
    return row.end > row.start ? roundLine(discounted(ofComponent(amount))) : 0;
  }
  const whole = prorateCharge(price, row.quantity, { start: row.originalStart, end: row.originalEnd }, cycle, terms).amount;
  return roundLine(fractionOf(discounted(ofComponent(whole)), left, row.amount));
}

/** Whose line it is: of a consolidated invoice one of several subscriptions. */
const ownerOf = ({ subscriptionId }: InvoiceLine, { subscription, members = [] }: BillingSnapshot): BillingSnapshot['subscription'] =>
  subscription ?? members.find((member) => member.subscription?.id === subscriptionId)?.subscription ?? null;

/** The rates that would tax the line today; a line that gives back, or whose item is gone, keeps its own. */
function ratesToday(line: InvoiceLine, snapshot: BillingSnapshot): string[] {
  const { account, customer, prices } = snapshot;
  const subscription = ownerOf(line, snapshot);
  const item = subscription?.items.find(({ id }) => id === line.subscriptionItemId);
  if (line.creditedLineId !== null || !subscription || !item) return line.taxes.flatMap(({ taxRateId }) => taxRateId ?? []);
  const component = prices[item.priceId]?.bundle?.find(({ productId }) => productId === line.productId);
  const own = item.taxRateIds.length > 0 ? item.taxRateIds : (component?.taxRateIds ?? []);
  return taxRatesFor(own, subscription.defaultTaxRateIds, customer.defaultTaxRateIds, account.defaultTaxRateIds);
}

const taxOf = ({ taxes }: InvoiceLine): number => sum(taxes.map(({ amount }) => amount));
const named = ({ displayName, percentage, inclusive }: TaxAmount): string =>
  `${displayName} ${percentage} %${inclusive ? ' inclusive' : ''}`;

function whyTaxed(before: InvoiceLine, now: InvoiceLine, { customer, invoice }: BillingSnapshot): string[] {
  if (taxOf(before) === taxOf(now)) return [];
  const rates = (line: InvoiceLine): string => line.taxes.map(named).join(' and ') || 'no tax';
  if (rates(before) !== rates(now)) return [`It would be taxed with ${rates(now)} instead of ${rates(before)}.`];
  const calculator = invoice?.taxCalculator ?? 'manual';
  if (calculator !== 'manual' && before.amount === now.amount) return [`The tax calculator ${calculator} arrives at another amount today.`];
  if ((taxOf(before) === 0) !== (taxOf(now) === 0)) {
    return [`The customer's tax_exempt is ${customer.taxExempt} now${customer.taxExempt === 'none' ? ' and was not then' : ''}.`];
  }
  return [before.amount === now.amount ? "The invoice's tax, rounded once, is spread anew over its lines." : 'The tax follows the amount.'];
}

/** The difference of a line with the sign that makes it positive; taxes by rate. */
function propose({ billed, now, difference }: RecomputedLine, sign: 1 | -1): ProposedLine {
  const keys = [...now.taxes, ...billed.taxes].map(keyOf);
  const taxes = [...new Set(keys)].flatMap((key): TaxAmount[] => {
    const after = now.taxes.find((tax) => keyOf(tax) === key);
    const before = billed.taxes.find((tax) => keyOf(tax) === key);
    const tax = after ?? before;
    if (!tax) return [];
    return [
      {
        ...tax,
        amount: sum([sign * (after?.amount ?? 0), -sign * (before?.amount ?? 0)]),
        taxableAmount: sum([sign * (after?.taxableAmount ?? 0), -sign * (before?.taxableAmount ?? 0)]),
      },
    ];
  });
  return {
    line: now,
    amount: sum([sign * now.amount, -sign * billed.amount]),
    taxes: taxes.filter(({ amount }) => amount !== 0),
    total: sum([sign * difference]),
  };
}

/** A rate of our own may have been renamed; those of an engine have nothing but their names. */
const keyOf = ({ taxRateId, displayName, percentage, inclusive }: TaxAmount): string =>
  JSON.stringify([taxRateId ?? `named ${displayName}`, percentage, inclusive]);
