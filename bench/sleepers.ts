import type { Client } from '@temporalio/client';
import type { Running } from '../servers/supervise.ts';
import { inParallel, until } from './in-parallel.ts';

/** The burst's own watch begins before it. */
const AHEAD_MS = 5000;
const WIDTH = 16;

/**
 * Waits until every workflow sleeps on its timer, then replaces the worker, so that all of them are out of its cache, as sleepers of a month are.
 * @param dueAt unix seconds
 * @throws Error when that cannot be done before `dueAt`
 */
export async function putToSleep(
  client: Client,
  ids: readonly string[],
  dueAt: number,
  worker: Running,
  startWorker: () => Promise<Running>,
): Promise<Running> {
  const late = (): string => 'the burst fell due before all workflows slept: this machine is too busy for so many, or give fewer';
  await inParallel(ids, WIDTH, (id) => until(200, dueAt * 1000 - Date.now(), async () => ((await sleeps(client, id)) ? true : null), late));
  await worker.stop();
  // The queue of the worker that is gone: a task sent there waits in vain for ten seconds first.
  await inParallel(ids, WIDTH, (workflowId) =>
    client.workflowService.resetStickyTaskQueue({ namespace: client.options.namespace, execution: { workflowId } }),
  );
  const fresh = await startWorker();
  if (Date.now() + AHEAD_MS > dueAt * 1000) throw new Error(late());
  return fresh;
}

async function sleeps(client: Client, id: string): Promise<boolean> {
  const { historyLength, raw } = await client.workflow.getHandle(id).describe();
  return historyLength > 4 && !raw.pendingWorkflowTask;
}

/** Unix seconds at which `count` workflows will have been started, put to sleep and forgotten. `secondsEach` is what one costs before that, as measured. */
export const dueAfter = (count: number, secondsEach: number): number =>
  Math.ceil(Date.now() / 1000 + 35 + count * (secondsEach * 2 + 0.04));
