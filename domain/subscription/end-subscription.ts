import { closeDraft } from '../invoicing/close-draft.ts';
import { composeInvoice } from '../invoicing/compose-invoice.ts';
import { changeSubscription, type DecisionDraft, emit, putInvoice, removePending } from '../invoicing/draft-decision.ts';
import type { BillingReason, Invoice } from '../invoicing/invoice.ts';
import { voidInvoice } from '../invoicing/void-invoice.ts';
import type { Instant } from '../time.ts';
import { billLastUsage, billLateUsage } from '../usage/bill-usage.ts';
import { recordCoverage, settleItems, subscriptionOf } from './bill-items.ts';
import { pausedSince } from './paused-time.ts';
import type { CancellationDetails } from './subscription.ts';
import { hasEnded, nextStatus } from './transitions.ts';

export interface Ending {
  at: Instant;
  event: 'canceled' | 'period_end_cancel' | 'trial_ended_cancel' | 'dunning_gave_up_cancel';
  /** What becomes of billed time after `at`: given back, or kept by the seller. */
  unused: 'credit' | 'forfeit';
  /** Whether the credit and all pending items are billed on a final invoice; otherwise pending items are taken away. */
  finalInvoice: boolean;
  /** What becomes of usage that is not billed yet: on the final invoice, or never, as with Stripe where none is asked for. */
  usage: 'bill' | 'forfeit';
  billingReason: BillingReason;
  details: CancellationDetails;
}

/**
 * Ends a living subscription: an unpaid pending update is dropped, coverage ends at `at` (or where a pause began that is not over), a final invoice is made where there is
 * something on it, and open invoices are no longer collected, nor drafts finalised, by themselves (open ones stay owed, as with Stripe). A draft that gives back in its draft window
 * does so now.
 */
export function endSubscription(draft: DecisionDraft, ending: Ending): void {
  const { currentPeriodStart } = subscriptionOf(draft);
  dropPendingUpdate(draft);
  const { billed } = draft.snapshot;
  const usedUntil = pausedSince(subscriptionOf(draft)) ?? ending.at;
  const settlement = settleItems(draft, { due: [], billed, at: usedUntil, unused: ending.unused, charge: 'bill' });
  recordCoverage(draft, settlement, []);
  const forfeited = ending.unused === 'forfeit' ? billed.filter((row) => settlement.shrinks.some((shrink) => shrink.id === row.id)) : [];
  const used = ending.usage === 'bill' ? [...billLateUsage(draft), ...billLastUsage(draft, subscriptionOf(draft).items, usedUntil)] : [];
  stopCollecting(draft);
  const pending = stillPending(draft);
  if (!ending.finalInvoice) removePending(draft, pending);
  else if (settlement.lines.length + used.length + pending.length > 0) {
    const period = { start: Math.min(currentPeriodStart, ending.at), end: ending.at };
    composeInvoice(draft, {
      billingReason: ending.billingReason,
      period,
      lines: [...used, ...settlement.lines],
      pending,
      autoAdvance: true,
    });
  }
  const { status, canceledAt } = subscriptionOf(draft);
  changeSubscription(draft, {
    status: nextStatus(status, ending.event),
    endedAt: ending.at,
    canceledAt: canceledAt ?? draft.asOf,
    incompleteExpiresAt: null,
    pause: null,
    forfeited,
    cancellationDetails: ending.details,
  });
}

/** Pending items that this decision has not taken away. */
export const stillPending = (draft: DecisionDraft) =>
  draft.snapshot.pendingItems.filter((item) => !draft.decision.pendingItems.remove.includes(item.id));

/** Takes an unpaid update back: its invoice is voided, and the subscription stays as it was. */
export function dropPendingUpdate(draft: DecisionDraft): void {
  const subscription = subscriptionOf(draft);
  const { pendingUpdate } = subscription;
  if (!pendingUpdate) return;
  const invoice = draft.openInvoices.find((candidate) => candidate.id === pendingUpdate.invoiceId);
  if (invoice) voidInvoice(draft, invoice);
  changeSubscription(draft, { pendingUpdate: null });
  emit(draft, 'customer.subscription.pending_update_expired', 'subscription', subscription.id);
}

const givesBackSoon = ({ status, automaticallyFinalizesAt, taxStatus, total }: Invoice): boolean =>
  status === 'draft' && automaticallyFinalizesAt !== null && taxStatus === 'complete' && total < 0;

/** Whether a consolidated invoice bills another subscription that has not ended: it is collected for that one's sake. */
function billsOthers({ members, subscription }: DecisionDraft, { subscriptionIds = [] }: Invoice): boolean {
  const others = subscriptionIds.filter((id) => id !== subscription?.id);
  return others.some((id) => !members.some((member) => member.subscription?.id === id && hasEnded(member.subscription.status)));
}

function stopCollecting(draft: DecisionDraft): void {
  // Nobody would finalise what gives back later on.
  for (const invoice of draft.openInvoices.filter(givesBackSoon)) if (!billsOthers(draft, invoice)) closeDraft(draft, invoice);
  for (const invoice of draft.openInvoices) {
    if (billsOthers(draft, invoice)) continue;
    const stops =
      invoice.status === 'open' ? invoice.autoAdvance || invoice.nextPaymentAttempt !== null : invoice.automaticallyFinalizesAt !== null;
    if (!stops) continue;
    putInvoice(draft, { ...invoice, autoAdvance: false, automaticallyFinalizesAt: null, nextPaymentAttempt: null });
    emit(draft, 'invoice.updated', 'invoice', invoice.id, {
      autoAdvance: invoice.autoAdvance,
      automaticallyFinalizesAt: invoice.automaticallyFinalizesAt,
      nextPaymentAttempt: invoice.nextPaymentAttempt,
    });
  }
}
