import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { withAccount } from '../../db/client.ts';
import { readUsage } from '../../db/read-usage.ts';
import { instant } from '../../domain/time.ts';
import { quantityOf } from '../../domain/usage/measure.ts';
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

type Line = Stripe.InvoiceLineItem & {
  explanation: { sentence: string; rule: string; usage: { watermark: number; quantity: string; corrects: object | null } | null };
};
const linesOf = (invoice: Stripe.Invoice | undefined): Line[] => (invoice?.lines.data ?? []) as Line[];
const wordsOf = (invoice: Stripe.Invoice | undefined): string[] =>
  linesOf(invoice).map(({ description, amount }) => `${description} ${amount}`);

/** A meter, a price of its events, and a customer on a clock of its own. */
async function world(eventName: string, price: Partial<Stripe.PriceCreateParams>, formula = 'sum') {
  const meter = await stripe.billing.meters.create({ display_name: 'Calls', event_name: eventName, default_aggregation: { formula } });
  const product = await stripe.products.create({ name: 'API calls' });
  const metered = { interval: 'month', usage_type: 'metered', meter: meter.id } as const;
  const { id } = await stripe.prices.create({ product: product.id, currency: 'eur', recurring: metered, ...price });
  const clock = await newClock(stripe, '2027-01-31T10:00:00Z');
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  const use = (value: number, at?: string, identifier?: string) =>
    stripe.billing.meterEvents.create({
      event_name: eventName,
      payload: { stripe_customer_id: customer, value: String(value) },
      ...(at === undefined ? {} : { timestamp: instant(at) }),
      ...(identifier === undefined ? {} : { identifier }),
    });
  return { meter: meter.id, metered, product: product.id, price: id, clock: clock.id, customer, use };
}

test('a base fee and what was used: in arrears with the next fee, late events after it, each at the price of its time, and the last of it at the end', {
  timeout: 240_000,
}, async () => {
  const { meter, metered, product, price, clock, customer, use } = await world('calls', {
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [
      { up_to: 1000, unit_amount: 1 },
      { up_to: 'inf', unit_amount_decimal: '0.5' as never },
    ],
  });
  const base = await newPrice(stripe, 5000, { name: 'Platform' });
  const subscription = await stripe.subscriptions.create({ customer, items: [{ price: base }, { price }] });
  const item = subscription.items.data.find((one) => one.price.id === price);
  expect(item).toMatchObject({ price: { recurring: { usage_type: 'metered', meter } } });
  expect(item).not.toHaveProperty('quantity');
  const [first] = await invoicesOf(stripe, { customer });
  expect(wordsOf(first)).toEqual(['1 × Platform (at EUR 50.00 / month) 5000']);

  await advanceTo(stripe, clock, '2027-02-10T10:00:00Z');
  await use(800, '2027-02-09T23:59:59Z');
  await use(700);
  // Before it was subscribed: measured, and nobody's.
  await use(9000, '2027-01-31T09:59:59Z');
  const soFar = await stripe.invoices.createPreview({ subscription: subscription.id });
  expect(wordsOf(soFar)).toEqual(['1500 × API calls (graduated tiers / month) 1250', '1 × Platform (at EUR 50.00 / month) 5000']);

  await advanceTo(stripe, clock, '2027-03-05T10:00:00Z');
  const february = (await invoicesOf(stripe, { customer })).at(-1);
  expect(wordsOf(february)).toEqual(wordsOf(soFar));
  expect(february).toMatchObject({ status: 'paid', total: 6250 });
  const [used] = linesOf(february);
  expect(used).toMatchObject({
    quantity: 1500,
    period: { start: instant('2027-01-31T10:00:00Z'), end: instant('2027-02-28T10:00:00Z') },
    explanation: {
      rule: 'usage',
      sentence: '1500 (EUR 0.01 x 1000 + EUR 0.005 x 500) used 2027-01-31 to 2027-02-28 (sum of 2 events) = EUR 12.50',
      usage: { quantity: '1500', corrects: null },
    },
  });

  // Late for February, and March's own.
  await use(100, '2027-02-20T00:00:00Z');
  await use(300);
  await advanceTo(stripe, clock, '2027-03-15T10:00:00Z');
  const dearer = await stripe.prices.create({ product, currency: 'eur', recurring: metered, unit_amount: 2 });
  await stripe.subscriptions.update(subscription.id, { items: [{ id: item?.id ?? '', price: dearer.id }] });
  await use(200);
  await advanceTo(stripe, clock, '2027-04-10T10:00:00Z');
  const march = (await invoicesOf(stripe, { customer })).at(-1);
  expect(wordsOf(march)).toEqual([
    '300 × API calls (graduated tiers / month) 300',
    '100 more × API calls, used 31 Jan 2027 to 28 Feb 2027 and reported late 50',
    '200 × API calls (at EUR 0.02 / month) 400',
    '1 × Platform (at EUR 50.00 / month) 5000',
  ]);
  expect(march).toMatchObject({ status: 'paid', total: 5750 });
  expect(linesOf(march)[1]?.explanation).toMatchObject({
    rule: 'late_usage',
    usage: { quantity: '1600', corrects: { invoice: february?.id, invoice_line_item: used?.id, quantity: '1500', amount: 1250 } },
  });

  // What February's line has billed can be found again at its watermark.
  const period = { start: instant('2027-01-31T10:00:00Z'), end: instant('2027-02-28T10:00:00Z') };
  const at = async (through: number | null) => {
    const query = { meterId: meter, formula: 'sum' as const, customerId: customer, groups: {}, ...period, through, terms: null };
    const { totals } = await withAccount(stack.db, stack.accountId, (t) => readUsage(t, [query]));
    return totals[0] && quantityOf('sum', totals[0], period);
  };
  expect([await at(used?.explanation.usage?.watermark ?? 0), await at(null)]).toEqual(['1500', '1600']);

  await use(10);
  await use(40, '2027-03-20T00:00:00Z');
  await stripe.subscriptions.cancel(subscription.id, { invoice_now: true });
  const last = (await invoicesOf(stripe, { customer })).at(-1);
  expect(wordsOf(last)).toEqual([
    '40 more × API calls, used 15 Mar 2027 to 31 Mar 2027 and reported late 80',
    '10 × API calls (at EUR 0.02 / month) 20',
  ]);
  expect(await invoicesOf(stripe, { customer })).toHaveLength(4);
});

test('usage on trial is free, that before a pause is billed, that during it is not; an event that is cancelled after it was billed comes back', {
  timeout: 240_000,
}, async () => {
  const { meter, metered, product, price, clock, customer, use } = await world('jobs', { unit_amount: 100 });
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price }], trial_period_days: 7 });
  // The same events seen as payments in cents: each bears 10 % and a cent, and no more than 2.
  // A month of them costs 3 cents at least.
  const share = {
    product,
    currency: 'eur',
    recurring: { ...metered, minimum_amount: 3 },
    percentage: { rate: '10', fixed_amount: 1, maximum_amount: 2 },
  };
  const percent = await stripe.prices.create(share as never);
  expect(percent).toMatchObject({ recurring: { meter, minimum_amount: 3 }, percentage: share.percentage });
  const payments = await stripe.subscriptions.create({ customer, items: [{ price: percent.id }], trial_period_days: 7 });
  await use(50);
  await advanceTo(stripe, clock, '2027-02-17T10:00:00Z');
  await use(3, undefined, 'mistaken');
  await use(2);
  await stripe.rawRequest('POST', `/v1/subscriptions/${id}/pause`, {});
  await advanceTo(stripe, clock, '2027-02-18T10:00:00Z');
  await use(20);
  await advanceTo(stripe, clock, '2027-02-27T10:00:00Z');
  await stripe.rawRequest('POST', `/v1/subscriptions/${id}/resume`, {});
  await stripe.billing.meterEventAdjustments.create({ event_name: 'jobs', type: 'cancel', cancel: { identifier: 'mistaken' } });
  await use(4);
  await advanceTo(stripe, clock, '2027-03-28T10:00:00Z');
  expect((await invoicesOf(stripe, { subscription: id })).map(wordsOf)).toEqual([
    ['Trial period for API calls 0'],
    ['5 × API calls (at EUR 1.00 / month) 500'],
    ['3 less × API calls, used 7 Feb 2027 to 17 Feb 2027 and reported late -300', '4 × API calls (at EUR 1.00 / month) 400'],
  ]);
  const shares = (await invoicesOf(stripe, { subscription: payments.id })).at(-1);
  expect(wordsOf(shares)).toEqual(['EUR 0.26 × API calls (at 10% + EUR 0.01 each, at most EUR 0.02 each / month) 5']);
  await advanceTo(stripe, clock, '2027-04-08T10:00:00Z');
  expect(wordsOf((await invoicesOf(stripe, { subscription: payments.id })).at(-1))).toEqual([
    'EUR 0.00 × API calls (at 10% + EUR 0.01 each, at most EUR 0.02 each / month) 0',
    'Minimum commitment for API calls 3',
  ]);
  expect(linesOf(shares)[0]?.explanation.sentence).toMatch(/^10% .*, of EUR 0.26 in 3 transactions used .* = EUR 0.05$/);
});

test('usage that reaches a threshold is billed at once, again and again, and the end of the period bills the rest', {
  timeout: 240_000,
}, async () => {
  const { price, clock, customer, use } = await world('tokens', {
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [
      { up_to: 1000, unit_amount: 1 },
      { up_to: 'inf', unit_amount_decimal: '0.5' as never },
    ],
  });
  const base = await newPrice(stripe, 5000, { name: 'Platform' });
  // Those of one instant in the order of their numbers.
  const billed = async () =>
    (await invoicesOf(stripe, { customer }))
      .sort((a, b) => a.created - b.created || String(a.number).localeCompare(String(b.number)))
      .map((invoice) => [invoice.billing_reason, ...wordsOf(invoice)]);
  const early = async (count: number) =>
    vi.waitFor(
      async () => {
        const all = (await invoicesOf(stripe, { customer })).filter(({ billing_reason: reason }) => reason === 'subscription_threshold');
        expect(all.map(({ status }) => status)).toEqual(Array.from({ length: count }, () => 'paid'));
      },
      { timeout: 60_000, interval: 50 },
    );
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price: base }, { price, billing_thresholds: { usage_gte: 5000 } }],
    billing_thresholds: { amount_gte: 1000 },
  });
  expect(subscription).toMatchObject({ billing_thresholds: { amount_gte: 1000, reset_billing_cycle_anchor: false } });
  const item = subscription.items.data.find((one) => one.price.id === price);
  expect(item).toMatchObject({ billing_thresholds: { usage_gte: 5000 } });

  await advanceTo(stripe, clock, '2027-02-10T10:00:00Z');
  await use(800, '2027-02-09T23:59:59Z');
  await use(400);
  await early(1);
  // A cent less than the threshold.
  await use(1997);
  await use(3);
  await early(2);
  await stripe.subscriptions.update(subscription.id, { billing_thresholds: '' });
  await use(3000);
  // The units of the item are a threshold of their own, reached when it is lowered.
  await stripe.subscriptionItems.update(item?.id ?? '', { billing_thresholds: { usage_gte: 3000 } });
  await early(3);
  expect(await stripe.subscriptions.retrieve(subscription.id)).toMatchObject({ billing_thresholds: null });
  await use(100);
  await advanceTo(stripe, clock, '2027-03-05T10:00:00Z');
  expect(await billed()).toEqual([
    ['subscription_create', '1 × Platform (at EUR 50.00 / month) 5000'],
    ['subscription_threshold', '1200 × API calls (graduated tiers / month) 1100'],
    ['subscription_threshold', '2000 more × API calls (graduated tiers / month) 1000'],
    ['subscription_threshold', '3000 more × API calls (graduated tiers / month) 1500'],
    ['subscription_cycle', '100 more × API calls (graduated tiers / month) 50', '1 × Platform (at EUR 50.00 / month) 5000'],
  ]);
});

test('an alert tells once for each customer that so much has been used since, and again once it was activated anew', async () => {
  const { meter, customer, use } = await world('alerted', { unit_amount: 1 });
  await use(5000);
  const create = (gte: number, filters?: Stripe.Billing.AlertCreateParams.UsageThreshold.Filter[]) =>
    stripe.billing.alerts.create({
      title: `over ${gte}`,
      alert_type: 'usage_threshold',
      usage_threshold: { meter, gte, recurrence: 'one_time', ...(filters === undefined ? {} : { filters }) },
    });
  const all = await create(100);
  expect(all).toMatchObject({ object: 'billing.alert', status: 'active', usage_threshold: { filters: null, gte: 100, meter } });
  const other = await create(1, [{ type: 'customer', customer: await newCustomer(stripe, 'pm_card_visa') }]);
  const triggered = async () =>
    (await stripe.events.list({ type: 'billing.alert.triggered' })).data
      .map(({ data }) => data.object as unknown as Stripe.Billing.AlertTriggered)
      .filter(({ alert }) => alert.usage_threshold?.meter === meter);
  await use(99, undefined, 'once');
  await use(99, undefined, 'once');
  expect(await triggered()).toEqual([]);
  await use(1);
  await use(500);
  expect(await triggered()).toEqual([
    { object: 'billing.alert_triggered', alert: all, created: instant('2027-01-31T10:00:00Z'), customer, livemode: false, value: 100 },
  ]);
  expect(await stripe.billing.alerts.deactivate(all.id)).toMatchObject({ status: 'inactive' });
  await use(500);
  expect(await stripe.billing.alerts.activate(all.id)).toMatchObject({ status: 'active' });
  await use(120);
  expect((await triggered()).map(({ value }) => value)).toEqual([120, 100]);
  expect((await stripe.billing.alerts.list({ meter })).data.map(({ id }) => id).sort()).toEqual([all.id, other.id].sort());
  expect(await stripe.billing.alerts.archive(other.id)).toMatchObject({ status: 'archived' });
  await expect(stripe.billing.alerts.retrieve(other.id)).rejects.toMatchObject({ code: 'resource_missing' });
  expect(await stripe.billing.alerts.retrieve(all.id, { expand: ['usage_threshold.meter'] })).toMatchObject({
    usage_threshold: { meter: { id: meter } },
  });
  expect((await stripe.billing.alerts.list({ meter })).data).toHaveLength(1);
});

test('late usage is invoiced at once where the account says so, and what is cancelled is given back', { timeout: 240_000 }, async () => {
  const { price, clock, customer, use } = await world('rerated', { unit_amount: 2 });
  expect(await stripe.rawRequest('POST', '/v1/account', { late_usage: 'rerate' })).toMatchObject({ late_usage: 'rerate' });
  await stripe.subscriptions.create({ customer, items: [{ price }] });
  await advanceTo(stripe, clock, '2027-02-10T10:00:00Z');
  await use(100, undefined, 'wrong');
  await advanceTo(stripe, clock, '2027-03-05T10:00:00Z');
  const corrections = (count: number) =>
    vi.waitFor(
      async () => {
        const all = (await invoicesOf(stripe, { customer })).filter(({ billing_reason: reason }) => reason === 'subscription_update');
        expect(all.map(({ status }) => status)).toEqual(Array.from({ length: count }, () => 'paid'));
        return all.flatMap(wordsOf).sort();
      },
      { timeout: 60_000, interval: 50 },
    );
  // Of the running period, and nothing to correct.
  await use(700);
  await use(50, '2027-02-20T00:00:00Z');
  const more = '50 more × API calls, used 31 Jan 2027 to 28 Feb 2027 and reported late 100';
  expect(await corrections(1)).toEqual([more]);
  await stripe.billing.meterEventAdjustments.create({ event_name: 'rerated', type: 'cancel', cancel: { identifier: 'wrong' } });
  expect(await corrections(2)).toEqual(['100 less × API calls, used 31 Jan 2027 to 28 Feb 2027 and reported late -200', more]);
  expect((await stripe.customers.retrieve(customer)) as Stripe.Customer).toMatchObject({ balance: -200 });
  await stripe.rawRequest('POST', '/v1/account', { late_usage: 'next_invoice' });
});
