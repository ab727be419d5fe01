import type { InvoiceFacts, MemberFacts, SubscriptionFacts } from '../../activities/index.ts';
import type { Instant } from '../../domain/time.ts';
import type { Clock } from '../clock.ts';
import type { DunningEnded, JoinClock, StartDunning } from '../messages.ts';

/** What one dunning knows. The policy decides, Postgres remembers; this waits and tries. */
export interface Chase {
  start: StartDunning;
  clock: Clock;
  startedAt: Instant;
  /** Steps of each kind done so far. Each is part of an operation id, so none is used twice. */
  tries: number;
  lookUps: number;
  shows: number;
  /** Failures in a row, for the back-off. */
  failures: number;
  /** The date of the next try that customers are shown. */
  shown: Instant | null;
  /** Requests that have changed the payment method, by operation id. */
  heard: Set<string>;
  // What has come in since the loop looked last:
  newMethod: string | null;
  settled: { status: InvoiceFacts['status']; subscription: SubscriptionFacts | null } | null;
  stopped: boolean;
  clockToJoin: JoinClock | null;
}

export const hasNews = ({ newMethod, settled, stopped, clockToJoin }: Chase): boolean =>
  newMethod !== null || settled !== null || stopped || clockToJoin !== null;

/** How it ended, with what became of each subscription of a consolidated invoice. */
export type Ending = DunningEnded & { shared?: MemberFacts[] };

/** Whom its news are for, with the facts of each; null where there are none. */
export function recipients(
  { start }: Chase,
  subscription: SubscriptionFacts | null,
  shared: MemberFacts[] = [],
): { id: string; facts: SubscriptionFacts | null }[] {
  if (start.subscriptionId !== null) return [{ id: start.subscriptionId, facts: subscription }];
  return (start.subscriptionIds ?? []).map((id) => ({
    id,
    facts: shared.find((member) => member.subscriptionId === id)?.subscription ?? null,
  }));
}
