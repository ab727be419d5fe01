import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { invoicesOf, newCustomer, newPrice, statusOf, useCard } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
});
afterAll(() => stack?.stop());

const captured = async (invoiceId: string): Promise<number[]> => (await stack.sandbox.capturesOf(invoiceId)).map(({ amount }) => amount);

test('a customer with a card subscribes: active, the first invoice paid in the same call', async () => {
  const customer = await newCustomer(stripe);
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price: await newPrice(stripe, 2000), quantity: 3 }],
    expand: ['latest_invoice'],
  });
  expect(subscription.status).toBe('active');
  const invoice = subscription.latest_invoice as Stripe.Invoice;
  expect(invoice).toMatchObject({
    status: 'paid',
    total: 6000,
    amount_paid: 6000,
    amount_remaining: 0,
    billing_reason: 'subscription_create',
  });
  expect(invoice.number).toMatch(/^TEST-\d{4}$/);
  expect(await captured(invoice.id ?? '')).toEqual([6000]);
  const types = (await stripe.events.list({ limit: 50 })).data.map(({ type }) => type);
  for (const type of ['customer.subscription.created', 'invoice.created', 'invoice.finalized', 'invoice.paid'])
    expect(types).toContain(type);
});

test('the card is declined: incomplete; another card pays the invoice: active', async () => {
  const customer = await newCustomer(stripe, 'pm_card_chargeCustomerFail');
  const subscription = await stripe.subscriptions.create({ customer, items: [{ price: await newPrice(stripe, 1500) }] });
  expect(subscription.status).toBe('incomplete');
  const [invoice] = await invoicesOf(stripe, { customer });
  expect(invoice).toMatchObject({ status: 'open', attempted: true, attempt_count: 1 });

  const card = await useCard(stripe, customer, 'pm_card_visa');
  expect(await stripe.invoices.pay(invoice?.id ?? '', { payment_method: card })).toMatchObject({ status: 'paid' });
  await vi.waitFor(async () => expect(await statusOf(stripe, subscription.id)).toBe('active'), { timeout: 10_000 });
  expect(await captured(invoice?.id ?? '')).toEqual([1500]);
});

test('error_if_incomplete: the decline is the answer, with its code, and nothing is owed', async () => {
  const customer = await newCustomer(stripe, 'pm_card_chargeCustomerFail');
  const create = stripe.subscriptions.create({
    customer,
    items: [{ price: await newPrice(stripe, 1500) }],
    payment_behavior: 'error_if_incomplete',
  });
  await expect(create).rejects.toMatchObject({ statusCode: 402, type: 'StripeCardError' });
  const open = (await invoicesOf(stripe, { customer })).filter(({ status }) => status === 'open');
  expect(open).toEqual([]);
});

test('default_incomplete: nothing is charged until the customer pays', async () => {
  const customer = await newCustomer(stripe);
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price: await newPrice(stripe, 1500) }],
    payment_behavior: 'default_incomplete',
    expand: ['latest_invoice'],
  });
  const invoice = subscription.latest_invoice as Stripe.Invoice;
  expect([subscription.status, invoice.status, invoice.attempt_count]).toEqual(['incomplete', 'open', 0]);
  await stripe.invoices.pay(invoice.id ?? '');
  await vi.waitFor(async () => expect(await statusOf(stripe, subscription.id)).toBe('active'), { timeout: 10_000 });
});

test('the same Idempotency-Key twice: one subscription, the same answer', async () => {
  const customer = await newCustomer(stripe);
  const params = { customer, items: [{ price: await newPrice(stripe, 1500) }] };
  const [first, second] = await Promise.all(
    [1, 2].map(() => stripe.subscriptions.create(params, { idempotencyKey: 'once-only' }).catch((error: Error) => error)),
  );
  const again = await stripe.subscriptions.create(params, { idempotencyKey: 'once-only' });
  const ids = [first, second].flatMap((answer) => (answer instanceof Error ? [] : [answer?.id]));
  expect(new Set([...ids, again.id]).size).toBe(1);
  expect((await stripe.subscriptions.list({ customer })).data).toHaveLength(1);
});

test.each(['timeout_after_capture', 'error_after_capture', 'timeout_before_capture'] as const)('%s: paid once', async (fault) => {
  const customer = await newCustomer(stripe);
  const price = await newPrice(stripe, 4200);
  await stack.sandbox.arm(fault, { accountId: stack.accountId });
  const subscription = await stripe.subscriptions.create({ customer, items: [{ price }] });
  await vi.waitFor(async () => expect(await statusOf(stripe, subscription.id)).toBe('active'), { timeout: 30_000, interval: 100 });
  const [invoice] = await invoicesOf(stripe, { customer });
  expect(invoice).toMatchObject({ status: 'paid', amount_paid: 4200 });
  expect(await captured(invoice?.id ?? '')).toEqual([4200]);
});
