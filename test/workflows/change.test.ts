import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { cancelSignal, changePlanSignal, scheduleCancellationSignal } from '../../workflows/messages.ts';
import { skippingEnvironment } from './environment.ts';
import { change, live, refusalOf } from './life.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await skippingEnvironment();
}, 60_000);
afterAll(() => env?.teardown());

test(
  'an upgrade in mid-period is invoiced and paid at once',
  () =>
    live(env, async (life) => {
      await life.subscribe();
      await life.pass('15 days');
      const answer = await life.change({ price: 'price_month_30', quantity: '2' });
      expect(answer.subscription).toMatchObject({ planId: 'price_month_30', status: 'active' });
      expect(answer.payment?.outcome).toBe('paid');
      expect(await life.attributes()).toMatchObject({ PlanId: 'price_month_30' });
      expect(life.book).toMatchObject({ priceId: 'price_month_30', quantity: 2 });
    }),
  30_000,
);

test(
  'the same command again gets the first answer, in the same run and in a later one',
  () =>
    live(env, async (life) => {
      await life.subscribe({ price: 'price_day_1' });
      const first = await life.change({ quantity: '3' }, 'op_1');
      const { facts } = await life.state();
      expect(await life.handle.executeUpdate('changePlan', { args: [change({ quantity: '3' }, 'op_1')], updateId: 'other' })).toEqual(
        first,
      );
      await life.pass('25h');
      const renewed = (await life.state()).facts;
      expect(renewed.periodStart).toBe(facts.periodEnd);
      const again = await life.change({ quantity: '3' }, 'op_1');
      expect(again.invoice?.id).toBe(first.invoice?.id);
      expect((await life.state()).facts).toEqual(renewed);
      expect(life.billing.invoices.filter(({ reason }) => reason === 'update')).toHaveLength(1);
      await life.pass('24h');
      expect(life.billing.periods).toHaveLength(3);
    }),
  30_000,
);

test(
  'commands as signals do what the updates do',
  () =>
    live(env, async (life) => {
      await life.subscribe();
      await life.handle.signal(changePlanSignal, change({ quantity: '4' }, 'op_signal'));
      await life.handle.signal(scheduleCancellationSignal, { operationId: 'op_schedule', actor: 'operator:eve', at: 'period_end' });
      await life.quiet();
      expect(life.book.quantity).toBe(4);
      expect((await life.state()).facts.cancelAt).toBe((await life.state()).facts.periodEnd);
      await life.handle.signal(changePlanSignal, change({ price: 'price_unknown' }, 'op_bad'));
      await life.quiet();
      expect(await life.details()).toContain('resource_missing');
      await life.handle.signal(cancelSignal, { operationId: 'op_cancel', actor: 'operator:eve', prorate: false, invoiceNow: false });
      await life.ended();
      expect(life.book.status).toBe('canceled');
    }),
  30_000,
);

test(
  'cancel now ends the workflow; a final invoice is collected, not chased',
  () =>
    live(env, async (life) => {
      await life.subscribe();
      life.billing.charges = ['declined'];
      const answer = await life.cancel({ invoiceNow: true, prorate: true });
      expect(answer).toMatchObject({ subscription: { status: 'canceled' }, invoice: { status: 'open' }, payment: { outcome: 'declined' } });
      await life.ended();
      expect(life.billing.verbs).not.toContain('loadDunning');
    }),
  30_000,
);

test(
  'what the status forbids is refused before it leaves a trace',
  () =>
    live(env, async (life) => {
      life.billing.charges = ['declined'];
      await life.subscribe();
      expect(await refusalOf(life.change({ quantity: '2' }))).toBe('subscription_incomplete');
      const { events } = await life.handle.fetchHistory();
      expect(
        events?.some((event) => event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name === 'changePlan'),
      ).toBe(false);
      expect(life.billing.verbs).not.toContain('changePlan');
    }),
  30_000,
);

test(
  'what the book refuses is answered with its code and changes nothing',
  () =>
    live(env, async (life) => {
      await life.subscribe();
      expect(await refusalOf(life.change({ price: 'price_unknown' }))).toBe('resource_missing');
      expect((await life.change({ quantity: '2' })).payment?.outcome).toBe('paid');
    }),
  30_000,
);

test(
  'error_if_incomplete: a declined upgrade is taken back and refused, each time it is sent',
  () =>
    live(env, async (life) => {
      await life.subscribe();
      life.billing.charges = [{ declined: 'insufficient_funds' }];
      const upgrade = { price: 'price_month_30', paymentBehavior: 'error_if_incomplete' as const };
      expect(await refusalOf(life.change(upgrade, 'op_up'))).toBe('payment_failed');
      expect(life.book).toMatchObject({ status: 'active', priceId: 'price_month_10', pendingUpdate: null });
      expect(await refusalOf(life.handle.executeUpdate('changePlan', { args: [change(upgrade, 'op_up')], updateId: 'again' }))).toBe(
        'payment_failed',
      );
      expect((await life.state()).facts.pendingUpdate).toBeNull();
      expect((await life.change({ price: 'price_month_30', paymentBehavior: 'error_if_incomplete' })).subscription.planId).toBe(
        'price_month_30',
      );
    }),
  30_000,
);

test(
  'pending_if_incomplete: the change waits for its payment, and is applied when it comes',
  () =>
    live(env, async (life) => {
      await life.subscribe();
      life.billing.charges = ['declined'];
      const answer = await life.change({ price: 'price_month_30', paymentBehavior: 'pending_if_incomplete' });
      expect(answer.subscription).toMatchObject({ planId: 'price_month_10', pendingUpdate: { invoiceId: answer.invoice?.id } });
      expect(await refusalOf(life.change({ quantity: '2' }))).toBe('pending_update_exists');
      await life.pass('5h');
      await life.invoice(answer.invoice?.id ?? '', { do: 'pay', paymentMethodId: 'pm_2' });
      await life.quiet();
      expect((await life.state()).facts).toMatchObject({ planId: 'price_month_30', pendingUpdate: null });
      expect(life.billing.verbs).not.toContain('loadDunning');
    }),
  30_000,
);

test(
  'pending_if_incomplete: not paid in time, the change is dropped',
  () =>
    live(env, async (life) => {
      await life.subscribe();
      life.billing.charges = ['declined'];
      const { invoice, subscription } = await life.change({ price: 'price_month_30', paymentBehavior: 'pending_if_incomplete' });
      await life.pass('24h');
      expect(life.book).toMatchObject({ priceId: 'price_month_10', pendingUpdate: null });
      expect(life.billing.invoices.find(({ id }) => id === invoice?.id)?.status).toBe('void');
      expect(life.billing.asOf[`update:${invoice?.id}:drop`]).toBe(subscription.pendingUpdate?.expiresAt);
    }),
  30_000,
);

test(
  'what is billed early, or by a change that is dropped, may pay what others share: they are told each time, and once',
  () =>
    live(env, async (life) => {
      const { billing } = life;
      await life.subscribe();
      const { facts } = await life.state();
      billing.others = [{ subscriptionId: 'sub_other', subscription: facts }];
      const told = async () =>
        (await life.handle.fetchHistory()).events?.filter(
          ({ signalExternalWorkflowExecutionInitiatedEventAttributes: sent }) =>
            sent?.signalName === 'sharedInvoice' && sent.workflowExecution?.workflowId === 'sub_other',
        ).length;
      billing.used = 1200;
      await life.usageReported();
      await life.pass('2 minutes');
      expect(await told()).toBe(1);
      billing.charges = ['declined'];
      await life.change({ price: 'price_month_30', paymentBehavior: 'pending_if_incomplete' }, 'op_1');
      expect(await told()).toBe(2);
      await life.change({ price: 'price_month_30', paymentBehavior: 'pending_if_incomplete' }, 'op_1');
      expect(await told()).toBe(2);
      await life.pass('24h');
      expect(life.book.pendingUpdate).toBeNull();
      expect(await told()).toBe(3);
    }),
  30_000,
);

test(
  'an unknown payment is parked and looked up; the subscription obeys meanwhile',
  () =>
    live(env, async (life) => {
      await life.subscribe();
      life.billing.charges = ['unknown'];
      life.billing.lookUps = ['unknown', 'unknown', 'paid'];
      const answer = await life.change({ price: 'price_month_30' });
      expect(answer.payment?.outcome).toBe('unknown');
      expect((await life.state()).parked).toMatchObject([{ step: 'resolve_payment', attemptNumber: 1, tries: 0 }]);
      expect(await life.details()).toContain('resolve payment');
      expect((await life.cancelAt('period_end')).subscription.cancelAt).not.toBeNull();
      await life.pass('10m');
      expect((await life.state()).parked).toMatchObject([{ tries: 2 }]);
      await life.pass('2h');
      expect((await life.state()).parked).toEqual([]);
      expect(life.billing.attempts.filter(({ invoiceId }) => invoiceId === answer.invoice?.id)).toMatchObject([
        { outcome: 'paid', number: 1 },
      ]);
    }),
  30_000,
);

test(
  'an unknown payment that proves declined is chased',
  () =>
    live(env, async (life) => {
      await life.subscribe();
      life.billing.charges = ['unknown'];
      life.billing.lookUps = ['declined'];
      const { invoice } = await life.change({ price: 'price_month_30' });
      await life.pass('2m');
      await vi.waitFor(async () => expect((await life.state()).dunning).toEqual([invoice?.id]));
      expect(life.book.status).toBe('past_due');
    }),
  30_000,
);

test(
  'a gateway that never answers the worker leaves the collection parked, and is asked again under the same operation',
  () =>
    live(env, async (life) => {
      await life.subscribe();
      life.billing.refusals = { collectPayment: 'operation_conflict' };
      const { payment, invoice } = await life.change({ price: 'price_month_30' });
      expect(payment).toBeNull();
      expect((await life.state()).parked).toMatchObject([{ step: 'collect_payment', invoiceId: invoice?.id }]);
      life.billing.refusals = {};
      await life.pass('2m');
      expect((await life.state()).parked).toEqual([]);
      expect(life.billing.invoices.every(({ status }) => status === 'paid')).toBe(true);
    }),
  30_000,
);
