import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { vi } from 'vitest';
import type { testClock } from '../../workflows/index.ts';
import {
  type ClockParticipant,
  cancelScheduledChangeUpdate,
  dunningWorkflowId,
  invoiceWorkflowId,
  testClockWorkflowId,
} from '../../workflows/messages.ts';
import { DAY } from '../workflows/fake-billing/book.ts';
import { FakeBilling } from '../workflows/fake-billing.ts';
import { type Life, live } from '../workflows/life.ts';
import type { History } from './history-file.ts';

/** One recorded run: its workflow's type is part of the history. */
export interface Recording {
  name: string;
  history: History;
}

type Story = (life: Life, take: (name: string, workflowId?: string, runId?: string) => Promise<void>) => Promise<void>;

const MONTH = 32 * DAY * 1000;

/** What every release must be able to replay: one life per path, each run that tells something of it. */
const STORIES: Record<string, { billing?: Partial<FakeBilling>; story: Story }> = {
  renewed: {
    async story(life, take) {
      await life.subscribe();
      const { firstExecutionRunId } = await run(life);
      await life.pass(MONTH);
      await take('created-and-renewed', life.id, firstExecutionRunId);
      await take('asleep');
    },
  },
  used: {
    async story(life, take) {
      await life.subscribe();
      life.billing.used = 1200;
      await life.usageReported();
      await life.pass('2 minutes');
      await take('billed-at-a-threshold');
    },
  },
  changed: {
    async story(life, take) {
      await life.subscribe();
      await life.change({ price: 'price_month_30' }, 'op_upgrade');
      await life.cancelAt('period_end', 'op_schedule');
      await life.cancelAt('never', 'op_undo');
      await life.cancel({ invoiceNow: true, prorate: true }, 'op_cancel');
      await life.ended();
      await take('upgraded-and-cancelled');
    },
  },
  trial: {
    billing: { canPay: false },
    async story(life, take) {
      await life.subscribe({ trial: { days: 7 }, trialMissingPaymentMethod: 'pause' });
      const { firstExecutionRunId } = await run(life);
      await life.change({ trialEnd: (await life.now()) + 10 * DAY, items: [] }, 'op_extend');
      await life.pass('11 days');
      await take('trial-told-and-ended', life.id, firstExecutionRunId);
    },
  },
  expired: {
    billing: { charges: ['declined'] },
    async story(life, take) {
      await life.subscribe();
      await life.pass('24h');
      await life.ended();
      await take('incomplete-and-expired');
    },
  },
  paused: {
    async story(life, take) {
      await life.subscribe();
      await life.pause({ unusedTime: 'extend', resumesAt: (await life.now()) + 40 * DAY }, 'op_pause');
      await life.pass('41 days');
      await take('paused-and-resumed');
      await life.cancel({}, 'op_cancel');
      await life.ended();
      await life.reactivate('op_back');
      await life.quiet();
      await take('reactivated');
    },
  },
  refused: {
    async story(life, take) {
      await life.subscribe({ price: 'price_unknown' }).catch(() => undefined);
      await life.ended();
      await take('creation-refused');
    },
  },
  errorIfIncomplete: {
    async story(life, take) {
      await life.subscribe();
      life.billing.charges = ['declined', 'unknown'];
      await life.change({ price: 'price_month_30', paymentBehavior: 'error_if_incomplete' }, 'op_error').catch(() => undefined);
      await life.change({ price: 'price_month_30' }, 'op_unknown');
      await life.pass('10m');
      await take('update-taken-back-and-payment-looked-up');
    },
  },
  pending: {
    async story(life, take) {
      await life.subscribe();
      life.billing.charges = ['declined'];
      const { invoice } = await life.change({ price: 'price_month_30', paymentBehavior: 'pending_if_incomplete' }, 'op_pending');
      const paid = await life.invoice(invoice?.id ?? '', { do: 'pay', paymentMethodId: 'pm_2' });
      await life.quiet();
      await take('pending-update-paid');
      await take('invoice-paid', invoiceWorkflowId(paid.invoice.id));
    },
  },
  taxed: {
    billing: { externalTax: true },
    async story(life, take) {
      await life.subscribe();
      await take('external-tax');
    },
  },
  chased: {
    async story(life, take) {
      await life.subscribe();
      const { firstExecutionRunId } = await run(life);
      life.billing.charges = ['declined', 'declined', 'paid'];
      const { periodEnd } = (await life.state()).facts;
      await life.pass((periodEnd - (await life.now()) + 60) * 1000);
      await life.pass('9 days');
      const id = life.billing.invoices.at(-1)?.id ?? '';
      await life.ended(dunningWorkflowId(id));
      await vi.waitFor(async () => {
        if ((await life.state()).dunning.length > 0) throw new Error('not reported yet');
      });
      await take('renewal-declined', life.id, firstExecutionRunId);
      await take('dunning-recovered', dunningWorkflowId(id));
      await take('dunning-reported');
    },
  },
  onTestClock: {
    async story(life, take) {
      const at = 1_800_000_000;
      await life.subscribe({}, { kind: 'frozen', id: 'clock_1', at });
      life.billing.charges = ['paid', 'declined', 'declined', 'paid'];
      const workflowId = testClockWorkflowId('clock_1', 0);
      const participants: ClockParticipant[] = [{ workflowId: life.id, customerId: 'cus_1', at: null, nextWakeAt: null }];
      await life.env.client.workflow.execute<typeof testClock>('testClock', {
        workflowId,
        taskQueue: life.worker.taskQueue,
        args: [{ accountId: 'acct_1', clockId: 'clock_1', to: at + 100 * DAY, participants }],
      });
      await take('on-a-test-clock');
      await take('dunning-on-a-test-clock', dunningWorkflowId(life.billing.invoices[2]?.id ?? ''));
      await take('test-clock', workflowId);
    },
  },
  givenUp: {
    async story(life, take) {
      await life.subscribe();
      life.billing.charges = [{ declined: 'stolen_card' }, 'declined', 'declined', 'declined', 'declined'];
      const { periodEnd } = (await life.state()).facts;
      await life.pass((periodEnd - (await life.now()) + 60) * 1000);
      const id = life.billing.invoices.at(-1)?.id ?? '';
      await life.newCard('pm_1');
      await life.pass('16 days');
      await life.ended(dunningWorkflowId(id));
      await take('dunning-gave-up', dunningWorkflowId(id));
      await life.ended();
      await take('cancelled-by-dunning');
    },
  },
  scheduled: {
    async story(life, take) {
      await life.subscribe();
      const first = await run(life);
      const { periodStart } = (await life.state()).facts;
      await life.change({ price: 'price_month_30', effectiveAt: 'period_end' }, 'op_end');
      await life.change({ quantity: '3', effectiveAt: periodStart + 10 * DAY, prorationBehavior: 'always_invoice' }, 'op_date');
      const args = { operationId: 'op_cancel', actor: 'operator:eve', changeId: 'schg_op_gone' };
      await life.change({ quantity: '9', effectiveAt: periodStart + 20 * DAY }, 'op_gone');
      await life.handle.executeUpdate(cancelScheduledChangeUpdate, { args: [args], updateId: args.operationId });
      await life.pass('32 days');
      await take('scheduled-changes', life.id, first.firstExecutionRunId);
      await life.cancel();
      await life.ended();
    },
  },
};

const run = async (life: Life): Promise<{ firstExecutionRunId: string }> => ({ firstExecutionRunId: (await life.handle.describe()).runId });

/** Lives every story on a server of its own and hands over the histories. */
export async function recordAll(newEnvironment: () => Promise<TestWorkflowEnvironment>): Promise<Recording[]> {
  const recordings: Recording[] = [];
  for (const { billing, story } of Object.values(STORIES)) {
    const env = await newEnvironment();
    try {
      await live(
        env,
        (life) =>
          story(life, async (name, workflowId = life.id, runId) => {
            recordings.push({ name, history: await settled(() => env.client.workflow.getHandle(workflowId, runId).fetchHistory()) });
          }),
        Object.assign(new FakeBilling(), billing),
      );
    } finally {
      await env.teardown();
    }
  }
  return recordings;
}

/** A run that has just begun has told nothing yet: its first task is waited for. */
function settled(fetch: () => Promise<History>): Promise<History> {
  return vi.waitFor(
    async () => {
      const history = await fetch();
      if (!JSON.stringify(history).includes('workflowTaskCompletedEventAttributes')) throw new Error('no task is done yet');
      return history;
    },
    { timeout: 20_000, interval: 50 },
  );
}
