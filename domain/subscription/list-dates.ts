import type { Instant } from '../time.ts';
import type { PaymentBehavior, SubscriptionStatus } from './subscription.ts';
import { hasEnded } from './transitions.ts';

/** The instants at which a subscription does something by itself: all that its workflow has to remember in order to wake in time. */
export interface Dates {
  status: SubscriptionStatus;
  periodStart: Instant;
  periodEnd: Instant;
  /** When it ends by itself, if it does. */
  cancelAt: Instant | null;
  incompleteExpiresAt: Instant | null;
  /** Only while it is on trial, which is its current period then. */
  trial?: TrialDates;
  /** When a scheduled pause begins; absent where there is none or it has begun. */
  pauseAt?: Instant;
  /** When it resumes by itself; absent unless it is paused. */
  resumesAt?: Instant;
  /** When `pause_collection` ends by itself. */
  collectionResumesAt?: Instant;
  /** The scheduled change whose time comes next, before or at the next boundary; absent where there is none. */
  scheduledChange?: { id: string; effectiveAt: Instant; paymentBehavior: PaymentBehavior };
}

/** A trial that is running: when it ends, and when its customer is to be told (null: done). */
export interface TrialDates {
  end: Instant;
  remindAt: Instant | null;
}

/** Something to be done at `at`; its decision is made for `asOf`, however late it is done. */
export type DatedStep = { at: Instant; asOf: Instant } & (
  | { do: 'apply_change'; changeId: string; paymentBehavior: PaymentBehavior }
  | { do: 'remind' | 'resume_collection' | 'begin_pause' | 'renew' | 'end_pause' | 'expire' }
);

/**
 * What a subscription does next by itself, in order of time; what falls on one instant in the order in which it is done: a scheduled change before anything, collection is resumed before anything
 * is billed, a pause comes before the renewal it replaces, and an end before a pause. What is paused is not renewed, and ends only at a date; what is incomplete only expires.
 * A later step counts only until an earlier one is done, for that may move it.
 */
export function listDates(dates: Dates): DatedStep[] {
  const { status, periodStart, periodEnd, cancelAt, pauseAt, scheduledChange } = dates;
  if (hasEnded(status)) return [];
  const steps: DatedStep[] = [];
  const add = (step: Exclude<DatedStep['do'], 'apply_change'>, at: Instant | null | undefined): void =>
    void (at != null && steps.push({ do: step, at, asOf: at }));
  if (scheduledChange) {
    const { id: changeId, effectiveAt, paymentBehavior } = scheduledChange;
    // A change whose time came in a pause is carried out when it runs again.
    steps.push({ do: 'apply_change', at: effectiveAt, asOf: Math.max(effectiveAt, periodStart), changeId, paymentBehavior });
  }
  if (status === 'trialing') add('remind', dates.trial?.remindAt);
  if (status === 'incomplete') add('expire', dates.incompleteExpiresAt);
  else {
    add('resume_collection', dates.collectionResumesAt);
    if (cancelAt === null || (pauseAt ?? 0) < cancelAt) add('begin_pause', pauseAt);
    add('renew', status === 'paused' ? cancelAt : Math.min(periodEnd, cancelAt ?? periodEnd));
    add('end_pause', dates.resumesAt);
  }
  return steps.sort((a, b) => a.at - b.at);
}
