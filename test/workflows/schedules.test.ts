import { WithStartWorkflowOperation } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { subscription } from '../../workflows/index.ts';
import { editScheduleUpdate, type SubscriptionInput } from '../../workflows/messages.ts';
import { skippingEnvironment } from './environment.ts';
import { DAY, type FakeScheduleEdit } from './fake-billing/book.ts';
import { type Life, live, refusalOf } from './life.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await skippingEnvironment();
}, 60_000);
afterAll(() => env?.teardown());

const edited = (edit: FakeScheduleEdit, operationId: string) => ({
  operationId,
  actor: 'test',
  scheduleId: 'sub_sched_1',
  editId: JSON.stringify(edit),
});

/** As the API sends it: with the start of a workflow. */
function open(life: Life, edit: FakeScheduleEdit, operationId = 'op_open') {
  const input: SubscriptionInput = { wait: { accountId: 'acct_1', subscriptionId: life.id, customerId: 'cus_1' } };
  return env.client.workflow.executeUpdateWithStart(editScheduleUpdate, {
    args: [edited(edit, operationId)],
    updateId: operationId,
    startWorkflowOperation: new WithStartWorkflowOperation<typeof subscription>('subscription', {
      workflowId: life.id,
      taskQueue: life.worker.taskQueue,
      workflowIdConflictPolicy: 'USE_EXISTING',
      args: [input],
    }),
  });
}

const again = (life: Life, edit: FakeScheduleEdit, operationId: string) =>
  life.handle.executeUpdate(editScheduleUpdate, { args: [edited(edit, operationId)], updateId: operationId });

test(
  'two phases from a date to come: it waits, starts as of that instant, and the second phase comes with its renewal',
  () =>
    live(env, async (life) => {
      const startsAt = (await life.now()) + 40 * DAY;
      expect(await open(life, { do: 'plan', startsAt, prices: ['price_month_10', 'price_month_30'] })).toEqual({
        subscription: null,
        invoice: null,
        payment: null,
      });
      expect((await life.attributes())['SubscriptionStatus']).toBe('not_started');
      expect(await life.details()).toContain('not started');
      expect(await refusalOf(life.cancel())).toBe('transition_not_allowed');
      await life.pass('39 days');
      expect(life.billing.subs.size).toBe(0);
      await life.pass('2 days');
      expect(life.billing.asOf['start:sub_sched_1']).toBe(startsAt);
      expect(life.book).toMatchObject({ status: 'active', priceId: 'price_month_10' });
      await life.pass('32 days');
      expect(life.billing.invoices.map(({ reason, amount, status }) => `${reason} ${amount} ${status}`)).toEqual([
        'create 1000 paid',
        'cycle 3000 paid',
      ]);
      expect(life.billing.verbs.filter((verb) => verb !== 'collectPayment')).toEqual([
        ...['editSchedule', 'startSchedule', 'applyScheduledChange', 'issueInvoice'],
      ]);
    }),
  30_000,
);

test(
  'a start that is due is answered with its first invoice, also when it is asked for again',
  () =>
    live(env, async (life) => {
      const plan: FakeScheduleEdit = { do: 'plan', startsAt: (await life.now()) - 5, prices: ['price_month_10'] };
      const [first, second] = await Promise.all([open(life, plan), open(life, plan)]);
      expect(first).toMatchObject({ subscription: { status: 'active' }, invoice: { status: 'paid' }, payment: { outcome: 'paid' } });
      expect(second).toEqual(first);
      expect(life.billing.invoices).toHaveLength(1);
    }),
  30_000,
);

test(
  'canceled before it starts, or impossible then, it ends without a subscription',
  () =>
    live(env, async (life) => {
      const startsAt = (await life.now()) + 10 * DAY;
      await open(life, { do: 'plan', startsAt, prices: [] });
      await life.pass('11 days');
      await life.ended();
      expect([life.billing.subs.size, life.billing.schedule?.status]).toEqual([0, 'canceled']);
    }),
  30_000,
);

test(
  'one that is called off ends at once',
  () =>
    live(env, async (life) => {
      await open(life, { do: 'plan', startsAt: (await life.now()) + 10 * DAY, prices: ['price_month_10'] });
      expect(await again(life, { do: 'canceled' }, 'op_off')).toMatchObject({ subscription: null });
      await life.ended();
      expect([life.billing.subs.size, life.billing.schedule?.status]).toEqual([0, 'canceled']);
    }),
  30_000,
);

test(
  'one that is refused leaves nothing to wait for',
  () =>
    live(env, async (life) => {
      life.billing.refusals = { editSchedule: 'price_inactive' };
      const plan: FakeScheduleEdit = { do: 'plan', startsAt: (await life.now()) + DAY, prices: ['price_month_10'] };
      expect(await refusalOf(open(life, plan))).toBe('price_inactive');
      await life.ended();
      expect(life.billing.schedule).toBeNull();
    }),
  30_000,
);
