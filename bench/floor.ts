import { loadavg } from 'node:os';
import type { Client } from '@temporalio/client';
import { freePort } from '../servers/ports.ts';
import type { Running } from '../servers/supervise.ts';
import { type Burst, watchBurst } from './burst.ts';
import { type Engine, NAMESPACE } from './engine.ts';
import type { FloorInput } from './floor-workflow.ts';
import { type HistoryCost, historyCost } from './history.ts';
import { inParallel } from './in-parallel.ts';
import { dueAfter, putToSleep } from './sleepers.ts';

const TASK_QUEUE = 'floor';

export interface Floor {
  burst: Burst;
  history: HistoryCost;
}

/** `count` workflows with the events of a renewal and nothing in them, on the same Temporal, due at one instant and asleep like the subscriptions. */
export async function measureFloor(count: number, client: Client, engine: Engine, say: (line: string) => void): Promise<Floor> {
  say('starting the floor: the events of a renewal, and nothing in them');
  let url = '';
  const startWorker = async (cached: Record<string, string>): Promise<Running> => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/`;
    return engine.run('floor', 'bench/floor-worker.ts', { PORT: String(port), TASK_QUEUE, NAMESPACE, ...cached }, url);
  };
  const first = await startWorker({ CACHED_WORKFLOWS: '0' });
  const dueAt = dueAfter(count, 0);
  const input: FloorInput = { dueAt };
  const runs = await inParallel(Array.from({ length: count }), 16, async (_, index) => {
    const { workflowId, firstExecutionRunId } = await client.workflow.start('floor', {
      workflowId: `floor-${index}`,
      taskQueue: TASK_QUEUE,
      args: [input],
    });
    return { workflowId, runId: firstExecutionRunId };
  });
  const worker = await putToSleep(
    client,
    runs.map(({ workflowId }) => workflowId),
    dueAt,
    first,
    () => startWorker({}),
  );
  const countDone = async (): Promise<number> => ((await (await fetch(url)).json()) as { done: number }).done;
  const burst = await watchBurst(count, dueAt, { temporal: engine.pids.temporal, worker: worker.pid }, loadavg()[0] ?? 0, countDone);
  const history = await historyCost(client, runs);
  await worker.stop();
  return { burst, history };
}
