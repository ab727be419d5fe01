import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { instant, isoInstant } from '../../domain/time.ts';
import { calendarLine, invoicesOf, newCustomer, newPrice } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, newClock } from '../support/test-clock.ts';

let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
});
afterAll(() => stack?.stop());

/** A customer on a clock of its own. */
async function customerAt(at: string): Promise<{ clock: string; customer: string }> {
  const clock = await newClock(stripe, at);
  return { clock: clock.id, customer: await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id }) };
}

const calendarOf = async (customer: string, zone?: string): Promise<string[]> =>
  (await invoicesOf(stripe, { customer })).map((invoice) => calendarLine(invoice, zone));

const periodOf = ({ items }: Stripe.Subscription): string[] =>
  [items.data[0]?.current_period_start ?? 0, items.data[0]?.current_period_end ?? 0].map(isoInstant);

test('an anchor in mid-month: a stub, then whole months', { timeout: 120_000 }, async () => {
  const { clock, customer } = await customerAt('2025-03-05T00:00:00Z');
  const price = await newPrice(stripe, 2800);
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price }],
    billing_cycle_anchor: instant('2025-03-20T00:00:00Z'),
  });
  expect(subscription).toMatchObject({
    status: 'active',
    billing_cycle_anchor: instant('2025-03-20T00:00:00Z'),
    billing_cycle_anchor_config: null,
    start_date: instant('2025-03-05T00:00:00Z'),
  });
  expect(periodOf(subscription)).toEqual(['2025-03-05T00:00:00Z', '2025-03-20T00:00:00Z']);
  await advanceTo(stripe, clock, '2025-05-01T00:00:00Z');
  expect(await calendarOf(customer)).toEqual([
    '2025-03-05 create EUR 15.00 paid',
    '2025-03-20 cycle EUR 28.00 paid',
    '2025-04-20 cycle EUR 28.00 paid',
  ]);
});

test('the 31st of a zone with summer time, with the stub for free', { timeout: 120_000 }, async () => {
  const { clock, customer } = await customerAt('2025-01-31T12:00:00Z');
  const price = await newPrice(stripe, 3100);
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price }],
    billing_cycle_anchor_config: { day_of_month: 31, hour: 2, minute: 30, second: 0 },
    proration_behavior: 'none',
    // Ours: the calendar on which days are counted.
    ...{ billing_timezone: 'Europe/Berlin' },
  });
  expect(subscription).toMatchObject({
    status: 'active',
    latest_invoice: null,
    billing_cycle_anchor_config: { day_of_month: 31, month: null, hour: 2, minute: 30, second: 0 },
  });
  await advanceTo(stripe, clock, '2025-05-31T00:30:00Z');
  const billed = await invoicesOf(stripe, { customer });
  // Summer time begins on 30 March.
  expect(billed.map(({ created }) => isoInstant(created))).toEqual([
    '2025-02-28T01:30:00Z',
    '2025-03-31T00:30:00Z',
    '2025-04-30T00:30:00Z',
    '2025-05-31T00:30:00Z',
  ]);
  expect(billed.every(({ total, status }) => total === 3100 && status === 'paid')).toBe(true);
});

test('a start three months ago is billed month by month, and at once', { timeout: 120_000 }, async () => {
  const { clock, customer } = await customerAt('2025-04-15T09:00:00Z');
  const price = await newPrice(stripe, 3000);
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price, quantity: 2 }],
    backdate_start_date: instant('2025-01-15T09:00:00Z'),
    expand: ['latest_invoice'],
  });
  const first = subscription.latest_invoice as Stripe.Invoice;
  expect(first.lines.data.map(({ amount, period }) => [amount, isoInstant(period.start), isoInstant(period.end)])).toEqual([
    [6000, '2025-01-15T09:00:00Z', '2025-02-15T09:00:00Z'],
    [6000, '2025-02-15T09:00:00Z', '2025-03-15T09:00:00Z'],
    [6000, '2025-03-15T09:00:00Z', '2025-04-15T09:00:00Z'],
    [6000, '2025-04-15T09:00:00Z', '2025-05-15T09:00:00Z'],
  ]);
  expect(subscription).toMatchObject({
    start_date: instant('2025-01-15T09:00:00Z'),
    created: instant('2025-04-15T09:00:00Z'),
    status: 'active',
  });
  const unbilled = await stripe.subscriptions.create({
    customer,
    items: [{ price }],
    backdate_start_date: instant('2025-01-15T09:00:00Z'),
    proration_behavior: 'none',
  });
  expect(unbilled.start_date).toBe(instant('2025-01-15T09:00:00Z'));
  await advanceTo(stripe, clock, '2025-05-16T00:00:00Z');
  expect((await calendarOf(customer)).sort()).toEqual([
    '2025-04-15 create EUR 240.00 paid',
    '2025-04-15 create EUR 30.00 paid',
    '2025-05-15 cycle EUR 30.00 paid',
    '2025-05-15 cycle EUR 60.00 paid',
  ]);
});

test('an anchor moved to a date ends the period there; an end in mid-period gives back what is left', { timeout: 120_000 }, async () => {
  const { clock, customer } = await customerAt('2025-01-01T00:00:00Z');
  const price = await newPrice(stripe, 3100);
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price }] });
  await advanceTo(stripe, clock, '2025-01-10T00:00:00Z');
  const moved = await stripe.subscriptions.update(id, {
    // Ours: Stripe knows `now` and `unchanged`.
    billing_cycle_anchor: instant('2025-01-20T00:00:00Z') as never,
    proration_behavior: 'always_invoice',
  });
  expect(periodOf(moved)).toEqual(['2025-01-01T00:00:00Z', '2025-01-20T00:00:00Z']);
  await advanceTo(stripe, clock, '2025-02-01T00:00:00Z');
  const ending = await stripe.subscriptions.update(id, { cancel_at: instant('2025-02-10T00:00:00Z') });
  expect(ending.cancel_at).toBe(instant('2025-02-10T00:00:00Z'));
  await advanceTo(stripe, clock, '2025-03-01T00:00:00Z');
  expect(await calendarOf(customer)).toEqual([
    '2025-01-01 create EUR 31.00 paid',
    '2025-01-10 update -EUR 12.00 paid',
    '2025-01-20 cycle EUR 31.00 paid',
    '2025-02-10 cycle -EUR 10.00 paid',
  ]);
});

test('monthly seats, quarterly support and a yearly fee: each by its own interval, together where they meet', {
  timeout: 240_000,
}, async () => {
  const { clock, customer } = await customerAt('2025-01-31T00:00:00Z');
  const [seats, support, fee] = [
    await newPrice(stripe, 1000),
    await newPrice(stripe, 9000, { recurring: { interval: 'month', interval_count: 3 } }),
    await newPrice(stripe, 36_500, { recurring: { interval: 'year' } }),
  ];
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price: seats, quantity: 2 }, { price: support }, { price: fee }],
    payment_behavior: 'error_if_incomplete',
  });
  await advanceTo(stripe, clock, '2025-05-10T00:00:00Z');
  const living = await stripe.subscriptions.retrieve(subscription.id);
  expect(living.items.data.map((item) => [isoInstant(item.current_period_start), isoInstant(item.current_period_end)])).toEqual([
    ['2025-04-30T00:00:00Z', '2025-05-31T00:00:00Z'],
    ['2025-04-30T00:00:00Z', '2025-07-31T00:00:00Z'],
    ['2025-01-31T00:00:00Z', '2026-01-31T00:00:00Z'],
  ]);
  // The yearly fee leaves for a dearer one: what is given back and charged is of the year.
  const dearer = await newPrice(stripe, 73_000, { recurring: { interval: 'year' } });
  const wish = { items: [{ id: living.items.data[2]?.id ?? '', price: dearer }], proration_behavior: 'always_invoice' as const };
  const preview = await stripe.invoices.createPreview({ subscription: subscription.id, subscription_details: wish });
  const changed = await stripe.subscriptions.update(subscription.id, { ...wish, expand: ['latest_invoice'] });
  const invoice = changed.latest_invoice as Stripe.Invoice;
  expect(invoice.lines.data.map(({ amount, period }) => [amount, period])).toEqual(
    preview.lines.data.map(({ amount, period }) => [amount, period]),
  );
  expect(invoice.lines.data.map(({ period }) => isoInstant(period.end))).toEqual(['2026-01-31T00:00:00Z', '2026-01-31T00:00:00Z']);
  const ending = await stripe.subscriptions.update(subscription.id, { cancel_at: 'max_period_end' });
  expect([isoInstant(ending.cancel_at ?? 0), ending.cancel_at_period_end]).toEqual(['2026-01-31T00:00:00Z', false]);
  await advanceTo(stripe, clock, '2026-03-01T00:00:00Z');
  expect(await calendarOf(customer)).toEqual([
    '2025-01-31 create EUR 475.00 paid',
    '2025-02-28 cycle EUR 20.00 paid',
    '2025-03-31 cycle EUR 20.00 paid',
    '2025-04-30 cycle EUR 110.00 paid',
    expect.stringMatching(/^2025-05-10 update EUR 26\d\.\d\d paid$/),
    '2025-05-31 cycle EUR 20.00 paid',
    '2025-06-30 cycle EUR 20.00 paid',
    '2025-07-31 cycle EUR 110.00 paid',
    '2025-08-31 cycle EUR 20.00 paid',
    '2025-09-30 cycle EUR 20.00 paid',
    '2025-10-31 cycle EUR 110.00 paid',
    '2025-11-30 cycle EUR 20.00 paid',
    '2025-12-31 cycle EUR 20.00 paid',
  ]);
  expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled');
});
