import { defineSearchAttributeKey } from '@temporalio/common';
import { continueAsNew, proxyActivities, proxyLocalActivities, sleep, upsertSearchAttributes } from '@temporalio/workflow';

/** What Temporal itself costs: the same events as a renewal, and nothing in them. */
export type FloorShape = 'timer + local activity' | 'timer + remote activity' | 'events of a renewal';

export interface FloorInput {
  shape: FloorShape;
  rounds: number;
}

export interface FloorActivities {
  nothing(): Promise<void>;
}

const here = proxyLocalActivities<FloorActivities>({ startToCloseTimeout: '5s' });
const there = proxyActivities<FloorActivities>({ startToCloseTimeout: '30s' });
const nextBillingAt = defineSearchAttributeKey('NextBillingAt', 'DATETIME');

/** `rounds` runs of one timer and what the shape says, each continued as new. */
export async function floor({ shape, rounds }: FloorInput): Promise<void> {
  await sleep(1);
  if (shape !== 'timer + remote activity') await here.nothing();
  if (shape === 'events of a renewal') upsertSearchAttributes([{ key: nextBillingAt, value: new Date() }]);
  if (shape !== 'timer + local activity') await there.nothing();
  if (rounds > 1) await continueAsNew<typeof floor>({ shape, rounds: rounds - 1 });
}
