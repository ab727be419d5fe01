import Stripe from 'stripe';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, refused, startApi } from './harness.ts';

let api: Api;
let clock = 1_800_000_000;
beforeAll(async () => {
  api = await startApi(() => (clock += 1));
});
afterAll(() => api.stop());

describe('products', () => {
  it('creates, retrieves, updates', async () => {
    const made = await api.stripe.products.create({
      name: 'Seat',
      unit_label: 'seat',
      metadata: { a: '1', b: '2' },
      default_price_data: { currency: 'eur', unit_amount: 1200, recurring: { interval: 'month' } },
    });
    expect(made).toMatchObject({ object: 'product', name: 'Seat', active: true, unit_label: 'seat', metadata: { a: '1', b: '2' } });
    const changed = await api.stripe.products.update(made.id, { description: 'One person', unit_label: '', metadata: { a: '', c: '3' } });
    expect(changed).toMatchObject({ description: 'One person', unit_label: null, metadata: { b: '2', c: '3' } });
    const read = await api.stripe.products.retrieve(made.id, { expand: ['default_price'] });
    expect(read.default_price).toMatchObject({ object: 'price', unit_amount: 1200, product: made.id });
  });
  it('takes an id of the caller once', async () => {
    await api.stripe.products.create({ id: 'prod_mine', name: 'Mine' });
    expect(await refused(api.stripe.products.create({ id: 'prod_mine', name: 'Mine' }))).toMatchObject({
      statusCode: 400,
      code: 'resource_already_exists',
      param: 'id',
    });
  });
  it('lists newest first, in pages both ways', async () => {
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) made.unshift((await api.stripe.products.create({ name: `P${n}` })).id);
    const first = await api.stripe.products.list({ limit: 2 });
    expect(first).toMatchObject({ object: 'list', has_more: true, url: '/v1/products' });
    expect(first.data.map(({ id }) => id)).toEqual(made.slice(0, 2));
    const second = await api.stripe.products.list({ limit: 2, starting_after: made[1] as string });
    expect(second.data.map(({ id }) => id)).toEqual(made.slice(2, 4));
    const back = await api.stripe.products.list({ limit: 2, ending_before: made[2] as string });
    expect(back.data.map(({ id }) => id)).toEqual(made.slice(0, 2));
    const all: string[] = [];
    for await (const product of api.stripe.products.list({ limit: 3, ids: made })) all.push(product.id);
    expect(all).toEqual(made);
  });
});

describe('prices', () => {
  it('keeps fractions of a cent, and one-time prices', async () => {
    const product = (await api.stripe.products.create({ name: 'Calls' })).id;
    const fraction = await api.stripe.prices.create({
      product,
      currency: 'EUR',
      unit_amount_decimal: Stripe.Decimal.from('0.25'),
      recurring: { interval: 'year', interval_count: 2 },
    });
    expect(fraction).toMatchObject({
      currency: 'eur',
      unit_amount: null,
      type: 'recurring',
      recurring: { interval: 'year', interval_count: 2, usage_type: 'licensed' },
    });
    expect(String(fraction.unit_amount_decimal)).toBe('0.25');
    const once = await api.stripe.prices.create({ currency: 'jpy', unit_amount: 500, product_data: { name: 'Set-up' } });
    expect(once).toMatchObject({ type: 'one_time', recurring: null, unit_amount: 500, tax_behavior: 'unspecified' });
    const listed = await api.stripe.prices.list({ product, expand: ['data.product'] });
    expect(listed.data.map(({ id }) => id)).toEqual([fraction.id]);
    expect(listed.data[0]?.product).toMatchObject({ object: 'product', name: 'Calls' });
  });
  it('never changes an amount; tax behaviour once', async () => {
    const price = await api.stripe.prices.create({ currency: 'eur', unit_amount: 1, product_data: { name: 'X' } });
    expect(await refused(api.stripe.prices.update(price.id, { unit_amount: 2 } as never))).toMatchObject({
      statusCode: 400,
      code: 'parameter_unknown',
      param: 'unit_amount',
    });
    expect(await api.stripe.prices.update(price.id, { tax_behavior: 'exclusive', active: false, nickname: 'old' })).toMatchObject({
      tax_behavior: 'exclusive',
      active: false,
      nickname: 'old',
    });
    expect(await refused(api.stripe.prices.update(price.id, { tax_behavior: 'inclusive' }))).toMatchObject({
      statusCode: 400,
      param: 'tax_behavior',
    });
  });
  it('has tiers and currencies, shown where they are asked for', async () => {
    const product = (await api.stripe.products.create({ name: 'Seats' })).id;
    const price = await api.stripe.prices.create({
      product,
      currency: 'eur',
      billing_scheme: 'tiered',
      tiers_mode: 'graduated',
      tiers: [
        { up_to: 10, unit_amount: 1000, flat_amount: 200 },
        { up_to: 'inf', unit_amount_decimal: Stripe.Decimal.from('12.5') },
      ],
      currency_options: { JPY: { tiers: [{ up_to: 'inf', flat_amount: 5000 }], tax_behavior: 'inclusive' } },
      recurring: { interval: 'month' },
    });
    expect(price).toMatchObject({
      billing_scheme: 'tiered',
      tiers_mode: 'graduated',
      unit_amount: null,
      unit_amount_decimal: null,
      transform_quantity: null,
    });
    expect(price).not.toHaveProperty('tiers');
    expect(price).not.toHaveProperty('currency_options');
    const shown = await api.stripe.prices.retrieve(price.id, { expand: ['tiers', 'currency_options'] });
    const tiers = [
      { up_to: 10, unit_amount: 1000, flat_amount: 200 },
      { up_to: null, unit_amount: null, flat_amount: null, flat_amount_decimal: null },
    ];
    expect(shown).toMatchObject({
      tiers,
      currency_options: {
        eur: { tiers, unit_amount: null, tax_behavior: 'unspecified' },
        jpy: { tiers: [{ up_to: null, unit_amount: null, flat_amount: 5000 }], tax_behavior: 'inclusive', custom_unit_amount: null },
      },
    });
    expect(String(shown.tiers?.[1]?.unit_amount_decimal)).toBe('12.5');
    const [listed] = (await api.stripe.prices.list({ product, expand: ['data.tiers'] })).data;
    expect(listed).toMatchObject({ tiers });
    const perUnit = await api.stripe.prices.create({ product, currency: 'eur', unit_amount: 1, expand: ['tiers', 'currency_options'] });
    expect(perUnit).not.toHaveProperty('tiers');
    expect(perUnit.currency_options).toMatchObject({ eur: { unit_amount: 1 } });
  });
  it('is a percentage of what a meter adds up', async () => {
    const meterOf = async (formula: 'sum' | 'count') =>
      (await api.stripe.billing.meters.create({ display_name: 'P', event_name: `pay_${formula}`, default_aggregation: { formula } })).id;
    const create = (meter: string) =>
      api.stripe.prices.create({
        currency: 'eur',
        product_data: { name: 'Payments' },
        recurring: { interval: 'month', usage_type: 'metered', meter },
        percentage: { rate: '1.3', fixed_amount: 25, maximum_amount: 500 },
      } as never);
    const price = await create(await meterOf('sum'));
    const percentage = { rate: '1.3', fixed_amount: 25, free_amount: 0, free_events: 0, minimum_amount: null, maximum_amount: 500 };
    expect(price).toMatchObject({ billing_scheme: 'per_unit', unit_amount: null, percentage });
    expect(String(price.unit_amount_decimal)).toBe('0.013');
    expect(await refused(create(await meterOf('count')))).toMatchObject({ param: 'recurring[meter]' });
    const usd = { currency_options: { usd: { unit_amount: 1 } } };
    expect(await refused(api.stripe.prices.update(price.id, usd))).toMatchObject({ param: 'currency_options' });
  });
  it('comes in packages', async () => {
    const params = { currency: 'eur', unit_amount: 500, product_data: { name: 'Packs' } };
    const price = await api.stripe.prices.create({ ...params, transform_quantity: { divide_by: 10, round: 'up' } });
    expect(price.transform_quantity).toEqual({ divide_by: 10, round: 'up' });
  });
  it('gains currencies, and never loses or changes one', async () => {
    const { id } = await api.stripe.prices.create({
      currency: 'eur',
      unit_amount: 100,
      product_data: { name: 'X' },
      currency_options: { usd: { unit_amount: 110 } },
    });
    const options = (answer: Stripe.Price) =>
      Object.fromEntries(Object.entries(answer.currency_options ?? {}).map(([code, { unit_amount: amount }]) => [code, amount]));
    const more = await api.stripe.prices.update(id, { currency_options: { gbp: { unit_amount: 90 } }, expand: ['currency_options'] });
    expect(options(more)).toEqual({ eur: 100, usd: 110, gbp: 90 });
    const same = { usd: { unit_amount: 110, tax_behavior: 'exclusive' } } as const;
    expect(options(await api.stripe.prices.update(id, { currency_options: same, expand: ['currency_options'] }))).toEqual(options(more));
    for (const [change, param] of [
      [{ usd: { unit_amount: 111, tax_behavior: 'exclusive' } }, 'currency_options[usd]'],
      [{ usd: { unit_amount: 110, tax_behavior: 'inclusive' } }, 'currency_options[usd][tax_behavior]'],
      [{ eur: { unit_amount: 111 } }, 'currency_options[eur]'],
    ] as const) {
      expect(await refused(api.stripe.prices.update(id, { currency_options: change }))).toMatchObject({ statusCode: 400, param });
    }
  });
  it('moves a lookup key only when told to', async () => {
    const first = await api.stripe.prices.create({ currency: 'eur', unit_amount: 1, product_data: { name: 'X' }, lookup_key: 'standard' });
    const again = { currency: 'eur', unit_amount: 2, product: first.product as string, lookup_key: 'standard' };
    expect(await refused(api.stripe.prices.create(again))).toMatchObject({
      statusCode: 400,
      code: 'resource_already_exists',
      param: 'lookup_key',
    });
    const second = await api.stripe.prices.create({ ...again, transfer_lookup_key: true });
    expect((await api.stripe.prices.retrieve(first.id)).lookup_key).toBeNull();
    expect((await api.stripe.prices.list({ lookup_keys: ['standard'] })).data.map(({ id }) => id)).toEqual([second.id]);
  });
  it('refuses an external id twice', async () => {
    const product = (await api.stripe.products.create({ name: 'Y' })).id;
    const params = { product, currency: 'eur', unit_amount: 1, external_id: 'erp-1' } as never;
    await api.stripe.prices.create(params);
    expect(await refused(api.stripe.prices.create(params))).toMatchObject({
      statusCode: 400,
      code: 'resource_already_exists',
      param: 'external_id',
    });
  });
});

describe('tax rates', () => {
  it('creates, updates, lists', async () => {
    const rate = await api.stripe.taxRates.create({
      display_name: 'VAT',
      percentage: 8.25,
      inclusive: false,
      country: 'de',
      tax_type: 'vat',
    });
    expect(rate).toMatchObject({ object: 'tax_rate', percentage: 8.25, inclusive: false, country: 'DE', active: true });
    expect(await api.stripe.taxRates.update(rate.id, { active: false })).toMatchObject({ active: false });
    expect((await api.stripe.taxRates.list({ active: false })).data.map(({ id }) => id)).toEqual([rate.id]);
    expect((await api.stripe.taxRates.list({ active: true })).data).toEqual([]);
  });
});

describe('the account', () => {
  it('is that of the key', async () => {
    expect(await api.stripe.accounts.retrieveCurrent()).toMatchObject({ id: 'acct_1', object: 'account' });
  });
});
