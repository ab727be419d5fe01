import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';

/**
 * How activities are called, by what may go wrong. Refusals are thrown non-retryable by the activities themselves, so every policy
 * below is about the rest: a database away, a gateway that does not answer, a bug.
 */

/** One Postgres transaction within the workflow task: no events but a marker. Three quick tries, then the caller goes to `decide`. */
export const decideHere = proxyLocalActivities<Activities>({
  startToCloseTimeout: '5s',
  scheduleToCloseTimeout: '15s',
  retry: { initialInterval: '100ms', backoffCoefficient: 3, maximumAttempts: 3 },
});

/** One Postgres transaction. An outage is sat out for an hour, in sight of the operator; then the loop parks the step. */
export const decide = proxyActivities<Activities>({
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '1h',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '1m' },
});

/** What nothing can go on without (creation) or what only its own end may end (a tax engine): retried for ever. */
export const insist = proxyActivities<Activities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
});

/** Money. The attempt is written before the gateway is called, so a retry finds it; after ten minutes the loop parks the step. */
export const charge = proxyActivities<Activities>({
  startToCloseTimeout: '60s',
  scheduleToCloseTimeout: '10m',
  retry: { initialInterval: '2s', backoffCoefficient: 2, maximumInterval: '1m' },
});
