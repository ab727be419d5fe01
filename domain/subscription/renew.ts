import type { BillingSnapshot } from '../billing-snapshot.ts';
import { cycleOf } from '../catalog/find-price.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { composeInvoice } from '../invoicing/compose-invoice.ts';
import { completeShared, planConsolidation } from '../invoicing/consolidate.ts';
import { customerItems } from '../invoicing/customer-items.ts';
import { beginDecision, changeSubscription, type DecisionContext, finishDecision } from '../invoicing/draft-decision.ts';
import { type Instant, periodContaining } from '../time.ts';
import { billLateUsage, billUsage } from '../usage/bill-usage.ts';
import { fullCycleOf, itemPeriodOf } from './anchor.ts';
import { applyPendingUpdate } from './apply-pending-update.ts';
import { dueItems, recordCoverage, settleItems, subscriptionOf } from './bill-items.ts';
import { dropPendingUpdate, endSubscription, stillPending } from './end-subscription.ts';
import { endTrial } from './end-trial.ts';
import { pauseStart, scheduledEnd } from './paused-time.ts';
import type { Subscription, SubscriptionItem } from './subscription.ts';
import { hasEnded } from './transitions.ts';

/**
 * What happens at the next boundary: the period that begins where the current one ends is billed together with what was used in the one that ends and all pending items, or the subscription ends there (or at its
 * date of cancellation, if that comes first). Before that boundary, after the end, and for a subscription that is still incomplete the decision is empty, so asking twice bills
 * once. However late it is asked, one decision bills one period. A period in which the subscription is to end is billed only until then. While the subscription is unpaid
 * its invoices stay drafts for a person to finalise, as with Stripe. Otherwise the invoice is a draft for the account's grace period. Where the period that ends is a trial, it
 * depends on `endTrial` whether there is a next one. Where the customer wants it, the invoice is shared with other subscriptions (`consolidate.ts`). While the subscription is paused nothing but its end can come, and nothing is billed at a boundary at
 * which it is about to be.
 */
export function decideRenewal(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, context);
  const { status, currentPeriodEnd, cancellationDetails } = subscriptionOf(draft);
  const end = scheduledEnd(subscriptionOf(draft));
  const boundaryAt = status === 'paused' ? Number.POSITIVE_INFINITY : currentPeriodEnd;
  const next = Math.min(boundaryAt, end ?? boundaryAt);
  if (hasEnded(status) || status === 'incomplete' || context.asOf < next) return emptyDecision();
  if (end !== null && end <= boundaryAt) {
    endSubscription(draft, {
      at: end,
      event: 'period_end_cancel',
      unused: 'forfeit',
      finalInvoice: true,
      usage: 'bill',
      billingReason: 'subscription_cycle',
      details: { ...cancellationDetails, reason: cancellationDetails.reason ?? 'cancellation_requested' },
    });
    return finishDecision(draft, 'customer.subscription.deleted');
  }
  const pauses = pauseStart(subscriptionOf(draft));
  if (status === 'paused' || (pauses !== null && pauses <= currentPeriodEnd)) return emptyDecision();
  closePendingUpdate(draft);
  const before = subscriptionOf(draft);
  if (context.asOf < before.currentPeriodEnd) return finishDecision(draft);
  const start = before.currentPeriodEnd;
  if (before.status === 'trialing') {
    const ended = endTrial(draft, start, 'subscription_cycle');
    if (ended !== 'billed') return finishDecision(draft, ended === 'canceled' ? 'customer.subscription.deleted' : undefined);
  }
  const period = { start, end: periodContaining(before.billingCycleAnchor, before.cycle, before.billingTimezone, start).end };
  const used = [...billLateUsage(draft), ...billUsage(draft, endingBy(draft, before, start), start)];
  changeSubscription(draft, { currentPeriodStart: period.start, currentPeriodEnd: period.end });
  const due = dueItems(draft, before.items, period.start, fullCycleOf(before, period));
  const settlement = settleItems(draft, {
    due,
    billed: snapshot.billed,
    at: period.start,
    unused: 'credit',
    charge: 'bill',
    endIsSettled: true,
  });
  const unpaid = before.status === 'unpaid';
  const pending = [...stillPending(draft), ...customerItems(snapshot, before.currency)];
  const lines = [...used, ...settlement.lines];
  const shared = planConsolidation(draft, subscriptionOf(draft), start);
  if (lines.length + pending.length === 0) {
    // What is left of it bills by a longer interval, and is paid for; or all of it is metered, and the trial was free.
    recordCoverage(draft, settlement, []);
    if (shared) completeShared(draft, shared);
    return finishDecision(draft);
  }
  const { covered } = composeInvoice(draft, {
    billingReason: 'subscription_cycle',
    period: { start: before.currentPeriodStart, end: start },
    lines,
    pending,
    autoAdvance: !unpaid,
    leaveDraft: unpaid,
    graceSeconds: snapshot.account.invoiceGraceSeconds,
    ...(shared ? { shared } : {}),
  });
  recordCoverage(draft, settlement, covered);
  return finishDecision(draft);
}

/** A pending update does not outlive its period: paid, it is applied; unpaid, dropped. Its coverage ends with the period, so the renewal does not meet it. */
function closePendingUpdate(draft: ReturnType<typeof beginDecision>): void {
  const { pendingUpdate } = subscriptionOf(draft);
  if (!pendingUpdate) return;
  const unpaid = draft.openInvoices.some((invoice) => invoice.id === pendingUpdate.invoiceId);
  if (unpaid) dropPendingUpdate(draft);
  else applyPendingUpdate(draft);
}

/** The items whose own period ends there. */
const endingBy = ({ snapshot }: ReturnType<typeof beginDecision>, subscription: Subscription, at: Instant): SubscriptionItem[] =>
  subscription.items.filter((item) => itemPeriodOf(subscription, cycleOf(snapshot.prices, item, subscription.cycle)).end <= at);
