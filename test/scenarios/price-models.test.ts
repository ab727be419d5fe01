import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { invoicesOf, newCustomer, newPrice, withoutIds } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, newClock } from '../support/test-clock.ts';

let stack: Stack;
let stripe: Stripe;
let clock: string;
let product: string;
beforeAll(async () => {
  stack = await startStack({ account: { prorationBasis: 'day' } });
  stripe = stack.stripe;
  clock = (await newClock(stripe, '2027-01-01T00:00:00Z')).id;
  product = (await stripe.products.create({ name: 'Desk', unit_label: 'seat' })).id;
});
afterAll(() => stack?.stop());

type Line = Stripe.InvoiceLineItem & {
  explanation: { sentence: string; tiers: { from: string; up_to: string | null; quantity: string; amount: number }[] | null };
};
const linesOf = (invoice: Stripe.Invoice | undefined) =>
  (invoice?.lines.data as Line[] | undefined)?.map(({ description, amount, explanation }) => [description, amount, explanation.sentence]);
const latest = async (customer: string): Promise<Stripe.Invoice | undefined> => (await invoicesOf(stripe, { customer })).at(-1);
const customerHere = (): Promise<string> => newCustomer(stripe, 'pm_card_visa', { test_clock: clock });
const itemOf = (subscription: Stripe.Subscription): string => subscription.items.data[0]?.id ?? '';
const monthly = { interval: 'month' } as const;
const pricesMade = async (): Promise<number> => (await stripe.prices.list({ product, active: false, limit: 100 })).data.length;
const ALWAYS = { proration_behavior: 'always_invoice' } as const;

interface Life {
  customer: string;
  subscription: Stripe.Subscription;
}
const lives = new Map<string, Life>();
async function live(name: string, params: Omit<Stripe.SubscriptionCreateParams, 'customer'>): Promise<Life> {
  const customer = await customerHere();
  const life = { customer, subscription: await stripe.subscriptions.create({ customer, ...params }) };
  lives.set(name, life);
  return life;
}
const lifeOf = (name: string): Life => {
  const life = lives.get(name);
  if (life === undefined) throw new Error(`nobody is ${name}`);
  return life;
};

test('1 January: everybody subscribes, each by a model of their own', { timeout: 120_000 }, async () => {
  const graduated = await stripe.prices.create({
    ...{ product, currency: 'eur', recurring: monthly, billing_scheme: 'tiered', tiers_mode: 'graduated' },
    tiers: [
      { up_to: 10, unit_amount: 1000, flat_amount: 200 },
      { up_to: 'inf', unit_amount: 500 },
    ],
  });
  const tiers = await live('tiers', { items: [{ price: graduated.id, quantity: 10 }], expand: ['items.data.price.tiers'] });
  expect(tiers.subscription).toMatchObject({ status: 'active' });
  expect(tiers.subscription.items.data[0]?.price).toMatchObject({
    tiers: [{ up_to: 10 }, { up_to: null, unit_amount: 500 }],
    unit_amount: null,
  });
  expect(linesOf(await latest(tiers.customer))).toEqual([
    [
      '10 × Desk (graduated tiers / month)',
      10_200,
      '10 seats (EUR 10.00 x 10 + EUR 2.00 flat) for one month (2027-01-01 to 2027-02-01) = EUR 102.00',
    ],
  ]);

  const packs = await newPrice(stripe, 2500, { name: 'Calls', transform_quantity: { divide_by: 5, round: 'up' } });
  const pack = await live('packages', { items: [{ price: packs, quantity: 11 }] });
  expect(linesOf(await latest(pack.customer))).toEqual([
    [
      '11 × Calls (at EUR 25.00 per 5 / month)',
      7500,
      'EUR 25.00 x 3 packages of 5 (11, rounded up) for one month (2027-01-01 to 2027-02-01) = EUR 75.00',
    ],
  ]);

  const free = await stripe.prices.create({
    ...{ product, currency: 'eur', recurring: monthly, billing_scheme: 'tiered', tiers_mode: 'graduated' },
    tiers: [
      { up_to: 3, unit_amount: 0 },
      { up_to: 'inf', unit_amount: 900 },
    ],
  });
  const freemium = await live('free', { items: [{ price: free.id, quantity: 3 }] });
  expect([freemium.subscription.status, (await latest(freemium.customer))?.total]).toEqual(['active', 0]);
});

test('one price of a suite is billed as a line for each product, and given back line by line', { timeout: 120_000 }, async () => {
  const chat = (await stripe.products.create({ name: 'Chat' })).id;
  const low = (await stripe.taxRates.create({ display_name: 'VAT', percentage: 7, inclusive: false })).id;
  const price = await stripe.prices.create({
    ...{ product, currency: 'eur', unit_amount: 4900, recurring: monthly },
    bundle: [
      { product, share: '2' },
      { product: chat, share: '1', tax_rates: [low] },
    ],
  } as Stripe.PriceCreateParams);
  expect(price).toMatchObject({
    bundle: [
      { product, share: '2' },
      { product: chat, share: '1', tax_rates: [low] },
    ],
  });
  const { customer, subscription } = await live('suite', { items: [{ price: price.id, quantity: 2 }] });
  const first = await latest(customer);
  expect(linesOf(first)?.map(([description, amount]) => [description, amount])).toEqual([
    ['2 × Desk (of Desk, at EUR 49.00 / month)', 6533],
    ['2 × Chat (of Desk, at EUR 49.00 / month)', 3267],
  ]);
  expect(first?.lines.data.map(({ pricing, taxes }) => [pricing?.price_details?.product, taxes?.[0]?.amount])).toEqual([
    [product, undefined],
    [chat, 229],
  ]);
  const grown = await stripe.subscriptions.update(subscription.id, {
    ...{ items: [{ id: itemOf(subscription), quantity: 3 }], ...ALWAYS },
    expand: ['latest_invoice'],
  });
  const more = grown.latest_invoice as Stripe.Invoice;
  expect([more.subtotal, more.total]).toEqual([4900, 4900 + 114]);
  expect(
    more.lines.data.map(({ amount, parent }) => [amount, parent?.subscription_item_details?.proration_details?.credited_items ?? null]),
  ).toEqual([
    [-6533, { invoice: first?.id, invoice_line_items: [first?.lines.data[0]?.id] }],
    [-3267, { invoice: first?.id, invoice_line_items: [first?.lines.data[1]?.id] }],
    [9800, null],
    [4900, null],
  ]);
});

test('a price in yen as well as euro; the customer stays in the currency of the first invoice', { timeout: 120_000 }, async () => {
  const price = await newPrice(stripe, 2000, { name: 'Seat', currency_options: { jpy: { unit_amount: 3000 } } });
  const { customer, subscription } = await live('yen', { items: [{ price, quantity: 2 }], currency: 'jpy' });
  expect(subscription.currency).toBe('jpy');
  expect(await latest(customer)).toMatchObject({ currency: 'jpy', total: 6000, status: 'paid' });
  const again = await stripe.subscriptions.create({ customer, items: [{ price }] });
  expect(again.currency).toBe('jpy');
  await stripe.subscriptions.cancel(again.id);
  await expect(stripe.subscriptions.create({ customer, items: [{ price }], currency: 'eur' })).rejects.toMatchObject({ statusCode: 400 });
  const euroOnly = await newPrice(stripe, 2000);
  await expect(stripe.subscriptionItems.create({ subscription: subscription.id, price: euroOnly })).rejects.toMatchObject({
    statusCode: 400,
    param: 'items[0][price]',
  });
});

test('price_data makes an inactive price for one item: once, and not in a preview', { timeout: 120_000 }, async () => {
  const data = { currency: 'eur', product, unit_amount: 1700, recurring: monthly };
  const preview = { customer: await customerHere(), subscription_details: { items: [{ price_data: data, quantity: 2 }] } };
  const before = await pricesMade();
  const shown = await stripe.invoices.createPreview(preview);
  expect([shown.total, await pricesMade()]).toEqual([3400, before]);

  const params = {
    customer: preview.customer,
    items: [{ price_data: data, quantity: 2 }],
    add_invoice_items: [{ price_data: { currency: 'eur', product, unit_amount: 500 } }],
  };
  const key = { idempotencyKey: 'made-in-passing' };
  const made = await stripe.subscriptions.create(params, key);
  expect((await stripe.subscriptions.create(params, key)).id).toBe(made.id);
  expect((await latest(preview.customer))?.lines.data.map(({ amount }) => amount).sort()).toEqual([3400, 500].sort());
  expect(await pricesMade()).toBe(before + 2);
  const price = made.items.data[0]?.price;
  expect(price).toMatchObject({ active: false, unit_amount: 1700, product, recurring: monthly });
  await expect(stripe.subscriptions.create({ customer: preview.customer, items: [{ price: price?.id ?? '' }] })).rejects.toMatchObject({
    statusCode: 400,
    param: 'items[0][price]',
  });

  // The amount of this one customer, with a token: as it was shown.
  const change = { items: [{ id: itemOf(made), price_data: { ...data, unit_amount: 2700 } }], ...ALWAYS };
  const foreseen = await stripe.invoices.createPreview({ subscription: made.id, subscription_details: change });
  const { preview_token } = foreseen as unknown as { preview_token: string };
  const changed = await stripe.subscriptions.update(made.id, {
    ...{ ...change, expand: ['latest_invoice'] },
    preview_token,
  } as Stripe.SubscriptionUpdateParams);
  const now = changed.latest_invoice as Stripe.Invoice;
  const bare = (invoice: Stripe.Invoice) => ({
    ...withoutIds(invoice),
    lines: withoutIds(invoice).lines.map((line) => ({ ...line, price: null })),
  });
  expect(bare(now)).toEqual(bare(foreseen));
  expect(now.total).toBe(2 * 1000);

  const added = await stripe.subscriptionItems.create({ subscription: made.id, price_data: { ...data, unit_amount: 100 } });
  expect(added.price).toMatchObject({ active: false, unit_amount: 100 });
  const item = await stripe.invoiceItems.create({
    ...{ customer: preview.customer, subscription: made.id, quantity: 3 },
    price_data: { currency: 'eur', product, unit_amount: 250 },
  });
  expect(item).toMatchObject({ amount: 750, description: 'Desk' });
  lives.set('override', { customer: preview.customer, subscription: made });
});

test('16 January: tiers grow, a free plan becomes a paid one, packages are begun', { timeout: 120_000 }, async () => {
  await advanceTo(stripe, clock, '2027-01-16T12:00:00Z');
  const tiers = lifeOf('tiers');
  const growth = { items: [{ id: itemOf(tiers.subscription), quantity: 12 }], ...ALWAYS };
  const shown = await stripe.invoices.createPreview({ subscription: tiers.subscription.id, subscription_details: growth });
  await stripe.subscriptions.update(tiers.subscription.id, growth);
  const grown = await latest(tiers.customer);
  expect(grown && withoutIds(grown)).toEqual(withoutIds(shown));
  expect(linesOf(grown)).toEqual([
    [
      'Unused time on 10 × Desk after 16 Jan 2027',
      -5265,
      '16 of 31 days (2027-01-16 to 2027-02-01) of EUR 102.00 billed for 10 seats = -EUR 52.65',
    ],
    [
      'Remaining time on 12 × Desk after 16 Jan 2027',
      5781,
      '12 seats (EUR 10.00 x 10 + EUR 2.00 flat + EUR 5.00 x 2) for 16 of 31 days (2027-01-16 to 2027-02-01) = EUR 57.81',
    ],
  ]);
  const [, charged] = (grown?.lines.data ?? []) as Line[];
  expect(charged?.explanation.tiers).toMatchObject([
    { from: '0', up_to: '10', quantity: '10', amount: 5265 },
    { from: '10', up_to: null, quantity: '2', amount: 516 },
  ]);

  const free = lifeOf('free');
  const paid = await stripe.subscriptions.update(free.subscription.id, { items: [{ id: itemOf(free.subscription), quantity: 5 }] });
  expect((await invoicesOf(stripe, { customer: free.customer })).map(({ total }) => total)).toEqual([0, 1800]);
  expect([paid.start_date, paid.created]).toEqual([free.subscription.start_date, free.subscription.created]);

  const pack = lifeOf('packages');
  await stripe.subscriptions.update(pack.subscription.id, { items: [{ id: itemOf(pack.subscription), quantity: 15 }], ...ALWAYS });
  expect((await latest(pack.customer))?.total).toBe(0);
});

test('20 February: renewals bill whole tiers, packages and overrides', { timeout: 120_000 }, async () => {
  await advanceTo(stripe, clock, '2027-02-20T00:00:00Z');
  const totals = Object.fromEntries(
    await Promise.all([...lives].map(async ([name, { customer }]) => [name, (await latest(customer))?.total] as const)),
  );
  // The override's: 2 x 2700 and 100, the invoice items of January, and January's share of the added item.
  expect(totals).toEqual({ tiers: 11_200, packages: 7500, free: 1800, yen: 6000, override: 5400 + 100 + 750 + 100, suite: 14_700 + 343 });
});
