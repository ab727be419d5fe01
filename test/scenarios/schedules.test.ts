import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { instant, isoInstant } from '../../domain/time.ts';
import { calendarLine, invoicesOf, newCustomer, newPrice, statusOf } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, changesOf, newClock } from '../support/test-clock.ts';

let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
});
afterAll(() => stack?.stop());

const month = (interval_count = 1): Pick<Stripe.SubscriptionScheduleCreateParams.Phase, 'duration'> => ({
  duration: { interval: 'month', interval_count },
});
const calendarOf = async (customer: string): Promise<string[]> => (await invoicesOf(stripe, { customer })).map((one) => calendarLine(one));
const datesOf = ({ phases }: Stripe.SubscriptionSchedule): string[] =>
  phases.map(({ start_date, end_date }) => `${isoInstant(start_date).slice(0, 10)} ${isoInstant(end_date).slice(0, 10)}`);

test('ramps, starts to come, ends, releases and changes of schedules on one clock', { timeout: 300_000 }, async () => {
  const clock = (await newClock(stripe, '2027-01-31T00:00:00Z')).id;
  const [starter, growth, scale] = [await newPrice(stripe, 1000), await newPrice(stripe, 2000), await newPrice(stripe, 3100)];
  const customers = await Promise.all(
    ['ramp', 'later', 'ends', 'adopted', 'released', 'called off'].map(() => newCustomer(stripe, 'pm_card_visa', { test_clock: clock })),
  );
  const [ramp = '', later = '', ends = '', adopted = '', released = '', calledOff = ''] = customers;

  // A ramp from now on; what it will bill is seen before.
  const phases = [
    { items: [{ price: starter, quantity: 5 }], ...month(), metadata: { step: '1' } },
    { items: [{ price: growth, quantity: 5 }], ...month(), metadata: { step: '2' } },
    { items: [{ price: scale, quantity: 8 }], ...month(2) },
  ];
  const params = { customer: ramp, phases, start_date: 'now' as const, metadata: { deal: '77' } };
  const seen = (await stripe.invoices.createPreview({
    customer: ramp,
    schedule_details: { phases },
    ...({ periods: 3 } as object),
  })) as unknown as Stripe.Invoice & { upcoming: Stripe.ApiList<Stripe.Invoice> };
  const climb = await stripe.subscriptionSchedules.create(params);
  const subscription = climb.subscription as string;
  expect(climb).toMatchObject({
    object: 'subscription_schedule',
    status: 'active',
    customer: ramp,
    end_behavior: 'release',
    metadata: { deal: '77' },
    current_phase: { start_date: instant('2027-01-31T00:00:00Z'), end_date: instant('2027-02-28T00:00:00Z') },
  });
  expect(datesOf(climb)).toEqual(['2027-01-31 2027-02-28', '2027-02-28 2027-03-31', '2027-03-31 2027-05-31']);
  const first = await stripe.subscriptions.retrieve(subscription, { expand: ['schedule'] });
  expect(first).toMatchObject({ status: 'active', schedule: { id: climb.id }, metadata: { step: '1' } });
  await expect(stripe.subscriptions.update(subscription, { cancel_at_period_end: true })).rejects.toMatchObject({
    statusCode: 400,
    param: 'cancel_at_period_end',
  });

  // One that starts later, one that starts later and is called off.
  const waiting = await stripe.subscriptionSchedules.create(
    { customer: later, phases: [{ items: [{ price: starter }], ...month() }], start_date: instant('2027-02-14T12:00:00Z') },
    { idempotencyKey: 'starts-later' },
  );
  expect(waiting).toMatchObject({ status: 'not_started', subscription: null, current_phase: null });
  const off = await stripe.subscriptionSchedules.create({
    customer: calledOff,
    phases: [{ items: [{ price: starter }], ...month() }],
    start_date: instant('2027-02-14T12:00:00Z'),
  });
  expect(await stripe.subscriptionSchedules.cancel(off.id)).toMatchObject({ status: 'canceled', subscription: null });
  await expect(stripe.subscriptionSchedules.cancel(off.id)).rejects.toMatchObject({ statusCode: 400 });
  const moved = await stripe.subscriptionSchedules.update(waiting.id, {
    phases: [{ items: [{ price: growth }], start_date: instant('2027-02-15T12:00:00Z'), ...month() }],
  });
  expect(datesOf(moved)).toEqual(['2027-02-15 2027-03-15']);

  // One that ends its subscription, one that takes over a subscription, one that lets go of it.
  const ending = await stripe.subscriptionSchedules.create({
    customer: ends,
    phases: [{ items: [{ price: growth }], ...month(2) }],
    end_behavior: 'cancel',
  });
  expect(await stripe.subscriptions.retrieve(ending.subscription as string)).toMatchObject({ cancel_at: instant('2027-03-31T00:00:00Z') });
  const running = await stripe.subscriptions.create({ customer: adopted, items: [{ price: starter }] });
  const taken = await stripe.subscriptionSchedules.create({ from_subscription: running.id });
  expect(datesOf(taken)).toEqual(['2027-01-31 2027-02-28']);
  await stripe.subscriptionSchedules.update(taken.id, {
    phases: [
      { items: [{ price: starter }], start_date: taken.phases[0]?.start_date ?? 0, end_date: instant('2027-02-14T00:00:00Z') },
      { items: [{ price: growth }], proration_behavior: 'always_invoice', ...month(3) },
    ],
  });
  const letGo = await stripe.subscriptionSchedules.create({ customer: released, phases });
  expect(await stripe.subscriptionSchedules.release(letGo.id)).toMatchObject({
    status: 'released',
    subscription: null,
    released_subscription: letGo.subscription,
  });
  expect((await stripe.subscriptions.retrieve(letGo.subscription as string)).schedule).toBeNull();

  await advanceTo(stripe, clock, '2027-06-15T00:00:00Z');
  expect(await calendarOf(ramp)).toEqual([
    '2027-01-31 create EUR 50.00 paid',
    '2027-02-28 cycle EUR 100.00 paid',
    '2027-03-31 cycle EUR 248.00 paid',
    '2027-04-30 cycle EUR 248.00 paid',
    '2027-05-31 cycle EUR 248.00 paid',
  ]);
  expect([seen, ...seen.upcoming.data.slice(1)].map(({ total }) => total)).toEqual([5000, 10_000, 24_800, 24_800]);
  expect(await stripe.subscriptionSchedules.retrieve(climb.id)).toMatchObject({
    status: 'completed',
    completed_at: instant('2027-05-31T00:00:00Z'),
    subscription,
  });
  expect(await stripe.subscriptions.retrieve(subscription)).toMatchObject({ schedule: null, status: 'active', metadata: { step: '2' } });
  expect(await calendarOf(later)).toEqual([
    '2027-02-15 create EUR 20.00 paid',
    '2027-03-15 cycle EUR 20.00 paid',
    '2027-04-15 cycle EUR 20.00 paid',
    '2027-05-15 cycle EUR 20.00 paid',
  ]);
  expect(await calendarOf(calledOff)).toEqual([]);
  expect(await calendarOf(ends)).toEqual(['2027-01-31 create EUR 20.00 paid', '2027-02-28 cycle EUR 20.00 paid']);
  expect(await statusOf(stripe, ending.subscription as string)).toBe('canceled');
  expect(await calendarOf(adopted)).toEqual([
    '2027-01-31 create EUR 10.00 paid',
    '2027-02-14 update EUR 5.00 paid',
    '2027-02-28 cycle EUR 20.00 paid',
    '2027-03-31 cycle EUR 20.00 paid',
    '2027-04-30 cycle EUR 20.00 paid',
    '2027-05-31 cycle EUR 20.00 paid',
  ]);
  expect((await calendarOf(released)).slice(0, 2)).toEqual(['2027-01-31 create EUR 50.00 paid', '2027-02-28 cycle EUR 50.00 paid']);

  // Told in Stripe's names, at the time of the clock.
  const tales = (await changesOf(stripe, clock)).filter(({ type }) => type.startsWith('subscription_schedule.'));
  const of = (id: string) =>
    tales.flatMap(({ type, created, data }) =>
      (data.object as { id: string }).id === id ? [`${isoInstant(created).slice(0, 10)} ${type.split('.')[1]}`] : [],
    );
  expect(of(climb.id)).toEqual(['2027-02-28 updated', '2027-03-31 updated', '2027-05-24 expiring', '2027-05-31 completed']);
  expect(of(waiting.id)).toEqual(['2027-02-15 updated', '2027-03-08 expiring', '2027-03-15 completed']);
  expect(of(ending.id)).toEqual(['2027-03-24 expiring', '2027-03-31 completed']);

  const listed = async (query: Stripe.SubscriptionScheduleListParams) =>
    (await stripe.subscriptionSchedules.list(query)).data.map(({ id }) => id);
  expect(await listed({ customer: ramp })).toEqual([climb.id]);
  expect(await listed({ scheduled: true })).toEqual([]);
  expect((await listed({ limit: 100 })).length).toBe(6);
  // The same request finds the same schedule.
  const again = await stripe.subscriptionSchedules.create(
    { customer: later, phases: [{ items: [{ price: starter }], ...month() }], start_date: instant('2027-02-14T12:00:00Z') },
    { idempotencyKey: 'starts-later' },
  );
  expect(again.id).toBe(waiting.id);
});

test('phases bring discounts, items sold once and terms of payment, and take them away', { timeout: 120_000 }, async () => {
  const clock = (await newClock(stripe, '2027-01-31T00:00:00Z')).id;
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock, email: 'pay@example.com' });
  const [seat, support] = [await newPrice(stripe, 1000), await newPrice(stripe, 4000)];
  const product = (await stripe.products.create({ name: 'Setup' })).id;
  const setup = (await stripe.prices.create({ product, currency: 'eur', unit_amount: 2500 })).id;
  const [ten, half] = [
    (await stripe.coupons.create({ percent_off: 10, duration: 'forever' })).id,
    (await stripe.coupons.create({ percent_off: 50, duration: 'forever' })).id,
  ];
  const made = await stripe.subscriptionSchedules.create({
    customer,
    start_date: 'now',
    default_settings: { invoice_settings: { days_until_due: 14 } },
    phases: [
      { items: [{ price: seat }], discounts: [{ coupon: ten }], add_invoice_items: [{ price: setup }], ...month() },
      {
        items: [{ price: seat }, { price: support, discounts: [{ coupon: half }] }],
        collection_method: 'send_invoice',
        add_invoice_items: [{ price: setup, quantity: 2 }],
        ...month(),
      },
    ],
  });
  expect(made.phases).toMatchObject([
    { discounts: [{ coupon: ten, discount: null, promotion_code: null }], add_invoice_items: [{ price: setup, quantity: 1 }] },
    { discounts: [], collection_method: 'send_invoice', items: [{ discounts: [] }, { discounts: [{ coupon: half }] }] },
  ]);
  await advanceTo(stripe, clock, '2027-03-01T00:00:00Z');
  const invoices = await invoicesOf(stripe, { customer });
  expect(invoices.map(({ total, collection_method, due_date }) => [total, collection_method, due_date])).toEqual([
    [900 + 2250, 'charge_automatically', null],
    [1000 + 2000 + 5000, 'send_invoice', instant('2027-03-14T00:00:00Z')],
  ]);
  await expect(
    stripe.subscriptionSchedules.update(made.id, { default_settings: { collection_method: 'send_invoice', invoice_settings: {} } }),
  ).resolves.toMatchObject({ default_settings: { collection_method: 'send_invoice', invoice_settings: { days_until_due: 14 } } });
});
