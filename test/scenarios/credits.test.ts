import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { withAccount } from '../../db/client.ts';
import { readLedgerBalances } from '../../db/journal.ts';
import { instant } from '../../domain/time.ts';
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

type WithCredits = Stripe.Invoice & { total_credit_amounts: { amount: number; credit_grant: string; invoice_line_item: string }[] };
const drawnBy = (invoice: Stripe.Invoice | undefined): [grant: string, amount: number][] =>
  (invoice as WithCredits | undefined)?.total_credit_amounts.map(({ credit_grant, amount }) => [credit_grant, amount]) ?? [];

test('credit pays a part of what was used, expires, and comes back from a voided invoice', { timeout: 240_000 }, async () => {
  const clock = (await newClock(stripe, '2027-01-01T00:00:00Z')).id;
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock });
  const meter = await stripe.billing.meters.create({ display_name: 'Calls', event_name: 'calls', default_aggregation: { formula: 'sum' } });
  const product = (await stripe.products.create({ name: 'Calls' })).id;
  const recurring = { interval: 'month', usage_type: 'metered', meter: meter.id } as const;
  const calls = await stripe.prices.create({ product, currency: 'eur', unit_amount: 2, recurring });
  const base = await newPrice(stripe, 5000, { name: 'Platform' });
  const use = (value: number) =>
    stripe.billing.meterEvents.create({ event_name: 'calls', payload: { stripe_customer_id: customer, value: String(value) } });
  const grant = (value: number, more: Partial<Stripe.Billing.CreditGrantCreateParams> = {}) =>
    stripe.billing.creditGrants.create({
      customer,
      amount: { type: 'monetary', monetary: { currency: 'eur', value } },
      applicability_config: { scope: { price_type: 'metered' } },
      ...more,
    });
  const left = async () => {
    const filter = { type: 'applicability_scope', applicability_scope: { price_type: 'metered' } } as const;
    const { balances } = await stripe.billing.creditBalanceSummaries.retrieve({ customer, filter });
    return balances.map(({ available_balance: { monetary } }) => monetary?.value);
  };

  const pack = await grant(3000, { name: 'Pack' });
  const welcome = await grant(500, { category: 'promotional', expires_at: instant('2027-03-15T00:00:00Z') });
  const brief = await grant(700, { expires_at: instant('2027-01-20T00:00:00Z'), priority: 0, metadata: { campaign: 'winter' } });
  expect(brief).toMatchObject({ category: 'paid', priority: 0, test_clock: clock, metadata: { campaign: 'winter' }, voided_at: null });
  expect(await left()).toEqual([4200]);
  const subscription = await stripe.subscriptions.create({ customer, items: [{ price: base }, { price: calls.id }] });
  expect(drawnBy((await invoicesOf(stripe, { customer }))[0])).toEqual([]);

  // January: 1000 calls. What is for January alone has expired unused; what was given away goes first.
  await advanceTo(stripe, clock, '2027-01-31T00:00:00Z');
  await use(1000);
  expect(await left()).toEqual([3500]);
  const soon = await stripe.invoices.createPreview({ subscription: subscription.id });
  await advanceTo(stripe, clock, '2027-02-02T00:00:00Z');
  const [, january] = await invoicesOf(stripe, { customer });
  expect(january).toMatchObject({ status: 'paid', total: 7000, amount_due: 5000, amount_paid: 5000, total_pretax_credit_amounts: [] });
  expect(drawnBy(january)).toEqual([
    [welcome.id, 500],
    [pack.id, 1500],
  ]);
  expect(soon).toMatchObject({ total: 7000, amount_due: 5000 });
  expect(drawnBy(soon)).toEqual(drawnBy(january));
  expect(await left()).toEqual([1500]);

  // February: the card declines, so that the invoice stays open, and it is voided: the credit is there again.
  const declining = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: declining.id } });
  await use(500);
  await advanceTo(stripe, clock, '2027-03-02T00:00:00Z');
  const [, , february] = await invoicesOf(stripe, { customer });
  expect(february).toMatchObject({ status: 'open', total: 6000, amount_due: 5000 });
  expect([drawnBy(february), await left()]).toEqual([[[pack.id, 1000]], [500]]);
  await stripe.invoices.voidInvoice(february?.id ?? '');
  expect(await left()).toEqual([1500]);

  const { data: moves } = await stripe.billing.creditBalanceTransactions.list({ customer, expand: ['data.credit_grant'] });
  expect(
    moves.map(({ credit, debit, credit_grant: of }) => [
      (credit ?? debit)?.type,
      (credit ?? debit)?.amount.monetary?.value,
      (of as Stripe.Billing.CreditGrant).name,
    ]),
  ).toEqual([
    ['credits_application_invoice_voided', 1000, 'Pack'],
    ['credits_applied', 1000, 'Pack'],
    ['credits_applied', 1500, 'Pack'],
    ['credits_applied', 500, null],
    ['credits_expired', 700, null],
    ['credits_granted', 700, null],
    ['credits_granted', 500, null],
    ['credits_granted', 3000, 'Pack'],
  ]);
  expect(moves[0]?.credit?.credits_application_invoice_voided).toMatchObject({ invoice: february?.id });
  expect(await stripe.billing.creditBalanceTransactions.retrieve(moves[1]?.id ?? '')).toMatchObject({
    debit: { credits_applied: { invoice: february?.id } },
  });

  // The rest is taken back or expires by hand; a repeated request does nothing twice.
  await expect(stripe.billing.creditGrants.voidGrant(welcome.id)).rejects.toMatchObject({ code: 'status_transition_invalid' });
  const later = await grant(900);
  expect(await stripe.billing.creditGrants.voidGrant(later.id)).toMatchObject({ voided_at: instant('2027-03-02T00:00:00Z') });
  await stripe.billing.creditGrants.update(pack.id, { expires_at: instant('2027-12-01T00:00:00Z'), metadata: { note: 'moved' } });
  const [once, again] = [
    await stripe.billing.creditGrants.expire(pack.id, {}, { idempotencyKey: 'end' }),
    await stripe.billing.creditGrants.expire(pack.id, {}, { idempotencyKey: 'end' }),
  ];
  expect(again).toEqual(once);
  expect(once).toMatchObject({ expires_at: instant('2027-03-02T00:00:00Z'), metadata: { note: 'moved' } });
  expect(await left()).toEqual([0]);
  const listed = (await stripe.billing.creditGrants.list({ customer })).data.map(({ id }) => id);
  expect(listed.sort()).toEqual([later.id, brief.id, welcome.id, pack.id].sort());

  const told = await stripe.events.list({ types: ['billing.credit_grant.created', 'billing.credit_grant.updated'], limit: 20 });
  expect(told.data.map(({ type }) => type.split('.').at(-1)).reverse()).toEqual([
    'created',
    'created',
    'created',
    'created',
    'updated',
    'updated',
    'updated',
  ]);
  const timeline = (await stripe.rawRequest('GET', `/v1/subscriptions/${subscription.id}/timeline?limit=100`)) as unknown as {
    data: { sentence: string }[];
  };
  expect(timeline.data.map(({ sentence }) => sentence)).toContain(`EUR 15.00 of prepaid credit was applied to the invoice (${pack.id}).`);

  // 3000 and 700 were bought: 1500 paid for usage, and 700 and 1500 were never used.
  const books = await withAccount(stack.db, stack.accountId, readLedgerBalances);
  const stands = (account: string) => books.find(({ ledgerAccount }) => ledgerAccount === account)?.amount ?? 0;
  expect(['prepaid_credits', 'promotional_credits', 'revenue'].map(stands)).toEqual([0, 500, -2200]);
  expect(books.reduce((sum, { amount }) => sum + Number(amount), 0)).toBe(0);
});

test('a plan gives credit for each month; what is left is carried over once, up to a cap', { timeout: 240_000 }, async () => {
  const clock = (await newClock(stripe, '2027-01-31T00:00:00Z')).id;
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock });
  const meter = await stripe.billing.meters.create({ display_name: 'Chats', event_name: 'chats', default_aggregation: { formula: 'sum' } });
  const recurring = { interval: 'month', usage_type: 'metered', meter: meter.id } as const;
  const chats = await newPrice(stripe, 10, { name: 'Chats', recurring });
  const credit_grant = {
    name: 'Included chats',
    amount: { type: 'monetary', monetary: { currency: 'eur', value: 1000 } },
    applicability_config: { scope: { price_type: 'metered' } },
    rollover: { max_amount: 300, max_periods: 1 },
  };
  const plan = await newPrice(stripe, 2000, { name: 'Plan', ...({ credit_grant } as Partial<Stripe.PriceCreateParams>) });
  expect(await stripe.prices.retrieve(plan)).toMatchObject({
    credit_grant: { category: 'promotional', priority: 50, rollover: { percent: '100', max_amount: 300, max_periods: 1 } },
  });
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: plan }, { price: chats }] });
  const use = (value: number) =>
    stripe.billing.meterEvents.create({ event_name: 'chats', payload: { stripe_customer_id: customer, value: String(value) } });
  const grants = async () =>
    (await stripe.billing.creditGrants.list({ customer })).data
      .sort((a, b) => (a.effective_at ?? 0) - (b.effective_at ?? 0))
      .map((grant) => {
        const { remaining } = grant as unknown as { remaining: Stripe.Billing.CreditGrant.Amount };
        return [remaining.monetary?.value, new Date((grant.expires_at ?? 0) * 1000).toISOString().slice(0, 10)];
      });
  expect(await grants()).toEqual([[1000, '2027-02-28']]);

  await advanceTo(stripe, clock, '2027-02-10T00:00:00Z');
  await use(50);
  await advanceTo(stripe, clock, '2027-03-01T00:00:00Z');
  const [, february] = await invoicesOf(stripe, { customer });
  expect(february).toMatchObject({ total: 2500, amount_due: 2000, status: 'paid' });
  // Of the 500 that are left, 300 go on.
  expect(await grants()).toEqual([
    [300, '2027-03-31'],
    [1000, '2027-03-31'],
  ]);
  await use(35);
  const soon = await stripe.invoices.createPreview({ subscription: id });
  await advanceTo(stripe, clock, '2027-04-01T00:00:00Z');
  const [, , march] = await invoicesOf(stripe, { customer });
  expect(march).toMatchObject({ total: 2350, amount_due: 2000 });
  expect(drawnBy(soon)).toEqual(drawnBy(march));
  expect(drawnBy(march).map(([, amount]) => amount)).toEqual([300, 50]);
  expect(await grants()).toEqual([
    [0, '2027-03-31'],
    [300, '2027-04-30'],
    [1000, '2027-04-30'],
  ]);
  const { data: events } = await stripe.events.list({ type: 'billing.credit_grant.updated', limit: 3 });
  expect(events[0]?.data.object).toMatchObject({ recurring: { subscription: id, price: plan, periods_rolled_over: 1 } });
  const { data: moves } = await stripe.billing.creditBalanceTransactions.list({ customer });
  expect(moves.filter(({ debit }) => debit?.type === 'credits_expired').map(({ debit }) => debit?.amount.monetary?.value)).toEqual([
    650, 200,
  ]);
});

test('credit is bought when little is left; what is declined stops it until there is a card that pays', { timeout: 240_000 }, async () => {
  const clock = (await newClock(stripe, '2027-01-01T00:00:00Z')).id;
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock });
  const meter = await stripe.billing.meters.create({ display_name: 'Texts', event_name: 'texts', default_aggregation: { formula: 'sum' } });
  const texts = await newPrice(stripe, 10, { name: 'Texts', recurring: { interval: 'month', usage_type: 'metered', meter: meter.id } });
  const use = (value: number) =>
    stripe.billing.meterEvents.create({ event_name: 'texts', payload: { stripe_customer_id: customer, value: String(value) } });
  const amount = (value: number) => ({ type: 'monetary', monetary: { currency: 'eur', value } });
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: texts }] });
  type TopUp = { id: string; status: string; latest_invoice: string };
  const ask = async (method: 'GET' | 'POST', path: string, params: Record<string, unknown> = {}): Promise<TopUp> =>
    (await stripe.rawRequest(method, `/v1/billing/credit_top_ups${path}`, params)) as unknown as TopUp;
  const left = async () =>
    (await stripe.billing.creditGrants.list({ customer })).data
      .map((grant) => (grant as unknown as { remaining: Stripe.Billing.CreditGrant.Amount }).remaining.monetary?.value)
      .reverse();
  const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 100 });

  // Nothing is there, which is less than the threshold: the first pack is bought at once.
  const made = await ask('POST', '', {
    ...{ customer, name: 'Pack of 20', threshold: amount(500), amount: amount(2000) },
    ...{ applicability_config: { scope: { price_type: 'metered' } }, max_per_month: 3 },
  });
  await eventually(async () => expect(await left()).toEqual([2000]));
  const topUp = await ask('GET', `/${made.id}`);
  expect(topUp).toMatchObject({ object: 'billing.credit_top_up', status: 'active', test_clock: clock, max_per_month: 3 });
  expect(await stripe.invoices.retrieve(topUp.latest_invoice)).toMatchObject({
    ...{ status: 'paid', total: 2000, amount_paid: 2000, billing_reason: 'manual' },
    lines: { data: [{ description: 'Pack of 20', amount: 2000 }] },
  });

  // EUR 16.00 are used, and the period is far from over: what will be drawn counts.
  await advanceTo(stripe, clock, '2027-01-20T00:00:00Z');
  await use(160);
  await eventually(async () => expect(await left()).toEqual([2000, 2000]));
  await advanceTo(stripe, clock, '2027-02-02T00:00:00Z');
  expect(await left()).toEqual([400, 2000]);

  const declining = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: declining.id } });
  await use(200);
  await eventually(async () => expect(await ask('GET', `/${made.id}`)).toMatchObject({ status: 'suspended' }));
  await use(10);
  await advanceTo(stripe, clock, '2027-02-20T00:00:00Z');
  expect(await left()).toEqual([400, 2000]);
  expect(await invoicesOf(stripe, { customer, status: 'open' })).toHaveLength(1);
  expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'active' });

  const { id: good } = await stripe.paymentMethods.attach('pm_card_visa', { customer });
  await ask('POST', `/${made.id}`, { payment_method: good });
  await eventually(async () => expect(await left()).toEqual([400, 2000, 2000]));
  expect(await ask('GET', `/${made.id}`)).toMatchObject({ status: 'active', payment_method: good, suspended_at: null });
  const types = ['triggered', 'succeeded', 'failed'].map((name) => `billing.credit_top_up.${name}`);
  const { data: told } = await stripe.events.list({ types, limit: 20 });
  expect(told.map(({ type }) => type.split('.').at(-1)).reverse()).toEqual([
    ...['triggered', 'succeeded', 'triggered', 'succeeded', 'triggered', 'failed', 'succeeded'],
  ]);
});
