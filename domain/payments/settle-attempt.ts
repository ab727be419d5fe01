import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import {
  beginDecision,
  changeSubscription,
  type DecisionContext,
  type DecisionDraft,
  emit,
  finishDecision,
  forEachBilled,
  moveBalance,
  putInvoice,
} from '../invoicing/draft-decision.ts';
import type { Invoice } from '../invoicing/invoice.ts';
import { bookPayment, bookPaymentToBalance } from '../ledger/book.ts';
import { recoverSubscription } from '../subscription/recover.ts';
import { hasEnded, nextStatus } from '../subscription/transitions.ts';
import type { GatewayResult } from './gateway-result.ts';
import type { PaymentAttempt, PaymentOutcomeKind } from './payment.ts';

const OUTCOME: Record<GatewayResult['kind'], PaymentOutcomeKind> = {
  succeeded: 'paid',
  declined: 'declined',
  processing: 'processing',
  requires_action: 'requires_action',
  unknown: 'unknown',
};

/**
 * Records what became of an attempt. Paid: the invoice, the journal, and the subscription that waited for it. Declined: the invoice stays open and the subscription is
 * past due (an incomplete one stays incomplete). Processing and unknown keep blocking further attempts; an attempt that needs the customer's action does not. Settling a
 * resolved attempt again changes nothing. Money for an invoice that was voided meanwhile, and money beyond what a credit left of it, becomes the customer's credit.
 * @throws Refusal resource_missing where the attempt is not one of the invoice's
 */
export function decideAttemptOutcome(
  snapshot: BillingSnapshot,
  command: { attemptId: string; result: GatewayResult },
  context: DecisionContext,
): { decision: Decision; kind: PaymentOutcomeKind } {
  const { invoice } = snapshot;
  const before = snapshot.attempts.find((attempt) => attempt.id === command.attemptId);
  if (!invoice || !before) throw new Refusal('resource_missing', `No such payment attempt: '${command.attemptId}'`);
  const draft = beginDecision(snapshot, context);
  const { kind, reference, declineCode, message } = command.result;
  if (before.status === 'succeeded') return { decision: draft.decision, kind: 'paid' };
  const failed = before.status === 'declined' || before.status === 'canceled';
  if (failed && kind !== 'succeeded') return { decision: draft.decision, kind: 'declined' };
  const waits = kind === 'processing' || kind === 'unknown';
  // Late news of less weight: whoever waits for the customer still does so.
  if (before.status === 'requires_action' && (waits || kind === 'requires_action'))
    return { decision: draft.decision, kind: 'requires_action' };
  // An attempt that waited for the customer has been counted already.
  const counts = before.resolvedAt === null ? 1 : 0;
  const attempt: PaymentAttempt = {
    ...before,
    status: kind,
    gatewayReference: reference ?? before.gatewayReference,
    declineCode: declineCode ?? (kind === 'requires_action' ? 'authentication_required' : null),
    declineMessage: message,
    resolvedAt: waits ? null : context.asOf,
  };
  draft.decision.attempt = attempt;
  if (kind === 'succeeded') receive(draft, { ...invoice, attemptCount: invoice.attemptCount + counts }, attempt);
  else if (!waits) {
    missPayment(draft, { ...invoice, attemptCount: invoice.attemptCount + counts });
    if (kind === 'requires_action') emit(draft, 'invoice.payment_action_required', 'invoice', invoice.id);
  }
  return { decision: finishDecision(draft), kind: OUTCOME[kind] };
}

function receive(draft: DecisionDraft, invoice: Invoice, attempt: PaymentAttempt): void {
  const wanted = invoice.status === 'open' || invoice.status === 'uncollectible' ? invoice.amountRemaining : 0;
  const applied = Math.min(wanted, attempt.amount);
  if (applied > 0) pay(draft, invoice, { ...attempt, amount: applied });
  const excess = attempt.amount - applied;
  if (excess === 0) return;
  draft.decision.journal.push(...bookPaymentToBalance(invoice, { ...attempt, amount: excess }, draft));
  moveBalance(draft, 'adjustment', -excess, invoice);
  emit(draft, 'payment_attempt.credited_to_balance', 'payment_attempt', attempt.id);
}

function pay(draft: DecisionDraft, invoice: Invoice, attempt: PaymentAttempt): void {
  const amountRemaining = invoice.amountRemaining - attempt.amount;
  const paid: Invoice = {
    ...invoice,
    status: amountRemaining === 0 ? 'paid' : invoice.status,
    amountPaid: invoice.amountPaid + attempt.amount,
    amountRemaining,
    attempted: true,
    nextPaymentAttempt: null,
    paidAt: amountRemaining === 0 ? draft.asOf : null,
  };
  draft.decision.journal.push(...bookPayment(invoice, attempt, draft));
  putInvoice(draft, paid);
  emit(draft, 'invoice.payment_succeeded', 'invoice', invoice.id);
  if (paid.status !== 'paid') return;
  emit(draft, 'invoice.paid', 'invoice', invoice.id, { status: invoice.status });
  recoverSubscription(draft, paid);
}

/** A payment that did not come: the invoice was tried, its subscription is past due, unless the customer has until a due date to pay. An invoice that holds a pending update hurts only the update. */
export function missPayment(draft: DecisionDraft, invoice: Invoice): void {
  putInvoice(draft, { ...invoice, attempted: true });
  emit(draft, 'invoice.payment_failed', 'invoice', invoice.id);
  if (invoice.status !== 'open' || (invoice.dueDate !== null && draft.asOf < invoice.dueDate)) return;
  forEachBilled(draft, invoice, (billed) => {
    const { subscription } = billed;
    if (!subscription || hasEnded(subscription.status) || subscription.pendingUpdate?.invoiceId === invoice.id) return;
    changeSubscription(billed, { status: nextStatus(subscription.status, 'payment_failed') });
  });
}
