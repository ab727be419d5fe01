import type { Instant } from '../time.ts';
import type { Subscription } from './subscription.ts';
import { hasEnded } from './transitions.ts';

/** When a scheduled pause begins; null where none is scheduled, or it has begun. */
export function pauseStart({ status, pause, currentPeriodEnd }: Subscription): Instant | null {
  if (!pause || status === 'paused' || hasEnded(status)) return null;
  return pause.atPeriodEnd ? currentPeriodEnd : pause.at;
}

/** Since when a subscription is paused; null while it runs. */
export const pausedSince = ({ status, pause }: Subscription): Instant | null => (status === 'paused' ? (pause?.at ?? null) : null);

/**
 * When a subscription ends by itself, if it does. Where the time of an interrupted period is given back after a pause, the end of that period is not known before it is resumed.
 */
export function scheduledEnd({ status, pause, cancelAt, cancelAtPeriodEnd, currentPeriodEnd }: Subscription): Instant | null {
  if (!cancelAtPeriodEnd) return cancelAt;
  return status === 'paused' && pause?.unusedTime === 'extend' ? null : currentPeriodEnd;
}
