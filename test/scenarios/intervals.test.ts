import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { invoicesOf, newCustomer, newPrice } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, newClock } from '../support/test-clock.ts';

let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
});
afterAll(() => stack?.stop());

const day = (at: number | undefined): string => new Date((at ?? 0) * 1000).toISOString().slice(0, 10);
const billed = async (customer: string): Promise<string[]> =>
  (await invoicesOf(stripe, { customer })).map(
    ({ created, lines, total }) =>
      `${day(created)}: ${lines.data.map(({ amount, period }) => `${amount} for ${day(period.start)}..${day(period.end)}`).join(', ')} = ${total}`,
  );
const periodOf = ({ items }: Stripe.Subscription): string[] =>
  items.data.map((item) => `${day(item.current_period_start)}..${day(item.current_period_end)}`);

test('monthly seats beside a yearly fee: without the seats the period is the year, with them again the month', {
  timeout: 120_000,
}, async () => {
  const clock = (await newClock(stripe, '2027-01-31T10:00:00Z')).id;
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock });
  const seat = await newPrice(stripe, 1000);
  const fee = await newPrice(stripe, 120_000, { interval: 'year', name: 'Platform' });
  const { id, items } = await stripe.subscriptions.create({ customer, items: [{ price: seat, quantity: 2 }, { price: fee }] });
  expect(await billed(customer)).toEqual(['2027-01-31: 2000 for 2027-01-31..2027-02-28, 120000 for 2027-01-31..2028-01-31 = 122000']);

  await advanceTo(stripe, clock, '2027-03-10T10:00:00Z');
  const alone = await stripe.subscriptions.update(id, {
    items: [{ id: items.data[0]?.id ?? '', deleted: true }],
    proration_behavior: 'none',
  });
  // The period began before the months that have been billed since.
  expect(periodOf(alone)).toEqual(['2027-01-31..2028-01-31']);

  await advanceTo(stripe, clock, '2027-06-15T10:00:00Z');
  const together = await stripe.subscriptions.update(id, { items: [{ price: seat, quantity: 1 }], proration_behavior: 'none' });
  expect(periodOf(together)).toEqual(['2027-01-31..2028-01-31', '2027-05-31..2027-06-30']);
  await advanceTo(stripe, clock, '2027-07-10T10:00:00Z');
  await stripe.subscriptions.update(id, { items: [{ id: together.items.data[1]?.id ?? '', deleted: true }], proration_behavior: 'none' });

  await advanceTo(stripe, clock, '2029-02-01T00:00:00Z');
  expect(await billed(customer)).toEqual([
    '2027-01-31: 2000 for 2027-01-31..2027-02-28, 120000 for 2027-01-31..2028-01-31 = 122000',
    '2027-02-28: 2000 for 2027-02-28..2027-03-31 = 2000',
    '2027-06-30: 1000 for 2027-06-30..2027-07-31 = 1000',
    '2028-01-31: 120000 for 2028-01-31..2029-01-31 = 120000',
    '2029-01-31: 120000 for 2029-01-31..2030-01-31 = 120000',
  ]);
});

test('an add-on comes with its base, bills with it, and goes no later', { timeout: 60_000 }, async () => {
  const customer = await newCustomer(stripe, 'pm_card_visa');
  const plan = await stripe.products.create({ name: 'Plan' });
  const backups = await stripe.products.create({ name: 'Backups', requires_one_of: [plan.id] } as Stripe.ProductCreateParams);
  expect(backups).toMatchObject({ requires_one_of: [plan.id] });
  const recurring = { interval: 'month' } as const;
  const base = await stripe.prices.create({ product: plan.id, currency: 'eur', unit_amount: 2900, recurring });
  const addOn = await stripe.prices.create({ product: backups.id, currency: 'eur', unit_amount: 500, recurring });
  await expect(stripe.subscriptions.create({ customer, items: [{ price: addOn.id }] })).rejects.toMatchObject({
    statusCode: 400,
    code: 'base_product_missing',
    param: 'items[0][price]',
  });
  const { id, items } = await stripe.subscriptions.create({ customer, items: [{ price: base.id }, { price: addOn.id }] });
  const [first, second] = items.data;
  expect(first?.current_period_end).toBe(second?.current_period_end);
  const refused = { statusCode: 400, code: 'base_product_missing', param: 'items[0][deleted]' };
  await expect(stripe.subscriptions.update(id, { items: [{ id: first?.id ?? '', deleted: true }] })).rejects.toMatchObject(refused);
  const alone = await stripe.subscriptions.update(id, { items: [{ id: second?.id ?? '', deleted: true }] });
  expect(alone.items.data.map(({ price }) => price.id)).toEqual([base.id]);
});
