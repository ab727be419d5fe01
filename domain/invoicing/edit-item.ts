import { type BillingSnapshot, zoneOf } from '../billing-snapshot.ts';
import type { Metadata } from '../catalog/price.ts';
import type { Decision } from '../decision.ts';
import { leftOf, withDiscounts } from '../discounts/apply-discounts.ts';
import type { Discount, DiscountWish } from '../discounts/discount.ts';
import { retireDiscounts } from '../discounts/discount-invoice.ts';
import { redeem } from '../discounts/redeem.ts';
import { Refusal } from '../errors.ts';
import { ID_PREFIX } from '../ids.ts';
import { assertSameCurrency } from '../money.ts';
import { checkTaxRates } from '../subscription/check-items.ts';
import { hasEnded } from '../subscription/transitions.ts';
import { taxRatesFor } from '../tax/apply-tax-rates.ts';
import type { Instant } from '../time.ts';
import {
  beginDecision,
  type DecisionContext,
  type DecisionDraft,
  emit,
  finishDecision,
  putInvoice,
  removePending,
  shrinkCoverage,
} from './draft-decision.ts';
import type { Invoice, InvoiceItem, InvoiceLine, Period } from './invoice.ts';
import { type ItemPrice, priceItem, requantify } from './price-item.ts';
import { retaxDraft } from './retax-draft.ts';
import { changeableDraft } from './set-auto-advance.ts';

/** As Stripe: lines of one invoice, and items that wait for one. */
export const MAX_LINES = 250;

export interface ItemTerms extends ItemPrice {
  /** Empty: none. */
  description?: string;
  period?: Period;
  /** Empty: those of the subscription, the customer or the account. */
  taxRateIds?: string[];
  metadata?: Metadata;
  /** All that are to stand on the item; empty: none. */
  discounts?: DiscountWish[];
  /** Whether discounts of the invoice count for it. */
  discountable?: boolean;
}

/** `invoiceId`: onto that draft. Else it waits for the next invoice of the subscription, or of the customer where there is none. */
export interface NewItem extends ItemTerms {
  id: string;
  subscriptionId: string | null;
  invoiceId: string | null;
}

/**
 * A new item of the snapshot's customer, pending or on the draft. Taxes of the draft are computed anew.
 * @throws Refusal about the parameter at fault, in Stripe's notation
 */
export function decideNewItem(snapshot: BillingSnapshot, command: NewItem, context: DecisionContext): Decision {
  const { customer, subscription } = snapshot;
  if (customer.deleted) throw new Refusal('customer_deleted', `The customer ${customer.id} is deleted.`, 'customer');
  const invoice = command.invoiceId === null ? null : changeableDraft(snapshot, context.asOf, 'invoice');
  if (invoice && invoice.customerId !== customer.id) throw new Refusal('resource_missing', `No such invoice: '${invoice.id}'`, 'invoice');
  if (invoice && command.subscriptionId !== null && command.subscriptionId !== invoice.subscriptionId) {
    throw new Refusal('parameter_invalid', 'The invoice is not one of this subscription.', 'subscription');
  }
  if (!invoice && subscription) checkSubscription(snapshot);
  const subscriptionId = invoice ? invoice.subscriptionId : command.subscriptionId;
  const expected = invoice?.currency ?? (subscriptionId === null ? null : subscription?.currency) ?? customer.currency;
  const { priced, name } = priceItem(snapshot, command, { itemId: command.id, usual: expected });
  if (expected) assertSameCurrency(expected, priced.currency, 'currency');
  const draft = beginDecision(snapshot, context);
  const waiting: InvoiceItem = {
    id: command.id,
    customerId: customer.id,
    subscriptionId,
    invoiceId: invoice?.id ?? null,
    line: {
      ...priced,
      subscriptionItemId: null,
      description: command.description ?? name,
      period: periodOf(command.period, context.asOf),
      proration: false,
      creditedInvoiceId: null,
      creditedLineId: null,
      metadata: command.metadata ?? {},
      ...(command.discountable === false ? { discountable: false } : {}),
    },
    taxRateIds: ratesOf(snapshot, command.taxRateIds ?? []),
    date: context.asOf,
  };
  const item = command.discounts === undefined ? waiting : { ...waiting, discounts: redeemOnto(draft, waiting, command.discounts) };
  draft.decision.pendingItems.insert.push(item);
  emit(draft, 'invoiceitem.created', 'invoiceitem', item.id);
  if (invoice) {
    const line: InvoiceLine = { ...item.line, id: draft.newId(ID_PREFIX.invoiceLine), invoiceItemId: item.id, taxes: [] };
    relineDraft(draft, invoice, [...invoice.lines, line], { [line.id]: item.taxRateIds }, item);
  } else
    checkRoom([...snapshot.pendingItems, ...snapshot.customerItems].filter((other) => other.subscriptionId === subscriptionId).length + 1);
  return finishDecision(draft);
}

/**
 * Changes the snapshot's item, pending or on a draft. What a proration costs is not changed: it follows from the subscription.
 * @throws Refusal invoice_not_draft where it is on an invoice that is final; and about the parameter at fault
 */
export function decideItemChange(snapshot: BillingSnapshot, command: ItemTerms, context: DecisionContext): Decision {
  const { item, invoice } = itemOf(snapshot, context.asOf);
  const { amount, priceId, unitAmountDecimal, quantity } = command;
  const repriced = amount !== undefined || priceId !== undefined || unitAmountDecimal !== undefined;
  if (item.line.proration && (repriced || quantity !== undefined)) {
    throw new Refusal('transition_not_allowed', 'What a proration costs cannot be changed.', repriced ? 'amount' : 'quantity');
  }
  const { currency } = item.line;
  const priced = repriced
    ? priceItem(snapshot, { ...command, currency }, { itemId: item.id, usual: currency }).priced
    : quantity === undefined
      ? {}
      : requantify(snapshot, item.line, quantity);
  const line: InvoiceItem['line'] = {
    ...item.line,
    ...priced,
    ...(command.description === undefined ? {} : { description: command.description }),
    ...(command.period === undefined ? {} : { period: periodOf(command.period, context.asOf) }),
    ...(command.metadata === undefined ? {} : { metadata: command.metadata }),
    ...(command.discountable === undefined ? {} : { discountable: command.discountable }),
  };
  const taxRateIds = command.taxRateIds === undefined ? item.taxRateIds : ratesOf(snapshot, command.taxRateIds);
  const draft = beginDecision(snapshot, context);
  const discounts = command.discounts === undefined ? item.discounts : redeemOnto(draft, { ...item, line }, command.discounts);
  const changed: InvoiceItem = { ...item, line, taxRateIds, ...(discounts === undefined ? {} : { discounts }) };
  if (JSON.stringify(changed) === JSON.stringify(item)) return finishDecision(draft);
  draft.decision.pendingItems.change.push(changed);
  emit(draft, 'invoiceitem.updated', 'invoiceitem', item.id, { line: item.line, taxRateIds: item.taxRateIds });
  if (invoice) {
    const lines = invoice.lines.map((old) => (old.invoiceItemId === item.id ? { ...old, ...line, discountAmounts: [] } : old));
    const rates = Object.fromEntries(lines.flatMap(({ id, invoiceItemId }) => (invoiceItemId === item.id ? [[id, taxRateIds]] : [])));
    relineDraft(draft, invoice, lines, rates, changed);
  }
  return finishDecision(draft);
}

/**
 * Takes the snapshot's item away: nobody is billed for it, and nobody credited. The time a pending proration would have billed stays covered, worth nothing, as with a voided
 * invoice. A proration that is on a draft stays there.
 * @throws Refusal invoice_not_draft, transition_not_allowed
 */
export function decideItemRemoval(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const { item, invoice } = itemOf(snapshot, context.asOf);
  if (invoice && item.line.proration)
    throw new Refusal('transition_not_allowed', 'A proration that is on an invoice cannot be deleted.', 'id');
  const draft = beginDecision(snapshot, context);
  removePending(draft, [item]);
  const covered = snapshot.billed.filter((row) => row.invoiceItemId === item.id);
  shrinkCoverage(
    draft,
    covered.map((row) => ({ id: row.id, end: row.end, credited: Math.max(0, row.amount) })),
  );
  if (invoice)
    relineDraft(
      draft,
      invoice,
      invoice.lines.filter((line) => line.invoiceItemId !== item.id),
      {},
    );
  return finishDecision(draft);
}

function itemOf(snapshot: BillingSnapshot, asOf: Instant): { item: InvoiceItem; invoice: Invoice | null } {
  const { item } = snapshot;
  if (!item) throw new Refusal('resource_missing', 'No such invoice item.', 'id');
  if (item.invoiceId === null) return { item, invoice: null };
  return { item, invoice: changeableDraft(snapshot, asOf) };
}

function checkSubscription({ subscription, customer }: BillingSnapshot): void {
  if (!subscription || subscription.customerId !== customer.id)
    throw new Refusal('resource_missing', 'No such subscription.', 'subscription');
  if (hasEnded(subscription.status))
    throw new Refusal('subscription_canceled', `The subscription ${subscription.id} has ended.`, 'subscription');
}

const ratesOf = (snapshot: BillingSnapshot, given: string[]): string[] => {
  checkTaxRates(snapshot, given, 'tax_rates');
  const { subscription, customer, account } = snapshot;
  return taxRatesFor(given, subscription?.defaultTaxRateIds ?? [], customer.defaultTaxRateIds, account.defaultTaxRateIds);
};

function periodOf(period: Period | undefined, asOf: Instant): Period {
  if (period && period.end < period.start) throw new Refusal('date_out_of_range', 'A period cannot end before it starts.', 'period[end]');
  return period ?? { start: asOf, end: asOf };
}

function checkRoom(lines: number): void {
  if (lines > MAX_LINES) throw new Refusal('parameter_invalid', `An invoice has at most ${MAX_LINES} lines.`, 'invoice');
}

/** @throws Refusal what `redeem` refuses */
const redeemOnto = (draft: DecisionDraft, { id, subscriptionId, line, discounts }: InvoiceItem, wishes: DiscountWish[]): Discount[] => {
  const { subscription, customer } = draft.snapshot;
  return redeem(draft, wishes, {
    subscriptionId,
    subscriptionItemId: null,
    invoiceItemId: id,
    param: 'discounts',
    present: discounts ?? [],
    inherited: [...(subscription?.discounts ?? []), ...(customer.discount ? [customer.discount] : [])],
    currency: line.currency,
    zone: subscription?.billingTimezone ?? zoneOf(draft.snapshot),
    purchase: line.amount,
  });
};

/**
 * The draft with these lines; `rates`: the tax rates of those that are new or have others now, by line. The lines that stay keep what was taken off them; the one of
 * `item`, which is new or changed, is discounted with what the invoice's discounts have left for it.
 */
function relineDraft(
  draft: DecisionDraft,
  invoice: Invoice,
  given: InvoiceLine[],
  rates: Record<string, string[]>,
  item: InvoiceItem | null = null,
): void {
  checkRoom(given.length);
  const ofOthers = (invoice.discounts ?? []).filter(({ invoiceItemId }) => invoiceItemId === null || invoiceItemId !== item?.id);
  const discounts = [...(item?.discounts ?? []), ...ofOthers];
  const kept = given.filter((line) => item === null || line.invoiceItemId !== item.id);
  const left = discounts.map((discount) => leftOf(discount, kept));
  const lines = given.map((line) => (kept.includes(line) ? line : (withDiscounts([line], left, 'whole')[0] ?? line)));
  const relined = retaxDraft(draft, { ...invoice, lines, ...(discounts.length === 0 ? {} : { discounts }) }, rates);
  putInvoice(draft, relined);
  retireDiscounts(draft, relined, draft.asOf);
  const { subtotal, tax, total, amountDue, amountRemaining } = invoice;
  emit(draft, 'invoice.updated', 'invoice', invoice.id, { subtotal, tax, total, amountDue, amountRemaining });
}
