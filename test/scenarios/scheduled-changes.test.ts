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

interface Scheduled {
  id: string;
  status: string;
  effective_at: number;
  at_period_end: boolean;
  change: { items?: { id: string; price?: string; quantity?: number; deleted?: true }[] };
  replaced_by: string | null;
  cancellation_reason: string | null;
  failure: { code: string; message: string; param: string | null } | null;
}
type Subscription = Stripe.Subscription & { scheduled_changes: Stripe.ApiList<Scheduled>; replaced?: Scheduled[] };

/** A customer on a clock of its own who has subscribed to the price. */
async function subscriber(at: string, price: string) {
  const clock = await newClock(stripe, at);
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  const { id, items } = await stripe.subscriptions.create({ customer, items: [{ price }] });
  return { clock: clock.id, customer, id, item: items.data[0]?.id as string };
}

/** `effective_at` is ours, and so not among the SDK's parameters. */
const update = async (id: string, params: Stripe.SubscriptionUpdateParams & { effective_at: string | number }): Promise<Subscription> =>
  (await stripe.subscriptions.update(id, params as Stripe.SubscriptionUpdateParams)) as unknown as Subscription;

const scheduledOf = async (id: string): Promise<Scheduled[]> => {
  const list = (await stripe.rawRequest('GET', `/v1/subscriptions/${id}/scheduled_changes`)) as unknown as Stripe.ApiList<Scheduled>;
  return list.data;
};

const calendarOf = async (customer: string): Promise<string[]> =>
  (await invoicesOf(stripe, { customer })).map((invoice) => calendarLine(invoice));

const eventsOf = async (clock: string): Promise<string[]> =>
  (await changesOf(stripe, clock)).flatMap(({ type, created }) =>
    type.includes('scheduled_change') ? [`${isoInstant(created).slice(0, 10)} ${type.split('.').at(-1)}`] : [],
  );

test('a downgrade at the end of the period, and an upgrade at a date', { timeout: 180_000 }, async () => {
  const [small, large] = [await newPrice(stripe, 3100), await newPrice(stripe, 6200)];
  const { clock, customer, id, item } = await subscriber('2025-01-01T00:00:00Z', large);
  await advanceTo(stripe, clock, '2025-01-10T00:00:00Z');
  const waiting = await update(id, { items: [{ id: item, price: small }], effective_at: 'period_end' });
  expect(waiting.items.data[0]?.price.id).toBe(large);
  expect(waiting.replaced).toBeUndefined();
  expect(waiting.scheduled_changes.data).toMatchObject([
    {
      object: 'scheduled_change',
      status: 'scheduled',
      effective_at: instant('2025-02-01T00:00:00Z'),
      at_period_end: true,
      change: { items: [{ id: item, price: small }], proration_behavior: 'create_prorations' },
    },
  ]);
  const preview = await stripe.invoices.createPreview({ subscription: id });
  expect(preview.total).toBe(3100);
  await update(id, {
    items: [{ id: item, price: large }],
    effective_at: instant('2025-02-15T00:00:00Z'),
    proration_behavior: 'always_invoice',
  });
  expect((await scheduledOf(id)).map(({ effective_at: at }) => isoInstant(at))).toEqual(['2025-02-01T00:00:00Z', '2025-02-15T00:00:00Z']);

  await advanceTo(stripe, clock, '2025-03-02T00:00:00Z');
  expect(await calendarOf(customer)).toEqual([
    '2025-01-01 create EUR 62.00 paid',
    '2025-02-01 cycle EUR 31.00 paid',
    '2025-02-15 update EUR 15.50 paid',
    '2025-03-01 cycle EUR 62.00 paid',
  ]);
  expect(await eventsOf(clock)).toEqual(['2025-02-01 applied', '2025-02-15 applied']);
  const after = (await stripe.subscriptions.retrieve(id)) as unknown as Subscription;
  expect([after.items.data[0]?.price.id, after.scheduled_changes.data]).toEqual([large, []]);
  expect((await scheduledOf(id)).map(({ status }) => status)).toEqual(['applied', 'applied']);
});

test('a later change says what it replaced; one can be read and canceled', { timeout: 120_000 }, async () => {
  const [a, b, c] = [await newPrice(stripe, 1000), await newPrice(stripe, 2000), await newPrice(stripe, 3000)];
  const { clock, customer, id, item } = await subscriber('2025-01-01T00:00:00Z', a);
  const first = await update(id, { items: [{ id: item, price: b }], effective_at: 'period_end' });
  const [scheduled] = first.scheduled_changes.data;
  const key = `replacing-${id}`;
  const second = (await stripe.subscriptions.update(id, { items: [{ id: item, price: c }], effective_at: 'period_end' } as never, {
    idempotencyKey: key,
  })) as unknown as Subscription;
  expect(second.replaced).toMatchObject([{ id: scheduled?.id, status: 'replaced', replaced_by: second.scheduled_changes.data[0]?.id }]);
  const quantity = (await stripe.subscriptionItems.update(item, {
    quantity: 3,
    effective_at: 'period_end',
  } as never)) as Stripe.SubscriptionItem;
  expect(quantity.quantity).toBe(1);
  const added = await stripe.subscriptionItems.create({ subscription: id, price: b, effective_at: 'period_end' } as never);
  expect(added).toMatchObject({ quantity: 1, price: { id: b } });

  const listed = await scheduledOf(id);
  expect(listed.map(({ status }) => status).sort()).toEqual(['replaced', 'scheduled', 'scheduled', 'scheduled']);
  const toAdd = listed.find(({ change }) => change.items?.some((one) => one.id === added.id));
  const path = `/v1/subscriptions/${id}/scheduled_changes/${toAdd?.id}` as const;
  expect(await stripe.rawRequest('GET', path)).toMatchObject({ id: toAdd?.id, status: 'scheduled' });
  expect(await stripe.rawRequest('DELETE', path)).toMatchObject({ status: 'canceled', cancellation_reason: 'requested' });
  await expect(stripe.rawRequest('DELETE', path)).rejects.toMatchObject({ statusCode: 400 });
  await expect(stripe.rawRequest('GET', `/v1/subscriptions/${id}/scheduled_changes/schg_nothing`)).rejects.toMatchObject({
    statusCode: 404,
  });

  await advanceTo(stripe, clock, '2025-02-02T00:00:00Z');
  expect(await calendarOf(customer)).toEqual(['2025-01-01 create EUR 10.00 paid', '2025-02-01 cycle EUR 90.00 paid']);

  await update(id, { items: [{ id: item, price: a }], effective_at: 'period_end' });
  const now = (await stripe.subscriptions.update(id, { items: [{ id: item, price: b }] })) as unknown as Subscription;
  expect(now.replaced).toMatchObject([{ status: 'replaced', replaced_by: null }]);
  expect(now.scheduled_changes.data).toEqual([]);
});

test('what has become impossible is told, and life goes on; the end drops what is scheduled', { timeout: 120_000 }, async () => {
  const [a, b, c] = [await newPrice(stripe, 1000), await newPrice(stripe, 2000), await newPrice(stripe, 3000)];
  const { clock, customer, id, item } = await subscriber('2025-01-01T00:00:00Z', a);
  await update(id, { items: [{ id: item, price: b }], effective_at: instant('2025-01-20T00:00:00Z') });
  await update(id, { items: [{ id: item, quantity: 2 }], effective_at: instant('2025-03-10T00:00:00Z') });
  await stripe.prices.update(b, { active: false });
  await advanceTo(stripe, clock, '2025-02-02T00:00:00Z');
  expect(await eventsOf(clock)).toEqual(['2025-01-20 failed']);
  expect((await scheduledOf(id))[0]).toMatchObject({
    status: 'failed',
    failure: { code: 'price_inactive', param: 'items[0][price]' },
  });
  expect(await calendarOf(customer)).toEqual(['2025-01-01 create EUR 10.00 paid', '2025-02-01 cycle EUR 10.00 paid']);
  await expect(update(id, { items: [{ id: item, price: c }], effective_at: instant('2025-01-20T00:00:00Z') })).rejects.toMatchObject({
    param: 'effective_at',
  });
  await stripe.subscriptions.cancel(id);
  expect((await scheduledOf(id)).map(({ status, cancellation_reason: reason }) => [status, reason])).toEqual([
    ['failed', null],
    ['canceled', 'subscription_ended'],
  ]);
});
