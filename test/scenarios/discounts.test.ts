import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { instant } from '../../domain/time.ts';
import { calendarLine, invoicesOf, newCustomer, newPrice, withoutIds } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, newClock } from '../support/test-clock.ts';

let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
});
afterAll(() => stack?.stop());

const START = '2025-01-31T00:00:00Z';
const calendarOf = async (customer: string): Promise<string[]> =>
  (await invoicesOf(stripe, { customer })).map((invoice) => calendarLine(invoice));
/** Gross, what each discount takes off, and the total. */
const taken = ({ lines, subtotal, total_discount_amounts: off, total }: Stripe.Invoice) => ({
  lines: lines.data.map((line) => [line.amount, ...(line.discount_amounts ?? []).map(({ amount }) => -amount)]),
  subtotal,
  off: (off ?? []).map(({ amount }) => amount),
  total,
});

test('coupons and codes over the months, on one clock', { timeout: 240_000 }, async () => {
  const clock = (await newClock(stripe, START)).id;
  const [small, large, addon] = [await newPrice(stripe, 3100), await newPrice(stripe, 6200), await newPrice(stripe, 1000)];
  const once = await stripe.coupons.create({ id: 'ONCE', percent_off: 50, duration: 'once' });
  const three = await stripe.coupons.create({ name: 'Three months', percent_off: 50, duration: 'repeating', duration_in_months: 3 });
  const ever = await stripe.coupons.create({ name: 'Friends', percent_off: 20, duration: 'forever' });
  const five = await stripe.coupons.create({
    amount_off: 500,
    currency: 'eur',
    duration: 'forever',
    currency_options: { usd: { amount_off: 600 } },
  });
  const code = await stripe.promotionCodes.create({
    promotion: { type: 'coupon', coupon: five.id },
    code: 'Welcome',
    max_redemptions: 1,
    restrictions: { minimum_amount: 3000, minimum_amount_currency: 'eur' },
  });
  const [ada, ben, cy, dot] = await Promise.all(
    Array.from({ length: 4 }, () => newCustomer(stripe, 'pm_card_visa', { test_clock: clock })),
  );
  if (!ada || !ben || !cy || !dot) throw new Error('there are four customers');

  // Ada: once. Ben: three months. Cy: for ever, and half of an item. Dot: a code.
  await stripe.subscriptions.create({ customer: ada, items: [{ price: small }], discounts: [{ coupon: once.id }] });
  const bens = await stripe.subscriptions.create({
    customer: ben,
    items: [{ price: small }],
    discounts: [{ coupon: three.id }],
    expand: ['discounts.source.coupon', 'latest_invoice.total_discount_amounts.discount'],
  });
  const [standing] = bens.discounts as Stripe.Discount[];
  expect(standing).toMatchObject({
    object: 'discount',
    start: instant(START),
    end: instant('2025-04-30T00:00:00Z'),
    subscription: bens.id,
    source: { coupon: { id: three.id, percent_off: 50, times_redeemed: 1 } },
  });
  const first = bens.latest_invoice as Stripe.Invoice;
  expect(first.total_discount_amounts).toMatchObject([{ amount: 1550, discount: { id: standing?.id } }]);
  const cys = await stripe.subscriptions.create({
    customer: cy,
    items: [{ price: small }, { price: addon, discounts: [{ coupon: three.id }] }],
    discounts: [{ coupon: ever.id }],
    expand: ['latest_invoice'],
  });
  expect(taken(cys.latest_invoice as Stripe.Invoice)).toEqual({
    lines: [
      [3100, -620],
      [1000, -500, -100],
    ],
    subtotal: 4100,
    off: [720, 500],
    total: 2880,
  });

  const [typed] = (await stripe.promotionCodes.list({ code: 'WELCOME', active: true })).data;
  expect(typed).toMatchObject({ id: code.id, active: true, times_redeemed: 0 });
  const wish = { items: [{ price: small }], discounts: [{ promotion_code: code.id }] };
  await expect(stripe.subscriptions.create({ customer: dot, ...wish, items: [{ price: addon }] })).rejects.toMatchObject({
    statusCode: 400,
    code: 'promotion_code_restricted',
    param: 'discounts[0][promotion_code]',
  });
  const preview = await stripe.invoices.createPreview({
    customer: dot,
    subscription_details: { items: wish.items },
    discounts: wish.discounts,
  });
  const dots = await stripe.subscriptions.create({ customer: dot, ...wish, expand: ['latest_invoice'] });
  const billed = dots.latest_invoice as Stripe.Invoice;
  expect(withoutIds(preview)).toEqual(withoutIds(billed));
  expect(taken(billed)).toEqual(taken(preview));
  expect(billed.total).toBe(2600);
  expect(await stripe.promotionCodes.retrieve(code.id)).toMatchObject({ active: false, times_redeemed: 1 });
  await expect(stripe.subscriptions.create({ customer: ada, ...wish })).rejects.toMatchObject({ statusCode: 400, code: 'coupon_expired' });

  // Cy upgrades in mid period: the credit gives back what was paid for the old plan, the charge is discounted as the new one will be.
  await advanceTo(stripe, clock, '2025-02-14T00:00:00Z');
  const [item] = cys.items.data;
  const change = { items: [{ id: item?.id ?? '', price: large }], proration_behavior: 'always_invoice' as const };
  const upgrade = await stripe.invoices.createPreview({ subscription: cys.id, subscription_details: change });
  expect(taken(upgrade)).toEqual({ lines: [[-1240], [3100, -620]], subtotal: 1860, off: [620], total: 1240 });
  const upgraded = await stripe.subscriptions.update(cys.id, { ...change, expand: ['latest_invoice'] });
  expect(taken(upgraded.latest_invoice as Stripe.Invoice)).toEqual(taken(upgrade));

  // Ada is given one on her customer, and has it taken away again; Dot's is taken off her subscription.
  await stripe.customers.update(ada, { coupon: ever.id } as Stripe.CustomerUpdateParams);
  expect(
    (await stripe.invoices.createPreview({ subscription: (await stripe.subscriptions.list({ customer: ada })).data[0]?.id ?? '' })).total,
  ).toBe(2480);
  expect(await stripe.customers.deleteDiscount(ada)).toMatchObject({ object: 'discount', deleted: true, customer: ada });
  expect(await stripe.subscriptions.deleteDiscount(dots.id)).toMatchObject({ object: 'discount', deleted: true, subscription: dots.id });
  await stripe.coupons.del(three.id);

  await advanceTo(stripe, clock, '2025-05-01T00:00:00Z');
  expect(await calendarOf(ada)).toEqual([
    '2025-01-31 create EUR 15.50 paid',
    '2025-02-28 cycle EUR 31.00 paid',
    '2025-03-31 cycle EUR 31.00 paid',
    '2025-04-30 cycle EUR 31.00 paid',
  ]);
  expect(await calendarOf(ben)).toEqual([
    '2025-01-31 create EUR 15.50 paid',
    '2025-02-28 cycle EUR 15.50 paid',
    '2025-03-31 cycle EUR 15.50 paid',
    '2025-04-30 cycle EUR 31.00 paid',
  ]);
  expect(await calendarOf(cy)).toEqual([
    '2025-01-31 create EUR 28.80 paid',
    '2025-02-14 update EUR 12.40 paid',
    '2025-02-28 cycle EUR 53.60 paid',
    '2025-03-31 cycle EUR 53.60 paid',
    '2025-04-30 cycle EUR 57.60 paid',
  ]);
  expect(await calendarOf(dot)).toEqual([
    '2025-01-31 create EUR 26.00 paid',
    '2025-02-28 cycle EUR 31.00 paid',
    '2025-03-31 cycle EUR 31.00 paid',
    '2025-04-30 cycle EUR 31.00 paid',
  ]);
  expect((await stripe.subscriptions.retrieve(bens.id)).discounts).toEqual([]);

  const told = (await stripe.rawRequest('GET', `/v1/subscriptions/${bens.id}/timeline?limit=100`)) as unknown as Stripe.ApiList<
    Stripe.ApiList<never> & { sentence: string }
  >;
  const sentences = told.data.map(({ sentence }) => sentence).filter((sentence) => sentence.startsWith('A discount'));
  expect(sentences.sort()).toEqual([
    'A discount of 50 % (Three months) began, until 2025-04-30.',
    'A discount of 50 % (Three months) ended.',
  ]);
  const events = await stripe.events.list({ types: ['customer.discount.deleted', 'coupon.deleted', 'promotion_code.created'], limit: 20 });
  expect(events.data.map(({ type }) => type).sort()).toEqual([
    'coupon.deleted',
    ...Array.from({ length: 5 }, () => 'customer.discount.deleted'),
    'promotion_code.created',
  ]);
});
