import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { makeContinueAsNewFunc, proxyActivities, proxyLocalActivities, sleep } from '@temporalio/workflow';

/** What Temporal itself costs: one timer and empty activities, then the next run, as a renewal has them. */
export type FloorShape = 'timer + local activity' | 'timer + remote activity' | 'events of a renewal';

export interface FloorInput {
  shape: FloorShape;
  /** Unix milliseconds; null in the run after, which sleeps as a renewed subscription does. */
  wakeAt: number | null;
}

export interface FloorActivities {
  nothing(): Promise<void>;
}

const here = proxyLocalActivities<FloorActivities>({ startToCloseTimeout: '5s' });
const there = proxyActivities<FloorActivities>({ startToCloseTimeout: '30s' });
const nextBillingAt = defineSearchAttributeKey('NextBillingAt', 'DATETIME');

export async function floor({ shape, wakeAt }: FloorInput): Promise<void> {
  await sleep(wakeAt === null ? '7 days' : Math.max(1, wakeAt - Date.now()));
  if (shape !== 'timer + remote activity') await here.nothing();
  if (shape !== 'timer + local activity') await there.nothing();
  const attributes: SearchAttributePair[] = shape === 'events of a renewal' ? [{ key: nextBillingAt, value: new Date() }] : [];
  await makeContinueAsNewFunc<typeof floor>({ typedSearchAttributes: attributes })({ shape, wakeAt: null });
}
