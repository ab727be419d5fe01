import { expect, test, vi } from 'vitest';
import { dunningWorkflowId } from '../../workflows/messages.ts';
import { skippingEnvironment } from './environment.ts';
import { DAY } from './fake-billing/book.ts';
import { FakeBilling } from './fake-billing.ts';
import { type Life, live } from './life.ts';

/** A server for each story: what an ended child leaves behind in the test server (see `keep-skipping.ts`) would stop the clock of the next one. */
async function alone(story: (life: Life) => Promise<void>, billing?: FakeBilling): Promise<void> {
  const env = await skippingEnvironment();
  try {
    await live(env, story, billing);
  } finally {
    await env.teardown();
  }
}

/** A month has passed and its renewal was not paid. Returns the invoice's id. */
async function declinedRenewal(life: Life, charge: FakeBilling['charges'][number] = 'declined'): Promise<string> {
  await life.subscribe();
  life.billing.charges = [charge];
  const { periodEnd } = (await life.state()).facts;
  await life.pass((periodEnd - (await life.now()) + 60) * 1000);
  const id = life.billing.invoices.at(-1)?.id ?? '';
  expect((await life.state()).dunning).toEqual([id]);
  expect(life.book.status).toBe('past_due');
  return id;
}

test(
  'a declined renewal is chased as the policy says and recovers',
  () =>
    alone(async (life) => {
      const id = await declinedRenewal(life);
      const started = life.billing.attempts.at(-1)?.at ?? 0;
      life.billing.charges = ['declined', 'paid'];
      expect(await life.attributes()).toMatchObject({ SubscriptionStatus: 'past_due', DunningStage: 'retrying' });
      expect(await life.details(`dunning:${id}`)).toMatch(/charge in_\w+ EUR 10\.00, try 2 of 4/);
      await life.pass('9 days');
      expect(life.billing.attempts.filter(({ invoiceId }) => invoiceId === id).map(({ at }) => at - started)).toEqual([
        0,
        3 * DAY,
        8 * DAY,
      ]);
      expect(life.book.status).toBe('active');
      expect((await life.state()).dunning).toEqual([]);
      expect(await life.attributes()).toMatchObject({ SubscriptionStatus: 'active' });
      expect((await life.attributes())['DunningStage']).toBeUndefined();
      await life.ended(dunningWorkflowId(id));
      expect(await life.attributes(`dunning:${id}`)).toMatchObject({ DunningStage: 'ended' });
    }),
  60_000,
);

test(
  'a database that is away when dunning begins, and when it plans, is waited for',
  () =>
    alone(async (life) => {
      await life.subscribe();
      life.billing.charges = ['declined', 'paid'];
      life.billing.outages = { loadDunning: 2, scheduleAttempt: 2 };
      await life.pass('32 days');
      const id = life.billing.invoices.at(-1)?.id ?? '';
      // Real time: the test server does not skip while an activity waits for its retry.
      await vi.waitFor(async () => expect(await life.details(`dunning:${id}`)).toContain('try 2 of 4'), { timeout: 20_000 });
      await life.pass('4 days');
      expect(life.book.status).toBe('active');
      await life.ended(dunningWorkflowId(id));
    }),
  60_000,
);

test(
  'dunning that gives up cancels the subscription',
  () =>
    alone(async (life) => {
      const id = await declinedRenewal(life);
      life.billing.charges = ['declined', 'declined', 'declined'];
      await life.pass('16 days');
      expect(life.book.status).toBe('canceled');
      await life.ended();
      expect(life.billing.attempts.filter(({ invoiceId }) => invoiceId === id)).toHaveLength(4);
      expect(life.billing.verbs.at(-1)).toBe('endDunning');
    }),
  60_000,
);

test('left unpaid, the subscription goes on renewing without chasing', async () => {
  const billing = new FakeBilling();
  billing.policy = { ...billing.policy, retryDelays: [DAY], terminalAction: 'unpaid' };
  await alone(async (life) => {
    await declinedRenewal(life);
    life.billing.charges = ['declined', 'declined'];
    await life.pass('3 days');
    expect((await life.state()).facts.status).toBe('unpaid');
    await life.pass('31 days');
    expect(life.billing.periods).toHaveLength(3);
    expect((await life.state()).dunning).toEqual([]);
  }, billing);
}, 60_000);

test(
  'a hard decline waits for a new card, which is tried at once',
  () =>
    alone(async (life) => {
      const id = await declinedRenewal(life, { declined: 'stolen_card' });
      await life.pass('6 days');
      expect(life.billing.attempts.filter(({ invoiceId }) => invoiceId === id)).toHaveLength(1);
      expect(await life.attributes(`dunning:${id}`)).toMatchObject({ DunningStage: 'waiting' });
      await life.newCard('pm_new');
      await vi.waitFor(() =>
        expect(life.billing.attempts.at(-1)).toMatchObject({ invoiceId: id, outcome: 'paid', paymentMethodId: 'pm_new' }),
      );
      await vi.waitFor(async () => expect((await life.state()).facts.status).toBe('active'));
    }),
  60_000,
);

test(
  'without any payment method the first card is tried at once, the second too',
  () =>
    alone(async (life) => {
      const id = await declinedRenewal(life, 'no_payment_method');
      life.billing.charges = ['declined', 'paid'];
      await life.newCard('pm_1');
      await vi.waitFor(() =>
        expect(life.billing.attempts.at(-1)).toMatchObject({ invoiceId: id, outcome: 'declined', paymentMethodId: 'pm_1' }),
      );
      await life.newCard('pm_2');
      await vi.waitFor(() =>
        expect(life.billing.attempts.at(-1)).toMatchObject({ invoiceId: id, outcome: 'paid', paymentMethodId: 'pm_2' }),
      );
    }),
  60_000,
);

test(
  'an invoice paid by hand ends its dunning',
  () =>
    alone(async (life) => {
      const id = await declinedRenewal(life);
      await life.invoice(id, { do: 'pay', paymentMethodId: null });
      await life.ended(dunningWorkflowId(id));
      await life.quiet();
      expect((await life.state()).facts.status).toBe('active');
      expect((await life.state()).dunning).toEqual([]);
      expect(life.billing.verbs).not.toContain('endDunning');
    }),
  60_000,
);

test(
  'cancelling stops dunning',
  () =>
    alone(async (life) => {
      const id = await declinedRenewal(life);
      await life.cancel();
      await life.ended();
      await life.ended(dunningWorkflowId(id));
      expect(life.billing.attempts.filter(({ invoiceId }) => invoiceId === id)).toHaveLength(1);
    }),
  60_000,
);

test(
  'an unknown try is looked up before anything else is tried',
  () =>
    alone(async (life) => {
      const id = await declinedRenewal(life);
      life.billing.charges = ['unknown'];
      life.billing.lookUps = ['unknown', 'paid'];
      await life.pass('3 days');
      await life.pass('10m');
      expect(life.billing.attempts.filter(({ invoiceId }) => invoiceId === id).map(({ outcome }) => outcome)).toEqual(['declined', 'paid']);
      expect((await life.state()).facts.status).toBe('active');
    }),
  60_000,
);

test('while one month is chased, the next is billed', async () => {
  const billing = new FakeBilling();
  billing.policy = { ...billing.policy, retryDelays: [20 * DAY, 20 * DAY], terminalAction: 'past_due' };
  await alone(async (life) => {
    const id = await declinedRenewal(life);
    life.billing.charges = ['declined', 'paid', 'paid'];
    await life.pass('32 days');
    expect(life.billing.periods).toHaveLength(3);
    expect(life.book.status).toBe('past_due');
    await life.pass('10 days');
    expect(life.billing.invoices.find((invoice) => invoice.id === id)?.status).toBe('paid');
    expect((await life.state()).facts.status).toBe('active');
  }, billing);
}, 60_000);
