import { execFile } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Client } from '@temporalio/client';
import pg from 'pg';
import { round } from './burst.ts';
import { cpuSecondsOfTree } from './cpu.ts';
import { type Engine, NAMESPACE, TASK_QUEUE } from './engine.ts';
import { until } from './in-parallel.ts';
import { ACCOUNT, type Seeder } from './seed.ts';

export interface Rebuilt {
  count: number;
  /** From typing the command to its end, with no worker beside it: every workflow is started. */
  commandSeconds: number;
  /** From the start of a worker until it has taken each of them up, and it sleeps on its timer. */
  secondsUntilAllSleep: number;
  cpuMillisecondsEach: { started: Record<string, number>; putToSleep: Record<string, number> };
  loadBefore: number;
}

const ENTRY = fileURLToPath(new URL('../cli/rebuild.ts', import.meta.url));
const WITHIN_MS = 900_000;

/** `npm run rebuild` as a process of its own, on a Temporal that knows nothing of `count` subscriptions in mid-period. @throws Error when not all of them came back */
export async function measureRebuild(
  count: number,
  { client, engine, seeder, say }: { client: Client; engine: Engine; seeder: Seeder; say: (line: string) => void },
): Promise<Rebuilt> {
  const books = new pg.Client({ connectionString: engine.databaseUrl });
  await books.connect();
  try {
    say(`writing ${count} subscriptions`);
    const [model] = await seeder.subscriptions(1, Math.floor(Date.now() / 1000) - 10 * 86_400);
    if (model === undefined) throw new Error('nothing was written');
    await copy(books, model.subscriptionId, count - 1);
    const { postgres, temporal } = engine.pids;
    const cpu = (pids: Record<string, number>): Record<string, number> =>
      Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuSecondsOfTree(pid)]));
    const each = (before: Record<string, number>, after: Record<string, number>): Record<string, number> =>
      Object.fromEntries(Object.entries(after).map(([name, used]) => [name, round(((used - (before[name] ?? 0)) * 1000) / count)]));

    const loadBefore = round(loadavg()[0] ?? 0);
    const [before, beganAt] = [cpu({ postgres, temporal }), performance.now()];
    say('rebuilding');
    const env = {
      ...process.env,
      DATABASE_URL: engine.databaseUrl,
      TEMPORAL_ADDRESS: engine.temporalAddress,
      TEMPORAL_NAMESPACE: NAMESPACE,
    };
    const { stdout } = await promisify(execFile)(process.execPath, [ENTRY], { env });
    const commandSeconds = round((performance.now() - beganAt) / 1000);
    if (!stdout.includes(` ${count} restarted`)) throw new Error(`not all came back: ${stdout}`);
    const started = cpu({ postgres, temporal });

    say('waiting until a worker has put all of them to sleep');
    const workerAt = performance.now();
    const { pid: worker } = await engine.startWorker();
    await until(
      500,
      WITHIN_MS,
      async () => ((await queued(client)) === 0 ? true : null),
      () => 'the worker does not get through',
    );
    const secondsUntilAllSleep = round((performance.now() - workerAt) / 1000);
    const asleep = cpu({ postgres, temporal, worker });
    await until(
      500,
      60_000,
      async () => ((await running(client)) === count ? true : null),
      () => 'not as many run as were restarted',
    );
    const cpuMillisecondsEach = { started: each(before, started), putToSleep: each(started, asleep) };
    return { count, commandSeconds, secondsUntilAllSleep, cpuMillisecondsEach, loadBefore };
  } finally {
    await books.end();
  }
}

const running = async (client: Client): Promise<number> =>
  (await client.workflow.count(`WorkflowType = 'subscription' AND ExecutionStatus = 'Running'`)).count;

const WORKFLOW_QUEUE = 1;

/** Tasks of workflows that wait for a worker. */
async function queued(client: Client): Promise<number> {
  const queue = { namespace: NAMESPACE, taskQueue: { name: TASK_QUEUE }, taskQueueType: WORKFLOW_QUEUE, reportStats: true };
  const { stats } = await client.workflowService.describeTaskQueue(queue);
  return Number(stats?.approximateBacklogCount ?? 0);
}

/** As many more like the model, row by row: what a rebuild reads is the same as if each had been created. */
async function copy(books: pg.Client, subscriptionId: string, count: number): Promise<void> {
  const clone = (table: string, changes: string, where: string): Promise<unknown> =>
    books.query(
      `insert into ${table} overriding user value select (jsonb_populate_record(null::${table}, to_jsonb(m) || ${changes})).* from ${table} m, generate_series(1, $1) n
       where m.account_id = '${ACCOUNT}' and ${where}`,
      [count, subscriptionId],
    );
  await clone(
    'customers',
    `jsonb_build_object('id', m.id || n, 'default_payment_method_id', null)`,
    'm.id = (select customer_id from subscriptions where id = $2)',
  );
  await clone(
    'subscriptions',
    `jsonb_build_object('id', m.id || n, 'customer_id', m.customer_id || n, 'latest_invoice_id', null)`,
    'm.id = $2',
  );
  await clone(
    'subscription_items',
    `jsonb_build_object('id', m.id || n, 'subscription_id', m.subscription_id || n)`,
    'm.subscription_id = $2',
  );
  await clone(
    'operations',
    `jsonb_build_object('operation_id', m.operation_id || n, 'subscription_id', m.subscription_id || n)`,
    'm.subscription_id = $2',
  );
  await books.query('analyze');
}
