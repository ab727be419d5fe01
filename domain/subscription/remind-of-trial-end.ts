import type { BillingSnapshot } from '../billing-snapshot.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { beginDecision, changeSubscription, type DecisionContext, finishDecision } from '../invoicing/draft-decision.ts';
import { subscriptionOf } from './bill-items.ts';

/** Tells that a trial will end: Stripe's `customer.subscription.trial_will_end`. Where the trial was moved or is over, or it has been told, the decision is empty. */
export function decideTrialReminder(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, context);
  const { status, trialReminderAt } = subscriptionOf(draft);
  if (status !== 'trialing' || trialReminderAt === null || trialReminderAt > context.asOf) return emptyDecision();
  changeSubscription(draft, { trialReminderAt: null });
  return finishDecision(draft, 'customer.subscription.trial_will_end');
}
