import { randomBytes } from 'node:crypto';
import { isGrpcServiceError } from '@temporalio/client';
import { withAccount } from '../../db/client.ts';
import { changePlanUpdate } from '../../workflows/messages.ts';
import { newCustomer, newPrice } from '../support/scenario.ts';
import { itemOf, subscribeInThePast } from '../support/scenario-backdated.ts';
import type { Stack } from '../support/stack.ts';
import { type EndState, endState } from './end-state.ts';
import { KeptWorker, type WorkerSettings } from './worker-process.ts';

/**
 * Where each story dies, by the verb that names the points, in the order in which it comes to them. Points of one row can be died at by one life,
 * because each is reached in the same way whether or not it died at those before it.
 */
export const CRASH_POINTS = {
  renewal: [
    ['issue-invoice:loaded', 'issue-invoice:decided', 'issue-invoice:recorded', 'issue-invoice:committed'],
    ['start-payment:recorded', 'collect-payment:intent-committed'],
    ['collect-payment:gateway-called', 'collect-payment:loaded', 'collect-payment:recorded', 'collect-payment:committed'],
  ],
  trial: [['remind-of-trial-end:recorded', 'remind-of-trial-end:committed']],
  change: [['change-plan:loaded', 'change-plan:decided', 'change-plan:recorded', 'change-plan:committed']],
} as const;
export type Story = keyof typeof CRASH_POINTS;

export interface CrashRun {
  story: Story;
  subscriptions: number;
  /** What kills the worker, one after the other. None: the uncrashed run that the others are compared with. */
  crashAt: readonly string[];
}

const WEEK = 7 * 86_400;
const WITHIN_MS = 120_000;

/**
 * Lives the story of so many subscriptions at once while the worker is killed at each of the crash points, and returns what they came to.
 * @throws Error where anything was charged twice, paid without a charge, or did not end within two minutes after the last kill
 */
export async function live(
  stack: Stack,
  settings: Pick<WorkerSettings, 'temporalAddress' | 'home'>,
  { story, crashAt, subscriptions }: CrashRun,
): Promise<EndState[]> {
  const { stripe, activities, client, accountId, databaseUrl } = stack;
  const taskQueue = `crash-${randomBytes(6).toString('hex')}`;
  const priceId = await newPrice(stripe, 700, { interval: 'week' });
  const now = Math.floor(Date.now() / 1000);
  // A renewal, and the end of a trial whose reminder is overdue, fall due in two seconds; a change is made in the middle of a period.
  const startedAt = story === 'change' ? now - WEEK / 2 : now - WEEK + 2;
  const trial = story === 'trial' ? { trial: { end: startedAt + WEEK } } : {};

  const ids = Array.from({ length: subscriptions }, () => `sub_${randomBytes(10).toString('hex')}`);
  for (const subscriptionId of ids) {
    const customerId = await newCustomer(stripe);
    await subscribeInThePast({ activities, client, taskQueue }, { accountId, subscriptionId, customerId, priceId, startedAt, ...trial });
  }
  const patience = WITHIN_MS + crashAt.length * 60_000;
  const worker = new KeptWorker({ ...settings, databaseUrl, taskQueue }, crashAt);
  try {
    const changes = story === 'change' ? ids.map((id) => upgrade(stack, id, startedAt, patience)) : [];
    await worker.diedOften(patience);
    await Promise.all(changes);
    await until(
      WITHIN_MS,
      async () => (await settled(stack, ids)) === ids.length,
      () => `not all came to an end:\n${worker.log}`,
    );
    return await Promise.all(ids.map((id) => endState(stack, id)));
  } finally {
    await worker.stop();
    await Promise.all(ids.map((id) => client.workflow.getHandle(id).terminate('the test is over')));
  }
}

/** While a workflow's worker keeps dying the server takes no update of it; the API answers 503 then, and its client asks again. */
async function upgrade(stack: Stack, subscriptionId: string, startedAt: number, withinMs: number): Promise<unknown> {
  for (const deadline = performance.now() + withinMs; ; ) {
    try {
      return await askForSeats(stack, subscriptionId, startedAt);
    } catch (error) {
      const refusedNow = isGrpcServiceError(error instanceof Error ? error.cause : null);
      if (!refusedNow || performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** Three seats instead of one, priced from a fixed part of the period on, so that every run bills the same. */
const askForSeats = ({ client }: Stack, subscriptionId: string, startedAt: number): Promise<unknown> =>
  client.workflow.getHandle(subscriptionId).executeUpdate(changePlanUpdate, {
    updateId: `upgrade:${subscriptionId}`,
    args: [
      {
        operationId: `upgrade:${subscriptionId}`,
        actor: 'test',
        items: [{ do: 'update', itemId: itemOf(subscriptionId), quantity: '3' }],
        prorationBehavior: 'always_invoice',
        prorationDate: startedAt + 2 * 86_400,
        paymentBehavior: 'allow_incomplete',
      },
    ],
  });

/** How many of the subscriptions have their second invoice, paid. */
export const settled = ({ db, accountId }: Stack, ids: string[]): Promise<number> =>
  withAccount(db, accountId, async ({ trx }) => {
    const { rows } = await trx.raw(
      `select count(*)::int as count from (select subscription_id from invoices where subscription_id = any(:ids) and status = 'paid' group by 1 having count(*) >= 2) s`,
      { ids },
    );
    return rows[0].count as number;
  });

/** Looks again every 50 ms. @throws Error with the complaint when it takes too long */
export async function until(withinMs: number, holds: () => Promise<boolean>, complaint: () => string): Promise<void> {
  for (const deadline = performance.now() + withinMs; !(await holds()); ) {
    if (performance.now() > deadline) throw new Error(complaint());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
