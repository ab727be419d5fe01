import { changeSubscription, type DecisionDraft, emit, shrinkCoverage } from '../invoicing/draft-decision.ts';
import { subscriptionOf } from './bill-items.ts';
import { nextStatus } from './transitions.ts';

/** The items, period and coverage of a paid update become the subscription's, exactly as they were decided with its invoice. */
export function applyPendingUpdate(draft: DecisionDraft): void {
  const subscription = subscriptionOf(draft);
  if (!subscription.pendingUpdate) return;
  const { items, cycle, billingCycleAnchor, currentPeriodStart, currentPeriodEnd, trialEnd, billedShrinks, billedInserts } =
    subscription.pendingUpdate.next;
  if (trialEnd !== undefined && subscription.status === 'trialing') {
    changeSubscription(draft, { status: nextStatus('trialing', 'trial_ended'), trialEnd, trialReminderAt: null });
  }
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
  emit(draft, 'customer.subscription.pending_update_applied', 'subscription', subscription.id);
}
