import type { BillingSnapshot } from '../domain/billing-snapshot.ts';
import type { Decision } from '../domain/decision.ts';
import type { Invoice } from '../domain/invoicing/invoice.ts';
import { isAwaited } from '../domain/invoicing/owed.ts';
import { datesOf } from '../domain/subscription/find-dates.ts';
import type { Subscription } from '../domain/subscription/subscription.ts';
import type { BillingOutcome, InvoiceClosure, InvoiceFacts, MemberFacts, ScheduleOutcome, SubscriptionFacts } from './index.ts';

/** What a workflow may know of a subscription. */
export const subscriptionFacts = (subscription: Subscription): SubscriptionFacts => ({
  ...datesOf(subscription),
  revision: subscription.revision,
  currency: subscription.currency,
  planId: subscription.items[0]?.priceId ?? '',
  pendingUpdate: subscription.pendingUpdate && {
    invoiceId: subscription.pendingUpdate.invoiceId,
    expiresAt: subscription.pendingUpdate.expiresAt,
  },
});

/** The other subscriptions of the snapshot as the decision leaves them. */
const membersAfter = ({ members = [] }: BillingSnapshot, { others = [] }: Decision): Subscription[] =>
  members.flatMap(({ subscription: before }) => {
    const after = others.find(({ subscription }) => subscription.id === before?.id)?.subscription ?? before;
    return after ? [after] : [];
  });

const memberFacts = (subscription: Subscription): MemberFacts => ({
  subscriptionId: subscription.id,
  subscription: subscriptionFacts(subscription),
});

/** Further subscriptions that the decision changes. */
export const othersAfter = ({ others }: Decision): { others?: MemberFacts[] } =>
  others ? { others: others.map(({ subscription }) => memberFacts(subscription)) } : {};

/** What a workflow may know of an invoice after a decision; of a consolidated one with all that it bills. */
export function decidedFacts(
  snapshot: BillingSnapshot,
  decision: Decision,
  invoice: Invoice,
  numbers: Record<string, string>,
): InvoiceFacts {
  const facts = { ...invoiceFacts(invoice, numbers), ...(decision.lowCredit ? { lowCredit: decision.lowCredit } : {}) };
  if (invoice.subscriptionIds === undefined) return facts;
  const own = decision.subscription ?? snapshot.subscription;
  const all = [...(own ? [own] : []), ...membersAfter(snapshot, decision)];
  return { ...facts, shared: all.filter(({ id }) => invoice.subscriptionIds?.includes(id)).map(memberFacts) };
}

/** What a workflow may know of an invoice. `numbers` are those drawn while it was recorded, by invoice id. */
export const invoiceFacts = (invoice: Invoice, numbers: Record<string, string> = {}): InvoiceFacts => ({
  id: invoice.id,
  number: numbers[invoice.id] ?? invoice.number,
  status: invoice.status,
  amountDue: invoice.amountDue,
  amountRemaining: invoice.amountRemaining,
  currency: invoice.currency,
  next: nextStepOf(invoice),
  ...(invoice.automaticallyFinalizesAt === null ? {} : { finalizesAt: invoice.automaticallyFinalizesAt }),
  ...(invoice.status !== 'open' || invoice.dueDate === null ? {} : { dueDate: invoice.dueDate }),
});

function nextStepOf(invoice: Invoice): InvoiceFacts['next'] {
  if (isAwaited(invoice)) return 'await_payment';
  if (!invoice.autoAdvance) return 'nothing';
  if (invoice.status === 'draft') {
    if (invoice.taxStatus === 'pending') return 'calculate_tax';
    return invoice.automaticallyFinalizesAt === null ? 'nothing' : 'finalize';
  }
  return invoice.status === 'open' && invoice.dueDate === null && invoice.amountRemaining > 0 ? 'collect' : 'nothing';
}

/** The subscription as it is after the decision. @throws Error where neither has one: a bug of the caller. */
export function subscriptionAfter(snapshot: BillingSnapshot, decision: Decision): Subscription {
  const subscription = decision.subscription ?? snapshot.subscription;
  if (!subscription) throw new Error('this operation is about a subscription, and there is none');
  return subscription;
}

/** The invoice that the decision made, as opposed to the open ones it changed; null where it made none. */
export function newInvoice(snapshot: BillingSnapshot, decision: Decision): Invoice | null {
  const known = new Set([snapshot.invoice?.id, ...snapshot.openInvoices.map((invoice) => invoice.id)]);
  return decision.invoices.find((invoice) => !known.has(invoice.id)) ?? null;
}

/** The invoice the operation is about, as it is after the decision. @throws Error where it is about none: a bug of the caller. */
export function invoiceAfter(snapshot: BillingSnapshot, decision: Decision): Invoice {
  const invoice = decision.invoices.find((candidate) => candidate.id === snapshot.invoice?.id) ?? snapshot.invoice;
  if (!invoice) throw new Error('this operation is about an invoice, and there is none');
  return invoice;
}

/** The subscription after the decision and the invoice that the decision made. */
export function billingOutcome(snapshot: BillingSnapshot, decision: Decision, numbers: Record<string, string>): BillingOutcome {
  const invoice = newInvoice(snapshot, decision);
  return {
    subscription: subscriptionFacts(subscriptionAfter(snapshot, decision)),
    invoice: invoice && decidedFacts(snapshot, decision, invoice, numbers),
    ...othersAfter(decision),
    ...(invoice === null && decision.lowCredit ? { lowCredit: decision.lowCredit } : {}),
  };
}

/** @throws Error where the operation is about no schedule: a bug of the caller */
export function scheduleOutcome(snapshot: BillingSnapshot, decision: Decision, numbers: Record<string, string>): ScheduleOutcome {
  const schedule = decision.schedule ?? snapshot.schedule;
  if (schedule === null) throw new Error('this operation is about a schedule, and there is none');
  const { id, status, startsAt } = schedule;
  const subscription = decision.subscription ?? snapshot.subscription;
  const invoice = newInvoice(snapshot, decision);
  return {
    schedule: { id, status, startsAt },
    subscription: subscription && subscriptionFacts(subscription),
    invoice: invoice && invoiceFacts(invoice, numbers),
    ...othersAfter(decision),
  };
}

/** The invoice after the decision, and what the decision made of its subscription. */
export const invoiceClosure = (snapshot: BillingSnapshot, decision: Decision, numbers: Record<string, string>): InvoiceClosure => {
  const subscription = decision.subscription ?? snapshot.subscription;
  return {
    invoice: decidedFacts(snapshot, decision, invoiceAfter(snapshot, decision), numbers),
    subscription: subscription && subscriptionFacts(subscription),
  };
};
