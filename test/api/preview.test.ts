import type Stripe from 'stripe';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { END, START } from './examples.ts';
import { type Api, seed, startApi } from './harness.ts';
import { type Deciding, withoutTemporal } from './without-temporal.ts';

const DAY = 86_400;
let api: Api;
let now = START;
let workflows: Deciding;
let subscription: Stripe.Subscription;

beforeAll(async () => {
  api = await startApi(() => now);
  await seed(api.db, 'acct_1');
  workflows = withoutTemporal(api, () => now);
});
beforeEach(async () => {
  now = START;
  const customer = await api.stripe.customers.create({
    name: 'Ada',
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  });
  subscription = await api.stripe.subscriptions.create({
    customer: customer.id,
    items: [{ price: 'price_1', quantity: 2, tax_rates: ['txr_1'] }],
  });
});
afterAll(() => api.stop());

/** All that money is made of, without the ids that only a written invoice has. */
const money = (invoice: Stripe.Invoice): unknown => ({
  lines: invoice.lines.data.map(({ amount, description, period, taxes, quantity, parent, ...rest }) => ({
    amount,
    description,
    period,
    taxes,
    quantity,
    proration: parent?.subscription_item_details?.proration,
    explanation: (rest as unknown as { explanation: unknown }).explanation,
  })),
  subtotal: invoice.subtotal,
  total: invoice.total,
  total_taxes: invoice.total_taxes,
  amount_due: invoice.amount_due,
  starting_balance: invoice.starting_balance,
  ending_balance: invoice.ending_balance,
  billing_reason: invoice.billing_reason,
});
const latest = async (id: string): Promise<Stripe.Invoice> =>
  (await api.stripe.subscriptions.retrieve(id, { expand: ['latest_invoice'] })).latest_invoice as Stripe.Invoice;
const item = (): string => subscription.items.data[0]!.id;

describe('a preview is the invoice', () => {
  it('of a new subscription', async () => {
    const customer = await api.stripe.customers.create({ name: 'Bo' });
    const params = { items: [{ price: 'price_1', quantity: 3 }, { price: 'price_2' }], default_tax_rates: ['txr_1'] };
    const preview = await api.stripe.invoices.createPreview({ customer: customer.id, subscription_details: params });
    expect(preview).toMatchObject({ status: 'draft', number: null, amount_paid: 0, currency: 'eur' });
    expect(preview.id).toMatch(/^upcoming_in_/);
    const before = await api.countRows();
    await api.stripe.invoices.createPreview({ customer: customer.id, subscription_details: params });
    expect({ ...(await api.countRows()), idempotency_keys: 0 }).toEqual({ ...before, idempotency_keys: 0 });
    const made = await api.stripe.subscriptions.create({ customer: customer.id, ...params });
    expect(money(await latest(made.id))).toEqual(money(preview));
  });

  it('of the next renewal', async () => {
    const preview = await api.stripe.invoices.createPreview({ subscription: subscription.id });
    now = subscription.items.data[0]!.current_period_end;
    await workflows.renew(subscription.id);
    expect(preview).toMatchObject({ total: 2856, billing_reason: 'subscription_cycle' });
    expect(money(await latest(subscription.id))).toEqual(money(preview));
  });

  it('of an upgrade that is invoiced at once', async () => {
    now = START + 10 * DAY + 12_345;
    const change = { items: [{ id: item(), quantity: 7 }], proration_behavior: 'always_invoice' as const, proration_date: now - 60 };
    const preview = await api.stripe.invoices.createPreview({ subscription: subscription.id, subscription_details: change });
    expect(preview.lines.data.map(({ amount }) => Math.sign(amount))).toEqual([-1, 1]);
    await api.stripe.subscriptions.update(subscription.id, change);
    expect(money(await latest(subscription.id))).toEqual(money(preview));
  });

  it('of a change that waits for the renewal', async () => {
    now = START + 15 * DAY;
    const change = {
      items: [{ id: item(), price: 'price_2', quantity: 1 }],
      proration_behavior: 'create_prorations' as const,
      proration_date: now,
    };
    const preview = await api.stripe.invoices.createPreview({ subscription: subscription.id, subscription_details: change });
    await api.stripe.subscriptions.update(subscription.id, change);
    const waiting = await api.stripe.invoices.createPreview({ subscription: subscription.id });
    expect(money(waiting)).toEqual(money(preview));
    now = subscription.items.data[0]!.current_period_end;
    await workflows.renew(subscription.id);
    expect(money(await latest(subscription.id))).toEqual(money(preview));
  });

  it('of a cancellation', async () => {
    now = START + 20 * DAY;
    await api.stripe.subscriptions.update(subscription.id, { items: [{ id: item(), quantity: 5 }] });
    const preview = await api.stripe.invoices.createPreview({ subscription: subscription.id, subscription_details: { cancel_now: true } });
    await api.stripe.subscriptions.cancel(subscription.id, { prorate: true, invoice_now: true });
    expect(money(await latest(subscription.id))).toEqual(money(preview));
  });
});

describe('there is no preview', () => {
  it('of a renewal that will not be', async () => {
    for (const details of [{ cancel_at_period_end: true }, { cancel_at: subscription.items.data[0]!.current_period_end }]) {
      await expect(
        api.stripe.invoices.createPreview({ subscription: subscription.id, subscription_details: details }),
      ).rejects.toMatchObject({ statusCode: 404, code: 'invoice_upcoming_none' });
    }
    await api.stripe.subscriptions.cancel(subscription.id);
    await expect(api.stripe.invoices.createPreview({ subscription: subscription.id })).rejects.toMatchObject({
      statusCode: 404,
      code: 'invoice_upcoming_none',
    });
  });
  it('of a change that would be refused', async () => {
    await expect(
      api.stripe.invoices.createPreview({
        subscription: subscription.id,
        subscription_details: { items: [{ id: item(), deleted: true }] },
      }),
    ).rejects.toMatchObject({ statusCode: 400, code: 'last_item_removal' });
    await expect(
      api.stripe.invoices.createPreview({
        subscription: subscription.id,
        subscription_details: { items: [{ id: item(), quantity: 3 }], proration_date: END * 2 },
      }),
    ).rejects.toMatchObject({ statusCode: 400 });
  });
});

describe('events', () => {
  it('show the object as it was, and what changed', async () => {
    now = START + 5 * DAY;
    await api.stripe.subscriptions.update(subscription.id, { items: [{ id: item(), quantity: 4 }] });
    const [event] = (await api.stripe.events.list({ type: 'customer.subscription.updated', limit: 1 })).data;
    expect(event).toMatchObject({
      object: 'event',
      data: {
        object: { id: subscription.id, items: { data: [{ quantity: 4 }] } },
        previous_attributes: { items: { data: [{ quantity: 2 }] } },
      },
    });
    const all = await api.request('GET', '/v1/events?limit=100');
    expect(all.body['data'].length).toBeGreaterThan(3);
    for (const { data } of all.body['data'])
      expect(data.object.object).toMatch(/^(customer|subscription|invoice|invoiceitem|payment_method|product|price|tax_rate)$/);
    expect(await api.stripe.events.retrieve(event!.id)).toMatchObject({ id: event!.id });
  });
});
