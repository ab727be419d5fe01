import { leftOf, netOf, withDiscounts } from '../discounts/apply-discounts.ts';
import { discountsFor, retireDiscounts } from '../discounts/discount-invoice.ts';
import { ID_PREFIX } from '../ids.ts';
import type { BilledPeriod, PauseCollection } from '../subscription/subscription.ts';
import { applyTaxRates } from '../tax/apply-tax-rates.ts';
import type { TaxAmount } from '../tax/tax-rate.ts';
import type { UsagePeriod } from '../usage/usage-period.ts';
import { closeDraft } from './close-draft.ts';
import { discountsOnto, type SharedInvoice } from './consolidate.ts';
import { changeSubscription, type DecisionDraft, emit, putInvoice } from './draft-decision.ts';
import { dueAfter } from './due-date.ts';
import { collectionHold, holdInvoice } from './hold-invoice.ts';
import type { BillingReason, Invoice, InvoiceItem, InvoiceLine, Period } from './invoice.ts';
import { retaxDraft } from './retax-draft.ts';
import type { SettledLine } from './settle.ts';
import { withTotals } from './total-invoice.ts';
import { voidInvoice } from './void-invoice.ts';

export interface InvoiceRequest {
  billingReason: BillingReason;
  /** Stripe's invoice period: the cycle that ended for a renewal, the moment itself otherwise. Lines carry their own. */
  period: Period;
  lines: SettledLine[];
  /** Pending items to be billed with it; they come before the lines, as they are older. */
  pending: InvoiceItem[];
  /** Of an invoice of no subscription. */
  currency?: string;
  collection?: Pick<Invoice, 'collectionMethod' | 'dueDate'>;
  /** Whether the engine collects it by itself. */
  autoAdvance: boolean;
  /** Leave it a draft for a person to finalise (Stripe does so while a subscription is unpaid). */
  leaveDraft?: boolean;
  /** Seconds for which it stays a draft that may be changed, and finalises itself then (see `Account.invoiceGraceSeconds`). Absent: as the decision has it. */
  graceSeconds?: number;
  /** It is a consolidated one, which waits for others or is complete with this. */
  shared?: SharedInvoice;
  /** It may never be paid, and then leaves everything as it was: discounts that it uses are not used up yet. */
  mayBeDropped?: boolean;
}

/**
 * Makes one invoice out of settled lines and pending items: discounts, taxes, totals, credit or balance, status, number, journal and events. Where an external engine
 * calculates taxes it stays a draft with `taxStatus` pending until `decideFinalization`. The pending items are consumed in the same decision.
 * @returns the invoice as it now stands, and the coverage its lines pay for (for the caller to record, now or when a pending update is paid).
 * @throws Refusal amount_out_of_range beyond MAX_AMOUNT
 */
export function composeInvoice(draft: DecisionDraft, request: InvoiceRequest): { invoice: Invoice; covered: BilledPeriod[] } {
  const { account, customer } = draft.snapshot;
  const subscription = draft.subscription;
  const currency = subscription?.currency ?? request.currency ?? request.lines[0]?.line.currency ?? request.pending[0]?.line.currency;
  if (!currency) throw new Error('an invoice needs a line or a subscription to know its currency');
  const { shared } = request;
  const into = shared?.into ?? null;
  const id = into?.id ?? draft.newId(ID_PREFIX.invoice);
  const hold = collectionHold(subscription, draft.asOf);
  // Nobody is to pay an invoice that is voided or written off, so what was pending before waits for one that counts.
  const pending = hold === 'void' || hold === 'mark_uncollectible' ? [] : request.pending;
  const gross = [
    ...pending.map((item) => ({ ...item, line: { ...item.line, invoiceItemId: item.id }, covers: null, measures: undefined })),
    ...request.lines.map((settled) => ({ ...settled, measures: settled.measures, line: { ...settled.line, invoiceItemId: null } })),
  ];
  // A discount counts by when the billed time begins, however late it is billed.
  const own = discountsFor(
    draft,
    request.period.end,
    pending.flatMap((item) => item.discounts ?? []),
  );
  const discounts = into ? discountsOnto(into, own) : own;
  const amountsOff = request.billingReason === 'subscription_update' ? 'share' : 'whole';
  const discounted = withDiscounts(
    gross.map(({ line }) => line),
    into ? discounts.map((discount) => leftOf(discount, into.lines)) : discounts,
    amountsOff,
  );
  const parts = gross.map((part, index) => ({ ...part, line: discounted[index] ?? part.line }));
  const external = account.taxCalculator !== 'manual';
  const grace = request.graceSeconds ?? draft.graceSeconds ?? 0;
  const finalizesAt = shared ? shared.finalizesAt : grace > 0 ? draft.asOf + grace : null;
  const waits = request.leaveDraft === true || finalizesAt !== null;
  const autoAdvance = request.autoAdvance && hold !== 'keep_as_draft';
  const taxes: TaxAmount[][] = external
    ? parts.map(() => [])
    : applyTaxRates(
        parts.map(({ line, taxRateIds }) => ({ amount: netOf(line), taxRateIds })),
        draft.snapshot.taxRates,
        { taxExempt: customer.taxExempt },
      );
  const isOfCustomer = (itemId: string | null): boolean => pending.some((item) => item.id === itemId && item.subscriptionId === null);
  const lines = parts.map(({ line }, index): InvoiceLine => {
    const made = { ...line, id: draft.newId(ID_PREFIX.invoiceLine), taxes: taxes[index] ?? [] };
    return shared && subscription && !isOfCustomer(line.invoiceItemId) ? { ...made, subscriptionId: subscription.id } : made;
  });
  const { collectionMethod, dueDate } = collectionOf(draft, request);

  const fresh: Invoice = withTotals({
    id,
    number: null,
    customerId: customer.id,
    subscriptionId: shared ? null : (subscription?.id ?? null),
    status: 'draft',
    billingReason: request.billingReason,
    currency,
    lines,
    subtotal: 0,
    subtotalExcludingTax: 0,
    tax: 0,
    total: 0,
    totalExcludingTax: 0,
    taxes: [],
    startingBalance: draft.balance,
    endingBalance: null,
    amountCredited: 0,
    amountDue: 0,
    amountPaid: 0,
    amountRemaining: 0,
    attemptCount: 0,
    attempted: false,
    nextPaymentAttempt: null,
    autoAdvance,
    automaticallyFinalizesAt: waits && autoAdvance ? (finalizesAt ?? draft.asOf) : null,
    collectionMethod,
    dueDate,
    overdueAt: null,
    periodStart: request.period.start,
    periodEnd: request.period.end,
    defaultTaxRateIds: shared ? [] : (subscription?.defaultTaxRateIds ?? []),
    taxCalculator: account.taxCalculator,
    taxStatus: external ? 'pending' : 'complete',
    customer: { name: customer.name, email: customer.email, address: customer.address },
    seller: account.seller,
    description: null,
    footer: null,
    metadata: {},
    createdAt: draft.asOf,
    finalizedAt: null,
    paidAt: null,
    voidedAt: null,
    markedUncollectibleAt: null,
    ...(shared && subscription ? { subscriptionIds: [subscription.id], consolidationKey: shared.key } : {}),
    ...(discounts.length === 0 ? {} : { discounts }),
  });
  const made = into ? joined(draft, into, fresh) : fresh;
  putInvoice(draft, made);
  if (subscription) changeSubscription(draft, { latestInvoiceId: id });
  if (into) {
    const { subtotal, tax, total, amountDue, amountRemaining } = into;
    emit(draft, 'invoice.updated', 'invoice', id, { subtotal, tax, total, amountDue, amountRemaining });
  } else emit(draft, 'invoice.created', 'invoice', id);
  if (customer.currency === null) draft.decision.customerCurrency = currency;
  consume(draft, pending, made);
  const invoice = advance(draft, made, hold, waits);
  parts.forEach(({ measures }, index) => {
    const line = lines[index];
    if (measures && line) recordUsage(draft, measures, netOf(line), { invoiceId: id, invoiceLineId: line.id });
  });
  if (hold !== 'void' && !request.mayBeDropped) retireDiscounts(draft, made, request.period.end);
  const isGivenUp = invoice.status === 'void' || invoice.status === 'uncollectible';
  const covered = parts.flatMap(({ covers }, index): BilledPeriod[] => {
    if (!covers) return [];
    const amount = lines[index] ? netOf(lines[index]) : covers.amount;
    const credited = isGivenUp ? Math.max(0, amount) : covers.credited;
    return [{ ...covers, amount, credited, invoiceId: id, invoiceLineId: lines[index]?.id ?? null }];
  });
  return { invoice, covered };
}

/** A consolidated draft with what another subscription brings to it; the tax of each rate is rounded once over all. */
function joined(draft: DecisionDraft, into: Invoice, fresh: Invoice): Invoice {
  const discounts = [...(into.discounts ?? []), ...(fresh.discounts ?? [])];
  const unique = discounts.filter(({ id }, index) => discounts.findIndex((other) => other.id === id) === index);
  return retaxDraft(draft, {
    ...into,
    lines: [...into.lines, ...fresh.lines],
    ...(unique.length === 0 ? {} : { discounts: unique }),
    subscriptionIds: [...(into.subscriptionIds ?? []), ...(fresh.subscriptionIds ?? [])],
    automaticallyFinalizesAt: fresh.automaticallyFinalizesAt,
    periodStart: Math.min(into.periodStart, fresh.periodStart),
    periodEnd: Math.max(into.periodEnd, fresh.periodEnd),
  });
}

/** How it is to be paid: as the subscription says now. */
function collectionOf(
  { subscription, asOf }: DecisionDraft,
  { collection }: InvoiceRequest,
): Pick<Invoice, 'collectionMethod' | 'dueDate'> {
  if (collection) return collection;
  if (!subscription) return { collectionMethod: 'charge_automatically', dueDate: null };
  return { collectionMethod: subscription.collectionMethod, dueDate: dueAfter(asOf, subscription, subscription.billingTimezone) };
}

/** What a line for usage has billed, net of discounts; a stretch that was billed before stays with the line that billed it first. */
function recordUsage(
  draft: DecisionDraft,
  { period, late }: NonNullable<SettledLine['measures']>,
  net: number,
  line: Partial<Pick<UsagePeriod, 'invoiceId' | 'invoiceLineId' | 'invoiceItemId'>>,
): void {
  const { insert, change } = draft.decision.usage;
  const written = late ? change : insert;
  // A minimum commitment is a second line of its stretch, whose line is the first.
  const begun = written.findIndex(({ id }) => id === period.id);
  const before = written[begun];
  if (before === undefined) written.push({ ...period, ...(late ? {} : line), net: period.net + net });
  else written[begun] = { ...((before.invoiceId ?? before.invoiceItemId) ? before : { ...before, ...line }), net: before.net + net };
}

/** As far as it goes at once: an external engine has to be waited for, a person, or nobody. */
function advance(draft: DecisionDraft, made: Invoice, hold: PauseCollection['behavior'] | null, waits: boolean): Invoice {
  if (hold === 'void' && made.taxStatus === 'pending' && made.total > 0) return voidInvoice(draft, made);
  if (made.taxStatus === 'pending' || waits || (hold === 'keep_as_draft' && made.total > 0)) return made;
  return holdInvoice(draft, closeDraft(draft, made), hold);
}

/** What the pending items billed is from now on billed by the lines they became. */
function consume(draft: DecisionDraft, pending: InvoiceItem[], invoice: Invoice): void {
  for (const item of pending) {
    const line = invoice.lines.find((candidate) => candidate.invoiceItemId === item.id);
    draft.decision.pendingItems.consume.push({ id: item.id, invoiceId: invoice.id });
    if (line) draft.decision.billed.attach.push({ invoiceItemId: item.id, invoiceId: invoice.id, invoiceLineId: line.id });
    emit(draft, 'invoiceitem.updated', 'invoiceitem', item.id, { invoiceId: null });
  }
}

/**
 * Keeps settled lines for the next invoice: one pending item per line. What counts for them now is taken off them now, so that what they pay for is known, and no more
 * later. @returns the coverage they pay for
 */
export function keepPending(draft: DecisionDraft, lines: SettledLine[], at: number): BilledPeriod[] {
  const discounted = withDiscounts(
    lines.map(({ line }) => ({ ...line, invoiceItemId: null })),
    discountsFor(draft, at),
    'pending',
  );
  return lines.flatMap(({ line: gross, taxRateIds, covers, measures }, index): BilledPeriod[] => {
    const { invoiceItemId: _, ...net } = discounted[index] ?? { ...gross, invoiceItemId: null };
    const line = covers || measures ? { ...net, discountable: false } : net;
    const id = draft.newId(ID_PREFIX.invoiceItem);
    const subscriptionId = draft.subscription?.id ?? null;
    draft.decision.pendingItems.insert.push({
      id,
      customerId: draft.snapshot.customer.id,
      subscriptionId,
      invoiceId: null,
      line,
      taxRateIds,
      date: at,
    });
    emit(draft, 'invoiceitem.created', 'invoiceitem', id);
    if (measures) recordUsage(draft, measures, netOf(line), { invoiceItemId: id });
    return covers ? [{ ...covers, amount: netOf(line), invoiceItemId: id }] : [];
  });
}
