import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Instant, instant, isoInstant } from '../../domain/time.ts';
import { calendarLine, invoicesOf, newCustomer, newPrice, statusOf, useCard, withoutIds } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, changesOf, newClock } from '../support/test-clock.ts';

let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
});
afterAll(() => stack?.stop());

type Params = Omit<Stripe.SubscriptionCreateParams, 'customer' | 'items'>;

/** A customer on a clock of their own, subscribed to a price of EUR 20.00 a month. */
async function onTrial(at: string, params: Params, { card = 'pm_card_visa' as string | null, price = '' } = {}) {
  const clock = await newClock(stripe, at);
  const customer = await newCustomer(stripe, card, { test_clock: clock.id });
  const items = [{ price: price === '' ? await newPrice(stripe, 2000) : price }];
  const subscription = await stripe.subscriptions.create({ customer, items, ...params });
  return { clock: clock.id, customer, subscription, id: subscription.id, item: subscription.items.data[0]?.id ?? '' };
}

const calendarOf = async (customer: string): Promise<string[]> => (await invoicesOf(stripe, { customer })).map((one) => calendarLine(one));
const periodOf = ({ items }: Stripe.Subscription): string[] =>
  [items.data[0]?.current_period_start, items.data[0]?.current_period_end].map((at) => isoInstant(at ?? 0));
const happened = (events: Stripe.Event[], type: string): string[] =>
  events.filter((event) => event.type === type).map(({ created }) => isoInstant(created));
const endOf = (behavior: Stripe.SubscriptionCreateParams.TrialSettings.EndBehavior.MissingPaymentMethod) => ({
  trial_settings: { end_behavior: { missing_payment_method: behavior } },
});
/** Of all that happened about a customer, what is told about a trial. */
const tellings = async (id: string): Promise<Instant[]> => {
  const { data } = await stripe.events.list({ type: 'customer.subscription.trial_will_end', limit: 100 });
  return data.filter((event) => (event.data.object as Stripe.Subscription).id === id).map(({ created }) => created);
};

test('a trial converts; its end is told three days before, to the second', { timeout: 120_000 }, async () => {
  const { clock, customer, subscription, id } = await onTrial('2027-03-10T08:15:30Z', { trial_period_days: 14 });
  const end = instant('2027-03-24T08:15:30Z');
  expect(subscription).toMatchObject({
    status: 'trialing',
    trial_start: instant('2027-03-10T08:15:30Z'),
    trial_end: end,
    trial_settings: { end_behavior: { missing_payment_method: 'create_invoice' } },
    billing_cycle_anchor: end,
  });
  expect(periodOf(subscription)).toEqual(['2027-03-10T08:15:30Z', '2027-03-24T08:15:30Z']);
  const [first] = await invoicesOf(stripe, { customer });
  expect(first).toMatchObject({ status: 'paid', total: 0, amount_due: 0, billing_reason: 'subscription_create' });
  expect(first?.lines.data).toMatchObject([{ amount: 0, description: 'Trial period for Seat', period: { end } }]);
  expect((await stripe.subscriptions.list({ status: 'trialing', customer })).data.map((one) => one.id)).toEqual([id]);

  const upcoming = await stripe.invoices.createPreview({ subscription: id });
  await advanceTo(stripe, clock, '2027-03-21T08:15:29Z');
  expect(await changesOf(stripe, clock)).toEqual([]);
  await advanceTo(stripe, clock, '2027-06-01T00:00:00Z');
  const changes = await changesOf(stripe, clock);
  expect(happened(changes, 'customer.subscription.trial_will_end')).toEqual(['2027-03-21T08:15:30Z']);
  expect(await calendarOf(customer)).toEqual([
    '2027-03-10 create EUR 0.00 paid',
    '2027-03-24 cycle EUR 20.00 paid',
    '2027-04-24 cycle EUR 20.00 paid',
    '2027-05-24 cycle EUR 20.00 paid',
  ]);
  const [, converted] = await invoicesOf(stripe, { customer });
  expect(withoutIds(upcoming)).toEqual(withoutIds(converted as Stripe.Invoice));
  const turned = changes.find(
    ({ type, data }) =>
      type === 'customer.subscription.updated' && data.previous_attributes !== undefined && 'status' in data.previous_attributes,
  );
  expect(turned).toMatchObject({
    created: end,
    data: { previous_attributes: { status: 'trialing' }, object: { status: 'active', trial_end: end } },
  });
});

test('with nothing to pay with: an invoice that dunning chases', { timeout: 120_000 }, async () => {
  const { clock, customer, id } = await onTrial('2027-03-10T08:00:00Z', { trial_period_days: 7 }, { card: null });
  await advanceTo(stripe, clock, '2027-03-18T08:00:00Z');
  expect(await statusOf(stripe, id)).toBe('past_due');
  await useCard(stripe, customer, 'pm_card_visa');
  await advanceTo(stripe, clock, '2027-03-19T08:00:00Z');
  expect(await statusOf(stripe, id)).toBe('active');
  expect(await calendarOf(customer)).toEqual(['2027-03-10 create EUR 0.00 paid', '2027-03-17 cycle EUR 20.00 paid']);
});

test('with nothing to pay with: paused, and nothing billed however long', { timeout: 120_000 }, async () => {
  const { clock, customer, id } = await onTrial('2027-03-10T08:00:00Z', { trial_period_days: 7, ...endOf('pause') }, { card: null });
  await advanceTo(stripe, clock, '2027-09-10T08:00:00Z');
  const changes = await changesOf(stripe, clock);
  expect(happened(changes, 'customer.subscription.paused')).toEqual(['2027-03-17T08:00:00Z']);
  const paused = await stripe.subscriptions.retrieve(id);
  expect(paused).toMatchObject({ status: 'paused', trial_end: instant('2027-03-17T08:00:00Z'), ended_at: null });
  expect(await calendarOf(customer)).toEqual(['2027-03-10 create EUR 0.00 paid']);
  const method = await useCard(stripe, customer, 'pm_card_visa');
  expect(await stripe.subscriptions.update(id, { default_payment_method: method })).toMatchObject({ status: 'paused' });
  expect(await stripe.subscriptions.cancel(id)).toMatchObject({ status: 'canceled' });
});

test('with nothing to pay with: paused, given a card and resumed, which begins the first paid period', { timeout: 120_000 }, async () => {
  const { clock, customer, id } = await onTrial('2027-03-10T08:00:00Z', { trial_period_days: 7, ...endOf('pause') }, { card: null });
  await advanceTo(stripe, clock, '2027-03-20T12:00:00Z');
  await useCard(stripe, customer, 'pm_card_visa');
  expect(await stripe.subscriptions.resume(id)).toMatchObject({ status: 'active', trial_end: instant('2027-03-17T08:00:00Z') });
  await advanceTo(stripe, clock, '2027-04-20T12:00:00Z');
  expect(await calendarOf(customer)).toEqual([
    '2027-03-10 create EUR 0.00 paid',
    '2027-03-20 update EUR 20.00 paid',
    '2027-04-20 cycle EUR 20.00 paid',
  ]);
});

test('with nothing to pay with: canceled', { timeout: 120_000 }, async () => {
  const { clock, customer, id } = await onTrial('2027-03-10T08:00:00Z', { trial_period_days: 7, ...endOf('cancel') }, { card: null });
  await advanceTo(stripe, clock, '2027-04-10T08:00:00Z');
  expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'canceled', ended_at: instant('2027-03-17T08:00:00Z') });
  expect(await calendarOf(customer)).toEqual(['2027-03-10 create EUR 0.00 paid']);
});

test('ended now: billed at once, as previewed', { timeout: 120_000 }, async () => {
  const { clock, customer, id } = await onTrial('2027-03-10T08:00:00Z', { trial_end: instant('2027-05-10T00:00:00Z') });
  await advanceTo(stripe, clock, '2027-03-31T09:30:00Z');
  const preview = await stripe.invoices.createPreview({ subscription: id, subscription_details: { trial_end: 'now' } });
  const ended = await stripe.subscriptions.update(id, { trial_end: 'now', expand: ['latest_invoice'] });
  expect(ended).toMatchObject({ status: 'active', trial_end: instant('2027-03-31T09:30:00Z') });
  expect(withoutIds(ended.latest_invoice as Stripe.Invoice)).toEqual(withoutIds(preview));
  expect(await tellings(id)).toEqual([instant('2027-03-31T09:30:00Z')]);
  await advanceTo(stripe, clock, '2027-06-01T00:00:00Z');
  expect(await calendarOf(customer)).toEqual([
    '2027-03-10 create EUR 0.00 paid',
    '2027-03-31 update EUR 20.00 paid',
    '2027-04-30 cycle EUR 20.00 paid',
    '2027-05-31 cycle EUR 20.00 paid',
  ]);
  await expect(stripe.subscriptions.update(id, { trial_end: 'now' })).rejects.toMatchObject({ statusCode: 400, param: 'trial_end' });
});

test('extended, then shortened to less than three days, which is told at once', { timeout: 120_000 }, async () => {
  const { clock, customer, id } = await onTrial('2027-03-10T08:00:00Z', { trial_period_days: 7 });
  const later = await stripe.subscriptions.update(id, { trial_end: instant('2027-04-30T08:00:00Z') });
  expect(later).toMatchObject({ status: 'trialing', billing_cycle_anchor: instant('2027-04-30T08:00:00Z') });
  expect(periodOf(later)).toEqual(['2027-03-10T08:00:00Z', '2027-04-30T08:00:00Z']);
  await advanceTo(stripe, clock, '2027-04-01T08:00:00Z');
  expect([await statusOf(stripe, id), await tellings(id)]).toEqual(['trialing', []]);
  await stripe.subscriptions.update(id, { trial_end: instant('2027-04-03T00:00:00Z') });
  expect(await tellings(id)).toEqual([instant('2027-04-01T08:00:00Z')]);
  await advanceTo(stripe, clock, '2027-05-03T00:00:00Z');
  expect(await calendarOf(customer)).toEqual([
    '2027-03-10 create EUR 0.00 paid',
    '2027-04-03 cycle EUR 20.00 paid',
    '2027-05-03 cycle EUR 20.00 paid',
  ]);
  expect(await tellings(id)).toHaveLength(1);
});

test('given to an active subscription: the unused time is given back', { timeout: 120_000 }, async () => {
  const { clock, customer, id, subscription } = await onTrial('2027-04-01T00:00:00Z', {});
  expect(subscription).toMatchObject({ status: 'active', trial_start: null, trial_end: null });
  await advanceTo(stripe, clock, '2027-04-16T00:00:00Z');
  const given = await stripe.subscriptions.update(id, { trial_end: instant('2027-05-16T00:00:00Z') });
  expect(given).toMatchObject({ status: 'trialing', trial_start: instant('2027-04-16T00:00:00Z') });
  await advanceTo(stripe, clock, '2027-06-16T00:00:00Z');
  expect(await calendarOf(customer)).toEqual([
    '2027-04-01 create EUR 20.00 paid',
    '2027-05-16 cycle EUR 10.00 paid',
    '2027-06-16 cycle EUR 20.00 paid',
  ]);
});

test('a change of plan: the end stays, is counted anew from the start, or is now', { timeout: 180_000 }, async () => {
  const max = await newPrice(stripe, 5000);
  const yearly = await newPrice(stripe, 30_000, { interval: 'year' });
  const change = async (price: string, extra: Record<string, unknown>) => {
    const life = await onTrial('2027-01-17T12:00:00Z', { trial_period_days: 14 });
    await advanceTo(stripe, life.clock, '2027-01-27T12:00:00Z');
    const changed = await stripe.subscriptions.update(life.id, {
      items: [{ id: life.item, price }],
      proration_behavior: 'always_invoice',
      ...(extra as object),
    });
    await advanceTo(stripe, life.clock, '2027-04-01T00:00:00Z');
    return [changed.status, isoInstant(changed.trial_end ?? 0), ...(await calendarOf(life.customer))];
  };
  expect(await change(max, {})).toEqual([
    'trialing',
    '2027-01-31T12:00:00Z',
    '2027-01-17 create EUR 0.00 paid',
    '2027-01-31 cycle EUR 50.00 paid',
    '2027-02-28 cycle EUR 50.00 paid',
    '2027-03-31 cycle EUR 50.00 paid',
  ]);
  expect(await change(yearly, { trial_change_behavior: 'keep_end' })).toEqual([
    'trialing',
    '2027-01-31T12:00:00Z',
    '2027-01-17 create EUR 0.00 paid',
    '2027-01-31 cycle EUR 300.00 paid',
  ]);
  expect(await change(max, { trial_change_behavior: 'new_length_from_start', trial_period_days: 60 })).toEqual([
    'trialing',
    '2027-03-18T12:00:00Z',
    '2027-01-17 create EUR 0.00 paid',
    '2027-03-18 cycle EUR 50.00 paid',
  ]);
  expect(await change(yearly, { trial_change_behavior: 'end_now' })).toEqual([
    'active',
    '2027-01-27T12:00:00Z',
    '2027-01-17 create EUR 0.00 paid',
    '2027-01-27 update EUR 300.00 paid',
  ]);
});

test("cancelled within the trial: now, and at the trial's end", { timeout: 120_000 }, async () => {
  const now = await onTrial('2027-03-10T08:00:00Z', { trial_period_days: 7 });
  await advanceTo(stripe, now.clock, '2027-03-12T08:00:00Z');
  expect(await stripe.subscriptions.cancel(now.id, { prorate: true, invoice_now: true })).toMatchObject({ status: 'canceled' });
  const later = await onTrial('2027-03-10T08:00:00Z', { trial_period_days: 7 });
  const set = await stripe.subscriptions.update(later.id, { cancel_at_period_end: true });
  expect(set).toMatchObject({ status: 'trialing', cancel_at: instant('2027-03-17T08:00:00Z') });
  await advanceTo(stripe, later.clock, '2027-04-12T08:00:00Z');
  expect(await stripe.subscriptions.retrieve(later.id)).toMatchObject({ status: 'canceled', ended_at: instant('2027-03-17T08:00:00Z') });
  for (const { customer } of [now, later]) expect(await calendarOf(customer)).toEqual(['2027-03-10 create EUR 0.00 paid']);
});

test('a paid trial begins when its first invoice is paid', { timeout: 120_000 }, async () => {
  const product = await stripe.products.create({ name: 'Setup' });
  const setup = await stripe.prices.create({ product: product.id, currency: 'eur', unit_amount: 4900 });
  const params: Params = { trial_period_days: 14, add_invoice_items: [{ price: setup.id, quantity: 2 }] };
  const paid = await onTrial('2027-03-10T08:00:00Z', params);
  expect(paid.subscription.status).toBe('trialing');
  await advanceTo(stripe, paid.clock, '2027-03-24T08:00:00Z');
  expect(await calendarOf(paid.customer)).toEqual(['2027-03-10 create EUR 98.00 paid', '2027-03-24 cycle EUR 20.00 paid']);
  const [first] = await invoicesOf(stripe, { customer: paid.customer });
  expect(first?.lines.data.map(({ description, amount, parent }) => [description, amount, parent?.type])).toEqual([
    ['2 × Setup', 9800, 'invoice_item_details'],
    ['Trial period for Seat', 0, 'subscription_item_details'],
  ]);

  const late = await onTrial('2027-03-10T08:00:00Z', params, { card: 'pm_card_chargeCustomerFail' });
  expect(late.subscription).toMatchObject({ status: 'incomplete', trial_end: instant('2027-03-24T08:00:00Z') });
  await advanceTo(stripe, late.clock, '2027-03-10T18:00:00Z');
  const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: late.customer });
  await stripe.invoices.pay(String(late.subscription.latest_invoice), { payment_method: method.id });
  expect(await statusOf(stripe, late.id)).toBe('trialing');
  await useCard(stripe, late.customer, 'pm_card_visa');
  await advanceTo(stripe, late.clock, '2027-03-25T08:00:00Z');
  expect([await statusOf(stripe, late.id), await tellings(late.id)]).toEqual(['active', [instant('2027-03-21T08:00:00Z')]]);

  const never = await onTrial('2027-03-10T08:00:00Z', params, { card: null });
  await advanceTo(stripe, never.clock, '2027-03-25T08:00:00Z');
  expect([await statusOf(stripe, never.id), await tellings(never.id)]).toEqual(['incomplete_expired', []]);
});

test('a year that begins on Feb 29, after a trial', { timeout: 120_000 }, async () => {
  const price = await newPrice(stripe, 30_000, { interval: 'year' });
  const { clock, customer } = await onTrial('2028-02-15T10:00:00Z', { trial_period_days: 14 }, { price });
  await advanceTo(stripe, clock, '2032-03-01T10:00:00Z');
  expect(await calendarOf(customer)).toEqual([
    '2028-02-15 create EUR 0.00 paid',
    '2028-02-29 cycle EUR 300.00 paid',
    '2029-02-28 cycle EUR 300.00 paid',
    '2030-02-28 cycle EUR 300.00 paid',
    '2031-02-28 cycle EUR 300.00 paid',
    '2032-02-29 cycle EUR 300.00 paid',
  ]);
});

test('across a change of clocks a trial ends at the local time of its start', { timeout: 120_000 }, async () => {
  const { clock, customer, subscription, id } = await onTrial('2027-03-10T08:00:00Z', {
    trial_period_days: 30,
    ...({ billing_timezone: 'Europe/Berlin' } as object),
  });
  expect(isoInstant(subscription.trial_end ?? 0)).toBe('2027-04-09T07:00:00Z');
  await advanceTo(stripe, clock, '2027-04-10T00:00:00Z');
  expect(await tellings(id)).toEqual([instant('2027-04-06T07:00:00Z')]);
  expect((await invoicesOf(stripe, { customer })).map(({ created }) => isoInstant(created))).toEqual([
    '2027-03-10T08:00:00Z',
    '2027-04-09T07:00:00Z',
  ]);
});
