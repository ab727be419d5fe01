import { loadavg } from 'node:os';
import type { Client } from '@temporalio/client';
import pg from 'pg';
import type { Running } from '../servers/supervise.ts';
import { type SubscriptionInput, WORKFLOW_TYPES } from '../workflows/messages.ts';
import { subscriptionAttributes } from '../workflows/search-attributes.ts';
import { type Burst, watchBurst } from './burst.ts';
import { type Engine, TASK_QUEUE } from './engine.ts';
import { type HistoryCost, historyCost } from './history.ts';
import { inParallel } from './in-parallel.ts';
import { ACCOUNT, CYCLE_SECONDS, type Seeded, type Seeder } from './seed.ts';
import { dueAfter, putToSleep } from './sleepers.ts';

export interface Renewals {
  burst: Burst;
  history: HistoryCost;
  /** What Postgres holds after the burst. */
  invoices: { paid: number; distinctSubscriptions: number; distinctNumbers: number; captures: number };
}

interface Ready {
  client: Client;
  engine: Engine;
  seeder: Seeder;
  api: Running;
  worker: Running;
  say: (line: string) => void;
}

/**
 * `count` subscriptions of a cycle ago, all due at one instant, from their first renewal to their last.
 * @throws Error when a period was billed, numbered or charged twice, or was not
 */
export async function measureRenewals(count: number, ready: Ready): Promise<{ renewals: Renewals; seeded: Seeded[]; worker: Running }> {
  const { client, engine, seeder, say } = ready;
  // Also the measure of how long the others will take.
  const beganAt = Date.now();
  const now = Math.floor(beganAt / 1000);
  await startAll(client, await seeder.subscriptions(20, now - CYCLE_SECONDS / 2));
  const dueAt = dueAfter(count, (Date.now() - beganAt) / 20_000);

  say(`writing ${count} subscriptions of thirty days ago, due in ${dueAt - Math.floor(Date.now() / 1000)} s`);
  const seeded = await seeder.subscriptions(count, dueAt - CYCLE_SECONDS);
  const runs = await startAll(client, seeded);
  say('putting their workflows to sleep');
  const ids = seeded.map(({ subscriptionId }) => subscriptionId);
  const worker = await putToSleep(client, ids, dueAt, ready.worker, () => engine.startWorker());

  say('waiting for the burst');
  const books = new pg.Client({ connectionString: engine.databaseUrl });
  await books.connect();
  try {
    const pids = { ...engine.pids, worker: worker.pid, api: ready.api.pid };
    const countPaid = async (): Promise<number> => {
      const { rows } = await books.query<{ n: number }>(
        `select count(*)::int as n from invoices where billing_reason = 'subscription_cycle' and status = 'paid'`,
      );
      return rows[0]?.n ?? 0;
    };
    const burst = await watchBurst(count, dueAt, pids, loadavg()[0] ?? 0, countPaid);
    const invoices = await assertBilledOnce(books, count);
    say('reading histories');
    return { renewals: { burst, history: await historyCost(client, runs), invoices }, seeded, worker };
  } finally {
    await books.end();
  }
}

/** Starts each as the run before it would have: in the middle of its life, with its attributes set. */
const startAll = (client: Client, seeded: readonly Seeded[]): Promise<{ workflowId: string; runId: string }[]> =>
  inParallel(seeded, 16, async ({ subscriptionId, customerId, facts }) => {
    const state: SubscriptionInput = {
      v: 1,
      generation: 1,
      accountId: ACCOUNT,
      subscriptionId,
      customerId,
      clock: { kind: 'real' },
      facts,
      dunning: [],
      answered: [],
      parked: [],
      drafts: [],
      stalled: null,
    };
    const { workflowId, firstExecutionRunId } = await client.workflow.start(WORKFLOW_TYPES.subscription, {
      workflowId: subscriptionId,
      taskQueue: TASK_QUEUE,
      args: [state],
      typedSearchAttributes: subscriptionAttributes(state),
    });
    return { workflowId, runId: firstExecutionRunId };
  });

async function assertBilledOnce(books: pg.Client, count: number): Promise<Renewals['invoices']> {
  const { rows } = await books.query<Renewals['invoices'] & { all: number }>(`
    select count(*)::int as "all", count(*) filter (where status = 'paid')::int as paid,
      count(distinct subscription_id)::int as "distinctSubscriptions", count(distinct number)::int as "distinctNumbers",
      (select count(*)::int from sandbox.captures c
        where c.invoice_id in (select id from invoices where billing_reason = 'subscription_cycle')) as captures
    from invoices where billing_reason = 'subscription_cycle'`);
  const [row] = rows;
  if (row === undefined) throw new Error('the books do not answer');
  const { all, ...invoices } = row;
  const wrong = Object.entries({ all, ...invoices }).filter(([, value]) => value !== count);
  if (wrong.length > 0) throw new Error(`${count} renewals were due: ${wrong.map(([name, value]) => `${name} ${value}`).join(', ')}`);
  return invoices;
}
