import { changeSubscription, type DecisionDraft, emit } from '../invoicing/draft-decision.ts';
import type { BillingReason } from '../invoicing/invoice.ts';
import { isOwed } from '../invoicing/owed.ts';
import type { Instant } from '../time.ts';
import { subscriptionOf } from './bill-items.ts';
import { endSubscription } from './end-subscription.ts';
import { nextStatus } from './transitions.ts';

/**
 * Ends the trial at `at`. With something to pay with, or where the customer is sent an invoice or one is wanted all the same, the subscription is active (past due where it owes something from before)
 * and its first paid period is to be billed by the caller. Else it is paused, its period over and nothing billed, or canceled.
 */
export function endTrial(draft: DecisionDraft, at: Instant, billingReason: BillingReason): 'billed' | 'paused' | 'canceled' {
  const subscription = subscriptionOf(draft);
  const { customer, paymentMethods } = draft.snapshot;
  const { id, currentPeriodStart, cancelAt, cancelAtPeriodEnd, trialMissingPaymentMethod, trialReminderAt, trialEnd, cancellationDetails } =
    subscription;
  // As Stripe, who is not told beforehand is told when a trial is ended at once.
  if (trialReminderAt !== null) emit(draft, 'customer.subscription.trial_will_end', 'subscription', id);
  changeSubscription(draft, { trialEnd: Math.min(at, trialEnd ?? at), trialReminderAt: null });
  const canPay = paymentMethods.some((method) => method.customerId === customer.id);
  if (canPay || subscription.collectionMethod === 'send_invoice' || trialMissingPaymentMethod === 'create_invoice') {
    const active = nextStatus('trialing', 'trial_ended');
    const owes = draft.openInvoices.some((invoice) => isOwed(invoice, at));
    changeSubscription(draft, { status: owes ? nextStatus(active, 'payment_failed') : active });
    return 'billed';
  }
  if (trialMissingPaymentMethod === 'pause') {
    const currentPeriodEnd = Math.max(at, currentPeriodStart + 1);
    changeSubscription(draft, {
      status: nextStatus('trialing', 'trial_ended_pause'),
      pause: null,
      currentPeriodEnd,
      cancelAt: cancelAtPeriodEnd ? currentPeriodEnd : cancelAt,
    });
    emit(draft, 'customer.subscription.paused', 'subscription', id);
    return 'paused';
  }
  endSubscription(draft, {
    at,
    event: 'trial_ended_cancel',
    unused: 'forfeit',
    finalInvoice: true,
    usage: 'bill',
    billingReason,
    details: cancellationDetails,
  });
  return 'canceled';
}
