import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { instant } from '../../domain/time.ts';
import { invoicesOf, newCustomer, newPrice, useCard, withoutIds } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, changesOf, newClock } from '../support/test-clock.ts';

let stack: Stack;
let stripe: Stripe;
let setup: string;
let vat: string;
beforeAll(async () => {
  stack = await startStack({ account: { invoiceGraceSeconds: 3600 } });
  stripe = stack.stripe;
  const product = await stripe.products.create({ name: 'Setup' });
  setup = (await stripe.prices.create({ product: product.id, currency: 'eur', unit_amount: 4999 })).id;
  vat = (await stripe.taxRates.create({ display_name: 'VAT', percentage: 19, inclusive: false })).id;
});
afterAll(() => stack?.stop());

/** A monthly subscription on a clock of its own. */
async function subscribed(params: Partial<Stripe.SubscriptionCreateParams> = {}) {
  const clock = await newClock(stripe, '2027-01-31T10:00:00Z');
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: await newPrice(stripe, 1200) }], ...params });
  return { clock: clock.id, customer, id };
}

async function latest(customer: string): Promise<Stripe.Invoice> {
  const invoice = (await invoicesOf(stripe, { customer })).at(-1);
  if (invoice === undefined) throw new Error('there is no invoice');
  return invoice;
}

const wordsOf = (invoice: Stripe.Invoice): string[] => invoice.lines.data.map((line) => `${line.description} ${line.amount}`);

test('items added to the draft of a renewal are billed on it', { timeout: 120_000 }, async () => {
  const { clock, customer } = await subscribed({ default_tax_rates: [vat] });
  await advanceTo(stripe, clock, '2027-02-28T10:10:00Z');
  const draft = await latest(customer);
  const item = await stripe.invoiceItems.create({
    customer,
    invoice: draft.id,
    pricing: { price: setup },
    quantity: 2,
    metadata: { ticket: '17' },
    period: { start: instant('2027-02-01T00:00:00Z'), end: instant('2027-03-01T00:00:00Z') },
  });
  expect(item).toMatchObject({
    object: 'invoiceitem',
    amount: 9998,
    currency: 'eur',
    description: 'Setup',
    invoice: draft.id,
    quantity: 2,
    pricing: { price_details: { price: setup }, unit_amount_decimal: expect.anything() },
    tax_rates: [{ id: vat }],
    metadata: { ticket: '17' },
    date: instant('2027-02-28T10:10:00Z'),
    test_clock: clock,
  });
  const credit = await stripe.invoiceItems.create({ customer, invoice: draft.id, amount: -1000, currency: 'eur', description: 'Sorry' });
  expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({ status: 'draft', subtotal: 10_198, total: 12_136 });
  expect(await stripe.invoiceItems.update(item.id, { quantity: 1, description: 'Setup, one of two' })).toMatchObject({
    amount: 4999,
    quantity: 1,
  });
  expect(await stripe.invoiceItems.update(credit.id, { tax_rates: '' })).toMatchObject({ tax_rates: [{ id: vat }] });
  const extra = await stripe.invoiceItems.create({ customer, invoice: draft.id, amount: 1, currency: 'eur' });
  expect(await stripe.invoiceItems.del(extra.id)).toEqual(expect.objectContaining({ id: extra.id, deleted: true }));
  await expect(stripe.invoiceItems.retrieve(extra.id)).rejects.toMatchObject({ statusCode: 404 });

  await advanceTo(stripe, clock, '2027-02-28T11:00:00Z');
  const paid = await stripe.invoices.retrieve(draft.id);
  expect(paid).toMatchObject({ status: 'paid', subtotal: 5199, total: 6187, amount_paid: 6187 });
  expect(wordsOf(paid)).toEqual(['1 × Seat (at EUR 12.00 / month) 1200', 'Setup, one of two 4999', 'Sorry -1000']);
  expect(paid.lines.data[1]).toMatchObject({
    metadata: { ticket: '17' },
    period: { start: instant('2027-02-01T00:00:00Z'), end: instant('2027-03-01T00:00:00Z') },
    parent: { type: 'invoice_item_details', invoice_item_details: { invoice_item: item.id } },
  });
  await expect(stripe.invoiceItems.update(item.id, { amount: 1 })).rejects.toMatchObject({ code: 'invoice_not_editable' });
  await expect(stripe.invoiceItems.del(item.id)).rejects.toMatchObject({ code: 'invoice_not_editable' });
  const types = (await changesOf(stripe, clock)).map(({ type }) => type);
  expect(types).toContain('invoice.finalized');
  const events = await stripe.events.list({ limit: 100 });
  expect(events.data.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['invoiceitem.created', 'invoiceitem.updated', 'invoiceitem.deleted', 'invoice.updated']),
  );
});

test('items that wait are on the next invoice, as previewed', { timeout: 120_000 }, async () => {
  const { clock, customer, id } = await subscribed();
  await advanceTo(stripe, clock, '2027-02-28T10:10:00Z');
  const draft = await latest(customer);
  const own = await stripe.invoiceItems.create({ customer, subscription: id, amount: 300, currency: 'eur', description: 'Own' });
  const loose = await stripe.invoiceItems.create({
    customer,
    unit_amount_decimal: '33.5' as never,
    quantity: 3,
    currency: 'eur',
    description: 'Loose',
  });
  const gone = await stripe.invoiceItems.create({ customer, amount: 5, currency: 'eur' });
  expect([own.invoice, loose.invoice, loose.amount]).toEqual([null, null, 101]);
  await stripe.invoiceItems.update(own.id, { amount: 400, metadata: { a: 'b' } });
  await stripe.invoiceItems.del(gone.id);
  const list = async (params: Stripe.InvoiceItemListParams) =>
    (await stripe.invoiceItems.list({ customer, ...params })).data.map((item) => item.id);
  expect(await list({ pending: true })).toEqual([loose.id, own.id]);
  expect(await list({ pending: false })).toEqual([]);
  expect(await list({ limit: 1 })).toEqual([loose.id]);
  expect(await list({ starting_after: loose.id })).toEqual([own.id]);
  expect(await list({ created: { gt: own.date } })).toEqual([]);

  const preview = await stripe.invoices.createPreview({ subscription: id });
  await advanceTo(stripe, clock, '2027-03-31T11:00:00Z');
  const next = await latest(customer);
  expect(next.id).not.toBe(draft.id);
  expect(wordsOf(next)).toEqual(['Own 400', 'Loose 101', '1 × Seat (at EUR 12.00 / month) 1200']);
  expect(next).toMatchObject({ status: 'paid', total: 1701 });
  expect(withoutIds(next)).toEqual(withoutIds(preview));
  expect(await list({ invoice: next.id })).toEqual([loose.id, own.id]);
  expect((await stripe.invoices.retrieve(draft.id)).total).toBe(1200);
});

test('a fee that waits for the customer is on the first invoice of the next subscription', { timeout: 60_000 }, async () => {
  const customer = await newCustomer(stripe);
  await stripe.invoiceItems.create({ customer, pricing: { price: setup } });
  const subscription = await stripe.subscriptions.create({
    customer,
    items: [{ price: await newPrice(stripe, 1200) }],
    expand: ['latest_invoice'],
  });
  const invoice = subscription.latest_invoice as Stripe.Invoice;
  expect(invoice).toMatchObject({ status: 'paid', total: 6199 });
  expect(wordsOf(invoice)).toEqual(['Setup 4999', '1 × Seat (at EUR 12.00 / month) 1200']);
});

test('the same request twice makes one item', { timeout: 60_000 }, async () => {
  const { clock, customer } = await subscribed();
  await advanceTo(stripe, clock, '2027-02-28T10:10:00Z');
  const { id: invoice } = await latest(customer);
  for (const params of [
    { customer, amount: 1, currency: 'eur' },
    { customer, invoice, amount: 2, currency: 'eur' },
  ]) {
    const idempotencyKey = `twice-${params.amount}-${customer}`;
    const [first, second] = [
      await stripe.invoiceItems.create(params, { idempotencyKey }),
      await stripe.invoiceItems.create(params, { idempotencyKey }),
    ];
    expect(second.id).toBe(first.id);
  }
  expect((await stripe.invoiceItems.list({ customer })).data).toHaveLength(2);
  expect((await stripe.invoices.retrieve(invoice)).total).toBe(1202);
});

test('one-off invoices: of what waits, finalised and collected, declined, deleted', { timeout: 120_000 }, async () => {
  const clock = await newClock(stripe, '2027-01-31T10:00:00Z');
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  const waiting = await stripe.invoiceItems.create({ customer, amount: 2500, currency: 'eur', description: 'Workshop', tax_rates: [vat] });
  const draft = await stripe.invoices.create({
    customer,
    pending_invoice_items_behavior: 'include',
    metadata: { po: '1' },
    description: 'Thanks',
  });
  expect(draft).toMatchObject({
    status: 'draft',
    billing_reason: 'manual',
    auto_advance: false,
    automatically_finalizes_at: null,
    parent: null,
    total: 2975,
    metadata: { po: '1' },
    description: 'Thanks',
    created: instant('2027-01-31T10:00:00Z'),
  });
  expect((await stripe.invoiceItems.retrieve(waiting.id)).invoice).toBe(draft.id);
  await expect(stripe.invoices.update(draft.id, { auto_advance: true })).rejects.toMatchObject({ param: 'auto_advance' });
  await stripe.invoiceItems.create({ customer, invoice: draft.id, amount: 25, currency: 'eur' });
  await advanceTo(stripe, clock.id, '2027-03-31T10:00:00Z');
  expect((await stripe.invoices.retrieve(draft.id)).status).toBe('draft');
  expect(await stripe.invoices.finalizeInvoice(draft.id, { auto_advance: true })).toMatchObject({ status: 'paid', amount_paid: 3000 });

  const empty = await stripe.invoices.create({ customer });
  expect(empty).toMatchObject({ status: 'draft', total: 0, currency: 'eur', lines: { data: [] } });
  await stripe.invoiceItems.create({ customer, invoice: empty.id, amount: 700, currency: 'eur' });
  await useCard(stripe, customer, 'pm_card_chargeCustomerFail');
  expect(await stripe.invoices.finalizeInvoice(empty.id)).toMatchObject({ status: 'open', amount_due: 700 });
  await expect(stripe.invoices.pay(empty.id)).rejects.toMatchObject({ statusCode: 402 });
  await useCard(stripe, customer, 'pm_card_visa');
  expect(await stripe.invoices.pay(empty.id)).toMatchObject({ status: 'paid' });
  await expect(stripe.invoices.del(empty.id)).rejects.toMatchObject({ code: 'invoice_not_editable' });

  const again = await stripe.invoiceItems.create({ customer, amount: 1, currency: 'eur' });
  const unwanted = await stripe.invoices.create({ customer, pending_invoice_items_behavior: 'include' });
  const idempotencyKey = `delete-${unwanted.id}`;
  expect(await stripe.invoices.del(unwanted.id, {}, { idempotencyKey })).toMatchObject({ id: unwanted.id, deleted: true });
  expect(await stripe.invoices.del(unwanted.id, {}, { idempotencyKey })).toMatchObject({ deleted: true });
  await expect(stripe.invoices.retrieve(unwanted.id)).rejects.toMatchObject({ statusCode: 404 });
  await expect(stripe.invoices.del(unwanted.id)).rejects.toMatchObject({ statusCode: 404 });
  expect((await stripe.invoiceItems.retrieve(again.id)).invoice).toBeNull();
});

test('an invoice of a subscription is not deleted', { timeout: 60_000 }, async () => {
  const { clock, customer } = await subscribed();
  await advanceTo(stripe, clock, '2027-02-28T10:10:00Z');
  await expect(stripe.invoices.del((await latest(customer)).id)).rejects.toMatchObject({ statusCode: 400 });
});
