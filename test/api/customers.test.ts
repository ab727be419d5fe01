import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ROUTES } from '../../api/routes/index.ts';
import { aSubscription, START } from './examples.ts';
import { type Api, refused, seed, startApi, write } from './harness.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await seed(api.db, 'acct_1');
});
beforeEach(() => {
  for (const command of Object.values(api.commands)) command.mockClear();
});
afterAll(() => api.stop());

describe('customers', () => {
  it('tells the chased subscriptions of a customer that there is a new way to pay', async () => {
    const customer = await api.stripe.customers.create({
      name: 'Bo',
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
    });
    expect(customer.invoice_settings.default_payment_method).toMatch(/^pm_[A-Za-z0-9]{24}$/);
    await write(api.db, 'acct_1', {
      subscription: aSubscription({
        id: 'sub_due',
        customerId: customer.id,
        status: 'past_due',
        items: [{ id: 'si_due', priceId: 'price_1', quantity: '1', taxRateIds: [], metadata: {}, createdAt: START }],
        defaultTaxRateIds: [],
        latestInvoiceId: null,
      }),
    });
    api.commands.paymentMethodChanged.mockImplementation(async () => {});
    const method = await api.stripe.paymentMethods.attach('pm_card_mastercard', { customer: customer.id });
    expect(method).toMatchObject({ object: 'payment_method', customer: customer.id, card: { brand: 'mastercard', last4: '4444' } });
    const updated = await api.stripe.customers.update(customer.id, {
      invoice_settings: { default_payment_method: method.id },
      expand: ['subscriptions'],
    });
    expect(updated).toMatchObject({ delinquent: true, subscriptions: { data: [{ id: 'sub_due' }] } });
    expect(api.commands.paymentMethodChanged.mock.calls).toEqual([
      ['sub_due', { paymentMethodId: method.id, operationId: expect.any(String) }],
    ]);
    expect((await api.stripe.customers.listPaymentMethods(customer.id)).data).toHaveLength(2);
    expect(await api.stripe.paymentMethods.detach(method.id)).toMatchObject({ customer: null });
    expect(await api.stripe.customers.retrieve(customer.id)).toMatchObject({ invoice_settings: { default_payment_method: null } });
  });
  it('cancels the subscriptions of one that is deleted, and forgets who it was', async () => {
    const customer = await api.stripe.customers.create({ name: 'Cy', email: 'cy@example.com' });
    expect((await api.stripe.customers.list({ email: 'cy@example.com' })).data.map(({ id }) => id)).toEqual([customer.id]);
    expect(await api.stripe.customers.del(customer.id)).toEqual(
      expect.objectContaining({ id: customer.id, object: 'customer', deleted: true }),
    );
    expect(await api.stripe.customers.retrieve(customer.id)).toMatchObject({ deleted: true });
    expect((await api.stripe.customers.list({ email: 'cy@example.com' })).data).toEqual([]);
    expect(await refused(api.stripe.customers.update(customer.id, { name: 'X' }))).toMatchObject({ statusCode: 404 });
    expect(await refused(api.stripe.customers.del(customer.id))).toMatchObject({ statusCode: 404 });
    const types = (await api.stripe.events.list({ types: ['customer.created', 'customer.deleted'], limit: 2 })).data.map(
      ({ type }) => type,
    );
    expect(types).toEqual(['customer.deleted', 'customer.created']);
  });
});

describe('answers', () => {
  it('are what the document says, in every list and of every object', async () => {
    const get = async (path: string): Promise<unknown> => (await api.request('GET', path)).body;
    const paths = [
      '/v1/account',
      '/v1/customers',
      '/v1/customers/cus_1',
      '/v1/customers/cus_1/payment_methods',
      '/v1/customers/cus_1/payment_methods/pm_1',
      '/v1/customers/cus_1/balance_transactions',
      '/v1/products',
      '/v1/products/prod_1',
      '/v1/prices',
      '/v1/prices/price_1',
      '/v1/tax_rates',
      '/v1/tax_rates/txr_1',
      '/v1/payment_methods?customer=cus_1',
      '/v1/payment_methods/pm_1',
      '/v1/subscriptions?status=all',
      '/v1/subscriptions/sub_1',
      '/v1/subscription_items?subscription=sub_1',
      '/v1/subscription_items/si_1',
      '/v1/invoices',
      '/v1/invoices/in_1',
      '/v1/invoices/in_1/lines',
      '/v1/events?limit=100',
    ];
    for (const path of paths) {
      const pattern = path
        .split('?')[0]!
        .replace(/\/(cus|prod|price|txr|sub|si|in)_1/, '/:id')
        .replace(/\/payment_methods\/pm_1$/, (tail) =>
          path.includes('customers') ? '/payment_methods/:method' : tail.replace('pm_1', ':id'),
        );
      const route = ROUTES.find((candidate) => candidate.method === 'get' && candidate.path === pattern);
      expect(route, pattern).toBeDefined();
      const answer = await get(path);
      expect(route?.answer.parse(answer), path).toEqual(answer);
    }
  });
});
