import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Metadata } from '../catalog/price.ts';
import type { Decision, IdSource } from '../decision.ts';
import { ID_PREFIX } from '../ids.ts';
import type { ChangePlan } from '../subscription/commands.ts';
import type { PhaseMark, ScheduledChange } from '../subscription/scheduled-change.ts';
import type { Subscription } from '../subscription/subscription.ts';
import type { Instant } from '../time.ts';
import type { Ending } from '../timeline/event-types.ts';
import { collectionOf, itemsOfPhase, type PhaseItem, type SchedulePhase, type SubscriptionSchedule, scheduleEnd } from './schedule.ts';
import { isScheduleOver, nextScheduleStatus } from './transitions.ts';

/** As Stripe: it is told seven days (of 24 hours) before a schedule is over. */
const EXPIRY_NOTICE = 7 * 86_400;

/** What is to come of a schedule from phase `from` on, as scheduled changes of its subscription: each phase at its start, the notice before the end, and the end where the subscription then goes on alone. */
export function comingPhases(schedule: SubscriptionSchedule, from: number, createdAt: Instant, newId: IdSource): ScheduledChange[] {
  const mark = (effectiveAt: Instant, phase: PhaseMark, prorationBehavior: SchedulePhase['prorationBehavior']): ScheduledChange => ({
    id: newId(ID_PREFIX.scheduledChange),
    subscriptionId: schedule.subscriptionId,
    status: 'scheduled',
    effectiveAt,
    atPeriodEnd: false,
    change: { prorationBehavior, paymentBehavior: 'allow_incomplete', phase },
    replacedBy: null,
    cancellationReason: null,
    failure: null,
    createdAt,
    closedAt: null,
  });
  const coming = schedule.phases
    .slice(from)
    .map(({ start, items, prorationBehavior }, index) =>
      mark(start, { scheduleId: schedule.id, index: from + index, items }, prorationBehavior),
    );
  const end = scheduleEnd(schedule);
  const over = { scheduleId: schedule.id, index: null, items: [] };
  const notice = end - EXPIRY_NOTICE;
  return [
    ...coming,
    // Who plans less than that ahead knows.
    ...(notice > createdAt ? [mark(notice, { ...over, expiring: true }, 'none')] : []),
    ...(schedule.endBehavior === 'cancel' ? [] : [mark(end, over, 'none')]),
  ].sort((a, b) => a.effectiveAt - b.effectiveAt);
}

/**
 * The change that makes the subscription what a phase says, as of the phase's start. `was` is a phase that has begun, as it was before it was changed: what it brought already is not
 * brought again.
 */
export function changeIntoPhase(
  subscription: Subscription,
  { phases, settings }: SubscriptionSchedule,
  index: number,
  newId: IdSource,
  was: SchedulePhase | null = null,
): ChangePlan {
  const phase = phases[index];
  if (phase === undefined) throw new Error(`there is no phase ${index}`);
  const last = was ?? phases[index - 1];
  const endsDiscounts = last?.items.some(({ discounts }) => discounts?.length) ?? false;
  const wanted = was === null ? phase.items : phase.items.map((item) => withoutKnownDiscounts(item, was));
  const ends = {
    discounts: was === null && endsDiscounts,
    thresholds: last?.items.some(({ usageGte }) => usageGte != null) ?? false,
  };
  const items = itemsOfPhase(subscription.items, wanted, () => newId(ID_PREFIX.subscriptionItem), ends);
  const present = subscription.billingThresholds ?? null;
  const billingThresholds = phase.billingThresholds ?? (last?.billingThresholds ? null : present);
  const discounts = phase.discounts ?? (last?.discounts?.length ? [] : undefined);
  const brings = was === null || JSON.stringify(was.discounts) !== JSON.stringify(phase.discounts);
  const { collectionMethod, daysUntilDue } = collectionOf(phase, settings);
  const samePayment = collectionMethod === subscription.collectionMethod && daysUntilDue === subscription.daysUntilDue;
  const method = phase.defaultPaymentMethodId ?? settings.defaultPaymentMethodId;
  const rates = phase.defaultTaxRateIds;
  return {
    prorationBehavior: phase.prorationBehavior,
    paymentBehavior: 'allow_incomplete',
    ...(items.length === 0 ? {} : { items }),
    ...((phase.billingCycleAnchor ?? settings.billingCycleAnchor) === 'phase_start' ? { billingCycleAnchor: 'now' } : {}),
    ...(method === null || method === subscription.defaultPaymentMethodId ? {} : { defaultPaymentMethodId: method }),
    ...(rates === null || JSON.stringify(rates) === JSON.stringify(subscription.defaultTaxRateIds) ? {} : { defaultTaxRateIds: rates }),
    ...(samePayment ? {} : { collectionMethod, ...(daysUntilDue === null ? {} : { daysUntilDue }) }),
    ...(JSON.stringify(billingThresholds) === JSON.stringify(present) ? {} : { billingThresholds }),
    ...(discounts !== undefined && brings ? { discounts } : {}),
    ...(was === null && phase.addInvoiceItems?.length ? { addInvoiceItems: phase.addInvoiceItems } : {}),
  };
}

function withoutKnownDiscounts(item: PhaseItem, was: SchedulePhase): PhaseItem {
  const before = was.items.find(({ priceId }) => priceId === item.priceId);
  if (before === undefined || JSON.stringify(before.discounts) === JSON.stringify(item.discounts)) {
    const { discounts, ...rest } = item;
    return before === undefined && discounts !== undefined ? item : rest;
  }
  return { ...item, discounts: item.discounts ?? [] };
}

/** The decision, and with it that the schedule has entered a phase, or is over. */
export function passPhase(snapshot: BillingSnapshot, decision: Decision, mark: PhaseMark, asOf: Instant): Decision {
  const { schedule } = snapshot;
  if (schedule === null || schedule.id !== mark.scheduleId || isScheduleOver(schedule.status) || decision.schedule !== null)
    return decision;
  if (mark.expiring) return withSchedule(decision, schedule, {}, 'expiring');
  if (mark.index !== null) {
    const entered = withSchedule(decision, schedule, { currentPhase: mark.index });
    return describedBy(snapshot, entered, schedule.phases[mark.index]?.metadata ?? {});
  }
  const status = nextScheduleStatus(schedule.id, schedule.status, 'phases_over');
  const over = withSchedule(decision, schedule, { status, completedAt: asOf }, 'completed');
  return patchSubscription(snapshot, over, { scheduleId: null });
}

/** The decision, and with it this new version of the schedule. */
export function withSchedule(
  decision: Decision,
  before: SubscriptionSchedule,
  patch: Partial<SubscriptionSchedule>,
  event: Ending<'subscription_schedule'> = 'updated',
): Decision {
  const previous = Object.fromEntries(Object.keys(patch).map((key) => [key, before[key as keyof SubscriptionSchedule]]));
  return {
    ...decision,
    schedule: { ...before, ...patch },
    events: [
      ...decision.events,
      {
        type: `subscription_schedule.${event}`,
        objectType: 'subscription_schedule',
        objectId: before.id,
        previous: event === 'updated' ? previous : null,
      },
    ],
  };
}

/** The decision, and with it these changes of the subscription that bill nothing. */
export function patchSubscription(snapshot: BillingSnapshot, decision: Decision, patch: Partial<Subscription>): Decision {
  const before = snapshot.subscription;
  const after = decision.subscription ?? before;
  if (!before || !after) return decision;
  const type = 'customer.subscription.updated';
  const previous = Object.fromEntries(Object.keys(patch).map((key) => [key, before[key as keyof Subscription]]));
  const known = decision.events.find((event) => event.objectType === 'subscription' && event.objectId === after.id);
  return {
    ...decision,
    subscription: { ...after, ...patch },
    events:
      known === undefined
        ? [...decision.events, { type, objectType: 'subscription', objectId: after.id, previous }]
        : decision.events.map((event) =>
            event === known && event.type === type ? { ...event, previous: { ...previous, ...event.previous } } : event,
          ),
  };
}

/** A phase's metadata are added to those of its subscription. */
function describedBy(snapshot: BillingSnapshot, decision: Decision, metadata: Metadata): Decision {
  const present = (decision.subscription ?? snapshot.subscription)?.metadata;
  if (present === undefined || Object.keys(metadata).length === 0) return decision;
  return { ...patchSubscription(snapshot, decision, { metadata: mergedMetadata(present, metadata) }), subscriptionMetadata: metadata };
}

/** A key with an empty value is taken away. */
export const mergedMetadata = (present: Metadata, more: Metadata): Metadata =>
  Object.fromEntries(Object.entries({ ...present, ...more }).filter(([, value]) => value !== ''));
