import type { BillingSnapshot } from '../billing-snapshot.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { ID_PREFIX } from '../ids.ts';
import type { DecisionContext } from '../invoicing/draft-decision.ts';
import { type Instant, MAX_INSTANT } from '../time.ts';
import { subscriptionOf } from './bill-items.ts';
import { changeItems } from './change-items.ts';
import { decideChange } from './change-plan.ts';
import type { ChangePlan, ItemChange } from './commands.ts';
import { checkUnscheduled } from './schedule-cancellation.ts';
import { replacedBy, type ScheduledChange, withScheduled } from './scheduled-change.ts';
import type { Subscription } from './subscription.ts';
import { commandAllowed, hasEnded } from './transitions.ts';

/** How many changes may be waiting for their time. */
const MAX_SCHEDULED = 20;

/**
 * A command to change a subscription, now or later. Now: see `decideChange`. Later (`effectiveAt`): it is written down and carried out at its instant by
 * `decideScheduledApplication`; what is wrong with it already is refused at once. Either replaces what is scheduled for the same things at its instant or later.
 * @throws Refusal about the parameter at fault, in Stripe's notation
 */
export function decideCommandedChange(snapshot: BillingSnapshot, command: ChangePlan, context: DecisionContext): Decision {
  if (command.effectiveAt !== undefined) return schedule(snapshot, command, command.effectiveAt, context);
  if (command.cancellation)
    checkUnscheduled(subscriptionOf(snapshot), command.cancellation.at === 'period_end' ? 'cancel_at_period_end' : 'cancel_at');
  const decision = decideChange(snapshot, command, context);
  // One that waits for its payment may still be dropped.
  if (decision.subscription?.pendingUpdate) return decision;
  const replaced = replacedBy(subscriptionOf(snapshot), command, context.asOf, null, context.asOf);
  return withScheduled(snapshot, decision, replaced);
}

function schedule(
  snapshot: BillingSnapshot,
  command: ChangePlan,
  when: 'period_end' | Instant,
  { asOf, newId }: DecisionContext,
): Decision {
  const before = subscriptionOf(snapshot);
  // First of all, so that what has ended says so, whatever else is asked.
  const refused = commandAllowed(before.status, 'changePlan');
  if (refused) throw new Refusal(refused, `A subscription that is ${before.status} cannot be changed.`);
  checkUnscheduled(before, 'effective_at');
  const { effectiveAt: _, preview: __, cancellation, prorationDate, trialEnd, trialChange, ...rest } = command;
  const { trialMissingPaymentMethod, pauseCollection, collectionMethod, daysUntilDue, billingThresholds, ...change } = rest;
  const given = {
    cancel_at: cancellation,
    proration_date: prorationDate,
    trial_end: trialEnd,
    trial_change_behavior: trialChange,
    trial_settings: trialMissingPaymentMethod,
    pause_collection: pauseCollection,
    collection_method: collectionMethod,
    days_until_due: daysUntilDue,
    billing_thresholds: billingThresholds,
    ...Object.fromEntries((change.items ?? []).map((item, index) => [`items[${index}][billing_thresholds]`, thresholdOf(item)])),
  };
  for (const [param, value] of Object.entries(given)) {
    if (value !== undefined) throw new Refusal('parameter_invalid', `You cannot combine ${param} with effective_at.`, param);
  }
  if (typeof change.billingCycleAnchor === 'number') {
    throw new Refusal(
      'parameter_invalid',
      'A date for the billing cycle anchor cannot be combined with effective_at.',
      'billing_cycle_anchor',
    );
  }
  if (change.paymentBehavior === 'error_if_incomplete') {
    throw new Refusal('parameter_invalid', 'Nobody waits for the payment of a scheduled change.', 'payment_behavior');
  }
  if (Object.keys(change).every((key) => key === 'prorationBehavior' || key === 'paymentBehavior')) {
    throw new Refusal('parameter_invalid', 'There is nothing to change then.', 'effective_at');
  }
  const effectiveAt = when === 'period_end' ? before.currentPeriodEnd : when;
  if (effectiveAt <= asOf || effectiveAt > MAX_INSTANT)
    throw new Refusal('date_out_of_range', 'The change must take effect in the future.', 'effective_at');
  if (before.cancelAt !== null && effectiveAt >= before.cancelAt)
    throw new Refusal('date_out_of_range', 'The subscription ends before the change would take effect.', 'effective_at');

  const id = newId(ID_PREFIX.scheduledChange);
  const replaced = replacedBy(before, change, effectiveAt, id, asOf);
  if (before.scheduledChanges.length - replaced.length >= MAX_SCHEDULED)
    throw new Refusal('parameter_invalid', `At most ${MAX_SCHEDULED} changes can be scheduled at a time.`, 'effective_at');
  // Whether it could be done now, to the items as they will be; the invoice and its ids are thrown away.
  const then = { ...asItWillBe(snapshot, before, effectiveAt), pendingUpdate: null };
  decideChange({ ...snapshot, subscription: then }, change, { asOf, newId });
  const scheduled: ScheduledChange = {
    id,
    subscriptionId: before.id,
    status: 'scheduled',
    effectiveAt,
    atPeriodEnd: when === 'period_end',
    change,
    replacedBy: null,
    cancellationReason: null,
    failure: null,
    createdAt: asOf,
    closedAt: null,
  };
  return withScheduled(snapshot, emptyDecision(), [...replaced, scheduled]);
}

/** What a change of an item says of when its usage is billed early. */
const thresholdOf = (change: ItemChange): number | null | undefined =>
  change.do === 'add' ? change.item.usageGte : change.do === 'update' ? change.usageGte : undefined;

/** The items after the changes that come first; one that will fail leaves them as they are. */
function asItWillBe(snapshot: BillingSnapshot, subscription: Subscription, until: Instant): Subscription {
  let then = subscription;
  for (const { effectiveAt, change } of subscription.scheduledChanges) {
    if (effectiveAt > until) break;
    try {
      const { items, cycle } = changeItems(snapshot, then, change.items ?? [], effectiveAt);
      then = { ...then, items, cycle };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  return then;
}

/**
 * Cancels a scheduled change.
 * @throws Refusal resource_missing, subscription_canceled, transition_not_allowed for one that is not to come any more
 */
export function decideUnscheduling(snapshot: BillingSnapshot, { changeId }: { changeId: string }, { asOf }: DecisionContext): Decision {
  const { status, scheduledChanges, id } = subscriptionOf(snapshot);
  if (hasEnded(status)) throw new Refusal('subscription_canceled', `The subscription ${id} has ended already.`);
  const scheduled = scheduledChanges.find((candidate) => candidate.id === changeId);
  if (!scheduled) throw new Refusal('transition_not_allowed', `The change ${changeId} is not scheduled any more.`);
  if (scheduled.change.phase) checkUnscheduled(subscriptionOf(snapshot), 'id');
  return withScheduled(snapshot, emptyDecision(), [{ ...scheduled, status: 'canceled', cancellationReason: 'requested', closedAt: asOf }]);
}
