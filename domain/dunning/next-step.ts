import type { Instant } from '../time.ts';
import { DEFAULT_OVERDUE, type DunningPolicy } from './policy.ts';

export interface DunningState {
  /** Attempts made so far, the one whose failure started dunning among them; 0 where there was no payment method to try. */
  attemptCount: number;
  /** Of the last attempt; null where it was none or no decline. */
  lastDeclineCode: string | null;
  lastAttemptAt: Instant | null;
  startedAt: Instant;
}

/** `retry` at a time, or `give_up` at a time (until then only a new payment method helps). */
export interface DunningStep {
  do: 'retry' | 'give_up';
  at: Instant;
}

/**
 * What to do next about an unpaid invoice. Retry k comes `retryDelays[k]` seconds after the failure before it. After a hard decline, or with no payment
 * method at all, trying again is useless: dunning waits for a new payment method until the time the last retry would have had, then gives up. After the last
 * retry it gives up at once. Pure; the caller tries at once whenever a new payment method arrives.
 */
export function nextStep(policy: DunningPolicy, state: DunningState): DunningStep {
  const hopeless = state.lastAttemptAt === null || (state.lastDeclineCode !== null && policy.hardDeclines.includes(state.lastDeclineCode));
  const from = state.lastAttemptAt ?? state.startedAt;
  const delay = policy.retryDelays[Math.max(0, state.attemptCount - 1)];
  if (delay === undefined) return { do: 'give_up', at: from };
  if (hopeless) return { do: 'give_up', at: Math.max(from, state.startedAt + policy.retryDelays.reduce((total, each) => total + each, 0)) };
  return { do: 'retry', at: from + delay };
}

/** A sent invoice that is open. */
export interface AwaitedInvoice {
  dueDate: Instant;
  /** Whether that it is overdue was told. */
  isOverdue: boolean;
  /** Whether anything follows from that by itself. */
  givesUp: boolean;
}

/** What comes next while a sent invoice waits for its payment: its due date, then the policy's end; null: nothing by itself. Pure. */
export function nextOverdueStep(
  policy: DunningPolicy,
  { dueDate, isOverdue, givesUp }: AwaitedInvoice,
): { do: 'tell_overdue' | 'give_up'; at: Instant } | null {
  if (!isOverdue) return { do: 'tell_overdue', at: dueDate };
  return givesUp ? { do: 'give_up', at: dueDate + (policy.overdue ?? DEFAULT_OVERDUE).delay } : null;
}
