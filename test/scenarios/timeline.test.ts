import { randomUUID } from 'node:crypto';
import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { timelineEntry } from '../../api/schemas/timeline.ts';
import type { z } from '../../api/schemas/zod.ts';
import { instant } from '../../domain/time.ts';
import { changePlanSignal } from '../../workflows/messages.ts';
import { newCustomer, newPrice, useCard } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, changesOf, newClock } from '../support/test-clock.ts';

type Entry = z.output<typeof timelineEntry>;

let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack({ temporalUi: { url: 'http://temporal.test:8233/', namespace: 'default' } });
  stripe = stack.stripe;
});
afterAll(() => stack?.stop());

async function timelineOf(subscription: string, query = ''): Promise<Entry[]> {
  const all: Entry[] = [];
  for (let after = ''; ; ) {
    const page = (await stripe.rawRequest(
      'GET',
      `/v1/subscriptions/${subscription}/timeline?limit=7${query}${after}`,
    )) as unknown as Stripe.ApiList<Entry>;
    all.push(...page.data.map((entry) => timelineEntry.parse(entry)));
    if (!page.has_more) return all;
    after = `&starting_after=${page.data.at(-1)?.id}`;
  }
}

test('a life with a change, a refused command, a card that fails, and a customer who leaves', { timeout: 300_000 }, async () => {
  const clock = await newClock(stripe, '2030-01-31T10:00:00Z');
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  const price = await newPrice(stripe, 1200);
  const subscription = await stripe.subscriptions.create({ customer, items: [{ price }] });
  const item = subscription.items.data[0]?.id ?? '';
  await stripe.subscriptions.update(subscription.id, { items: [{ id: item, quantity: 2 }], proration_behavior: 'always_invoice' });
  // An operator's signal meets no dry run: what it is refused with is seen here.
  const operationId = randomUUID();
  await stack.client.workflow.getHandle(subscription.id).signal(changePlanSignal, {
    operationId,
    actor: 'operator:ada',
    items: [{ do: 'update', itemId: item, priceId: 'price_none' }],
    prorationBehavior: 'none',
    paymentBehavior: 'allow_incomplete',
  });
  await vi.waitFor(async () => expect(await timelineOf(subscription.id, '&type=refusal')).toHaveLength(1), {
    timeout: 60_000,
    interval: 200,
  });
  await useCard(stripe, customer, 'pm_card_chargeCustomerFail');
  await advanceTo(stripe, clock.id, '2030-02-28T10:00:00Z');
  await useCard(stripe, customer, 'pm_card_visa');
  await advanceTo(stripe, clock.id, '2030-03-10T10:00:00Z');
  await stripe.subscriptions.update(subscription.id, {
    cancel_at_period_end: true,
    cancellation_details: { feedback: 'too_expensive', comment: 'Too much for us.' },
  });
  await advanceTo(stripe, clock.id, '2030-04-01T10:00:00Z');

  const all = await timelineOf(subscription.id);
  const story = all.map(({ type, name }) => `${type} ${name}`);
  // Each thing that happened is there, in its order.
  const told = [
    'command create-subscription',
    'state_change customer.subscription.created',
    'state_change invoice.finalized',
    'payment start-payment',
    'payment collect-payment',
    'state_change invoice.paid',
    'command change-plan',
    'refusal change-plan',
    'decision issue-invoice',
    'notice invoice.payment_failed',
    'decision schedule-attempt',
    'payment collect-payment',
    'state_change invoice.paid',
    'command schedule-cancellation',
    'state_change customer.subscription.updated',
    'decision issue-invoice',
    'state_change customer.subscription.deleted',
  ];
  let from = 0;
  for (const step of told) {
    const at = story.indexOf(step, from);
    expect(at, `${step} after ${from} of\n${story.join('\n')}`).toBeGreaterThanOrEqual(0);
    from = at + 1;
  }
  expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).sort((a, b) => a - b));
  expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  expect(all.filter(({ actor }) => actor === null)).toEqual([]);

  const of = (type: string, name: string, nth = 0): Entry =>
    all.filter((entry) => entry.type === type && entry.name === name)[nth] as Entry;
  const created = of('command', 'create-subscription');
  expect(created).toMatchObject({
    at: instant('2030-01-31T10:00:00Z'),
    amount: 1200,
    currency: 'eur',
    actor: expect.stringMatching(/^api_key:/),
  });
  const { runId } = await stack.client.workflow.getHandle(subscription.id).describe();
  expect(created.workflow).toEqual({
    id: subscription.id,
    run_id: runId,
    url: `http://temporal.test:8233/namespaces/default/workflows/${subscription.id}/${runId}/history`,
  });
  expect(of('refusal', 'change-plan')).toMatchObject({
    actor: 'operator:ada',
    reason: { code: 'resource_missing', message: expect.stringContaining('price_none') },
    operation: operationId,
    workflow: { id: subscription.id },
    data: { parameters: { items: [{ price_id: 'price_none' }], proration_behavior: 'none' } },
  });
  const declined = all.find(({ type, reason }) => type === 'payment' && reason !== null);
  expect(declined).toMatchObject({
    reason: { code: 'generic_decline' },
    amount: 2400,
    at: instant('2030-02-28T10:00:00Z'),
    sentence: expect.stringContaining('was declined'),
    data: { payment_attempt: { number: 1, status: 'declined' } },
  });
  const recovered = all.find(({ type, actor, name }) => type === 'payment' && actor === 'dunning' && name === 'collect-payment');
  expect(recovered).toMatchObject({ workflow: { id: `dunning:${declined?.invoice}` }, reason: null, invoice: declined?.invoice });
  const late = all.find(({ data }) => (data['attributes'] as { status?: string } | undefined)?.status === 'past_due');
  expect(late).toMatchObject({ name: 'customer.subscription.updated', data: { previous_attributes: { status: 'active' } } });
  expect(late?.sentence).toContain('status active → past due');
  expect(of('state_change', 'customer.subscription.deleted')).toMatchObject({
    reason: { code: 'cancellation_requested', feedback: 'too_expensive', message: 'Too much for us.' },
  });

  // What happened on the clock is told in the same words.
  const changes = (await changesOf(stripe, clock.id)) as unknown as {
    id: string;
    sentence: string;
    reason: unknown;
    amount: unknown;
    subscription: string;
  }[];
  const known = new Map(all.map((entry) => [entry.data['event'], entry]));
  const own = changes.filter((change) => change.subscription === subscription.id);
  expect(own).not.toEqual([]);
  for (const { id, sentence, reason, amount } of own) expect(known.get(id)).toMatchObject({ sentence, reason, amount });

  // The same by type, by time, and from the end.
  expect(await timelineOf(subscription.id, '&types[]=payment&types[]=refusal')).toEqual(
    all.filter(({ type }) => type === 'payment' || type === 'refusal'),
  );
  const since = instant('2030-03-01T00:00:00Z');
  expect(await timelineOf(subscription.id, `&since=${since}`)).toEqual(all.filter(({ at }) => at >= since));
  expect(await timelineOf(subscription.id, `&until=${since}&order=desc`)).toEqual(all.filter(({ at }) => at < since).reverse());
});

test('a subscription that does not exist has none', async () => {
  await expect(stripe.rawRequest('GET', '/v1/subscriptions/sub_none/timeline')).rejects.toMatchObject({ statusCode: 404 });
  const customer = await newCustomer(stripe);
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: await newPrice(stripe, 100) }] });
  await expect(stripe.rawRequest('GET', `/v1/subscriptions/${id}/timeline?starting_after=tle_9`)).rejects.toMatchObject({
    code: 'resource_missing',
    param: 'starting_after',
  });
  await expect(stripe.rawRequest('GET', `/v1/subscriptions/${id}/timeline?type=nothing`)).rejects.toMatchObject({ param: 'type' });
});
