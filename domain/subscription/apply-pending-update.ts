import { retireUsed } from '../discounts/discount-invoice.ts';
import { keepPending } from '../invoicing/compose-invoice.ts';
import { changeSubscription, type DecisionDraft, emit, shrinkCoverage } from '../invoicing/draft-decision.ts';
import { billChangedUsage } from '../usage/bill-usage.ts';
import { subscriptionOf } from './bill-items.ts';
import { endThoseOfRemovedItems } from './discount-subscription.ts';
import { nextStatus } from './transitions.ts';

/** The items, period and coverage of a paid update become the subscription's, exactly as they were decided with its invoice. */
export function applyPendingUpdate(draft: DecisionDraft): void {
  const subscription = subscriptionOf(draft);
  if (!subscription.pendingUpdate) return;
  const {
    items: next,
    cycle,
    billingCycleAnchor,
    currentPeriodStart,
    currentPeriodEnd,
    trialEnd,
    billedShrinks,
    billedInserts,
    usedDiscountIds = [],
  } = subscription.pendingUpdate.next;
  if (trialEnd !== undefined && subscription.status === 'trialing') {
    changeSubscription(draft, { status: nextStatus('trialing', 'trial_ended'), trialEnd, trialReminderAt: null });
  }
  // A discount of an item may have come to its end while the update waited.
  const present = new Map(subscription.items.map((item) => [item.id, item.discounts ?? []]));
  const items = next.map((item) => (present.has(item.id) ? { ...item, discounts: present.get(item.id) ?? [] } : item));
  keepPending(draft, billChangedUsage(draft, { before: subscription.items, after: items, all: false }), draft.asOf);
  shrinkCoverage(draft, billedShrinks);
  draft.decision.billed.insert.push(...billedInserts);
  changeSubscription(draft, {
    items,
    cycle,
    billingCycleAnchor,
    billingCycleAnchorConfig: billingCycleAnchor === subscription.billingCycleAnchor ? subscription.billingCycleAnchorConfig : null,
    currentPeriodStart,
    currentPeriodEnd,
    cancelAt: subscription.cancelAtPeriodEnd ? currentPeriodEnd : subscription.cancelAt,
    pendingUpdate: null,
  });
  endThoseOfRemovedItems(draft, subscription.items);
  retireUsed(draft, usedDiscountIds);
  emit(draft, 'customer.subscription.pending_update_applied', 'subscription', subscription.id);
}
