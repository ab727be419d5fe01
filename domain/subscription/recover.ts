import { changeSubscription, type DecisionDraft, forEachBilled } from '../invoicing/draft-decision.ts';
import type { Invoice } from '../invoicing/invoice.ts';
import { isOnTrial, remindWhereDue } from './start-trial.ts';
import { hasEnded, nextStatus } from './transitions.ts';

/**
 * What the settling of an invoice (paid, void, uncollectible) means for its subscription, or for each of a consolidated one: an incomplete one lives, on trial where it has one, once its first invoice is paid; one that is past due or
 * unpaid is active again once no finalised invoice of it is open any more, but those that were sent and are not due yet. The invoice of a pending update concerns only that update.
 */
export function recoverSubscription(draft: DecisionDraft, settled: Invoice): void {
  forEachBilled(draft, settled, (billed) => recoverOne(billed, settled));
}

function recoverOne(draft: DecisionDraft, settled: Invoice): void {
  const { subscription } = draft;
  if (!subscription || hasEnded(subscription.status) || subscription.pendingUpdate?.invoiceId === settled.id) return;
  if (subscription.status === 'incomplete') {
    if (settled.billingReason !== 'subscription_create' || settled.status !== 'paid') return;
    const event = isOnTrial(subscription) ? 'trial_started' : 'first_invoice_paid';
    changeSubscription(draft, { status: nextStatus('incomplete', event), incompleteExpiresAt: null });
    remindWhereDue(draft);
    return;
  }
  if (subscription.status === 'active') return;
  const owed = draft.openInvoices.some(
    (open) =>
      open.status === 'open' &&
      (open.dueDate === null || open.dueDate <= draft.asOf) &&
      open.id !== settled.id &&
      open.id !== subscription.pendingUpdate?.invoiceId,
  );
  if (owed) return;
  const event = subscription.status === 'unpaid' && isOnTrial(subscription) ? 'trial_started' : 'invoices_settled';
  changeSubscription(draft, { status: nextStatus(subscription.status, event) });
}
