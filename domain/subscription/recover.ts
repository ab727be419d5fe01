import { changeSubscription, type DecisionDraft } from '../invoicing/draft-decision.ts';
import type { Invoice } from '../invoicing/invoice.ts';
import { hasEnded, nextStatus } from './transitions.ts';

/**
 * What the settling of an invoice (paid, void, uncollectible) means for its subscription: an incomplete one lives once its first invoice is paid; one that is past due or
 * unpaid is active again once no finalised invoice of it is open any more. The invoice of a pending update concerns only that update.
 */
export function recoverSubscription(draft: DecisionDraft, settled: Invoice): void {
  const { subscription } = draft;
  if (!subscription || hasEnded(subscription.status) || subscription.pendingUpdate?.invoiceId === settled.id) return;
  if (subscription.status === 'incomplete') {
    if (settled.billingReason !== 'subscription_create' || settled.status !== 'paid') return;
    changeSubscription(draft, { status: nextStatus('incomplete', 'first_invoice_paid'), incompleteExpiresAt: null });
    return;
  }
  if (subscription.status === 'active') return;
  const owed = draft.openInvoices.some(
    (open) => open.status === 'open' && open.id !== settled.id && open.id !== subscription.pendingUpdate?.invoiceId,
  );
  if (!owed) changeSubscription(draft, { status: nextStatus(subscription.status, 'invoices_settled') });
}
