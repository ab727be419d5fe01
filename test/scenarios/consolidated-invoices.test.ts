import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { updateAccount } from '../../db/accounts.ts';
import { withAccount } from '../../db/client.ts';
import { instant } from '../../domain/time.ts';
import { fakeTaxCalculator } from '../../gateways/tax/fake-external.ts';
import { stateQuery } from '../../workflows/messages.ts';
import { calendarLine, invoicesOf, newCustomer, newPrice, statusOf, useCard } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, newClock } from '../support/test-clock.ts';

const engine = fakeTaxCalculator();
let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack({ taxCalculators: [engine] });
  stripe = stack.stripe;
});
afterAll(() => stack?.stop());

/** Ours beyond Stripe's. */
type Consolidated = Stripe.Invoice & { consolidated_subscriptions: string[] };

test('two monthly subscriptions and a yearly one share an invoice, its failure, its recovery and its end', {
  timeout: 180_000,
}, async () => {
  const clock = (await newClock(stripe, '2027-01-15T10:00:00Z')).id;
  const wish = { test_clock: clock, consolidated_invoicing: true } as Stripe.CustomerCreateParams;
  const customer = await newCustomer(stripe, 'pm_card_visa', wish);
  expect(await stripe.customers.retrieve(customer)).toMatchObject({ consolidated_invoicing: true });
  const subscribe = async (amount: number, params: Partial<Stripe.SubscriptionCreateParams> & { interval?: 'year' } = {}) => {
    const { interval = 'month', ...more } = params;
    const price = await newPrice(stripe, amount, { interval });
    return (await stripe.subscriptions.create({ customer, items: [{ price }], ...more })).id;
  };
  const seats = await subscribe(1200);
  const support = await subscribe(500);
  // The same day at noon, once a year.
  const anchor = instant('2027-03-15T12:00:00Z');
  const platform = await subscribe(9900, { interval: 'year', billing_cycle_anchor: anchor, proration_behavior: 'none' });
  const all = [seats, support, platform];
  const statuses = () => Promise.all(all.map((id) => statusOf(stripe, id)));
  const lines = async () => (await invoicesOf(stripe, { customer })).map((invoice) => calendarLine(invoice)).sort();
  const latest = async () => (await invoicesOf(stripe, { customer })).at(-1) as Consolidated;
  const billed = async () =>
    (await latest()).lines.data.map(({ amount, parent }) => [parent?.subscription_item_details?.subscription, amount]);

  // It ends while the others wait for it, and does not keep them waiting for more than the window.
  const noon = { interval: 'year' as const, billing_cycle_anchor: instant('2027-02-15T12:00:00Z'), proration_behavior: 'none' as const };
  const late = await subscribe(700, noon);
  await advanceTo(stripe, clock, '2027-02-15T11:00:00Z');
  expect(await latest()).toMatchObject({ status: 'draft', total: 1700 });
  await stripe.subscriptions.cancel(late);
  await advanceTo(stripe, clock, '2027-02-15T13:00:00Z');
  expect(await lines()).toEqual(['2027-01-15 create EUR 12.00 paid', '2027-01-15 create EUR 5.00 paid', '2027-02-15 cycle EUR 17.00 paid']);
  const february = await latest();
  expect(february).toMatchObject({
    parent: null,
    number: expect.any(String),
    automatically_finalizes_at: null,
    attempt_count: 1,
    status_transitions: { finalized_at: instant('2027-02-15T13:00:00Z') },
  });
  expect([...february.consolidated_subscriptions].sort()).toEqual([seats, support].sort());
  for (const id of [seats, support]) {
    expect((await stripe.subscriptions.retrieve(id)).latest_invoice).toBe(february.id);
    expect((await invoicesOf(stripe, { subscription: id })).map((invoice) => invoice.id)).toContain(february.id);
  }
  expect(new Map((await billed()) as [string, number][])).toEqual(
    new Map([
      [seats, 1200],
      [support, 500],
    ]),
  );
  // The next one is foreseen for each on its own.
  expect((await stripe.invoices.createPreview({ subscription: seats })).total).toBe(1200);

  await useCard(stripe, customer, 'pm_card_chargeCustomerFail');
  await advanceTo(stripe, clock, '2027-03-15T11:00:00Z');
  const waiting = await latest();
  expect(waiting).toMatchObject({ status: 'draft', total: 1700, automatically_finalizes_at: instant('2027-03-15T13:00:00Z') });
  await expect(stripe.invoices.del(waiting.id)).rejects.toMatchObject({ type: 'StripeInvalidRequestError' });
  await advanceTo(stripe, clock, '2027-03-15T12:00:00Z');
  expect(await latest()).toMatchObject({ id: waiting.id, status: 'open', total: 11600, attempt_count: 1 });
  expect(await statuses()).toEqual(['past_due', 'past_due', 'past_due']);
  await advanceTo(stripe, clock, '2027-03-15T14:00:00Z');
  await useCard(stripe, customer, 'pm_card_visa');
  await advanceTo(stripe, clock, '2027-03-15T15:00:00Z');
  expect(await latest()).toMatchObject({ id: waiting.id, status: 'paid', amount_paid: 11600, attempt_count: 2 });
  expect(await statuses()).toEqual(['active', 'active', 'active']);

  // Voided, it is owed by nobody.
  await useCard(stripe, customer, 'pm_card_chargeCustomerFail');
  await advanceTo(stripe, clock, '2027-04-15T10:00:00Z');
  expect(await statuses()).toEqual(['past_due', 'past_due', 'active']);
  await stripe.invoices.voidInvoice((await latest()).id);
  expect(await statuses()).toEqual(['active', 'active', 'active']);

  // Canceling one of them leaves the other's debt to be chased.
  await advanceTo(stripe, clock, '2027-05-15T10:00:00Z');
  const may = await latest();
  expect(may).toMatchObject({ status: 'open', total: 1700 });
  await stripe.subscriptions.cancel(seats);
  await advanceTo(stripe, clock, '2027-06-10T10:00:00Z');
  expect(await stripe.invoices.retrieve(may.id)).toMatchObject({ status: 'open', attempt_count: 4 });
  expect(await statuses()).toEqual(['canceled', 'canceled', 'active']);
  expect((await stripe.subscriptions.retrieve(support)).cancellation_details?.reason).toBe('payment_failed');
  expect(await lines()).toEqual([
    '2027-01-15 create EUR 12.00 paid',
    '2027-01-15 create EUR 5.00 paid',
    '2027-02-15 cycle EUR 17.00 paid',
    '2027-03-15 cycle EUR 116.00 paid',
    '2027-04-15 cycle EUR 17.00 void',
    '2027-05-15 cycle EUR 17.00 open',
  ]);
});

test('taxed elsewhere, paid in part by prepaid credit, voided, written off, paid by the card of either, and by what is given back', {
  timeout: 180_000,
}, async () => {
  await withAccount(stack.db, stack.accountId, (t) => updateAccount(t, { taxCalculator: engine.name }));
  const clock = (await newClock(stripe, '2027-01-15T10:00:00Z')).id;
  const wish = { test_clock: clock, consolidated_invoicing: true, address: { country: 'DE' } } as Stripe.CustomerCreateParams;
  const customer = await newCustomer(stripe, 'pm_card_visa', wish);
  const [seat, helpdesk] = [await newPrice(stripe, 1200), await newPrice(stripe, 500)];
  const seats = (await stripe.subscriptions.create({ customer, items: [{ price: seat }] })).id;
  const support = (await stripe.subscriptions.create({ customer, items: [{ price: helpdesk }] })).id;
  const statuses = () => Promise.all([seats, support].map((id) => statusOf(stripe, id)));
  const latest = async () =>
    (await invoicesOf(stripe, { customer })).at(-1) as Consolidated & { total_credit_amounts: { amount: number }[] };
  const drawn = async () => (await latest()).total_credit_amounts.map(({ amount }) => amount);
  const knownTo = (id: string) => stack.client.workflow.getHandle(id).query(stateQuery);
  const chasedBy = async () => (await Promise.all([seats, support].map(knownTo))).map(({ dunning }) => dunning);
  await stripe.billing.creditGrants.create({
    customer,
    amount: { type: 'monetary', monetary: { currency: 'eur', value: 800 } },
    applicability_config: { scope: { prices: [{ id: helpdesk }] } },
  });

  // Both are asked for in one request; the credit is for one of the lines, with its tax.
  engine.down(1);
  await advanceTo(stripe, clock, '2027-02-15T10:00:00Z');
  const february = await latest();
  expect(february).toMatchObject({ status: 'paid', subtotal: 1700, total: 2023, amount_paid: 1428 });
  expect([await drawn(), engine.calls(february.id)]).toEqual([[595], 2]);

  // A new card is one try, though both subscriptions tell of it.
  await useCard(stripe, customer, 'pm_card_chargeCustomerFail');
  await advanceTo(stripe, clock, '2027-03-15T10:00:00Z');
  const march = await latest();
  expect(march).toMatchObject({ status: 'open', total: 2023, amount_remaining: 1818, attempt_count: 1 });
  expect([await statuses(), await drawn(), await chasedBy()]).toEqual([['past_due', 'past_due'], [205], [[march.id], [march.id]]]);
  await useCard(stripe, customer, 'pm_card_visa_chargeDeclinedInsufficientFunds');
  await advanceTo(stripe, clock, '2027-03-15T11:00:00Z');
  expect(await latest()).toMatchObject({ id: march.id, attempt_count: 2 });
  for (const id of [seats, support]) {
    const { data } = (await stripe.rawRequest('GET', `/v1/subscriptions/${id}/timeline?limit=100`)) as unknown as Stripe.ApiList<{
      name: string;
      invoice: string | null;
    }>;
    const told = data.filter(({ invoice }) => invoice === march.id).map(({ name }) => name);
    const twice = (name: string) => told.filter((other) => other === name).length === 2;
    expect(['start-payment', 'collect-payment', 'invoice.payment_failed'].filter(twice), told.join(', ')).toHaveLength(3);
  }
  await stripe.invoices.voidInvoice(march.id);
  expect(await statuses()).toEqual(['active', 'active']);

  // Written off, it is chased no more, and the credit that it took stays taken.
  await advanceTo(stripe, clock, '2027-04-15T10:00:00Z');
  const april = await latest();
  expect([april.status, await drawn(), await statuses()]).toEqual(['open', [205], ['past_due', 'past_due']]);
  expect(await stripe.invoices.markUncollectible(april.id)).toMatchObject({ status: 'uncollectible', amount_remaining: 1818 });
  expect(await statuses()).toEqual(['active', 'active']);

  // The dunning was begun by the last to renew; the card of the first is tried as well.
  await advanceTo(stripe, clock, '2027-05-15T10:00:00Z');
  const may = await latest();
  expect([may.amount_remaining, await drawn(), await chasedBy()]).toEqual([2023, [], [[may.id], [may.id]]]);
  const { id: own } = await stripe.paymentMethods.attach('pm_card_mastercard', { customer });
  await stripe.subscriptions.update(seats, { default_payment_method: own });
  await advanceTo(stripe, clock, '2027-05-15T11:00:00Z');
  expect(await latest()).toMatchObject({ id: may.id, status: 'paid', attempt_count: 2 });
  expect([await statuses(), await chasedBy()]).toEqual([
    ['active', 'active'],
    [[], []],
  ]);

  // What the one gives back pays all that is owed, once its taxes have come: the other hears of it.
  await stripe.subscriptions.update(seats, { default_payment_method: '' });
  const { id: coupon } = await stripe.coupons.create({ percent_off: 100, duration: 'forever' });
  await stripe.subscriptions.update(support, { discounts: [{ coupon }] });
  await advanceTo(stripe, clock, '2027-06-15T10:00:00Z');
  const june = await latest();
  expect([june.amount_remaining, await statuses()]).toEqual([1428, ['past_due', 'past_due']]);
  await stripe.subscriptions.cancel(seats, { prorate: true, invoice_now: true });
  expect(await stripe.invoices.retrieve(june.id)).toMatchObject({ status: 'paid', amount_paid: 0 });
  await advanceTo(stripe, clock, '2027-06-15T11:00:00Z');
  expect([await statuses(), (await knownTo(support)).facts.status]).toEqual([['canceled', 'active'], 'active']);
});
