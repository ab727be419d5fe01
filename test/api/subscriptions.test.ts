import Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WorkflowGone } from '../../api/commands.ts';
import { ApiError, noAnswerInTime } from '../../api/errors.ts';
import { Refusal } from '../../domain/errors.ts';
import type { CommandResult } from '../../workflows/messages.ts';
import { aSubscription, END, START } from './examples.ts';
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

const done = {} as CommandResult;
/** What the worker would write for the creation: the subscription, active, without an invoice. */
const subscribed = async (_account: string, command: Parameters<Api['commands']['subscribe']>[1]): Promise<CommandResult> => {
  const subscription = aSubscription({
    id: command.subscriptionId,
    customerId: command.customerId,
    items: command.items.map(({ discounts: _, ...item }) => ({ ...item, metadata: {}, createdAt: START })),
    defaultTaxRateIds: command.defaultTaxRateIds,
    latestInvoiceId: null,
  });
  await write(
    api.db,
    'acct_1',
    {
      subscription,
      events: [{ type: 'customer.subscription.created', objectType: 'subscription', objectId: subscription.id, previous: null }],
    },
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
      items: {
        data: [
          {
            quantity: 3,
            metadata: { seat: 'window' },
            current_period_start: START,
            current_period_end: END,
            price: { product: { id: 'prod_1' } },
            tax_rates: [{ id: 'txr_1' }],
          },
        ],
      },
    });
    expect(made.id).toMatch(/^sub_[A-Za-z0-9]{24}$/);
    const [account, command] = api.commands.subscribe.mock.calls[0] ?? [];
    expect(account).toBe('acct_1');
    expect(command).toMatchObject({
      customerId: 'cus_1',
      billingTimezone: 'Europe/Berlin',
      paymentBehavior: 'allow_incomplete',
      items: [{ priceId: 'price_1', quantity: '3' }],
    });
    expect(JSON.stringify(command)).not.toMatch(/Ada|order|crm-sub/);
    expect(command?.actor).toMatch(/^api_key:[0-9a-f]{12}$/);
  });

  it('is refused by the dry run before any workflow is asked', async () => {
    expect(
      await refused(api.stripe.subscriptions.create({ customer: 'cus_1', items: [{ price: 'price_1' }, { price: 'price_1' }] })),
    ).toMatchObject({ statusCode: 400 });
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
    expect(await refused(api.stripe.subscriptions.create(params, { idempotencyKey: 'slow' }))).toMatchObject({
      statusCode: 409,
      rawType: 'idempotency_error',
    });
    gate.resolve();
    expect((await first).status).toBe('active');
  });

  it('tells a decline as a card error, and keeps it under the key', async () => {
    api.commands.subscribe.mockRejectedValueOnce(
      new ApiError('The payment failed: insufficient_funds.', {
        status: 402,
        type: 'card_error',
        code: 'card_declined',
        declineCode: 'insufficient_funds',
      }),
    );
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
    const answer = await api.stripe.subscriptions.update('sub_1', {
      cancel_at_period_end: true,
      cancellation_details: { comment: 'Ada moves on', feedback: 'unused' },
    });
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
    expect(event).toMatchObject({
      data: { object: { id: 'sub_1', metadata: { a: '1' } }, previous_attributes: { metadata: {}, description: null } },
    });
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
    expect(await refused(api.stripe.subscriptions.update('sub_1', { items: [{ id: 'si_1', quantity: 9 }] }))).toMatchObject({
      statusCode: 503,
    });
  });
  it('changes items by their own path', async () => {
    await api.stripe.subscriptionItems.update('si_1', { quantity: 4 });
    expect(api.commands.changePlan.mock.calls[0]?.[1].items).toEqual([{ do: 'update', itemId: 'si_1', quantity: '4' }]);
    expect(await api.stripe.subscriptionItems.update('si_1', { metadata: { row: '3' } })).toMatchObject({
      id: 'si_1',
      metadata: { row: '3' },
    });
    expect((await api.stripe.subscriptionItems.list({ subscription: 'sub_1' })).data.map(({ id }) => id)).toEqual(['si_1']);
    expect(await api.stripe.subscriptionItems.retrieve('si_1', { expand: ['price.product'] })).toMatchObject({
      price: { product: { id: 'prod_1' } },
    });
  });
});

describe('cancel', () => {
  it('asks the workflow', async () => {
    api.commands.cancel.mockImplementation(async () => done);
    await api.stripe.subscriptions.cancel('sub_1', {
      prorate: true,
      invoice_now: true,
      cancellation_details: { feedback: 'too_expensive' },
    });
    expect(api.commands.cancel.mock.calls[0]?.[1]).toMatchObject({
      prorate: true,
      invoiceNow: true,
      details: { feedback: 'too_expensive' },
    });
  });
  it('does not find what has ended', async () => {
    await write(api.db, 'acct_1', {
      subscription: aSubscription({
        id: 'sub_old',
        status: 'canceled',
        items: [{ id: 'si_old', priceId: 'price_1', quantity: '1', taxRateIds: [], metadata: {}, createdAt: START }],
        defaultTaxRateIds: [],
        latestInvoiceId: null,
        endedAt: END,
        canceledAt: END,
      }),
    });
    expect(await refused(api.stripe.subscriptions.cancel('sub_old'))).toMatchObject({ statusCode: 404, code: 'resource_missing' });
    expect((await api.stripe.subscriptions.list({ status: 'ended' })).data.map(({ id }) => id)).toEqual(['sub_old']);
    expect((await api.stripe.subscriptions.list()).data.map(({ id }) => id)).not.toContain('sub_old');
    expect((await api.stripe.subscriptions.list({ status: 'trialing' })).data).toEqual([]);
    expect(
      (await api.stripe.subscriptions.list({ status: 'all', price: 'price_1', expand: ['data.latest_invoice'] })).data.length,
    ).toBeGreaterThan(1);
  });
});

describe('a command that the dry run refuses', () => {
  const entries = async () => (await api.request('GET', '/v1/subscriptions/sub_1/timeline?type=refusal')).body['data'];

  it('is told on the timeline, once a day however often it is sent, and reaches no workflow', async () => {
    const before = (await entries()).length;
    const last = { items: [{ id: 'si_1', deleted: true }] };
    for (let sent = 0; sent < 3; sent += 1) await refused(api.stripe.subscriptions.update('sub_1', last));
    await refused(api.stripe.subscriptions.resume('sub_1'));
    await refused(api.stripe.subscriptions.update('sub_1', { items: [{ quantity: -1 }] }));
    await refused(api.stripe.subscriptions.update('sub_none', last));
    expect(api.commands.changePlan).not.toHaveBeenCalled();
    const told = (await entries()).slice(before);
    expect(told).toMatchObject([
      {
        ...{ type: 'refusal', name: 'change-plan', actor: expect.stringMatching(/^api_key:/), workflow: null },
        sentence: expect.stringMatching(/^API key [0-9a-f]{12} asked to change the subscription and was refused: /),
        reason: { code: 'last_item_removal' },
        data: { parameters: { items: [{ do: 'remove', item_id: 'si_1' }] } },
      },
      { type: 'refusal', name: 'resume-subscription', reason: { code: 'transition_not_allowed' } },
    ]);
  });

  it('is told as well where only the workflow knows why, and what a payment came to is not', async () => {
    const before = (await entries()).length;
    const pause = () => refused(api.stripe.rawRequest('POST', '/v1/subscriptions/sub_1/pause', {} as never));
    api.commands.pause.mockRejectedValueOnce(new Refusal('transition_not_allowed', 'It was paused a moment ago.'));
    expect(await pause()).toMatchObject({ message: 'It was paused a moment ago.' });
    api.commands.pause.mockRejectedValueOnce(new Refusal('no_payment_method', 'There is no payment method to charge.'));
    await pause();
    expect((await entries()).slice(before)).toMatchObject([
      { name: 'pause-subscription', operation: expect.not.stringMatching(/^refused:/), reason: { message: 'It was paused a moment ago.' } },
    ]);
  });

  it('is told of its invoices, invoice items and schedules too, whatever ids are made in passing', async () => {
    const before = (await entries()).length;
    const fee = { customer: 'cus_1', currency: 'eur', amount: 100 };
    for (let sent = 0; sent < 2; sent += 1) {
      await refused(api.stripe.invoiceItems.create({ ...fee, invoice: 'in_1' }));
      await refused(api.stripe.invoiceItems.create({ ...fee, subscription: 'sub_1', currency: 'usd' }));
    }
    await refused(api.stripe.invoiceItems.create({ ...fee, subscription: 'sub_none' }));
    await refused(api.stripe.invoices.update('in_1', { footer: 'Thank you.' }));
    await refused(api.stripe.invoices.sendInvoice('in_1'));
    await refused(api.stripe.invoices.del('in_1'));
    api.commands.editSchedule.mockRejectedValueOnce(new Refusal('transition_not_allowed', 'It has a schedule since a moment ago.'));
    await refused(api.stripe.subscriptionSchedules.create({ from_subscription: 'sub_1' }));
    const ended = refused(api.stripe.subscriptionSchedules.create({ from_subscription: 'sub_old' }));
    expect((await ended).code).not.toBe('resource_missing');
    expect((await entries()).slice(before)).toMatchObject([
      { name: 'edit-invoice', invoice: 'in_1', reason: { code: 'invoice_not_draft' }, data: { parameters: { do: 'add_item' } } },
      { name: 'edit-invoice-item', invoice: null, reason: { code: 'currency_mismatch' } },
      { name: 'edit-invoice', reason: { code: 'invoice_not_draft', param: 'footer' }, data: { parameters: { footer: 'Thank you.' } } },
      { name: 'send-invoice', invoice: 'in_1', reason: { code: 'transition_not_allowed' } },
      { name: 'edit-invoice', data: { parameters: { do: 'delete' } } },
      { name: 'edit-schedule', reason: { message: 'It has a schedule since a moment ago.' } },
    ]);
    const path = '/v1/subscriptions/sub_old/timeline?type=refusal';
    expect((await api.request('GET', path)).body['data']).toMatchObject([{ name: 'edit-schedule', data: { parameters: { do: 'adopt' } } }]);
  });
});
