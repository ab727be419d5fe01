import type { Dates } from './list-dates.ts';
import { pauseStart, scheduledEnd } from './paused-time.ts';
import { nextScheduled } from './scheduled-change.ts';
import { isOnTrial } from './start-trial.ts';
import type { Subscription } from './subscription.ts';
import { hasEnded } from './transitions.ts';

/** The instants at which the subscription, as it is now, does something by itself. */
export function datesOf(subscription: Subscription): Dates {
  const { status, pause, pauseCollection, trialEnd, trialReminderAt } = subscription;
  const trials = trialEnd !== null && isOnTrial(subscription) && !hasEnded(status) && status !== 'paused';
  const begins = pauseStart(subscription);
  const change = nextScheduled(subscription);
  return {
    ...(change && { scheduledChange: { id: change.id, effectiveAt: change.effectiveAt, paymentBehavior: change.change.paymentBehavior } }),
    status,
    periodStart: subscription.currentPeriodStart,
    periodEnd: subscription.currentPeriodEnd,
    cancelAt: scheduledEnd(subscription),
    incompleteExpiresAt: subscription.incompleteExpiresAt,
    ...(trials ? { trial: { end: trialEnd, remindAt: trialReminderAt } } : {}),
    ...(begins === null ? {} : { pauseAt: begins }),
    ...(status !== 'paused' || pause?.resumesAt == null ? {} : { resumesAt: pause.resumesAt }),
    ...(pauseCollection?.resumesAt == null ? {} : { collectionResumesAt: pauseCollection.resumesAt }),
  };
}
