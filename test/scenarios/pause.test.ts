import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idsFor } from '../../api/new-id.ts';
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

test('a reactivation that was written before everything was lost is mended by the same request', { timeout: 120_000 }, async () => {
  const { id, clock, calendar } = await subscribeAt('2027-01-01T00:00:00Z');
  await stripe.subscriptions.cancel(id);
  await stack.client.workflow.getHandle(id).result();
  const key = `lost-${id}`;
  await stack.activities.reactivateSubscription({
    accountId: stack.accountId,
    subscriptionId: id,
    operationId: idsFor(stack.accountId, key).operationId,
    asOf: instant('2027-01-01T00:00:00Z'),
    actor: 'api_key:lost',
  });
  expect(await statusOf(stripe, id)).toBe('active');
  expect((await stack.client.workflow.getHandle(id).describe()).status.name).toBe('COMPLETED');
  expect(await reactivateSubscription(stripe, id, { idempotencyKey: key })).toMatchObject({ status: 'active' });
  await advanceTo(stripe, clock, '2027-02-01T00:00:00Z');
  expect(await calendar()).toEqual(['2027-01-01 create EUR 31.00 paid', '2027-02-01 cycle EUR 31.00 paid']);
});

test('on trial: its rest is kept, whatever the pause does with paid time', { timeout: 120_000 }, async () => {
  const { id, clock, calendar } = await subscribeAt('2027-01-01T00:00:00Z', { trial_period_days: 14 });
  await advanceTo(stripe, clock, '2027-01-05T00:00:00Z');
  await pauseSubscription(stripe, id, { resumes_at: instant('2027-03-05T06:00:00Z') });
  await advanceTo(stripe, clock, '2027-03-06T00:00:00Z');
  expect(await stripe.subscriptions.retrieve(id)).toMatchObject({
    status: 'trialing',
    trial_end: instant('2027-03-15T06:00:00Z'),
    billing_cycle_anchor: instant('2027-03-15T06:00:00Z'),
  });
  await advanceTo(stripe, clock, '2027-04-15T06:00:00Z');
  expect((await calendar()).slice(1)).toEqual(['2027-03-15 cycle EUR 31.00 paid', '2027-04-15 cycle EUR 31.00 paid']);
  const told = (await changesOf(stripe, clock)).filter(({ type }) => type === 'customer.subscription.trial_will_end');
  expect(told.map(({ created }) => isoInstant(created))).toEqual(['2027-03-12T06:00:00Z']);
});

test('a trial that ended without a payment method is resumed into a paid period', { timeout: 120_000 }, async () => {
  const clock = await newClock(stripe, '2027-01-01T00:00:00Z');
  const customer = await newCustomer(stripe, null, { test_clock: clock.id });
  const { id } = await stripe.subscriptions.create({
    customer,
    items: [{ price }],
    trial_period_days: 14,
    trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
  });
  await advanceTo(stripe, clock.id, '2027-02-20T00:00:00Z');
  expect(await statusOf(stripe, id)).toBe('paused');
  await useCard(stripe, customer, 'pm_card_visa');
  expect(await resumeSubscription(stripe, id)).toMatchObject({
    status: 'active',
    billing_cycle_anchor: instant('2027-02-20T00:00:00Z'),
    trial_end: instant('2027-01-15T00:00:00Z'),
  });
  expect((await invoicesOf(stripe, { customer })).map((invoice) => calendarLine(invoice)).slice(1)).toEqual([
    '2027-02-20 update EUR 31.00 paid',
  ]);
});

test('twice, across changes of clocks, in Berlin, with a scheduled end', { timeout: 120_000 }, async () => {
  const { id, clock, calendar, balance } = await subscribeAt('2027-02-28T23:00:00Z', {
    billing_timezone: 'Europe/Berlin',
  } as Partial<Stripe.SubscriptionCreateParams>);
  const endOf = async (): Promise<string> => isoInstant((await stripe.subscriptions.retrieve(id)).items.data[0]?.current_period_end ?? 0);
  expect(await endOf()).toBe('2027-03-31T22:00:00Z');
  await advanceTo(stripe, clock, '2027-03-20T23:00:00Z');
  await pauseSubscription(stripe, id, { unused_time: 'extend', resumes_at: instant('2027-04-04T22:00:00Z') });
  await advanceTo(stripe, clock, '2027-04-05T00:00:00Z');
  // 14 days and 23 hours, as the clocks went forward: to the second what the pause lasted.
  expect(await endOf()).toBe('2027-04-15T21:00:00Z');
  await stripe.subscriptions.update(id, { cancel_at_period_end: true });
  await pauseSubscription(stripe, id, { unused_time: 'extend' });
  await advanceTo(stripe, clock, '2027-11-01T00:00:00Z');
  expect(await statusOf(stripe, id)).toBe('paused');
  const resumed = await resumeSubscription(stripe, id);
  expect(resumed.cancel_at).toBe(resumed.items.data[0]?.current_period_end);
  expect(await endOf()).toBe('2027-11-11T21:00:00Z');
  await advanceTo(stripe, clock, '2027-11-11T21:00:00Z');
  expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'canceled', ended_at: instant('2027-11-11T21:00:00Z') });
  expect([await calendar(), await balance()]).toEqual([['2027-02-28 create EUR 31.00 paid'], 0]);
});

test('what is refused, by name', { timeout: 120_000 }, async () => {
  const { id } = await subscribeAt('2027-01-01T00:00:00Z');
  const now = instant('2027-01-01T00:00:00Z');
  const refused = (call: Promise<unknown>, param: string | undefined) => expect(call).rejects.toMatchObject({ statusCode: 400, param });
  await refused(pauseSubscription(stripe, id, { resumes_at: now }), 'resumes_at');
  await refused(pauseSubscription(stripe, id, { effective_at: now - 1 }), 'effective_at');
  await refused(pauseSubscription(stripe, id, { unused_time: 'extend', billing_cycle_anchor: 'unchanged' }), 'billing_cycle_anchor');
  await refused(pauseSubscription(stripe, id, { unused_time: 'burn' }), 'unused_time');
  await refused(resumeSubscription(stripe, id), undefined);
  await refused(reactivateSubscription(stripe, id), undefined);
  await refused(
    stripe.subscriptions.update(id, { pause_collection: { behavior: 'void', resumes_at: now } }),
    'pause_collection[resumes_at]',
  );
  await pauseSubscription(stripe, id);
  await refused(stripe.subscriptions.resume(id, { proration_date: now }), 'proration_date');
  await refused(stripe.subscriptions.resume(id, { payment_behavior: 'resume_on_payment_success' }), 'payment_behavior');
  await refused(stripe.subscriptions.update(id, { billing_cycle_anchor: 'now' as never }), 'billing_cycle_anchor');
});

test('reactivations that race with the end of the workflow, and with each other', { timeout: 120_000 }, async () => {
  const { id, clock, calendar } = await subscribeAt('2027-01-01T00:00:00Z');
  for (let round = 0; round < 5; round += 1) {
    await stripe.subscriptions.cancel(id);
    const tries = await Promise.allSettled([reactivateSubscription(stripe, id), reactivateSubscription(stripe, id)]);
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await statusOf(stripe, id)).toBe('active');
  }
  await advanceTo(stripe, clock, '2027-02-01T00:00:00Z');
  expect(await calendar()).toEqual(['2027-01-01 create EUR 31.00 paid', '2027-02-01 cycle EUR 31.00 paid']);
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
