import { type BillingSnapshot, zoneOf } from '../billing-snapshot.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import type { DecisionContext } from '../invoicing/draft-decision.ts';
import { assertSameCurrency } from '../money.ts';
import { subscriptionOf } from '../subscription/bill-items.ts';
import { decideCancellation } from '../subscription/cancel.ts';
import { checkPaymentMethod } from '../subscription/check-items.ts';
import { decideNewEnd } from '../subscription/schedule-cancellation.ts';
import { withScheduled } from '../subscription/scheduled-change.ts';
import { commandAllowed } from '../subscription/transitions.ts';
import type { Instant } from '../time.ts';
import { changeActive, changesOf } from './change-active.ts';
import { comingPhases, patchSubscription, withSchedule } from './enter-phase.ts';
import { checkCollections, currencyOf, planPhases } from './plan-phases.ts';
import type { ScheduleEdit, SchedulePhase, SubscriptionSchedule } from './schedule.ts';
import { startSchedule } from './start-schedule.ts';
import { nextScheduleStatus } from './transitions.ts';

type Edit<Name extends ScheduleEdit['do']> = Extract<ScheduleEdit, { do: Name }>;

/**
 * Whatever may be asked of a schedule: to make one (its subscription is created at its start, by `decideStart`), to let one take over a subscription, to change its phases and its end, to
 * release its subscription, to cancel it together with its subscription.
 * @throws Refusal about the parameter at fault, in Stripe's notation
 */
export function decideScheduleEdit(snapshot: BillingSnapshot, edit: ScheduleEdit, context: DecisionContext): Decision {
  switch (edit.do) {
    case 'create':
      return create(snapshot, edit, context);
    case 'adopt':
      return adopt(snapshot, edit, context);
    case 'change':
      return change(snapshot, edit, context);
    case 'cancel':
      return cancel(snapshot, edit, context);
    case 'release':
      return release(snapshot, edit, context);
  }
}

function create(snapshot: BillingSnapshot, edit: Edit<'create'>, context: DecisionContext): Decision {
  const { asOf } = context;
  const { customer } = snapshot;
  if (snapshot.schedule) throw new Refusal('operation_conflict', `The subscription schedule ${edit.scheduleId} exists already.`);
  if (customer.deleted) throw new Refusal('customer_deleted', `The customer ${customer.id} is deleted.`, 'customer');
  const start = edit.start === 'now' ? asOf : edit.start;
  const currency = currencyOf(snapshot, edit.phases);
  const phases = planPhases(snapshot, edit.phases, { start, asOf, zone: zoneOf(snapshot), currency });
  if (customer.currency !== null) assertSameCurrency(customer.currency, currency, 'phases[0][currency]');
  const schedule: SubscriptionSchedule = {
    id: edit.scheduleId,
    customerId: customer.id,
    subscriptionId: edit.subscriptionId,
    status: 'not_started',
    currency,
    phases,
    currentPhase: null,
    startsAt: Math.max(start, asOf),
    endBehavior: edit.endBehavior,
    settings: edit.settings,
    metadata: edit.metadata,
    failure: null,
    createdAt: asOf,
    completedAt: null,
    releasedAt: null,
    canceledAt: null,
  };
  checkSettings(snapshot, schedule);
  checkStart(snapshot, schedule, context);
  return withSchedule(emptyDecision(), schedule, {}, 'created');
}

function checkSettings(snapshot: BillingSnapshot, { settings }: SubscriptionSchedule): void {
  named('default_settings', () => checkPaymentMethod(snapshot, settings.defaultPaymentMethodId));
}

/** Whether its subscription could be created; what that would bill is thrown away. */
function checkStart(snapshot: BillingSnapshot, schedule: SubscriptionSchedule, context: DecisionContext): void {
  const [first] = schedule.phases as [SchedulePhase, ...SchedulePhase[]];
  if (first.end <= context.asOf) throw new Refusal('date_out_of_range', 'The first phase must end in the future.', 'phases[0][end_date]');
  checkCollections(schedule.phases, schedule.settings, 0);
  named('phases[0]', () => startSchedule(snapshot, schedule, { ...context, asOf: schedule.startsAt }));
}

/** A refusal about a parameter of the creation is one about a parameter inside `place`, or about the start of the schedule. */
function named(place: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof Refusal) || error.param === undefined) throw error;
    const param =
      error.param === 'backdate_start_date'
        ? 'start_date'
        : error.param === 'cancel_at'
          ? 'end_behavior'
          : `${place}[${error.param.replace('[', '][')}${error.param.endsWith(']') ? '' : ']'}`;
    throw error.about(param);
  }
}

function adopt(snapshot: BillingSnapshot, edit: Edit<'adopt'>, { asOf, newId }: DecisionContext): Decision {
  const subscription = subscriptionOf(snapshot);
  const param = 'from_subscription';
  const refused = commandAllowed(subscription.status, 'changePlan');
  if (refused) throw new Refusal(refused, `A subscription that is ${subscription.status} cannot be scheduled.`, param);
  if (subscription.scheduleId !== null)
    throw new Refusal(
      'transition_not_allowed',
      `The subscription ${subscription.id} is managed by the subscription schedule ${subscription.scheduleId} already.`,
      param,
    );
  if (subscription.scheduledChanges.length > 0)
    throw new Refusal('transition_not_allowed', 'Changes of the subscription are scheduled already: cancel them first.', param);
  if (subscription.pause !== null) throw new Refusal('transition_not_allowed', 'The subscription is paused, or will be.', param);
  const { cancelAt, currentPeriodEnd } = subscription;
  const end: Instant = cancelAt ?? currentPeriodEnd;
  const onTrial = subscription.status === 'trialing' ? subscription.trialEnd : null;
  const schedule: SubscriptionSchedule = {
    id: edit.scheduleId,
    customerId: subscription.customerId,
    subscriptionId: subscription.id,
    status: 'active',
    currency: subscription.currency,
    phases: [
      {
        start: subscription.currentPeriodStart,
        end,
        items: subscription.items.map(({ priceId, quantity, taxRateIds }) => ({ priceId, quantity, taxRateIds })),
        prorationBehavior: 'create_prorations',
        billingCycleAnchor: null,
        trialEnd: onTrial === null ? null : Math.min(onTrial, end),
        defaultPaymentMethodId: null,
        defaultTaxRateIds: subscription.defaultTaxRateIds.length === 0 ? null : subscription.defaultTaxRateIds,
        metadata: {},
      },
    ],
    currentPhase: 0,
    startsAt: subscription.startDate,
    endBehavior: cancelAt === null ? 'release' : 'cancel',
    settings: {
      ...{ billingCycleAnchor: 'automatic', defaultPaymentMethodId: subscription.defaultPaymentMethodId },
      collectionMethod: subscription.collectionMethod,
      ...(subscription.daysUntilDue === null ? {} : { daysUntilDue: subscription.daysUntilDue }),
    },
    metadata: edit.metadata,
    failure: null,
    createdAt: asOf,
    completedAt: null,
    releasedAt: null,
    canceledAt: null,
  };
  const created = withSchedule(emptyDecision(), schedule, {}, 'created');
  const driven = patchSubscription(snapshot, created, { scheduleId: schedule.id });
  return withScheduled(snapshot, driven, comingPhases(schedule, 1, asOf, newId));
}

/** @throws Error where the operation is about none: a bug of the caller */
function scheduleOf({ schedule }: BillingSnapshot): SubscriptionSchedule {
  if (schedule === null) throw new Error('this operation is about a schedule, and there is none');
  return schedule;
}

function change(snapshot: BillingSnapshot, edit: Edit<'change'>, context: DecisionContext): Decision {
  const before = scheduleOf(snapshot);
  // Whoever may not be canceled may not be changed.
  nextScheduleStatus(before.id, before.status, 'canceled');
  const patched = {
    ...before,
    settings: { ...before.settings, ...edit.settings },
    endBehavior: edit.endBehavior ?? before.endBehavior,
  };
  checkSettings(snapshot, patched);
  if (before.status !== 'not_started') return changeActive(snapshot, before, patched, edit, context);
  const { asOf } = context;
  const asked = edit.phases?.[0]?.start ?? before.phases[0]?.start ?? asOf;
  const start = asked === 'now' ? asOf : asked;
  const phases =
    edit.phases === undefined
      ? before.phases
      : planPhases(snapshot, edit.phases, { start, asOf, zone: zoneOf(snapshot), currency: before.currency });
  const after = { ...patched, phases, startsAt: Math.max(start, asOf) };
  checkStart(snapshot, after, context);
  return withSchedule(emptyDecision(), before, {
    settings: after.settings,
    endBehavior: after.endBehavior,
    phases: after.phases,
    startsAt: after.startsAt,
  });
}

function cancel(snapshot: BillingSnapshot, { prorate, invoiceNow }: Edit<'cancel'>, context: DecisionContext): Decision {
  const schedule = scheduleOf(snapshot);
  const status = nextScheduleStatus(schedule.id, schedule.status, 'canceled');
  // What ends the subscription ends its schedule.
  if (schedule.status === 'active') return decideCancellation(snapshot, { prorate, invoiceNow }, context);
  return withSchedule(emptyDecision(), schedule, { status, canceledAt: context.asOf }, 'canceled');
}

function release(snapshot: BillingSnapshot, { preserveCancelDate }: Edit<'release'>, context: DecisionContext): Decision {
  const schedule = scheduleOf(snapshot);
  const status = nextScheduleStatus(schedule.id, schedule.status, 'released');
  const released = { status, releasedAt: context.asOf };
  if (schedule.status === 'not_started') return withSchedule(emptyDecision(), schedule, released, 'released');
  const goesOn = schedule.endBehavior === 'cancel' && !preserveCancelDate;
  const decision = goesOn ? decideNewEnd(snapshot, { at: 'never' }, context) : emptyDecision();
  const alone = patchSubscription(snapshot, withSchedule(decision, schedule, released, 'released'), { scheduleId: null });
  const off = changesOf(snapshot, schedule.id).map((scheduled) => ({
    ...scheduled,
    status: 'canceled' as const,
    cancellationReason: 'requested' as const,
    closedAt: context.asOf,
  }));
  return withScheduled(snapshot, alone, off);
}
