import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { instant, isoInstant } from '../../domain/time.ts';
import { pauseSubscription, reactivateSubscription, resumeSubscription } from '../support/pause.ts';
import { calendarLine, invoicesOf, newCustomer, newPrice, statusOf, useCard } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, changesOf, newClock } from '../support/test-clock.ts';

let stack: Stack;
let stripe: Stripe;
let price: string;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
  price = await newPrice(stripe, 3100);
});
afterAll(() => stack?.stop());

async function subscribeAt(at: string, params: Partial<Stripe.SubscriptionCreateParams> = {}) {
  const clock = await newClock(stripe, at);
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price }], ...params });
  const calendar = async (): Promise<string[]> => (await invoicesOf(stripe, { customer })).map((invoice) => calendarLine(invoice));
  const balance = async (): Promise<number> => ((await stripe.customers.retrieve(customer)) as Stripe.Customer).balance;
  return { clock: clock.id, customer, id, calendar, balance };
}

test('a pause with credit until a date: nothing is billed meanwhile, and it resumes by itself at that instant', {
  timeout: 120_000,
}, async () => {
  const { clock, id, calendar, balance } = await subscribeAt('2027-01-01T00:00:00Z');
  await advanceTo(stripe, clock, '2027-01-11T00:00:00Z');
  const paused = await pauseSubscription(stripe, id, { resumes_at: instant('2027-04-20T12:30:00Z') });
  expect(paused).toMatchObject({
    status: 'paused',
    pause: { starts_at: instant('2027-01-11T00:00:00Z'), resumes_at: instant('2027-04-20T12:30:00Z'), unused_time: 'credit' },
  });
  expect(await balance()).toBe(-2100);
  expect((await stripe.subscriptions.list({ status: 'paused' })).data.map((found) => found.id)).toContain(id);

  await advanceTo(stripe, clock, '2027-04-20T12:29:59Z');
  expect(await calendar()).toEqual(['2027-01-01 create EUR 31.00 paid', '2027-01-11 update -EUR 21.00 paid']);
  await advanceTo(stripe, clock, '2027-05-20T12:30:00Z');
  expect(await calendar()).toEqual([
    '2027-01-01 create EUR 31.00 paid',
    '2027-01-11 update -EUR 21.00 paid',
    '2027-04-20 update EUR 31.00 paid',
    '2027-05-20 cycle EUR 31.00 paid',
  ]);
  const resumed = await stripe.subscriptions.retrieve(id);
  expect(resumed).toMatchObject({ status: 'active', billing_cycle_anchor: instant('2027-04-20T12:30:00Z'), pause: null });
  const events = (await changesOf(stripe, clock)).filter(({ type }) => type.startsWith('customer.subscription'));
  expect(events.map(({ type, created }) => `${type.slice(22)} ${isoInstant(created)}`)).toEqual([
    'resumed 2027-04-20T12:30:00Z',
    'updated 2027-04-20T12:30:00Z',
    'updated 2027-05-20T12:30:00Z',
  ]);
  const [, , third] = await invoicesOf(stripe, { subscription: id });
  expect(third).toMatchObject({ amount_due: 1000, starting_balance: -2100, ending_balance: 0 });
});

test('a pause that extends, across month ends, and the upgrade after it', { timeout: 120_000 }, async () => {
  const { clock, id, calendar } = await subscribeAt('2027-01-31T10:00:00Z');
  await advanceTo(stripe, clock, '2027-02-10T10:00:00Z');
  await pauseSubscription(stripe, id, { unused_time: 'extend' });
  await advanceTo(stripe, clock, '2027-04-15T10:00:00Z');
  const resumed = await resumeSubscription(stripe, id);
  const item = resumed.items.data[0] as Stripe.SubscriptionItem;
  // 18 of 28 days were left on 10 February.
  expect(isoInstant(item.current_period_end)).toBe('2027-05-03T10:00:00Z');
  expect(resumed).toMatchObject({ status: 'active', billing_cycle_anchor: item.current_period_end });
  expect(await calendar()).toHaveLength(1);

  await advanceTo(stripe, clock, '2027-04-26T10:00:00Z');
  await stripe.subscriptions.update(id, { items: [{ id: item.id, quantity: 2 }], proration_behavior: 'always_invoice' });
  await advanceTo(stripe, clock, '2027-06-03T10:00:00Z');
  expect(await calendar()).toEqual([
    '2027-01-31 create EUR 31.00 paid',
    '2027-04-26 update EUR 7.75 paid',
    '2027-05-03 cycle EUR 62.00 paid',
    '2027-06-03 cycle EUR 62.00 paid',
  ]);
});

test('a pause at the period end, prolonged, and resumed on the old boundaries', { timeout: 120_000 }, async () => {
  const { clock, id, calendar } = await subscribeAt('2027-01-31T00:00:00Z');
  const waits = await pauseSubscription(stripe, id, { effective_at: 'period_end', resumes_at: instant('2027-03-15T00:00:00Z') });
  expect(waits).toMatchObject({ status: 'active', pause: { starts_at: instant('2027-02-28T00:00:00Z') } });
  await advanceTo(stripe, clock, '2027-03-01T00:00:00Z');
  expect(await statusOf(stripe, id)).toBe('paused');
  await pauseSubscription(stripe, id, {
    resumes_at: instant('2027-08-01T00:00:00Z'),
    billing_cycle_anchor: 'unchanged',
    proration_behavior: 'always_invoice',
  });
  await advanceTo(stripe, clock, '2027-05-10T00:00:00Z');
  expect(await statusOf(stripe, id)).toBe('paused');
  const resumed = await resumeSubscription(stripe, id, {
    billing_cycle_anchor: { type: 'unchanged' },
    proration_behavior: 'always_invoice',
  });
  expect(isoInstant(resumed.items.data[0]?.current_period_end ?? 0)).toBe('2027-05-31T00:00:00Z');
  await advanceTo(stripe, clock, '2027-06-30T00:00:00Z');
  expect(await calendar()).toEqual([
    '2027-01-31 create EUR 31.00 paid',
    '2027-05-10 update EUR 21.00 paid',
    '2027-05-31 cycle EUR 31.00 paid',
    '2027-06-30 cycle EUR 31.00 paid',
  ]);
});

test('a pause in dunning: the old invoice is chased on, and paid while paused', { timeout: 120_000 }, async () => {
  const { clock, customer, id, calendar } = await subscribeAt('2027-01-01T00:00:00Z');
  await useCard(stripe, customer, 'pm_card_chargeCustomerFail');
  await advanceTo(stripe, clock, '2027-02-02T00:00:00Z');
  expect(await statusOf(stripe, id)).toBe('past_due');
  await pauseSubscription(stripe, id, { unused_time: 'extend' });
  expect(await statusOf(stripe, id)).toBe('paused');
  await advanceTo(stripe, clock, '2027-02-05T00:00:00Z');
  await useCard(stripe, customer, 'pm_card_visa');
  await advanceTo(stripe, clock, '2027-02-20T00:00:00Z');
  expect(await calendar()).toEqual(['2027-01-01 create EUR 31.00 paid', '2027-02-01 cycle EUR 31.00 paid']);
  expect(await statusOf(stripe, id)).toBe('paused');
  expect(await resumeSubscription(stripe, id)).toMatchObject({ status: 'active' });
});

test('pause_collection: renewals go on, their invoices are kept from the customer, until its date', { timeout: 180_000 }, async () => {
  for (const [behavior, status] of [
    ['void', 'void'],
    ['mark_uncollectible', 'uncollectible'],
    ['keep_as_draft', 'draft'],
  ] as const) {
    const { clock, id, calendar } = await subscribeAt('2027-01-01T00:00:00Z');
    const held = await stripe.subscriptions.update(id, { pause_collection: { behavior, resumes_at: instant('2027-03-15T00:00:00Z') } });
    expect(held).toMatchObject({ status: 'active', pause_collection: { behavior, resumes_at: instant('2027-03-15T00:00:00Z') } });
    await advanceTo(stripe, clock, '2027-04-01T00:00:00Z');
    expect(await calendar()).toEqual([
      '2027-01-01 create EUR 31.00 paid',
      `2027-02-01 cycle EUR 31.00 ${status}`,
      `2027-03-01 cycle EUR 31.00 ${status}`,
      '2027-04-01 cycle EUR 31.00 paid',
    ]);
    expect((await stripe.subscriptions.retrieve(id)).pause_collection).toBeNull();
    await stripe.subscriptions.update(id, { pause_collection: { behavior } });
    expect((await stripe.subscriptions.update(id, { pause_collection: '' })).pause_collection).toBeNull();
  }
});

test('a reactivation under the same id: covered time is not billed again, the anchor stays, and the workflow renews', {
  timeout: 120_000,
}, async () => {
  const { clock, id, calendar } = await subscribeAt('2027-01-31T00:00:00Z');
  await advanceTo(stripe, clock, '2027-02-10T00:00:00Z');
  await stripe.subscriptions.cancel(id);
  await stack.client.workflow.getHandle(id).result();
  await advanceTo(stripe, clock, '2027-02-20T00:00:00Z');
  const back = await reactivateSubscription(stripe, id);
  expect(back).toMatchObject({
    id,
    status: 'active',
    canceled_at: null,
    ended_at: null,
    billing_cycle_anchor: instant('2027-01-31T00:00:00Z'),
  });
  await advanceTo(stripe, clock, '2027-03-31T00:00:00Z');
  expect(await calendar()).toEqual([
    '2027-01-31 create EUR 31.00 paid',
    '2027-02-28 cycle EUR 31.00 paid',
    '2027-03-31 cycle EUR 31.00 paid',
  ]);
  await advanceTo(stripe, clock, '2027-04-10T00:00:00Z');
  await stripe.subscriptions.cancel(id, { prorate: true });
  await stack.client.workflow.getHandle(id).result();
  await advanceTo(stripe, clock, '2027-06-20T00:00:00Z');
  await reactivateSubscription(stripe, id);
  await advanceTo(stripe, clock, '2027-06-30T00:00:00Z');
  expect((await calendar()).slice(3)).toEqual([
    '2027-04-10 update -EUR 20.67 paid',
    '2027-06-20 update EUR 10.33 paid',
    '2027-06-30 cycle EUR 31.00 paid',
  ]);
});

test('a reactivation whose payment fails is chased like any invoice', { timeout: 120_000 }, async () => {
  const { clock, customer, id, calendar } = await subscribeAt('2027-01-01T00:00:00Z', { cancel_at_period_end: true });
  await advanceTo(stripe, clock, '2027-02-15T00:00:00Z');
  expect(await statusOf(stripe, id)).toBe('canceled');
  await useCard(stripe, customer, 'pm_card_chargeCustomerFail');
  expect(await reactivateSubscription(stripe, id)).toMatchObject({ status: 'past_due' });
  await useCard(stripe, customer, 'pm_card_visa');
  await advanceTo(stripe, clock, '2027-03-01T00:00:00Z');
  expect(await statusOf(stripe, id)).toBe('active');
  expect(await calendar()).toEqual([
    '2027-01-01 create EUR 31.00 paid',
    '2027-02-15 update EUR 15.50 paid',
    '2027-03-01 cycle EUR 31.00 paid',
  ]);
});

test('of several reactivations at once one wins, and a repetition gets its answer', { timeout: 120_000 }, async () => {
  const { id, calendar } = await subscribeAt('2027-01-01T00:00:00Z');
  await stripe.subscriptions.cancel(id, { prorate: true });
  await stack.client.workflow.getHandle(id).result();
  const tries = await Promise.allSettled(
    ['a', 'b', 'c'].map((key) => reactivateSubscription(stripe, id, { idempotencyKey: `again-${key}` })),
  );
  const won = tries.filter(({ status }) => status === 'fulfilled');
  expect(won).toHaveLength(1);
  expect(await calendar()).toHaveLength(3);
  const key = `again-${['a', 'b', 'c'][tries.findIndex(({ status }) => status === 'fulfilled')]}`;
  expect(await reactivateSubscription(stripe, id, { idempotencyKey: key })).toMatchObject({ id, status: 'active' });
  await expect(reactivateSubscription(stripe, id)).rejects.toMatchObject({ statusCode: 400 });
  expect(await calendar()).toHaveLength(3);
});
