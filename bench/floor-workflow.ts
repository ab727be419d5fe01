import { defineSearchAttributeKey } from '@temporalio/common';
import { makeContinueAsNewFunc, proxyActivities, proxyLocalActivities, sleep } from '@temporalio/workflow';

/** What Temporal itself costs: the events of a renewal, and nothing in them. */
export interface FloorInput {
  /** Unix seconds; null in the run after, which sleeps as a renewed subscription does. */
  dueAt: number | null;
}

export interface FloorActivities {
  nothing(): Promise<void>;
  /** As `nothing`, and counts. */
  count(): Promise<void>;
}

const here = proxyLocalActivities<FloorActivities>({ startToCloseTimeout: '5s' });
const there = proxyActivities<FloorActivities>({ startToCloseTimeout: '30s' });
const nextBillingAt = defineSearchAttributeKey('NextBillingAt', 'DATETIME');

/** One timer, one local and one remote activity, and the next run with its search attribute set. */
export async function floor({ dueAt }: FloorInput): Promise<void> {
  await sleep(dueAt === null ? '30 days' : Math.max(1, dueAt * 1000 - Date.now()));
  await here.nothing();
  await there.count();
  const typedSearchAttributes = [{ key: nextBillingAt, value: new Date() }];
  await makeContinueAsNewFunc<typeof floor>({ typedSearchAttributes })({ dueAt: null });
}
