import Stripe from 'stripe';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Stack, startStack } from '../support/stack.ts';

const DEADLINE_MS = 500;
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ worker: 'none', deadlineMs: DEADLINE_MS });
});
afterAll(() => stack.stop());

it('answers within its deadline when no worker runs, and the same key asks for the same thing', async () => {
  const { stripe } = stack;
  const customer = await stripe.customers.create({
    name: 'Ada',
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  });
  const price = await stripe.prices.create({
    currency: 'eur',
    unit_amount: 1200,
    recurring: { interval: 'month' },
    product_data: { name: 'Seat' },
  });
  const unanswered: string[] = [];
  for (let n = 0; n < 2; n += 1) {
    const started = performance.now();
    const error = await stripe.subscriptions
      .create({ customer: customer.id, items: [{ price: price.id }] }, { idempotencyKey: 'one' })
      .catch((reason: unknown) => reason);
    expect(performance.now() - started).toBeLessThan(DEADLINE_MS + 3_000);
    if (!(error instanceof Stripe.errors.StripeError)) throw error;
    expect(error).toMatchObject({ statusCode: 503, rawType: 'api_error', code: 'not_confirmed_in_time', headers: { 'retry-after': '2' } });
    unanswered.push(error.message);
  }
  expect(unanswered).toHaveLength(2);
  const started: string[] = [];
  for await (const { workflowId } of stack.client.workflow.list({ query: `TaskQueue = '${stack.taskQueue}'` })) started.push(workflowId);
  expect(started.length).toBeLessThanOrEqual(1);
});

it('makes the price of a request that is sent again once', async () => {
  const { stripe } = stack;
  const customer = await stripe.customers.create({ name: 'Ben' });
  const product = (await stripe.products.create({ name: 'Desk' })).id;
  const items = [{ price_data: { currency: 'eur', product, unit_amount: 700, recurring: { interval: 'month' } } }] as const;
  for (let n = 0; n < 2; n += 1) {
    const asked = stripe.subscriptions.create({ customer: customer.id, items: [...items] }, { idempotencyKey: 'two' });
    await expect(asked).rejects.toMatchObject({ statusCode: 503 });
  }
  const { data } = await stripe.prices.list({ product });
  expect(data).toMatchObject([{ active: false, unit_amount: 700 }]);
  expect(
    (await stripe.events.list({ type: 'price.created' })).data.filter((event) => (event.data.object as Stripe.Price).product === product),
  ).toHaveLength(1);
});
