import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { changePlanUpdate } from '../../workflows/messages.ts';
import { realEnvironment } from './environment.ts';
import { FakeBilling } from './fake-billing.ts';
import { change, type Life, live } from './life.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await realEnvironment();
}, 60_000);
afterAll(() => env?.teardown());

/** Periods of a few seconds, on the real clock. */
function secondsLong(seconds: number): FakeBilling {
  const billing = new FakeBilling();
  billing.secondsPerPeriod = seconds;
  return billing;
}

const until = (assertion: () => unknown): Promise<unknown> => vi.waitFor(assertion, { timeout: 20_000, interval: 50 });

function expectContiguous({ billing }: Life): void {
  for (const [n, period] of billing.periods.entries()) if (n > 0) expect(period.start).toBe(billing.periods[n - 1]?.end);
}

/** Events of each closed run of the subscription, oldest first. */
async function closedRuns(life: Life): Promise<{ events: string[]; bytes: number }[]> {
  const runs = [];
  for await (const { runId, status, startTime } of env.client.workflow.list({ query: `WorkflowId = '${life.id}'` })) {
    if (status.name !== 'CONTINUED_AS_NEW') continue;
    const run = env.client.workflow.getHandle(life.id, runId);
    const { historySize } = await run.describe();
    const events = ((await run.fetchHistory()).events ?? []).map(
      (event) => Object.keys(event).find((key) => key.endsWith('EventAttributes')) ?? '',
    );
    runs.push({
      startTime: startTime.getTime(),
      events: events.map((name) => name.replace('EventAttributes', '')),
      bytes: historySize ?? 0,
    });
  }
  return runs.sort((a, b) => a.startTime - b.startTime);
}

test(
  'a renewal costs 17 events',
  () =>
    live(
      env,
      async (life) => {
        await life.subscribe({ price: 'price_second' });
        await until(() => expect(life.billing.periods.length).toBeGreaterThanOrEqual(4));
        await until(async () => expect((await closedRuns(life)).length).toBeGreaterThanOrEqual(3));
        const [, second] = await closedRuns(life);
        expect(second?.events).toEqual([
          'workflowExecutionStarted',
          'workflowTaskScheduled',
          'workflowTaskStarted',
          'workflowTaskCompleted',
          'timerStarted',
          'timerFired',
          'workflowTaskScheduled',
          'workflowTaskStarted',
          'workflowTaskCompleted',
          'markerRecorded',
          'activityTaskScheduled',
          'activityTaskStarted',
          'activityTaskCompleted',
          'workflowTaskScheduled',
          'workflowTaskStarted',
          'workflowTaskCompleted',
          'workflowExecutionContinuedAsNew',
        ]);
        expect(second?.bytes).toBeLessThan(10_000);
      },
      secondsLong(2),
    ),
  60_000,
);

test(
  '50 commands at once are each answered once, each applied once',
  () =>
    live(env, async (life) => {
      await life.subscribe();
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, n) => {
          // Ten at a time is what the server takes of one workflow; the rest it turns away, to be sent again.
          for (;;) {
            try {
              return await life.change({ quantity: String(n + 2) }, `op_${n}`);
            } catch (error) {
              if (!isBusy(error)) throw error;
              await new Promise((resolve) => setImmediate(resolve));
            }
          }
        }),
      );
      expect(new Set(answers.map(({ invoice }) => invoice?.id)).size).toBe(50);
      expect(life.billing.calls.filter((call) => call.startsWith('changePlan'))).toHaveLength(50);
      expect(new Set(life.billing.attempts.map(({ invoiceId }) => invoiceId)).size).toBe(life.billing.attempts.length);
    }),
  60_000,
);

const isBusy = (error: unknown): boolean => /exhausted|too many|limit/i.test(`${String(error)} ${String((error as Error).cause)}`);

test(
  'commands that race continue-as-new are each applied once',
  () =>
    live(
      env,
      async (life) => {
        await life.subscribe({ price: 'price_second' });
        const end = Date.now() + 6_000;
        let sent = 0;
        const lost: unknown[] = [];
        const caller = async (name: string): Promise<void> => {
          for (let n = 0; Date.now() < end; n += 1) {
            const operationId = `${name}_${n}`;
            sent += 1;
            try {
              await life.handle.executeUpdate(changePlanUpdate, {
                args: [change({ quantity: String((n % 7) + 1) }, operationId)],
                updateId: operationId,
              });
            } catch (error) {
              lost.push(error);
            }
          }
        };
        await Promise.all(['a', 'b', 'c', 'd'].map(caller));
        expect(lost).toEqual([]);
        expect(new Set(life.billing.calls.filter((call) => call.startsWith('changePlan'))).size).toBe(sent);
        expect(life.billing.periods.length).toBeGreaterThanOrEqual(3);
        expectContiguous(life);
      },
      secondsLong(2),
    ),
  60_000,
);

test(
  'boundaries missed while no worker ran are billed one by one, each as of its own',
  () =>
    live(
      env,
      async (life) => {
        await life.subscribe({ price: 'price_second' });
        await life.worker.stop();
        const { anchor } = life.book;
        await until(() => expect(Date.now() / 1000).toBeGreaterThan(anchor + 7));
        await life.restart();
        await until(() => expect(life.billing.periods.length).toBeGreaterThanOrEqual(4));
        expectContiguous(life);
        for (const { start } of life.billing.periods.slice(1)) expect(life.billing.asOf[`renew:${life.id}:${start}`]).toBe(start);
      },
      secondsLong(2),
    ),
  60_000,
);

test(
  'a draft whose time came while no worker ran is finalised and paid by the next one, once',
  () =>
    live(
      env,
      async (life) => {
        await life.subscribe({ price: 'price_second' });
        await until(() => expect(life.billing.invoices).toHaveLength(2));
        const draft = life.billing.invoices[1];
        expect(draft).toMatchObject({ status: 'draft' });
        await life.worker.stop();
        expect(draft).toMatchObject({ status: 'draft' });
        await until(() => expect(Date.now() / 1000).toBeGreaterThan((draft?.finalizesAt ?? 0) + 2));
        await life.restart();
        await until(() => expect(draft).toMatchObject({ status: 'paid' }));
        expect(life.billing.attempts.filter(({ invoiceId }) => invoiceId === draft?.id)).toHaveLength(1);
      },
      Object.assign(secondsLong(8), { graceSeconds: 6 }),
    ),
  60_000,
);

test(
  'cancelling the workflow itself ends nothing',
  () =>
    live(env, async (life) => {
      await life.subscribe();
      await life.handle.cancel();
      expect((await life.change({ quantity: '2' })).payment?.outcome).toBe('paid');
      expect(await life.status()).toBe('RUNNING');
    }),
  60_000,
);

/** Every invoice is sent, and due after two seconds. */
const sentForTwoSeconds = (): FakeBilling => Object.assign(new FakeBilling(), { daysUntilDue: 2 / 86_400 });
const statusOf = async (life: Life): Promise<string> => (await life.state()).facts.status;

test(
  'a sent invoice is waited for, overdue when it is due, and charged by nobody; paid another way, the subscription is active again',
  () =>
    live(
      env,
      async (life) => {
        expect(await life.subscribe()).toMatchObject({ subscription: { status: 'active' }, payment: null });
        const [first] = life.billing.invoices;
        const id = first?.id ?? '';
        expect((await life.state()).dunning).toEqual([id]);
        await life.newCard();
        await until(async () => expect(await statusOf(life)).toBe('past_due'));
        expect(life.billing.asOf[`dunning:${id}:overdue`]).toBeGreaterThanOrEqual(first?.dueDate ?? 0);
        expect(await life.attributes()).toMatchObject({ SubscriptionStatus: 'past_due' });
        await until(async () => expect(await life.details(`dunning:${id}`)).toContain(`gives ${id} up unless paid`));
        await life.invoice(id, { do: 'pay_out_of_band' });
        await until(async () => expect(await life.state()).toMatchObject({ facts: { status: 'active' }, dunning: [] }));
        expect(life.billing.attempts).toEqual([]);
      },
      sentForTwoSeconds(),
    ),
  60_000,
);

test('what is sent and never paid ends as the policy says', () => {
  const billing = sentForTwoSeconds();
  billing.policy = { ...billing.policy, overdue: { delay: 1, terminalAction: 'cancel' } };
  return live(
    env,
    async (life) => {
      await life.subscribe();
      await life.handle.result();
      expect(life.book.status).toBe('canceled');
      expect(life.billing.verbs.slice(-2)).toEqual(['markOverdue', 'endDunning']);
      expect(life.billing.attempts).toEqual([]);
    },
    billing,
  );
}, 60_000);
