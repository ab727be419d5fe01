import type { BillingSnapshot } from '../billing-snapshot.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { ID_PREFIX } from '../ids.ts';
import type { DecisionContext } from '../invoicing/draft-decision.ts';
import { decideCreation } from '../subscription/create-subscription.ts';
import { comingPhases, mergedMetadata, withSchedule } from './enter-phase.ts';
import { leadingTrial } from './plan-phases.ts';
import { collectionOf, type SubscriptionSchedule, scheduleEnd } from './schedule.ts';
import { nextScheduleStatus } from './transitions.ts';

/**
 * The schedule's time has come (`asOf`): its subscription is created as the first phase says and billed as any other, and what is to come of the schedule stands on it as scheduled
 * changes. What has become impossible (a price was archived, the customer is gone) cancels the schedule, with the reason, as `subscription_schedule.aborted`. A schedule
 * that waits for nothing any more: an empty decision.
 */
export function decideStart(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const { schedule } = snapshot;
  if (schedule?.status !== 'not_started') return emptyDecision();
  try {
    return startSchedule(snapshot, schedule, context);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const failure = { code: error.code, message: error.message, param: error.param ?? null };
    const status = nextScheduleStatus(schedule.id, schedule.status, 'start_failed');
    return withSchedule(emptyDecision(), schedule, { status, canceledAt: context.asOf, failure }, 'aborted');
  }
}

/** @throws Refusal what the creation of its subscription is refused with */
export function startSchedule(snapshot: BillingSnapshot, schedule: SubscriptionSchedule, context: DecisionContext): Decision {
  const { asOf, newId } = context;
  const { phases, settings } = schedule;
  const [first] = phases;
  if (first === undefined) throw new Error(`the schedule ${schedule.id} has no phase`);
  const trial = leadingTrial(phases);
  const { collectionMethod, daysUntilDue } = collectionOf(first, settings);
  const decision = decideCreation(
    snapshot,
    {
      subscriptionId: schedule.subscriptionId,
      customerId: schedule.customerId,
      currency: schedule.currency,
      items: first.items.map((item) => ({ id: newId(ID_PREFIX.subscriptionItem), ...item })),
      paymentBehavior: 'allow_incomplete',
      billingTimezone: null,
      defaultPaymentMethodId: first.defaultPaymentMethodId ?? settings.defaultPaymentMethodId,
      defaultTaxRateIds: first.defaultTaxRateIds ?? [],
      ...(first.discounts === undefined ? {} : { discounts: first.discounts }),
      ...(first.billingThresholds === undefined ? {} : { billingThresholds: first.billingThresholds }),
      ...(first.addInvoiceItems === undefined ? {} : { addInvoiceItems: first.addInvoiceItems }),
      ...(collectionMethod === 'charge_automatically' ? {} : { collectionMethod }),
      ...(daysUntilDue === null ? {} : { daysUntilDue }),
      cancelAtPeriodEnd: false,
      cancelAt: schedule.endBehavior === 'cancel' ? scheduleEnd(schedule) : null,
      prorationBehavior: first.prorationBehavior,
      ...(first.start < asOf ? { backdateStartDate: first.start, anchorAtStart: true } : {}),
      ...(trial === null ? {} : { trial: { end: trial } }),
    },
    context,
  );
  const subscription = decision.subscription;
  if (subscription === null) throw new Error(`the schedule ${schedule.id} created no subscription`);
  const scheduledChanges = comingPhases(schedule, 1, asOf, newId);
  const status = nextScheduleStatus(schedule.id, schedule.status, 'started');
  const started = withSchedule(
    {
      ...decision,
      subscription: { ...subscription, scheduleId: schedule.id, scheduledChanges, metadata: mergedMetadata({}, first.metadata) },
      scheduledChanges,
    },
    schedule,
    { status, currentPhase: 0 },
  );
  const created = scheduledChanges.map(({ id }) => ({
    type: 'customer.subscription.scheduled_change.created' as const,
    objectType: 'scheduled_change' as const,
    objectId: id,
    previous: null,
  }));
  return { ...started, events: [...started.events, ...created] };
}
