import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { temporalCommands } from '../../api/commands.ts';
import { withAccount } from '../../db/client.ts';
import { calendarLine, invoicesOf, newCustomer, newPrice, useCard } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, newClock } from '../support/test-clock.ts';

let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
});
afterAll(() => stack?.stop());

interface Migration {
  id: string;
  status: string;
  counts: Record<string, number>;
  reasons: { status: string; code: string; count: number }[];
  progress: number;
}
interface Preview {
  subscriptions: number;
  reasons: Migration['reasons'];
  amounts: { currency: string; before: number; after: number; difference: number }[];
  samples: { subscription: string; invoice: Stripe.Invoice | null; refused: { code: string } | null }[];
}
interface Migrated {
  id: string;
  status: string;
  reason: { code: string } | null;
  scheduled_change: string | null;
  invoice: string | null;
}

const post = async <T>(path: string, params: object = {}): Promise<T> =>
  (await stripe.rawRequest('POST', path, params as never)) as unknown as T;
const get = async <T>(path: string): Promise<T> => (await stripe.rawRequest('GET', path)) as unknown as T;
const migrationIn = (id: string, status: string): Promise<Migration> =>
  vi.waitFor(
    async () => {
      const migration = await get<Migration>(`/v1/price_migrations/${id}`);
      expect(migration.status).toBe(status);
      return migration;
    },
    { timeout: 60_000, interval: 100 },
  );
const outcomes = async (id: string): Promise<Record<string, string>> => {
  const { data } = await get<Stripe.ApiList<Migrated>>(`/v1/price_migrations/${id}/subscriptions?limit=100`);
  return Object.fromEntries(data.map((one) => [one.id, one.reason === null ? one.status : `${one.status} ${one.reason.code}`]));
};

test('a cohort moves to a new version of its price, and back where that has not billed yet', { timeout: 300_000 }, async () => {
  const clock = await newClock(stripe, '2025-01-01T00:00:00Z');
  const [old, next, large] = [await newPrice(stripe, 1000), await newPrice(stripe, 1200), await newPrice(stripe, 5000)];
  const subscriber = async (quantity = 1): Promise<{ customer: string; id: string; item: string }> => {
    const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
    const { id, items } = await stripe.subscriptions.create({ customer, items: [{ price: old, quantity }] });
    return { customer, id, item: items.data[0]?.id as string };
  };
  const [ada, ben, cid] = [await subscriber(), await subscriber(3), await subscriber()];
  await advanceTo(stripe, clock.id, '2025-01-20T00:00:00Z');
  const [dan, eva, fay] = [await subscriber(), await subscriber(), await subscriber(2)];
  await useCard(stripe, dan.customer, 'pm_card_chargeCustomerFail');
  const waiting = await stripe.subscriptions.update(dan.id, {
    items: [{ id: dan.item, price: large }],
    payment_behavior: 'pending_if_incomplete',
    proration_behavior: 'always_invoice',
  });
  expect(waiting.pending_update).not.toBeNull();

  const asked = { from_price: old, to_price: next };
  const preview = await post<Preview>('/v1/price_migrations', { ...asked, dry_run: true });
  expect(preview).toMatchObject({
    object: 'price_migration_preview',
    subscriptions: 5,
    amounts: [{ currency: 'eur', before: 8000, after: 9600, difference: 1600 }],
    reasons: [{ status: 'failed', code: 'pending_update_exists', count: 1 }],
  });
  expect(Object.fromEntries(preview.samples.map(({ subscription, invoice }) => [subscription, invoice?.total]))).toEqual({
    [ada.id]: 1200,
    [ben.id]: 3600,
    [cid.id]: 1200,
    [eva.id]: 1200,
    [fay.id]: 2400,
  });
  expect((await get<Stripe.ApiList<Migration>>('/v1/price_migrations')).data).toEqual([]);

  const { id } = await post<Migration>('/v1/price_migrations', asked);
  expect(await migrationIn(id, 'completed')).toMatchObject({
    counts: { total: 6, pending: 0, scheduled: 5, applied: 0, skipped: 0, failed: 1, canceled: 0 },
    reasons: [{ status: 'failed', code: 'pending_update_exists', count: 1 }],
    progress: 1,
  });
  // A worker that dies between the answer of a subscription and the writing of it.
  await withAccount(stack.db, stack.accountId, async (t) => {
    await t.run(`update price_migrations set status = 'running', completed_at = null where id = $1`, [id]);
    await t.run(`update price_migration_subscriptions set outcome = 'pending' where migration_id = $1 and subscription_id = $2`, [
      id,
      eva.id,
    ]);
  });
  const asks = { accountId: stack.accountId, migrationId: id };
  await temporalCommands(stack.client, { taskQueue: stack.taskQueue, deadlineMs: 20_000 }).migratePrice(asks);
  expect((await migrationIn(id, 'completed')).counts).toMatchObject({ total: 6, scheduled: 5, failed: 1 });
  const ofEva = await get<Stripe.ApiList<unknown>>(`/v1/subscriptions/${eva.id}/scheduled_changes`);
  expect(ofEva.data).toHaveLength(1);

  const again = await post<Migration>('/v1/price_migrations', asked);
  expect((await migrationIn(again.id, 'completed')).reasons).toEqual([
    { status: 'failed', code: 'pending_update_exists', count: 1 },
    { status: 'failed', code: 'transition_not_allowed', count: 5 },
  ]);

  await stripe.subscriptions.cancel(cid.id);
  await advanceTo(stripe, clock.id, '2025-02-02T00:00:00Z');
  await post(`/v1/price_migrations/${id}/cancel`);
  expect((await migrationIn(id, 'canceled')).counts).toEqual({
    total: 6,
    pending: 0,
    scheduled: 0,
    applied: 2,
    skipped: 1,
    failed: 1,
    canceled: 2,
  });
  expect(await outcomes(id)).toEqual({
    [ada.id]: 'applied',
    [ben.id]: 'applied',
    [cid.id]: 'skipped subscription_canceled',
    [dan.id]: 'failed pending_update_exists',
    [eva.id]: 'canceled',
    [fay.id]: 'canceled',
  });
  await expect(post(`/v1/price_migrations/${id}/cancel`)).rejects.toMatchObject({ statusCode: 400, code: 'status_transition_invalid' });

  // At once, and of a part only.
  await stripe.subscriptions.update(eva.id, { metadata: { wave: '2' } });
  const soon = await post<Migration>('/v1/price_migrations', {
    ...asked,
    effective_at: 'now',
    proration_behavior: 'always_invoice',
    filters: { metadata: { wave: '2' } },
  });
  expect((await migrationIn(soon.id, 'completed')).counts).toMatchObject({ total: 1, applied: 1 });
  const [applied] = (await get<Stripe.ApiList<Migrated>>(`/v1/price_migrations/${soon.id}/subscriptions?status=applied`)).data;
  expect((await stripe.invoices.retrieve(applied?.invoice ?? '')).billing_reason).toBe('subscription_update');

  await advanceTo(stripe, clock.id, '2025-03-02T00:00:00Z');
  const calendarOf = async (customer: string): Promise<string[]> =>
    (await invoicesOf(stripe, { customer })).map((invoice) => calendarLine(invoice)).filter((line) => line.includes(' cycle '));
  expect(await calendarOf(ada.customer)).toEqual(['2025-02-01 cycle EUR 12.00 paid', '2025-03-01 cycle EUR 12.00 paid']);
  expect(await calendarOf(ben.customer)).toEqual(['2025-02-01 cycle EUR 36.00 paid', '2025-03-01 cycle EUR 36.00 paid']);
  expect(await calendarOf(cid.customer)).toEqual([]);
  expect(await calendarOf(eva.customer)).toEqual(['2025-02-20 cycle EUR 12.00 paid']);
  expect(await calendarOf(fay.customer)).toEqual(['2025-02-20 cycle EUR 20.00 paid']);

  // Told as a whole, and in the life of each.
  const { data: ends } = await stripe.events.list({ type: 'price_migration.canceled' as Stripe.EventListParams['type'] & string });
  expect(ends).toMatchObject([
    { data: { object: { id, object: 'price_migration', status: 'canceled', counts: { applied: 2, canceled: 2 } } } },
  ]);
  const toldOf = async (subscription: string): Promise<string[]> => {
    const { data } = await get<Stripe.ApiList<{ name: string }>>(`/v1/subscriptions/${subscription}/timeline?limit=100`);
    return data.flatMap(({ name }) => (name.startsWith('price_migration.') ? [name.slice('price_migration.subscription.'.length)] : []));
  };
  expect(await toldOf(ada.id)).toEqual(['scheduled', 'failed']);
  expect(await toldOf(dan.id)).toEqual(['failed', 'failed']);
  expect(await toldOf(fay.id)).toEqual(['scheduled', 'failed', 'canceled']);
  expect(await toldOf(eva.id)).toEqual(['scheduled', 'scheduled', 'failed', 'canceled', 'applied']);
});
