import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { quote } from '../../workflows/index.ts';
import { quoteChangedSignal } from '../../workflows/messages.ts';
import { skippingEnvironment } from './environment.ts';
import { DAY } from './fake-billing/book.ts';
import { type Life, live } from './life.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await skippingEnvironment();
}, 60_000);
afterAll(() => env?.teardown());

const wait = ({ worker, id }: Life, expiresAt: number) =>
  env.client.workflow.start<typeof quote>('quote', {
    workflowId: `quote:qt_${id}`,
    taskQueue: worker.taskQueue,
    args: [{ accountId: 'acct_1', quoteId: `qt_${id}`, expiresAt }],
  });

test(
  'a quote is looked at when it expires, and no sooner, whatever the database does then',
  () =>
    live(env, async (life) => {
      const expiresAt = (await life.now()) + 10 * DAY;
      life.billing.outages = { expireQuote: 2 };
      const handle = await wait(life, expiresAt);
      await env.sleep('9 days');
      expect(life.billing.calls).toEqual([]);
      await env.sleep('2 days');
      await handle.result();
      expect(life.billing.calls).toEqual([`expireQuote ${expiresAt}`]);
    }),
  30_000,
);

test(
  'told of a change it looks again: it goes on until a later end, and ends with a quote that is settled',
  () =>
    live(env, async (life) => {
      const start = await life.now();
      life.billing.quoteExpiresAt = start + 20 * DAY;
      const handle = await wait(life, start + 10 * DAY);
      await env.sleep('11 days');
      expect((await handle.describe()).status.name).toBe('RUNNING');
      life.billing.quoteExpiresAt = 0;
      await handle.signal(quoteChangedSignal);
      await handle.result();
      expect(life.billing.calls).toHaveLength(2);
    }),
  30_000,
);
