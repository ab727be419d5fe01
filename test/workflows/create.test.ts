import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { changePlanUpdate } from '../../workflows/messages.ts';
import { skippingEnvironment } from './environment.ts';
import { FakeBilling } from './fake-billing.ts';
import { change, live, refusalOf } from './life.ts';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await skippingEnvironment();
}, 60_000);
afterAll(() => env?.teardown());

test(
  'the first invoice is paid in the same call',
  () =>
    live(env, async (life) => {
      const answer = await life.subscribe();
      expect(answer.subscription.status).toBe('active');
      expect(answer.invoice).toMatchObject({ status: 'paid', amountDue: 1000 });
      expect(answer.payment).toMatchObject({ outcome: 'paid', attemptNumber: 1 });
      expect(await life.attributes()).toMatchObject({
        AccountId: 'acct_1',
        CustomerId: 'cus_1',
        PlanId: 'price_month_10',
        SubscriptionStatus: 'active',
        Currency: 'eur',
        NextBillingAt: new Date(answer.subscription.periodEnd * 1000),
      });
    }),
  30_000,
);

test(
  'declined: stays incomplete without dunning, is active once somebody pays the invoice',
  () =>
    live(env, async (life) => {
      life.billing.charges = ['declined'];
      const answer = await life.subscribe();
      expect(answer.subscription.status).toBe('incomplete');
      expect(answer.payment).toMatchObject({ outcome: 'declined', declineCode: 'card_declined' });
      await life.pass('10h');
      expect(life.book.status).toBe('incomplete');
      const paid = await life.invoice(answer.invoice?.id ?? '', { do: 'pay', paymentMethodId: 'pm_other' });
      expect(paid).toMatchObject({ invoice: { status: 'paid' }, payment: { outcome: 'paid', attemptNumber: 2 } });
      await life.quiet();
      expect((await life.state()).facts.status).toBe('active');
      expect(life.billing.verbs).not.toContain('loadDunning');
      await life.pass('31d');
      expect(life.billing.verbs.filter((verb) => verb === 'issueInvoice')).toHaveLength(1);
      expect(life.billing.verbs).not.toContain('expireSubscription');
    }),
  30_000,
);

test(
  'not paid within 23 hours: expires and ends',
  () =>
    live(env, async (life) => {
      life.billing.charges = ['declined'];
      const { subscription } = await life.subscribe();
      await life.pass('22h');
      expect(life.book.status).toBe('incomplete');
      await life.pass('2h');
      expect(life.book.status).toBe('incomplete_expired');
      expect(life.billing.asOf[`expire:${life.id}`]).toBe(subscription.incompleteExpiresAt);
      await life.ended();
      expect(await life.status()).toBe('COMPLETED');
    }),
  30_000,
);

test(
  'default_incomplete: nothing is collected until somebody pays',
  () =>
    live(env, async (life) => {
      const answer = await life.subscribe({ paymentBehavior: 'default_incomplete' });
      expect(answer).toMatchObject({ subscription: { status: 'incomplete' }, invoice: { status: 'open' }, payment: null });
      await life.invoice(answer.invoice?.id ?? '', { do: 'pay', paymentMethodId: null });
      await life.quiet();
      expect((await life.state()).facts).toMatchObject({ status: 'active', incompleteExpiresAt: null });
    }),
  30_000,
);

test(
  'error_if_incomplete: a decline is the answer, and nothing is left',
  () =>
    live(env, async (life) => {
      life.billing.charges = [{ declined: 'insufficient_funds' }];
      const answer = life.subscribe({ paymentBehavior: 'error_if_incomplete' });
      const failure = await answer.then(
        () => expect.fail('not refused'),
        (error: { cause: unknown }) => error.cause,
      );
      expect(failure).toMatchObject({ type: 'payment_failed', details: [{ declineCode: 'insufficient_funds', param: null }] });
      await life.ended();
      expect(life.book.status).toBe('incomplete_expired');
      expect(life.billing.invoices[0]?.status).toBe('void');
    }),
  30_000,
);

test(
  'no payment method under error_if_incomplete is refused as such',
  () =>
    live(env, async (life) => {
      life.billing.charges = ['no_payment_method'];
      expect(await refusalOf(life.subscribe({ paymentBehavior: 'error_if_incomplete' }))).toBe('no_payment_method');
    }),
  30_000,
);

test(
  'a refused creation answers with the refusal and ends',
  () =>
    live(env, async (life) => {
      expect(await refusalOf(life.subscribe({ price: 'price_unknown' }))).toBe('resource_missing');
      await life.ended();
      expect(await life.status()).toBe('COMPLETED');
    }),
  30_000,
);

test(
  'creating twice with one operation id gives one subscription and one answer',
  () =>
    live(env, async (life) => {
      const [first, second] = await Promise.all([life.subscribe(), life.subscribe()]);
      expect(second).toEqual(first);
      expect(life.billing.invoices).toHaveLength(1);
      expect(life.billing.attempts).toHaveLength(1);
    }),
  30_000,
);

test('a tax engine that is down leaves a draft that the operator sees; the subscription obeys meanwhile', async () => {
  const billing = new FakeBilling();
  billing.externalTax = true;
  billing.outages = { calculateTax: 1_000 };
  await live(
    env,
    async (life) => {
      // Real time: the test server does not skip while an activity is pending.
      const answer = await life.subscribe();
      expect(answer).toMatchObject({ subscription: { status: 'incomplete' }, invoice: { status: 'draft' }, payment: null });
      expect((await life.state()).parked).toMatchObject([{ step: 'calculate_tax', invoiceId: answer.invoice?.id }]);
      const pending = (await life.handle.describe()).raw.pendingActivities ?? [];
      expect(pending.map(({ activityType }) => activityType?.name)).toEqual(['calculateTax']);
      const { items, ...defaults } = change({}, 'op_defaults');
      expect(items).toHaveLength(1);
      expect(
        (await life.handle.executeUpdate(changePlanUpdate, { args: [{ ...defaults, defaultPaymentMethodId: 'pm_2' }] })).subscription
          .status,
      ).toBe('incomplete');
      billing.outages = {};
      await vi.waitFor(() => expect(life.book.status).toBe('active'), { timeout: 20_000, interval: 200 });
      await vi.waitFor(async () => expect((await life.state()).parked).toEqual([]));
      expect(life.billing.invoices[0]?.status).toBe('paid');
    },
    billing,
  );
}, 60_000);
