import Stripe from 'stripe';
import { afterAll, beforeEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ApiError, noAnswerInTime } from '../../api/errors.ts';
import { WorkflowGone } from '../../api/commands.ts';
import { ROUTES } from '../../api/routes/index.ts';
import { Refusal } from '../../domain/errors.ts';
import type { CommandResult } from '../../workflows/messages.ts';
import { anInvoice, aSubscription, END, START } from './examples.ts';
import { type Api, seed, startApi, write } from './harness.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await seed(api.db, 'acct_1');
});
beforeEach(() => {
  for (const command of Object.values(api.commands)) command.mockClear();
});
afterAll(() => api.stop());

const done = {} as CommandResult;
const refused = async (call: Promise<unknown>): Promise<Stripe.errors.StripeError> => {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Stripe.errors.StripeError)) throw new Error(`was not refused: ${String(error)}`);
  return error;
};

/** What the worker would write for the creation: the subscription, active, without an invoice. */
const subscribed = async (_account: string, command: Parameters<Api['commands']['subscribe']>[1]): Promise<CommandResult> => {
  const subscription = aSubscription({
    id: command.subscriptionId,
    customerId: command.customerId,
    items: command.items.map((item) => ({ ...item, metadata: {}, createdAt: START })),
    defaultTaxRateIds: command.defaultTaxRateIds,
    latestInvoiceId: null,
  });
  await write(
    api.db,
    'acct_1',
    { subscription, events: [{ type: 'customer.subscription.created', objectType: 'subscription', objectId: subscription.id, previous: null }] },
    command.operationId,
  );
  return done;
};

describe('create', () => {
  it('sends ids only to the workflow and writes what describes', async () => {
    api.commands.subscribe.mockImplementation(subscribed);
    const made = await api.stripe.subscriptions.create({
      customer: 'cus_1',
      items: [{ price: 'price_1', quantity: 3, tax_rates: ['txr_1'], metadata: { seat: 'window' } }],
      description: 'For Ada',
      metadata: { order: '7' },
      expand: ['customer', 'items.data.price.product'],
      ...({ external_id: 'crm-sub-1', billing_timezone: 'Europe/Berlin' } as object),
    });
    expect(made).toMatchObject({
      object: 'subscription',
      status: 'active',
      description: 'For Ada',
      metadata: { order: '7' },
      external_id: 'crm-sub-1',
      customer: { object: 'customer', id: 'cus_1' },
      items: { data: [{ quantity: 3, metadata: { seat: 'window' }, current_period_start: START, current_period_end: END, price: { product: { id: 'prod_1' } }, tax_rates: [{ id: 'txr_1' }] }] },
    });
    expect(made.id).toMatch(/^sub_[A-Za-z0-9]{24}$/);
    const [account, command] = api.commands.subscribe.mock.calls[0] ?? [];
    expect(account).toBe('acct_1');
    expect(command).toMatchObject({ customerId: 'cus_1', billingTimezone: 'Europe/Berlin', paymentBehavior: 'allow_incomplete', items: [{ priceId: 'price_1', quantity: '3' }] });
    expect(JSON.stringify(command)).not.toMatch(/Ada|order|crm-sub/);
    expect(command?.actor).toMatch(/^api_key:[0-9a-f]{12}$/);
  });

  it('is refused by the dry run before any workflow is asked', async () => {
    expect(await refused(api.stripe.subscriptions.create({ customer: 'cus_1', items: [{ price: 'price_1' }, { price: 'price_1' }] }))).toMatchObject({ statusCode: 400 });
    expect(api.commands.subscribe).not.toHaveBeenCalled();
  });

  it('answers the same under one Idempotency-Key, once', async () => {
    api.commands.subscribe.mockImplementation(subscribed);
    const params = { customer: 'cus_1', items: [{ price: 'price_1' }] };
    const first = await api.stripe.subscriptions.create(params, { idempotencyKey: 'once' });
    const second = await api.stripe.subscriptions.create(params, { idempotencyKey: 'once' });
    expect(second.id).toBe(first.id);
    expect(second.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(api.commands.subscribe).toHaveBeenCalledTimes(1);
    const other = await refused(api.stripe.subscriptions.create({ ...params, description: 'other' }, { idempotencyKey: 'once' }));
    expect(other).toMatchObject({ statusCode: 400, rawType: 'idempotency_error' });
  });

  it('names the same subscription when nobody answered in time, and finds what was decided meanwhile', async () => {
    const params = { customer: 'cus_1', items: [{ price: 'price_1' }] };
    api.commands.subscribe.mockRejectedValueOnce(noAnswerInTime());
    const unsure = await refused(api.stripe.subscriptions.create(params, { idempotencyKey: 'unsure' }));
    expect(unsure).toMatchObject({ statusCode: 503, rawType: 'api_error', headers: { 'retry-after': '2' } });
    const [first] = api.commands.subscribe.mock.calls;
    // The worker came back and applied it.
    await subscribed('acct_1', first![1]);
    api.commands.subscribe.mockImplementation(async () => done);
    const made = await api.stripe.subscriptions.create(params, { idempotencyKey: 'unsure' });
    expect(made.id).toBe(first![1].subscriptionId);
    expect(api.commands.subscribe.mock.calls[1]![1]).toEqual(first![1]);
  });

  it('refuses a second request while the first is being carried out', async () => {
    const gate = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    api.commands.subscribe.mockImplementation(async (account, command) => {
      reached.resolve();
      await gate.promise;
      return subscribed(account, command);
    });
    const params = { customer: 'cus_1', items: [{ price: 'price_1' }] };
    const first = api.stripe.subscriptions.create(params, { idempotencyKey: 'slow' });
    await reached.promise;
    expect(await refused(api.stripe.subscriptions.create(params, { idempotencyKey: 'slow' }))).toMatchObject({ statusCode: 409, rawType: 'idempotency_error' });
    gate.resolve();
    expect((await first).status).toBe('active');
  });

  it('tells a decline as a card error, and keeps it under the key', async () => {
    api.commands.subscribe.mockRejectedValueOnce(new ApiError('The payment failed: insufficient_funds.', { status: 402, type: 'card_error', code: 'card_declined', declineCode: 'insufficient_funds' }));
    const params = { customer: 'cus_1', items: [{ price: 'price_1' }], payment_behavior: 'error_if_incomplete' as const };
    for (let n = 0; n < 2; n += 1) {
      const error = await refused(api.stripe.subscriptions.create(params, { idempotencyKey: 'declined' }));
      expect(error).toBeInstanceOf(Stripe.errors.StripeCardError);
      expect(error).toMatchObject({ statusCode: 402, code: 'card_declined', decline_code: 'insufficient_funds' });
    }
    expect(api.commands.subscribe).toHaveBeenCalledTimes(1);
  });
});

describe('change', () => {
  beforeEach(() => {
    api.commands.changePlan.mockImplementation(async () => done);
    api.commands.scheduleCancellation.mockImplementation(async () => done);
  });
  it('turns items into changes', async () => {
    await api.stripe.subscriptions.update('sub_1', {
      items: [{ id: 'si_1', quantity: 5 }, { price: 'price_2' }],
      proration_behavior: 'always_invoice',
      payment_behavior: 'pending_if_incomplete',
      proration_date: START + 30,
    });
    const [id, command] = api.commands.changePlan.mock.calls[0] ?? [];
    expect(id).toBe('sub_1');
    expect(command).toMatchObject({
      prorationBehavior: 'always_invoice',
      paymentBehavior: 'pending_if_incomplete',
      prorationDate: START + 30,
      items: [
        { do: 'update', itemId: 'si_1', quantity: '5' },
        { do: 'add', item: { priceId: 'price_2', quantity: '1', taxRateIds: [] } },
      ],
    });
    expect(command?.operationId).toMatch(/^op_/);
  });
  it('schedules a cancellation on its own, and keeps the comment out of the workflow', async () => {
    const answer = await api.stripe.subscriptions.update('sub_1', { cancel_at_period_end: true, cancellation_details: { comment: 'Ada moves on', feedback: 'unused' } });
    expect(api.commands.changePlan).not.toHaveBeenCalled();
    const [, command] = api.commands.scheduleCancellation.mock.calls[0] ?? [];
    expect(command).toMatchObject({ at: 'period_end', details: { feedback: 'unused' } });
    expect(JSON.stringify(command)).not.toContain('Ada');
    expect(answer.cancellation_details).toMatchObject({ comment: 'Ada moves on', feedback: 'unused' });
  });
  it('writes a description without asking a workflow, and tells of it', async () => {
    const answer = await api.stripe.subscriptions.update('sub_1', { metadata: { a: '1' }, description: 'New' });
    expect(answer).toMatchObject({ metadata: { a: '1' }, description: 'New' });
    expect(api.commands.changePlan).not.toHaveBeenCalled();
    const [event] = (await api.stripe.events.list({ type: 'customer.subscription.updated', limit: 1 })).data;
    expect(event).toMatchObject({ data: { object: { id: 'sub_1', metadata: { a: '1' } }, previous_attributes: { metadata: {}, description: null } } });
  });
  it('tells what the workflow refuses', async () => {
    api.commands.changePlan.mockRejectedValueOnce(new Refusal('pending_update_exists', 'There is one already.', 'items'));
    expect(await refused(api.stripe.subscriptions.update('sub_1', { items: [{ id: 'si_1', quantity: 9 }] }))).toMatchObject({
      statusCode: 400,
      code: 'pending_update_exists',
      param: 'items',
    });
  });
  it('says what stands in Postgres when the workflow has ended', async () => {
    api.commands.changePlan.mockRejectedValueOnce(new WorkflowGone('sub_1'));
    expect(await refused(api.stripe.subscriptions.update('sub_1', { items: [{ id: 'si_1', quantity: 9 }] }))).toMatchObject({ statusCode: 503 });
  });
  it('changes items by their own path', async () => {
    await api.stripe.subscriptionItems.update('si_1', { quantity: 4 });
    expect(api.commands.changePlan.mock.calls[0]?.[1].items).toEqual([{ do: 'update', itemId: 'si_1', quantity: '4' }]);
    expect(await api.stripe.subscriptionItems.update('si_1', { metadata: { row: '3' } })).toMatchObject({ id: 'si_1', metadata: { row: '3' } });
    expect((await api.stripe.subscriptionItems.list({ subscription: 'sub_1' })).data.map(({ id }) => id)).toEqual(['si_1']);
    expect(await api.stripe.subscriptionItems.retrieve('si_1', { expand: ['price.product'] })).toMatchObject({ price: { product: { id: 'prod_1' } } });
  });
});

describe('cancel', () => {
  it('asks the workflow', async () => {
    api.commands.cancel.mockImplementation(async () => done);
    await api.stripe.subscriptions.cancel('sub_1', { prorate: true, invoice_now: true, cancellation_details: { feedback: 'too_expensive' } });
    expect(api.commands.cancel.mock.calls[0]?.[1]).toMatchObject({ prorate: true, invoiceNow: true, details: { feedback: 'too_expensive' } });
  });
  it('does not find what has ended', async () => {
    await write(api.db, 'acct_1', { subscription: aSubscription({ id: 'sub_old', status: 'canceled', items: [{ id: 'si_old', priceId: 'price_1', quantity: '1', taxRateIds: [], metadata: {}, createdAt: START }], defaultTaxRateIds: [], latestInvoiceId: null, endedAt: END, canceledAt: END }) });
    expect(await refused(api.stripe.subscriptions.cancel('sub_old'))).toMatchObject({ statusCode: 404, code: 'resource_missing' });
    expect((await api.stripe.subscriptions.list({ status: 'ended' })).data.map(({ id }) => id)).toEqual(['sub_old']);
    expect((await api.stripe.subscriptions.list()).data.map(({ id }) => id)).not.toContain('sub_old');
    expect((await api.stripe.subscriptions.list({ status: 'trialing' })).data).toEqual([]);
    expect((await api.stripe.subscriptions.list({ status: 'all', price: 'price_1', expand: ['data.latest_invoice'] })).data.length).toBeGreaterThan(1);
  });
});

describe('customers', () => {
  it('tells the chased subscriptions of a customer that there is a new way to pay', async () => {
    const customer = await api.stripe.customers.create({ name: 'Bo', payment_method: 'pm_card_visa', invoice_settings: { default_payment_method: 'pm_card_visa' } });
    expect(customer.invoice_settings.default_payment_method).toMatch(/^pm_[A-Za-z0-9]{24}$/);
    await write(api.db, 'acct_1', { subscription: aSubscription({ id: 'sub_due', customerId: customer.id, status: 'past_due', items: [{ id: 'si_due', priceId: 'price_1', quantity: '1', taxRateIds: [], metadata: {}, createdAt: START }], defaultTaxRateIds: [], latestInvoiceId: null }) });
    api.commands.paymentMethodChanged.mockImplementation(async () => {});
    const method = await api.stripe.paymentMethods.attach('pm_card_mastercard', { customer: customer.id });
    expect(method).toMatchObject({ object: 'payment_method', customer: customer.id, card: { brand: 'mastercard', last4: '4444' } });
    const updated = await api.stripe.customers.update(customer.id, { invoice_settings: { default_payment_method: method.id }, expand: ['subscriptions'] });
    expect(updated).toMatchObject({ delinquent: true, subscriptions: { data: [{ id: 'sub_due' }] } });
    expect(api.commands.paymentMethodChanged.mock.calls).toEqual([['sub_due', method.id]]);
    expect((await api.stripe.customers.listPaymentMethods(customer.id)).data).toHaveLength(2);
    expect(await api.stripe.paymentMethods.detach(method.id)).toMatchObject({ customer: null });
    expect(await api.stripe.customers.retrieve(customer.id)).toMatchObject({ invoice_settings: { default_payment_method: null } });
  });
  it('cancels the subscriptions of one that is deleted, and forgets who it was', async () => {
    const customer = await api.stripe.customers.create({ name: 'Cy', email: 'cy@example.com' });
    expect((await api.stripe.customers.list({ email: 'cy@example.com' })).data.map(({ id }) => id)).toEqual([customer.id]);
    expect(await api.stripe.customers.del(customer.id)).toEqual(expect.objectContaining({ id: customer.id, object: 'customer', deleted: true }));
    expect(await api.stripe.customers.retrieve(customer.id)).toMatchObject({ deleted: true });
    expect((await api.stripe.customers.list({ email: 'cy@example.com' })).data).toEqual([]);
    expect(await refused(api.stripe.customers.update(customer.id, { name: 'X' }))).toMatchObject({ statusCode: 404 });
    expect(await refused(api.stripe.customers.del(customer.id))).toMatchObject({ statusCode: 404 });
    const types = (await api.stripe.events.list({ types: ['customer.created', 'customer.deleted'], limit: 2 })).data.map(({ type }) => type);
    expect(types).toEqual(['customer.deleted', 'customer.created']);
  });
});

describe('invoices', () => {
  const facts = { id: 'in_1', number: 'EX-1', status: 'open' as const, amountDue: 2856, amountRemaining: 2856, currency: 'eur', next: 'nothing' as const };
  const paymentOf = (outcome: 'paid' | 'declined' | 'unknown' | 'no_payment_method' | 'requires_action') => ({
    invoice: facts,
    payment: { outcome, attemptNumber: 1, attemptId: null, declineCode: outcome === 'declined' ? 'lost_card' : null, invoice: facts, subscription: null },
  });
  it('reads them with lines, attempts and explanation', async () => {
    const invoice = await api.stripe.invoices.retrieve('in_1', { expand: ['payment_attempts', 'parent.subscription_details.subscription', 'lines.data.pricing.price_details.price'] });
    expect(invoice).toMatchObject({
      object: 'invoice',
      total: 2856,
      payment_attempts: { object: 'list', data: [] },
      parent: { subscription_details: { subscription: { id: 'sub_1' } } },
      lines: { data: [{ explanation: { sentence: '2 × EUR 12.00' }, pricing: { price_details: { price: { id: 'price_1' } } } }] },
      total_taxes: [{ amount: 456, tax_rate_details: { tax_rate: 'txr_1' } }],
    });
    expect((await api.stripe.invoices.listLineItems('in_1')).data).toHaveLength(1);
    expect((await api.stripe.invoices.list({ subscription: 'sub_1', status: 'open' })).data.map(({ id }) => id)).toEqual(['in_1']);
  });
  it('sends commands to the workflow of the invoice', async () => {
    api.commands.commandInvoice.mockImplementation(async () => ({ invoice: facts, payment: null }));
    await api.stripe.invoices.finalizeInvoice('in_1');
    await api.stripe.invoices.voidInvoice('in_1');
    await api.stripe.invoices.markUncollectible('in_1');
    expect(api.commands.commandInvoice.mock.calls.map(([start, command]) => [start, command.do])).toEqual(
      ['finalize', 'void', 'mark_uncollectible'].map((deed) => [{ accountId: 'acct_1', invoiceId: 'in_1', subscriptionId: 'sub_1' }, deed]),
    );
  });
  it.each([
    ['declined', { statusCode: 402, code: 'card_declined', decline_code: 'lost_card' }],
    ['requires_action', { statusCode: 402, code: 'invoice_payment_intent_requires_action' }],
    ['no_payment_method', { statusCode: 400, code: 'resource_missing', param: 'payment_method' }],
    ['unknown', { statusCode: 503 }],
  ] as const)('tells a payment that is %s', async (outcome, expected) => {
    api.commands.commandInvoice.mockImplementationOnce(async () => paymentOf(outcome));
    expect(await refused(api.stripe.invoices.pay('in_1', { payment_method: 'pm_1' }))).toMatchObject(expected);
  });
  it('answers a paid one with the invoice', async () => {
    api.commands.commandInvoice.mockImplementationOnce(async (_, command) => {
      await write(api.db, 'acct_1', { invoices: [anInvoice({ ...(await import('../../db/invoices.ts').then(({ findInvoice }) => import('../../db/client.ts').then(({ withAccount }) => withAccount(api.db, 'acct_1', (t) => findInvoice(t, 'in_1')))))!, status: 'paid', amountPaid: 2856, amountRemaining: 0, paidAt: START + 5 })] }, command.operationId);
      return paymentOf('paid');
    });
    expect(await api.stripe.invoices.pay('in_1')).toMatchObject({ status: 'paid', amount_paid: 2856, status_transitions: { paid_at: START + 5 } });
  });
});

describe('answers', () => {
  it('are what the document says, in every list and of every object', async () => {
    const get = async (path: string): Promise<unknown> => (await api.request('GET', path)).body;
    const paths = ['/v1/account', '/v1/customers', '/v1/customers/cus_1', '/v1/customers/cus_1/payment_methods', '/v1/customers/cus_1/payment_methods/pm_1', '/v1/customers/cus_1/balance_transactions', '/v1/products', '/v1/products/prod_1', '/v1/prices', '/v1/prices/price_1', '/v1/tax_rates', '/v1/tax_rates/txr_1', '/v1/payment_methods?customer=cus_1', '/v1/payment_methods/pm_1', '/v1/subscriptions?status=all', '/v1/subscriptions/sub_1', '/v1/subscription_items?subscription=sub_1', '/v1/subscription_items/si_1', '/v1/invoices', '/v1/invoices/in_1', '/v1/invoices/in_1/lines', '/v1/events?limit=100'];
    for (const path of paths) {
      const pattern = path.split('?')[0]!.replace(/\/(cus|prod|price|txr|sub|si|in)_1/, '/:id').replace(/\/payment_methods\/pm_1$/, (tail) => (path.includes('customers') ? '/payment_methods/:method' : tail.replace('pm_1', ':id')));
      const route = ROUTES.find((candidate) => candidate.method === 'get' && candidate.path === pattern);
      expect(route, pattern).toBeDefined();
      const answer = await get(path);
      expect(route?.answer.parse(answer), path).toEqual(answer);
    }
    vi.restoreAllMocks();
  });
});
