import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SubscriptionStatus } from '../../domain/subscription/subscription.ts';
import { aSubscription, START } from './examples.ts';
import { type Api, refused, seed, startApi, write } from './harness.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await seed(api.db, 'acct_1');
  await seed(api.db, 'acct_2', 'b');
});
afterAll(() => api.stop());

const customer = 'cus_1';
const entitledTo = async (): Promise<[string, unknown][]> =>
  (await api.stripe.entitlements.activeEntitlements.list({ customer })).data
    .map((entitlement): [string, unknown] => [entitlement.lookup_key, (entitlement as { limit?: unknown }).limit])
    .sort();

/** The decision of a workflow that leaves the subscription with these prices in this status. */
const live = (id: string, prices: string[], status: SubscriptionStatus): Promise<unknown> =>
  write(api.db, 'acct_1', {
    subscription: aSubscription({
      id,
      customerId: customer,
      status,
      ...(status === 'trialing' ? { trialStart: START, trialEnd: START + 9 } : {}),
      incompleteExpiresAt: status === 'incomplete' ? START + 1 : null,
      endedAt: status === 'canceled' ? START : null,
      defaultTaxRateIds: [],
      latestInvoiceId: null,
      items: prices.map((priceId) => ({
        id: `si_${id}_${priceId}`,
        priceId,
        quantity: '1',
        taxRateIds: [],
        metadata: {},
        createdAt: START,
      })),
    }),
    events: [{ type: 'customer.subscription.updated', objectType: 'subscription', objectId: id, previous: { status: 'incomplete' } }],
  });

test('a customer has what the products subscribed to give, while the subscription gives access', async () => {
  const sso = await api.stripe.entitlements.features.create({ lookup_key: 'sso', name: 'Single sign-on', metadata: { team: 'id' } });
  expect(sso).toMatchObject({ object: 'entitlements.feature', active: true, livemode: false, lookup_key: 'sso', metadata: { team: 'id' } });
  expect(await refused(api.stripe.entitlements.features.create({ lookup_key: 'sso', name: 'x' }))).toMatchObject({
    statusCode: 400,
    code: 'resource_already_exists',
    param: 'lookup_key',
  });
  const seats = await api.stripe.entitlements.features.create({ lookup_key: 'seats', name: 'Seats' });
  const pro = await api.stripe.products.create({ name: 'Pro' });
  const price = await api.stripe.prices.create({ product: pro.id, currency: 'eur', unit_amount: 1, recurring: { interval: 'month' } });
  await api.stripe.products.createFeature(pro.id, { entitlement_feature: sso.id });
  await api.stripe.products.createFeature(pro.id, { entitlement_feature: seats.id, ...{ limit: 5 } });
  expect(await entitledTo()).toEqual([]);

  await live('sub_pro', [price.id], 'incomplete');
  expect(await entitledTo()).toEqual([]);
  for (const status of ['active', 'trialing', 'past_due'] as const) {
    await live('sub_pro', [price.id], status);
    expect(await entitledTo(), status).toEqual([
      ['seats', 5],
      ['sso', null],
    ]);
  }
  // The seed's plan gives more seats: the larger limit holds, and none is larger still.
  const more = await api.stripe.products.createFeature('prod_1', { entitlement_feature: seats.id, ...{ limit: 9 } });
  await live('sub_1', ['price_1'], 'active');
  expect(await entitledTo()).toContainEqual(['seats', 9]);
  await api.stripe.products.deleteFeature('prod_1', more.id);
  expect(await entitledTo()).toContainEqual(['seats', 5]);
  await api.stripe.products.createFeature('prod_1', { entitlement_feature: seats.id });
  expect(await entitledTo()).toContainEqual(['seats', null]);
  for (const status of ['unpaid', 'paused', 'canceled'] as const) {
    await live('sub_1', ['price_1'], status);
    expect(await entitledTo(), status).toContainEqual(['seats', 5]);
  }
  await live('sub_pro', ['price_2'], 'active');
  expect(await entitledTo()).toEqual([['seats', null]]);
});

test('one thing is asked for by its lookup key, with the feature itself where that is wanted', async () => {
  const ask = (lookup_key: string) =>
    api.stripe.entitlements.activeEntitlements.list({ customer, expand: ['data.feature'], ...{ lookup_key } });
  const [entitlement] = (await ask('seats')).data;
  expect(entitlement).toMatchObject({ object: 'entitlements.active_entitlement', feature: { name: 'Seats' }, lookup_key: 'seats' });
  expect((await ask('sso')).data).toEqual([]);
  expect(await api.stripe.entitlements.activeEntitlements.retrieve(entitlement?.id ?? '')).toMatchObject({ lookup_key: 'seats' });
});

test('every difference is told, with all that the customer has since; what makes none is not', async () => {
  const told = await api.stripe.events.list({ type: 'entitlements.active_entitlement_summary.updated', limit: 20 });
  const summaries = told.data.map(
    ({ data }) => data.object as unknown as { customer: string; entitlements: { data: { lookup_key: string; limit: unknown }[] } },
  );
  expect(
    summaries.map(({ entitlements }) => entitlements.data.map(({ lookup_key, limit }) => `${lookup_key} ${limit}`).join(', ')),
  ).toEqual(['seats null', 'seats 5, sso null', 'seats null, sso null', 'seats 5, sso null', 'seats 9, sso null', 'seats 5, sso null']);
  expect(new Set(summaries.map(({ customer: id }) => id))).toEqual(new Set([customer]));
});

test('features are renamed, archived and listed; what is archived stays with whom it has, and is attached no more', async () => {
  const [sso] = (await api.stripe.entitlements.features.list({ lookup_key: 'sso' })).data;
  const archived = await api.stripe.entitlements.features.update(sso?.id ?? '', { active: false, name: 'SSO' });
  expect(archived).toMatchObject({ active: false, name: 'SSO' });
  expect((await api.stripe.entitlements.features.list({ archived: true })).data.map(({ id }) => id)).toEqual([sso?.id]);
  expect(await refused(api.stripe.products.createFeature('prod_1', { entitlement_feature: sso?.id ?? '' }))).toMatchObject({
    statusCode: 400,
    param: 'entitlement_feature',
  });
  const attached = await api.stripe.products.listFeatures('prod_1');
  expect(attached.data.map(({ entitlement_feature }) => entitlement_feature.lookup_key)).toEqual(['seats']);
  const [first] = attached.data;
  expect(await api.stripe.products.retrieveFeature('prod_1', first?.id ?? '')).toEqual(first);
  expect(
    await refused(api.stripe.products.createFeature('prod_1', { entitlement_feature: first?.entitlement_feature.id ?? '' })),
  ).toMatchObject({
    code: 'resource_already_exists',
  });
});

test('a bundle gives what its components give, also what is attached to them later', async () => {
  const feature = await api.stripe.entitlements.features.create({ lookup_key: 'video', name: 'Video' });
  const later = await api.stripe.entitlements.features.create({ lookup_key: 'rooms', name: 'Rooms' });
  const [suite, calls, chat] = [
    (await api.stripe.products.create({ name: 'Suite' })).id,
    (await api.stripe.products.create({ name: 'Calls' })).id,
    (await api.stripe.products.create({ name: 'Chat' })).id,
  ];
  await api.stripe.products.createFeature(calls, { entitlement_feature: feature.id });
  const price = await api.stripe.prices.create({
    ...{ product: suite, currency: 'eur', unit_amount: 100, recurring: { interval: 'month' } },
    bundle: [calls, chat].map((product) => ({ product, share: '1' })),
  } as Parameters<typeof api.stripe.prices.create>[0]);
  const before = await entitledTo();
  await live('sub_suite', [price.id], 'active');
  const attached = await api.stripe.products.createFeature(chat, { entitlement_feature: later.id });
  expect(await entitledTo()).toEqual([...before, ['video', null], ['rooms', null]].sort());
  await api.stripe.products.deleteFeature(chat, attached.id);
  await live('sub_suite', [price.id], 'canceled');
  expect(await entitledTo()).toEqual(before);
});
