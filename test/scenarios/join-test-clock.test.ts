import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isoInstant } from '../../domain/time.ts';
import { calendarLine, invoicesOf, newCustomer, newPrice, statusOf, useCard } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, changesOf, newClock, readyAgain } from '../support/test-clock.ts';

const DAY = 86_400;

let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
});
afterAll(() => stack?.stop());

const now = (): number => Math.floor(Date.now() / 1000);
/** Stripe's types know the clock on creation only. */
const join = (customer: string, clock: string | null): Promise<Stripe.Customer> =>
  stripe.customers.update(customer, { test_clock: clock ?? '' } as Stripe.CustomerUpdateParams);

test('customers who live in real time go on by a clock: one renews, one is chased, one who comes later lives by it from the start', {
  timeout: 300_000,
}, async () => {
  const price = await newPrice(stripe, 1200);
  const steady = await newCustomer(stripe);
  const renewing = await stripe.subscriptions.create({ customer: steady, items: [{ price }] });
  const late = await newCustomer(stripe);
  const chased = await stripe.subscriptions.create({ customer: late, items: [{ price }] });
  await useCard(stripe, late, 'pm_card_chargeCustomerFail');
  const more = { items: [{ id: chased.items.data[0]?.id ?? '', quantity: 2 }], proration_behavior: 'always_invoice' as const };
  expect(await stripe.subscriptions.update(chased.id, more)).toMatchObject({ status: 'past_due' });

  // The clock stands two days ahead: nothing falls due on the way.
  const clock = await newClock(stripe, isoInstant(now() + 2 * DAY));
  for (const customer of [steady, late]) expect(await join(customer, clock.id)).toMatchObject({ test_clock: clock.id });
  // Asked for again, it is as it was.
  expect(await join(steady, clock.id)).toMatchObject({ test_clock: clock.id });
  expect((await stripe.customers.list({ test_clock: clock.id })).data).toHaveLength(2);
  expect(await stripe.subscriptions.retrieve(renewing.id)).toMatchObject({ test_clock: clock.id });

  const end = clock.frozen_time + 70 * DAY;
  await advanceTo(stripe, clock.id, isoInstant(end));
  const bought = renewing.items.data[0]?.current_period_end ?? 0;
  const invoices = await invoicesOf(stripe, { customer: steady });
  expect(invoices).toHaveLength(3);
  expect(invoices[1], invoices.map((invoice) => calendarLine(invoice)).join()).toMatchObject({
    created: bought,
    status: 'paid',
    total: 1200,
    test_clock: clock.id,
  });
  expect(invoices.every(({ created }) => created <= end)).toBe(true);
  expect(await statusOf(stripe, chased.id), 'dunning has gone on by the clock, to its end').toBe('canceled');

  // What is done now happens at the frozen time.
  const changes = await changesOf(stripe, clock.id);
  expect(changes.filter(({ type }) => type === 'invoice.paid')).toHaveLength(2);
  const another = await stripe.subscriptions.create({ customer: steady, items: [{ price }] });
  expect(another.created).toBe(end);
  await stripe.testHelpers.testClocks.del(clock.id);
  expect(await statusOf(stripe, renewing.id)).toBe('canceled');
});

test('a clock far ahead: what falls due until its time is done late, each period as of its own start', { timeout: 300_000 }, async () => {
  const customer = await newCustomer(stripe);
  const { items } = await stripe.subscriptions.create({ customer, items: [{ price: await newPrice(stripe, 500) }] });
  const clock = await newClock(stripe, isoInstant(now() + 40 * DAY));
  await join(customer, clock.id);
  await advanceTo(stripe, clock.id, isoInstant(clock.frozen_time + 3600));
  const [, renewal] = await invoicesOf(stripe, { customer });
  expect(renewal).toMatchObject({ created: items.data[0]?.current_period_end, status: 'paid' });
});

test('what is refused', { timeout: 120_000 }, async () => {
  const customer = await newCustomer(stripe);
  await stripe.subscriptions.create({ customer, items: [{ price: await newPrice(stripe, 500) }] });
  const past = await newClock(stripe, isoInstant(now() - DAY));
  const refused = { statusCode: 400, param: 'test_clock' };
  await expect(join(customer, past.id)).rejects.toMatchObject({ ...refused, message: expect.stringContaining('before') });
  await expect(join(customer, 'clock_nothing')).rejects.toMatchObject(refused);
  await expect(join(customer, null)).rejects.toMatchObject(refused);

  const far = await newClock(stripe, isoInstant(now() + DAY));
  await stripe.testHelpers.testClocks.advance(far.id, { frozen_time: now() + 2 * DAY });
  await readyAgain(stripe, far.id);
  await join(customer, far.id);
  const other = await newClock(stripe, isoInstant(now() + 9 * DAY));
  await expect(join(customer, other.id)).rejects.toMatchObject(refused);
  expect(await stripe.customers.retrieve(customer)).toMatchObject({ test_clock: far.id });
});

test('not in live mode', { timeout: 120_000 }, async () => {
  const live = await startStack({ account: { livemode: true }, worker: 'none' });
  try {
    const { id } = await live.stripe.customers.create({});
    const joined = live.stripe.customers.update(id, { test_clock: 'clock_1' } as Stripe.CustomerUpdateParams);
    await expect(joined).rejects.toMatchObject({ statusCode: 400, param: 'test_clock' });
  } finally {
    await live.stop();
  }
});
