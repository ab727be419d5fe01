import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { instant } from '../../domain/time.ts';
import { pauseSubscription, reactivateSubscription } from '../support/pause.ts';
import { invoicesOf, newCustomer, newPrice, withoutIds } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, newClock } from '../support/test-clock.ts';

let stack: Stack;
let stripe: Stripe;
let price: string;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
  price = await newPrice(stripe, 3100);
});
afterAll(() => stack?.stop());

/** A customer on a clock of its own, taxed, with a subscription of two seats that began on the 31st. */
async function begin(at = '2025-01-31T10:00:00Z') {
  const clock = await newClock(stripe, at);
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  const rate = await stripe.taxRates.create({ display_name: 'VAT', percentage: 19, inclusive: false });
  const subscription = await stripe.subscriptions.create({ customer, items: [{ price, quantity: 2 }], default_tax_rates: [rate.id] });
  return { clock: clock.id, customer, subscription: subscription.id, item: subscription.items.data[0]!.id };
}

type Preview = Stripe.Invoice & { preview_token: string; upcoming?: Stripe.ApiList<Stripe.Invoice> };
const preview = async (params: object): Promise<Preview> =>
  (await stripe.invoices.createPreview(params as Stripe.InvoiceCreatePreviewParams)) as unknown as Preview;
const update = (id: string, params: object): Promise<Stripe.Subscription> =>
  stripe.subscriptions.update(id, params as Stripe.SubscriptionUpdateParams);
const lastInvoice = async (customer: string): Promise<Stripe.Invoice> => (await invoicesOf(stripe, { customer })).at(-1)!;
const refusal = { statusCode: 400, code: 'preview_outdated', param: 'preview_token' };

test('a year foreseen, with a change and an end in it, is the year that comes', { timeout: 120_000 }, async () => {
  const { clock, customer, subscription, item } = await begin();
  await advanceTo(stripe, clock, '2025-02-10T12:00:00Z');
  const details = { items: [{ id: item, quantity: 5 }], cancel_at: instant('2025-12-10T00:00:00Z') };
  const shown = await preview({ subscription, subscription_details: details, periods: 36 });
  const foreseen = shown.upcoming!.data;
  expect(foreseen.length).toBe(10);
  await update(subscription, { ...details, preview_token: shown.preview_token });
  await advanceTo(stripe, clock, '2026-02-01T00:00:00Z');
  const billed = (await invoicesOf(stripe, { customer })).slice(1);
  expect(billed.map(withoutIds)).toEqual(foreseen.map(withoutIds));
  expect((await stripe.subscriptions.retrieve(subscription)).status).toBe('canceled');
});

test('a preview is applied as it was shown within its hour, and not after', { timeout: 120_000 }, async () => {
  const { clock, customer, subscription, item } = await begin();
  const upgrade = { items: [{ id: item, quantity: 7 }], proration_behavior: 'always_invoice' };
  await advanceTo(stripe, clock, '2025-02-10T12:00:00Z');
  const shown = await preview({ subscription, subscription_details: upgrade });
  await advanceTo(stripe, clock, '2025-02-10T12:50:00Z');
  expect((await preview({ subscription, subscription_details: upgrade })).total).not.toBe(shown.total);
  await update(subscription, { ...upgrade, preview_token: shown.preview_token });
  const invoice = await lastInvoice(customer);
  expect(withoutIds(invoice)).toEqual(withoutIds(shown));
  expect(invoice).toMatchObject({ status: 'paid', created: instant('2025-02-10T12:50:00Z') });

  const downgrade = { ...upgrade, items: [{ id: item, quantity: 1 }] };
  const old = await preview({ subscription, subscription_details: downgrade });
  await advanceTo(stripe, clock, '2025-02-10T13:51:00Z');
  await expect(update(subscription, { ...downgrade, preview_token: old.preview_token })).rejects.toMatchObject(refusal);
  expect((await stripe.subscriptions.retrieve(subscription)).items.data[0]!.quantity).toBe(7);
});

test('of two previews that are applied at once, one holds', { timeout: 120_000 }, async () => {
  const { customer, subscription, item } = await begin();
  const seats = (quantity: number) => ({ items: [{ id: item, quantity }], proration_behavior: 'always_invoice' });
  const wishes = [3, 4, 5, 6].map(seats);
  const shown = await Promise.all(wishes.map((wish) => preview({ subscription, subscription_details: wish })));
  const outcomes = await Promise.allSettled(
    wishes.map((wish, index) => update(subscription, { ...wish, preview_token: shown[index]!.preview_token })),
  );
  const won = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
  expect(won).toHaveLength(1);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ ...refusal, message: /changed or renewed/ });
  }
  const { latest_invoice: made } = await stripe.subscriptions.retrieve(subscription, { expand: ['latest_invoice'] });
  expect(withoutIds(made as Stripe.Invoice)).toEqual(withoutIds(shown[won[0]!]!));
  expect(await invoicesOf(stripe, { customer })).toHaveLength(2);
});

test('a sign-up, a goodbye, a coming back and a pause, each as previewed', { timeout: 120_000 }, async () => {
  const clock = await newClock(stripe, '2024-02-29T23:30:00Z');
  const wish = { items: [{ price, quantity: 3 }], billing_cycle_anchor: instant('2024-03-20T23:30:00Z') };
  const shown = await preview({ customer_details: {}, subscription_details: wish }).catch((error: unknown) => error);
  // Somebody who is no customer yet lives in real time, where that anchor is long gone.
  expect(shown).toMatchObject({ statusCode: 400 });
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  const offer = await preview({ customer, subscription_details: wish });
  await advanceTo(stripe, clock.id, '2024-02-29T23:59:59Z');
  const params = { customer, ...wish, preview_token: offer.preview_token } as Stripe.SubscriptionCreateParams;
  const subscription = await stripe.subscriptions.create(params);
  expect(subscription).toMatchObject({ status: 'active', start_date: instant('2024-02-29T23:30:00Z') });
  expect(withoutIds(await lastInvoice(customer))).toEqual(withoutIds(offer));

  await advanceTo(stripe, clock.id, '2024-03-10T00:00:00Z');
  const goodbye = await preview({ subscription: subscription.id, subscription_details: { cancel_now: true } });
  await advanceTo(stripe, clock.id, '2024-03-10T00:30:00Z');
  const bye = { prorate: true, invoice_now: true, preview_token: goodbye.preview_token } as Stripe.SubscriptionCancelParams;
  expect(await stripe.subscriptions.cancel(subscription.id, bye)).toMatchObject({ ended_at: instant('2024-03-10T00:00:00Z') });
  expect(withoutIds(await lastInvoice(customer))).toEqual(withoutIds(goodbye));

  const back = await preview({ subscription: subscription.id, subscription_details: { reactivate_at: 'now' } });
  await advanceTo(stripe, clock.id, '2024-03-10T00:45:00Z');
  const again = { preview_token: back.preview_token };
  expect(await reactivateSubscription(stripe, subscription.id, {}, again)).toMatchObject({ status: 'active' });
  expect(withoutIds(await lastInvoice(customer))).toEqual(withoutIds(back));

  const how = { resumes_at: instant('2024-04-01T00:00:00Z'), billing_cycle_anchor: 'unchanged', proration_behavior: 'always_invoice' };
  const rest = await preview({ subscription: subscription.id, subscription_details: { pause_at: 'now', ...how }, periods: 1 });
  await advanceTo(stripe, clock.id, '2024-03-10T01:00:00Z');
  await expect(
    pauseSubscription(stripe, subscription.id, { unused_time: 'extend', preview_token: rest.preview_token }),
  ).rejects.toMatchObject(refusal);
  const paused = await pauseSubscription(stripe, subscription.id, { ...how, preview_token: rest.preview_token });
  expect(paused).toMatchObject({ status: 'paused', pause: { starts_at: instant('2024-03-10T00:45:00Z') } });
  const [given, resumed] = rest.upcoming!.data;
  expect(withoutIds(await lastInvoice(customer))).toEqual(withoutIds(given!));
  await advanceTo(stripe, clock.id, '2024-04-01T01:00:00Z');
  expect(withoutIds(await lastInvoice(customer))).toEqual(withoutIds(resumed!));
});

test('a paid trial foreseen, and applied after its reminder was sent', { timeout: 120_000 }, async () => {
  const clock = await newClock(stripe, '2024-01-17T08:00:00Z');
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  const setup = await stripe.prices.create({ currency: 'eur', unit_amount: 900, product_data: { name: 'Set-up' } });
  const wish = { items: [{ price, quantity: 2 }], trial_period_days: 14, add_invoice_items: [{ price: setup.id }] };
  const shown = await preview({ customer, subscription_details: wish, periods: 3 });
  const params = { customer, ...wish, preview_token: shown.preview_token } as Stripe.SubscriptionCreateParams;
  const { id, items } = await stripe.subscriptions.create(params);
  await advanceTo(stripe, clock.id, '2024-01-28T07:59:30Z');
  const end = { trial_end: 'now', items: [{ id: items.data[0]!.id, quantity: 3 }] };
  const early = await preview({ subscription: id, subscription_details: end });
  const later = { items: [{ id: items.data[0]!.id, quantity: 4 }] };
  const waiting = await preview({ subscription: id, subscription_details: later, periods: 2 });
  await advanceTo(stripe, clock.id, '2024-01-28T08:01:00Z');
  expect((await stripe.events.list({ type: 'customer.subscription.trial_will_end' })).data).not.toEqual([]);
  await update(id, { ...later, preview_token: waiting.preview_token });
  await expect(update(id, { ...end, preview_token: early.preview_token })).rejects.toMatchObject(refusal);
  await advanceTo(stripe, clock.id, '2024-04-01T00:00:00Z');
  const billed = await invoicesOf(stripe, { customer });
  expect(withoutIds(billed[0]!)).toEqual(withoutIds(shown));
  expect(billed.slice(1, 3).map(withoutIds)).toEqual(waiting.upcoming!.data.map(withoutIds));
  expect(billed.map(({ total }) => total)).toEqual([900, 12_400, 12_400, 12_400]);
  expect(shown.upcoming!.data.map(({ total }) => total)).toEqual([900, 6200, 6200, 6200]);
});

test('a paid invoice recomputed once its customer turned out to be exempt', { timeout: 120_000 }, async () => {
  const { customer } = await begin();
  const paid = await lastInvoice(customer);
  await stripe.customers.update(customer, { tax_exempt: 'reverse' });
  const answer = (await stripe.rawRequest('POST', `/v1/invoices/${paid.id}/recompute`)) as unknown as {
    difference: number;
    credit_note: Stripe.CreditNote;
  };
  expect(answer).toMatchObject({ difference: -1178, credit_note: { amount: 1178, type: 'post_payment', post_payment_amount: 1178 } });
  expect(await stripe.invoices.retrieve(paid.id!)).toMatchObject({ total: 7378, post_payment_credit_notes_amount: 0 });
});
