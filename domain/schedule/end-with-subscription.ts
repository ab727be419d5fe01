import type { Subscription } from '../subscription/subscription.ts';
import type { Instant } from '../time.ts';
import { type SubscriptionSchedule, scheduleEnd } from './schedule.ts';
import { nextScheduleStatus } from './transitions.ts';

/** What becomes of an active schedule whose subscription has ended: it is completed where that is its own end, else canceled; aborted where the money did not come. */
export function endWithSubscription(
  schedule: SubscriptionSchedule,
  { endedAt, cancellationDetails }: Subscription,
  asOf: Instant,
): { schedule: SubscriptionSchedule; event: 'completed' | 'canceled' | 'aborted' } {
  if (schedule.endBehavior === 'cancel' && (endedAt ?? 0) >= scheduleEnd(schedule)) {
    const status = nextScheduleStatus(schedule.id, schedule.status, 'phases_over');
    return { schedule: { ...schedule, status, completedAt: asOf }, event: 'completed' };
  }
  const status = nextScheduleStatus(schedule.id, schedule.status, 'subscription_ended');
  const event = cancellationDetails.reason === 'payment_failed' ? 'aborted' : 'canceled';
  return { schedule: { ...schedule, status, canceledAt: asOf }, event };
}
