import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findCustomer, insertCustomer, listCustomers, updateCustomer } from '../../db/customers.ts';
import { appendEvent, findEvent, listEvents } from '../../db/events.ts';
import { listInvoices } from '../../db/invoices.ts';
import { insertPrice, listPrices, updatePrice } from '../../db/prices.ts';
import { insertProduct, listProducts } from '../../db/products.ts';
import { findSubscriptionByItem, listSubscriptions } from '../../db/subscriptions.ts';
import { insertTaxRate, listTaxRates } from '../../db/tax-rates.ts';
import { aCustomer, aPrice, aProduct, aTaxRate, END, START } from '../api/examples.ts';
import { creation, openWorld, record, type World } from './world.ts';

let world: World;
const NAMES = ['a', 'b', 'c', 'e', 'd'];
beforeAll(async () => {
  world = await openWorld();
  await world.as('acct_1', async (t) => {
    // e and d are of one second: what tells them apart is which was written later, whatever their ids.
    for (const [n, name] of NAMES.entries()) {
      await insertCustomer(
        t,
        aCustomer({
          id: `cus_${name}`,
          email: `${name}@example.com`,
          currency: null,
          balance: 0,
          defaultPaymentMethodId: null,
          externalId: `ext-${name}`,
          createdAt: START + 10 + Math.min(n, 3),
        }),
      );
    }
  });
});
afterAll(() => world.close());

const customers = async (query: Parameters<typeof listCustomers>[1]) => {
  const { items, hasMore } = await world.as('acct_1', (t) => listCustomers(t, query));
  return [items.map(({ id }) => id.replace('cus_', '')).join(''), hasMore];
};

describe('paging', () => {
  test('newest first, forwards and backwards, to the ends', async () => {
    expect(await customers({ limit: 10 })).toEqual(['decba1', false]);
    expect(await customers({ limit: 2 })).toEqual(['de', true]);
    expect(await customers({ limit: 2, startingAfter: 'cus_d' })).toEqual(['ec', true]);
    expect(await customers({ limit: 2, startingAfter: 'cus_b' })).toEqual(['a1', false]);
    expect(await customers({ limit: 2, startingAfter: 'cus_1' })).toEqual(['', false]);
    expect(await customers({ limit: 2, endingBefore: 'cus_b' })).toEqual(['ec', true]);
    expect(await customers({ limit: 2, endingBefore: 'cus_c' })).toEqual(['de', false]);
    expect(await customers({ limit: 2, endingBefore: 'cus_d' })).toEqual(['', false]);
  });

  test('a cursor of nobody, or of another account, is refused by its name', async () => {
    await expect(customers({ limit: 2, startingAfter: 'cus_none' })).rejects.toMatchObject({
      code: 'resource_missing',
      param: 'starting_after',
    });
    await expect(customers({ limit: 2, endingBefore: 'cus_2' })).rejects.toMatchObject({
      code: 'resource_missing',
      param: 'ending_before',
    });
  });

  test('created, by bound and exactly', async () => {
    expect(await customers({ limit: 10, created: { gt: START + 10, lt: START + 13 } })).toEqual(['cb', false]);
    expect(await customers({ limit: 10, created: { gte: START + 10, lte: START + 12 } })).toEqual(['cba', false]);
    expect(await customers({ limit: 10, created: START + 13 })).toEqual(['de', false]);
  });
});

describe('filters', () => {
  test('customers by email and external id; a deleted one is not listed but found', async () => {
    expect(await customers({ limit: 10, email: 'b@example.com' })).toEqual(['b', false]);
    expect(await customers({ limit: 10, externalId: 'ext-c' })).toEqual(['c', false]);
    await world.as('acct_2', async (t) => {
      await updateCustomer(t, 'cus_2', { deleted: true });
      expect((await listCustomers(t, { limit: 10 })).items).toEqual([]);
      expect(await findCustomer(t, 'cus_2')).toMatchObject({ deleted: true });
      await updateCustomer(t, 'cus_2', { deleted: false });
    });
  });

  test('products, prices and tax rates', async () => {
    await world.as('acct_1', async (t) => {
      await insertProduct(t, aProduct({ id: 'prod_off', active: false, defaultPriceId: null, externalId: 'p' }));
      await insertPrice(t, aPrice({ id: 'price_once', productId: 'prod_off', recurring: null, currency: 'usd' }));
      await updatePrice(t, 'price_1', { lookupKey: 'gold' });
      await insertTaxRate(t, aTaxRate({ id: 'txr_in', inclusive: true }));
      const ids = async (list: Promise<{ items: { id: string }[] }>) => (await list).items.map(({ id }) => id).sort();
      expect(await ids(listProducts(t, { limit: 9, active: false }))).toEqual(['prod_off']);
      expect(await ids(listProducts(t, { limit: 9, ids: ['prod_1', 'prod_2'] }))).toEqual(['prod_1']);
      expect(await ids(listPrices(t, { limit: 9, type: 'one_time' }))).toEqual(['price_once']);
      expect(await ids(listPrices(t, { limit: 9, type: 'recurring' }))).toEqual(['price_1', 'price_other_1']);
      expect(await ids(listPrices(t, { limit: 9, productId: 'prod_off' }))).toEqual(['price_once']);
      expect(await ids(listPrices(t, { limit: 9, currency: 'usd' }))).toEqual(['price_once']);
      expect(await ids(listPrices(t, { limit: 9, lookupKeys: ['gold', 'silver'] }))).toEqual(['price_1']);
      expect(await ids(listPrices(t, { limit: 9, active: false }))).toEqual([]);
      expect(await ids(listTaxRates(t, { limit: 9, inclusive: true }))).toEqual(['txr_in']);
    });
  });

  test('subscriptions: living ones unless asked otherwise, and by price; invoices by subscription and status', async () => {
    const statuses = ['active', 'incomplete', 'canceled', 'incomplete_expired', 'past_due'] as const;
    for (const status of statuses) {
      const decision = creation(2, `sub_${status}`);
      const endedAt = status === 'canceled' || status === 'incomplete_expired' ? END : null;
      await record(world, 'acct_2', {
        ...decision,
        subscription: { ...(decision.subscription as NonNullable<typeof decision.subscription>), status, endedAt },
      });
    }
    await world.as('acct_2', async (t) => {
      const found = async (query: Omit<Parameters<typeof listSubscriptions>[1], 'limit'>) =>
        (await listSubscriptions(t, { limit: 10, ...query })).items.map(({ status }) => status).sort();
      expect(await found({})).toEqual(['active', 'incomplete', 'past_due']);
      expect(await found({ statuses: 'all' })).toEqual([...statuses].sort());
      expect(await found({ statuses: 'ended' })).toEqual(['canceled', 'incomplete_expired']);
      expect(await found({ statuses: ['canceled'] })).toEqual(['canceled']);
      expect(await found({ status: 'past_due' })).toEqual(['past_due']);
      expect(await found({ statuses: [] })).toEqual([]);
      expect(await found({ priceId: 'price_2', statuses: ['active'] })).toEqual(['active']);
      expect(await found({ priceId: 'price_other_2' })).toEqual([]);
      expect(await found({ customerId: 'cus_none' })).toEqual([]);
      expect(await findSubscriptionByItem(t, 'si_sub_active')).toMatchObject({ id: 'sub_active' });
      expect(await findSubscriptionByItem(t, 'si_none')).toBeNull();
      const invoices = async (query: Omit<Parameters<typeof listInvoices>[1], 'limit'>) =>
        (await listInvoices(t, { limit: 10, ...query })).items.map(({ id }) => id);
      expect(await invoices({ subscriptionId: 'sub_active' })).toEqual(['in_sub_active']);
      expect(await invoices({ subscriptionId: 'sub_active', status: 'paid' })).toEqual([]);
      expect((await invoices({ customerId: 'cus_2', status: 'open' })).length).toBe(5);
    });
  });

  test('events in the order in which they were written, by type and object', async () => {
    await world.as('acct_1', async (t) => {
      for (const type of ['customer.created', 'customer.updated', 'customer.updated']) {
        await appendEvent(t, { type, objectType: 'customer', objectId: 'cus_a', data: { id: 'cus_a' }, previous: null, occurredAt: START });
      }
      const { items } = await listEvents(t, { limit: 10, objectId: 'cus_a' });
      expect(items.map(({ type, sequence }) => [type, sequence])).toEqual([
        ['customer.updated', 3],
        ['customer.updated', 2],
        ['customer.created', 1],
      ]);
      expect((await listEvents(t, { limit: 10, objectId: 'cus_a', types: ['customer.created'] })).items).toEqual([items[2]]);
      const second = await listEvents(t, { limit: 1, objectId: 'cus_a', startingAfter: String(items[0]?.id) });
      expect(second).toEqual({ items: [items[1]], hasMore: true });
      expect(await findEvent(t, String(items[0]?.id))).toEqual(items[0]);
      expect((await listEvents(t, { limit: 10, created: { gt: START + 1_000_000_000 } })).items).toEqual([]);
    });
  });
});
