import { isCancellation, proxyActivities, proxyLocalActivities, TemporalFailure } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { refusalIn } from './read-failure.ts';

/**
 * How activities are called, by what may go wrong. Refusals are thrown non-retryable by the activities themselves, so every policy
 * below is about the rest: a database away, a gateway that does not answer, a bug.
 */

/** The worker heartbeats by itself (`workers/heartbeat.ts`): after this long without one it is lost, and a caller who still waits can be served by another. */
const WORKER_LOST = '5s';

/** One Postgres transaction within the workflow task: a marker is all it leaves. One try; then the caller goes to `decide`, whose tries can be seen. */
export const decideHere = proxyLocalActivities<Activities>({
  startToCloseTimeout: '5s',
  scheduleToCloseTimeout: '10s',
  retry: { maximumAttempts: 1 },
});

/** One Postgres transaction. An outage is sat out for an hour, in sight of the operator; then the loop parks the step. */
export const decide = proxyActivities<Activities>({
  startToCloseTimeout: '30s',
  heartbeatTimeout: WORKER_LOST,
  scheduleToCloseTimeout: '1h',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '1m' },
});

/** What nothing can go on without (creation) or what only its own end may end (a tax engine): retried for ever. */
export const insist = proxyActivities<Activities>({
  startToCloseTimeout: '30s',
  heartbeatTimeout: WORKER_LOST,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
});

/** A command to a subscription, which may be slow to answer or never answer: after five minutes it is left, and told as such. */
export const command = proxyActivities<Activities>({
  startToCloseTimeout: '30s',
  heartbeatTimeout: WORKER_LOST,
  scheduleToCloseTimeout: '5m',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
});

/** Money. The attempt is written before the gateway is called, so a retry finds it; after ten minutes the loop parks the step. */
export const charge = proxyActivities<Activities>({
  startToCloseTimeout: '60s',
  heartbeatTimeout: WORKER_LOST,
  scheduleToCloseTimeout: '10m',
  retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '1m' },
});

/**
 * A transaction inside the workflow task first, which saves six events; when Postgres does not answer, the same operation goes through the server, where its tries can be seen.
 * A refusal is an answer.
 */
export async function hereFirst<R>(here: () => Promise<R>, there: () => Promise<R>): Promise<R> {
  try {
    return await here();
  } catch (error) {
    // What a local activity throws comes bare, without the ActivityFailure around it.
    if (!(error instanceof TemporalFailure) || isCancellation(error) || refusalIn(error) !== null) throw error;
    return there();
  }
}
