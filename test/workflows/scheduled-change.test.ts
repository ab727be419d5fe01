import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cancelScheduledChangeSignal, cancelScheduledChangeUpdate, changePlanSignal } from '../../workflows/messages.ts';
import { skippingEnvironment } from './environment.ts';
import { DAY } from './fake-billing/book.ts';
import { change, live, refusalOf } from './life.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await skippingEnvironment();
}, 60_000);
afterAll(() => env?.teardown());

test(
  'at the end of the period it comes before the renewal, which bills it; at a date in its own time',
  () =>
    live(env, async (life) => {
      const { subscription } = await life.subscribe();
      const start = subscription.periodStart;
      await life.change({ price: 'price_month_30', effectiveAt: 'period_end', prorationBehavior: 'create_prorations' }, 'op_end');
      await life.change({ quantity: '3', effectiveAt: start + 10 * DAY, prorationBehavior: 'always_invoice' }, 'op_date');
      expect((await life.state()).facts.scheduledChange).toEqual({
        id: 'schg_op_date',
        effectiveAt: start + 10 * DAY,
        paymentBehavior: 'allow_incomplete',
      });
      expect(await life.details()).toContain('changes as scheduled');
      await life.pass('11 days');
      expect(life.book).toMatchObject({ quantity: 3, priceId: 'price_month_10' });
      expect(life.billing.asOf['apply:schg_op_date']).toBe(start + 10 * DAY);
      expect(life.billing.attempts).toHaveLength(2);
      await life.pass('25 days');
      expect(life.billing.asOf['apply:schg_op_end']).toBe(subscription.periodEnd);
      expect(life.billing.verbs.filter((verb) => verb === 'applyScheduledChange' || verb === 'issueInvoice')).toEqual([
        'applyScheduledChange',
        'applyScheduledChange',
        'issueInvoice',
      ]);
      expect(life.billing.invoices.at(-1)).toMatchObject({ reason: 'cycle', amount: 9000, status: 'paid' });
      expect((await life.state()).facts.scheduledChange).toBeUndefined();
    }),
  30_000,
);

test(
  'scheduled and canceled, by update and by signal',
  () =>
    live(env, async (life) => {
      await life.subscribe();
      await life.handle.signal(changePlanSignal, change({ quantity: '4', effectiveAt: 'period_end' }, 'op_signal'));
      await life.quiet();
      expect((await life.state()).facts.scheduledChange?.id).toBe('schg_op_signal');
      await life.handle.signal(cancelScheduledChangeSignal, { operationId: 'op_c1', actor: 'operator:eve', changeId: 'schg_op_signal' });
      await life.quiet();
      expect((await life.state()).facts.scheduledChange).toBeUndefined();
      await life.change({ quantity: '5', effectiveAt: 'period_end' }, 'op_again');
      const args = { operationId: 'op_c2', actor: 'test', changeId: 'schg_op_again' };
      await life.handle.executeUpdate(cancelScheduledChangeUpdate, { args: [args], updateId: 'op_c2' });
      const missing = { operationId: 'op_c3', actor: 'test', changeId: 'schg_op_again' };
      const again = life.handle.executeUpdate(cancelScheduledChangeUpdate, { args: [missing], updateId: 'op_c3' });
      expect(await refusalOf(again)).toBe('transition_not_allowed');
      await life.pass('32 days');
      expect(life.book.quantity).toBe(1);
      expect(life.billing.verbs).not.toContain('applyScheduledChange');
    }),
  30_000,
);

test(
  'what cannot be carried out is held back in sight of the operator, and the renewal with it; both are done as of their instants',
  () =>
    live(env, async (life) => {
      const { subscription } = await life.subscribe({ price: 'price_day_1' });
      await life.change({ quantity: '2', effectiveAt: 'period_end' }, 'op_late');
      life.billing.refusals = { applyScheduledChange: 'currency_mismatch' };
      await life.pass('24h');
      expect((await life.state()).stalled).toMatchObject({ step: 'apply_change', error: expect.stringContaining('currency_mismatch') });
      expect((await life.state()).facts.periodEnd).toBe(subscription.periodEnd);
      expect(await refusalOf(life.change({ quantity: '7' }, 'op_blocked'))).toBe('unavailable');
      life.billing.refusals = {};
      await life.pass('2h');
      expect(life.billing.asOf['apply:schg_op_late']).toBe(subscription.periodEnd);
      expect(life.billing.asOf[`renew:${life.id}:${subscription.periodEnd}`]).toBe(subscription.periodEnd);
      expect(life.billing.invoices.filter(({ reason }) => reason === 'cycle')[0]).toMatchObject({ amount: 200, status: 'paid' });
      expect((await life.state()).stalled).toBeNull();
    }),
  60_000,
);
