import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { instant, isoInstant } from '../../domain/time.ts';
import { calendarLine, invoicesOf, newCustomer, newPrice } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, changesOf, newClock } from '../support/test-clock.ts';

let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
});
afterAll(() => stack?.stop());

test('quotes are drafted, offered, revised, accepted, and expire, on one clock', { timeout: 300_000 }, async () => {
  const clock = (await newClock(stripe, '2027-01-31T00:00:00Z')).id;
  const seat = await newPrice(stripe, 1000);
  const product = (await stripe.prices.retrieve(seat)).product as string;
  const setup = (await stripe.prices.create({ product, currency: 'eur', unit_amount: 5000 })).id;
  const half = (await stripe.coupons.create({ percent_off: 50, duration: 'once' })).id;
  const vat = (await stripe.taxRates.create({ display_name: 'VAT', percentage: 20, inclusive: false })).id;
  const [now = '', later = '', late = ''] = await Promise.all(
    ['now', 'later', 'late'].map(() => newCustomer(stripe, 'pm_card_visa', { test_clock: clock })),
  );

  // Drafted, changed, offered, revised.
  const draft = await stripe.quotes.create({
    customer: now,
    line_items: [{ price: seat, quantity: 3 }, { price: setup }],
    default_tax_rates: [vat],
    subscription_data: { metadata: { deal: '7' } },
    metadata: { by: 'Ada' },
  });
  expect(draft).toMatchObject({
    object: 'quote',
    status: 'draft',
    number: null,
    amount_subtotal: 8000,
    amount_total: 9600,
    expires_at: instant('2027-03-02T00:00:00Z'),
    computed: {
      upfront: { amount_subtotal: 8000, amount_total: 9600, total_details: { amount_tax: 1600 } },
      recurring: { amount_total: 3600, interval: 'month', interval_count: 1 },
    },
  });
  await expect(stripe.quotes.accept(draft.id)).rejects.toMatchObject({ statusCode: 400 });
  const changed = await stripe.quotes.update(draft.id, { line_items: [{ price: seat, quantity: 5 }, { price: setup }] });
  expect(changed.amount_total).toBe(12_000);
  const open = await stripe.quotes.finalizeQuote(draft.id);
  expect(open).toMatchObject({ status: 'open', number: 'QT-0001-1' });
  await expect(stripe.quotes.update(draft.id, { description: 'x' })).rejects.toMatchObject({ statusCode: 400 });
  const revision = await stripe.quotes.create({
    from_quote: { quote: draft.id, is_revision: true },
    line_items: [{ price: seat, quantity: 4 }, { price: setup }],
  });
  expect(await stripe.quotes.finalizeQuote(revision.id)).toMatchObject({
    number: 'QT-0001-2',
    from_quote: { quote: draft.id, is_revision: true },
  });
  expect((await stripe.quotes.retrieve(draft.id)).status).toBe('canceled');
  const lines = await stripe.quotes.listLineItems(revision.id);
  expect(lines.data.map(({ amount_total, quantity, price }) => [amount_total, quantity, price?.id])).toEqual([
    [4800, 4, seat],
    [6000, 1, setup],
  ]);

  // Accepted twice at once: one subscription, billed as it was offered.
  const [first, second] = await Promise.all([stripe.quotes.accept(revision.id), stripe.quotes.accept(revision.id)]);
  expect(first).toMatchObject({ status: 'accepted' });
  expect(second.subscription).toBe(first.subscription);
  const subscription = await stripe.subscriptions.retrieve(first.subscription as string);
  expect(subscription).toMatchObject({ status: 'active', customer: now, metadata: { deal: '7' } });
  expect((await stripe.subscriptions.list({ customer: now })).data).toHaveLength(1);
  const invoice = await stripe.invoices.retrieve(first.invoice as string);
  expect([invoice.total, invoice.status, first.amount_total]).toEqual([10_800, 'paid', 10_800]);

  // One for a date to come, which sells something once and is discounted, one that nobody accepts, one that is taken back.
  const dated = await stripe.quotes.create({
    customer: later,
    line_items: [{ price: seat }, { price: setup }],
    discounts: [{ coupon: half }],
    subscription_data: { effective_date: instant('2027-02-15T00:00:00Z') },
  });
  await stripe.quotes.finalizeQuote(dated.id);
  const accepted = await stripe.quotes.accept(dated.id);
  expect(accepted).toMatchObject({ status: 'accepted', subscription: null });
  expect(await stripe.subscriptionSchedules.retrieve(accepted.subscription_schedule as string)).toMatchObject({ status: 'not_started' });
  const unheard = await stripe.quotes.create({
    customer: late,
    line_items: [{ price: seat }],
    expires_at: instant('2027-02-10T08:00:00Z'),
  });
  await stripe.quotes.finalizeQuote(unheard.id);
  const withdrawn = await stripe.quotes.create({ customer: late, line_items: [{ price: seat }] });
  expect(await stripe.quotes.cancel(withdrawn.id)).toMatchObject({ status: 'canceled' });

  await advanceTo(stripe, clock, '2027-04-01T00:00:00Z');
  const tales = (await changesOf(stripe, clock)).filter(({ type }) => type.startsWith('quote.'));
  expect(tales.map(({ type, created, data }) => `${isoInstant(created)} ${type} ${(data.object as Stripe.Quote).id}`)).toEqual([
    `2027-02-10T08:00:00Z quote.canceled ${unheard.id}`,
  ]);
  expect(await stripe.quotes.retrieve(unheard.id)).toMatchObject({
    status: 'canceled',
    status_transitions: { canceled_at: instant('2027-02-10T08:00:00Z') },
  });
  await expect(stripe.quotes.accept(unheard.id)).rejects.toMatchObject({ statusCode: 400 });
  const calendar = async (customer: string) => (await invoicesOf(stripe, { customer })).map((one) => calendarLine(one));
  expect(await calendar(now)).toEqual([
    ...['2027-01-31 create EUR 108.00 paid', '2027-02-28 cycle EUR 48.00 paid', '2027-03-31 cycle EUR 48.00 paid'],
  ]);
  expect(await calendar(later)).toEqual(['2027-02-15 create EUR 30.00 paid', '2027-03-15 cycle EUR 10.00 paid']);
  expect((await stripe.quotes.list({ status: 'accepted' })).data.map(({ id }) => id).sort()).toEqual([dated.id, revision.id].sort());
});
