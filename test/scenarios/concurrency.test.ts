import { randomBytes } from 'node:crypto';
import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { invoicesOf, newCustomer, newPrice } from '../support/scenario.ts';
import { itemOf, subscribeInThePast } from '../support/scenario-backdated.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack({ deadlineMs: 60_000 });
  stripe = stack.stripe;
});
afterAll(() => stack?.stop());

test('fifty commands at one subscription: each is applied once or refused clearly', { timeout: 180_000 }, async () => {
  const customer = await newCustomer(stripe);
  const created = await stripe.subscriptions.create({ customer, items: [{ price: await newPrice(stripe, 1000) }] });
  const item = created.items.data[0]?.id ?? '';
  const quantities = Array.from({ length: 50 }, (_, index) => index + 2);
  const outcomes = await Promise.all(
    quantities.map((quantity) =>
      stripe.subscriptions
        .update(created.id, { items: [{ id: item, quantity }], proration_behavior: 'always_invoice' }, { idempotencyKey: `to-${quantity}` })
        .then(() => ({ quantity, error: null }))
        .catch((error: Stripe.errors.StripeError) => ({ quantity, error })),
    ),
  );
  const refused = outcomes.flatMap(({ error }) => (error ? [{ status: error.statusCode, code: error.code }] : []));
  for (const refusal of refused) expect(refusal.status, JSON.stringify(refusal)).toBeOneOf([400, 402, 409, 429, 503]);
  const applied = outcomes.filter(({ error }) => error === null).map(({ quantity }) => quantity);
  expect(applied.length).toBeGreaterThan(0);

  // Sending every command again applies nothing a second time: the same keys, the first answers.
  const invoicesBefore = await invoicesOf(stripe, { customer });
  for (const quantity of applied.slice(0, 5)) {
    await stripe.subscriptions.update(
      created.id,
      { items: [{ id: item, quantity }], proration_behavior: 'always_invoice' },
      { idempotencyKey: `to-${quantity}` },
    );
  }
  const invoices = await invoicesOf(stripe, { customer });
  expect(invoices).toHaveLength(invoicesBefore.length);

  // Every change moved from the quantity before it to its own: the charges' quantities are the applied commands, each once.
  const charged = invoices.flatMap((invoice) => invoice.lines.data.filter(({ amount }) => amount > 0).map(({ quantity }) => quantity));
  const changed = charged.slice(1);
  expect(new Set(changed).size).toBe(changed.length);
  const balance = ((await stripe.customers.retrieve(customer)) as Stripe.Customer).balance;
  const billed = invoices.reduce((sum, { total }) => sum + total, 0);
  const paid = invoices.reduce((sum, { amount_paid }) => sum + amount_paid, 0);
  expect(billed, 'what was billed is what was paid, less what is left as credit').toBe(paid + balance);
  for (const { id, amount_paid } of invoices) {
    const captures = (await stack.sandbox.capturesOf(id ?? '')).map(({ amount }) => amount);
    expect(captures).toEqual(amount_paid > 0 ? [amount_paid] : []);
  }
});

test('an update that races the boundary belongs to one period or the other, never to both or none', { timeout: 120_000 }, async () => {
  const { activities, client, taskQueue, accountId } = stack;
  const priceId = await newPrice(stripe, 700, { interval: 'week' });
  const boundary = Math.floor(Date.now() / 1000) + 3;
  const startedAt = boundary - 7 * 86_400;
  const ids = Array.from({ length: 6 }, () => `sub_${randomBytes(8).toString('hex')}`);
  const customers = new Map<string, string>();
  for (const subscriptionId of ids) {
    const customerId = await newCustomer(stripe);
    customers.set(subscriptionId, customerId);
    await subscribeInThePast({ activities, client, taskQueue }, { accountId, subscriptionId, customerId, priceId, startedAt });
  }
  // Commands spread over the second before and after the boundary.
  const updates = ids.map(async (id, index) => {
    const wait = boundary * 1000 - Date.now() + (index - 2.5) * 40;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, wait)));
    return stripe.subscriptions.update(id, { items: [{ id: itemOf(id), quantity: 5 }], proration_behavior: 'always_invoice' });
  });
  for (const updated of await Promise.all(updates)) expect(updated.items.data[0]?.quantity).toBe(5);

  for (const id of ids) {
    await vi.waitFor(async () => expect((await stripe.subscriptions.retrieve(id)).items.data[0]?.current_period_start).toBe(boundary), {
      timeout: 30_000,
      interval: 100,
    });
    await vi.waitFor(
      async () => {
        const invoices = await invoicesOf(stripe, { customer: customers.get(id) ?? '' });
        expect(invoices.every(({ status }) => status === 'paid')).toBe(true);
        // From the boundary on five seats are billed for the whole period, whichever came first.
        const ofPeriod = invoices.flatMap(({ lines }) => lines.data).filter(({ period }) => period.end > boundary);
        const netted = ofPeriod.reduce((sum, { amount }) => sum + amount, 0);
        expect(netted).toBeGreaterThanOrEqual(3499);
        expect(netted).toBeLessThanOrEqual(3501);
        expect(invoices.filter(({ billing_reason }) => billing_reason === 'subscription_cycle')).toHaveLength(1);
      },
      { timeout: 30_000, interval: 200 },
    );
  }
});
