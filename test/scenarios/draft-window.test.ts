import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { instant } from '../../domain/time.ts';
import { fakeTaxCalculator } from '../../gateways/tax/fake-external.ts';
import { pauseSubscription } from '../support/pause.ts';
import { calendarLine, invoicesOf, newCustomer, newPrice, startLife, statusOf, useCard, withoutIds } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, changesOf, newClock } from '../support/test-clock.ts';

let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
  await setGrace(stripe, 3600);
});
afterAll(() => stack?.stop());

const setGrace = (client: Stripe, seconds: number) => client.rawRequest('POST', '/v1/account', { invoice_grace_seconds: seconds });

/** A monthly subscription that began at 10:00 on 31 January, on a clock of its own. */
async function subscribed(params: Partial<Stripe.SubscriptionCreateParams> = {}, client = stripe) {
  const clock = await newClock(client, '2027-01-31T10:00:00Z');
  const customer = await newCustomer(client, 'pm_card_visa', { test_clock: clock.id, address: { country: 'DE' } });
  const price = await newPrice(client, 1200);
  const { id } = await client.subscriptions.create({ customer, items: [{ price }], ...params });
  return { clock: clock.id, customer, price, id };
}

async function latest(customer: string, client = stripe): Promise<Stripe.Invoice> {
  const invoice = (await invoicesOf(client, { customer })).at(-1);
  if (invoice === undefined) throw new Error('there is no invoice');
  return invoice;
}

test('a renewal is a draft for an hour, then final and paid; the preview is what is paid', { timeout: 120_000 }, async () => {
  const { clock, customer, id } = await subscribed();
  expect((await invoicesOf(stripe, { customer }))[0]).toMatchObject({ status: 'paid', automatically_finalizes_at: null });
  await advanceTo(stripe, clock, '2027-02-28T09:59:59Z');
  const preview = await stripe.invoices.createPreview({ subscription: id });
  await advanceTo(stripe, clock, '2027-02-28T10:00:00Z');
  const draft = await latest(customer);
  expect(draft).toMatchObject({
    status: 'draft',
    number: null,
    auto_advance: true,
    automatically_finalizes_at: instant('2027-02-28T11:00:00Z'),
    status_transitions: { finalized_at: null },
  });
  expect((await stripe.subscriptions.retrieve(id)).items.data[0]?.current_period_start).toBe(instant('2027-02-28T10:00:00Z'));
  await advanceTo(stripe, clock, '2027-02-28T10:59:59Z');
  expect((await latest(customer)).status).toBe('draft');
  await advanceTo(stripe, clock, '2027-02-28T11:00:00Z');
  const paid = await latest(customer);
  expect(paid).toMatchObject({
    id: draft.id,
    status: 'paid',
    automatically_finalizes_at: null,
    status_transitions: { finalized_at: instant('2027-02-28T11:00:00Z'), paid_at: instant('2027-02-28T11:00:00Z') },
  });
  expect(withoutIds(paid)).toEqual(withoutIds(preview));
  expect((await changesOf(stripe, clock)).map(({ type }) => type)).toEqual(expect.arrayContaining(['invoice.finalized', 'invoice.paid']));

  await advanceTo(stripe, clock, '2028-03-01T10:00:00Z');
  const all = await invoicesOf(stripe, { customer });
  expect(all).toHaveLength(14);
  expect(all.slice(1).map((invoice) => (invoice.status_transitions.finalized_at ?? 0) - invoice.created)).toEqual(Array(13).fill(3600));
  expect(all.every(({ status }) => status === 'paid')).toBe(true);
});

test('auto_advance off, and the words on a draft', { timeout: 120_000 }, async () => {
  const { clock, customer } = await subscribed();
  await advanceTo(stripe, clock, '2027-02-28T10:30:00Z');
  const { id } = await latest(customer);
  const changed = await stripe.invoices.update(id, {
    auto_advance: false,
    description: 'February, as agreed',
    footer: 'Thank you',
    metadata: { po: '4711' },
  });
  expect(changed).toMatchObject({
    status: 'draft',
    auto_advance: false,
    automatically_finalizes_at: null,
    description: 'February, as agreed',
    footer: 'Thank you',
    metadata: { po: '4711' },
  });
  await advanceTo(stripe, clock, '2027-04-01T10:00:00Z');
  expect((await invoicesOf(stripe, { customer })).map((invoice) => calendarLine(invoice))).toEqual([
    '2027-01-31 create EUR 12.00 paid',
    '2027-02-28 cycle EUR 12.00 draft',
    '2027-03-31 cycle EUR 12.00 paid',
  ]);
  // Its time has come long ago.
  await stripe.invoices.update(id, { auto_advance: true });
  await advanceTo(stripe, clock, '2027-04-01T10:00:01Z');
  expect(await stripe.invoices.retrieve(id)).toMatchObject({
    status: 'paid',
    description: 'February, as agreed',
    footer: 'Thank you',
    status_transitions: { finalized_at: instant('2027-04-01T10:00:00Z') },
  });
  await expect(stripe.invoices.update(id, { description: 'Too late' })).rejects.toMatchObject({
    code: 'invoice_not_editable',
    param: 'description',
  });
  expect((await stripe.invoices.update(id, { metadata: { po: '', seen: 'yes' } })).metadata).toEqual({ seen: 'yes' });
});

test('finalised by hand: as the draft says, or as asked', { timeout: 120_000 }, async () => {
  const { clock, customer } = await subscribed();
  await advanceTo(stripe, clock, '2027-02-28T10:30:00Z');
  const first = await latest(customer);
  const held = await stripe.invoices.finalizeInvoice(first.id, { auto_advance: false });
  expect(held).toMatchObject({ status: 'open', auto_advance: false });
  await advanceTo(stripe, clock, '2027-03-31T10:30:00Z');
  expect((await stripe.invoices.retrieve(first.id)).status).toBe('open');
  const second = await latest(customer);
  await stripe.invoices.finalizeInvoice(second.id);
  await advanceTo(stripe, clock, '2027-03-31T10:30:01Z');
  expect(await stripe.invoices.retrieve(second.id)).toMatchObject({
    status: 'paid',
    status_transitions: { paid_at: instant('2027-03-31T10:30:00Z') },
  });
});

test('a decline after the hour, and a cancellation within it', { timeout: 120_000 }, async () => {
  const { clock, customer, id } = await subscribed();
  await useCard(stripe, customer, 'pm_card_chargeCustomerFail');
  await advanceTo(stripe, clock, '2027-02-28T10:59:00Z');
  expect(await statusOf(stripe, id)).toBe('active');
  await advanceTo(stripe, clock, '2027-02-28T11:01:00Z');
  expect(await statusOf(stripe, id)).toBe('past_due');
  expect(await latest(customer)).toMatchObject({ status: 'open', attempt_count: 1 });
  await useCard(stripe, customer, 'pm_card_visa');
  await advanceTo(stripe, clock, '2027-03-31T10:10:00Z');
  expect(await statusOf(stripe, id)).toBe('active');
  const draft = await latest(customer);
  await stripe.subscriptions.cancel(id);
  await advanceTo(stripe, clock, '2027-05-01T10:00:00Z');
  expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({
    status: 'draft',
    auto_advance: false,
    automatically_finalizes_at: null,
  });
  expect(await stripe.invoices.finalizeInvoice(draft.id)).toMatchObject({ status: 'open', auto_advance: false });
});

test('plan changes within the hour: an invoice of its own, or pending for the next one', { timeout: 120_000 }, async () => {
  const { clock, customer, id } = await subscribed();
  const dear = await newPrice(stripe, 2400);
  await advanceTo(stripe, clock, '2027-02-28T10:30:00Z');
  const draft = await latest(customer);
  const item = (await stripe.subscriptions.retrieve(id)).items.data[0]?.id ?? '';
  await stripe.subscriptionItems.update(item, { quantity: 2, proration_behavior: 'always_invoice' });
  const own = await latest(customer);
  expect(own).toMatchObject({ status: 'paid', billing_reason: 'subscription_update' });
  await stripe.subscriptionItems.update(item, { price: dear, quantity: 1 });
  expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({ status: 'draft', total: 1200 });
  const preview = await stripe.invoices.createPreview({ subscription: id });
  await advanceTo(stripe, clock, '2027-03-31T11:00:00Z');
  const next = await latest(customer);
  expect(next.lines.data).toHaveLength(3);
  expect(withoutIds(next)).toEqual(withoutIds(preview));
  expect(await stripe.invoices.retrieve(draft.id)).toMatchObject({ status: 'paid', total: 1200 });
});

test('a pause that begins or ends by itself and a scheduled change wait too; what somebody asks for does not', {
  timeout: 120_000,
}, async () => {
  const { clock, customer, id } = await subscribed();
  const item = (await stripe.subscriptions.retrieve(id)).items.data[0]?.id ?? '';
  const later = { items: [{ id: item, quantity: 2 }], effective_at: instant('2027-02-10T10:00:00Z'), proration_behavior: 'always_invoice' };
  await stripe.subscriptions.update(id, later as Stripe.SubscriptionUpdateParams);
  await advanceTo(stripe, clock, '2027-02-10T10:30:00Z');
  const changed = await latest(customer);
  expect(changed).toMatchObject({ status: 'draft', automatically_finalizes_at: instant('2027-02-10T11:00:00Z') });
  await advanceTo(stripe, clock, '2027-02-12T10:00:00Z');
  expect(await stripe.invoices.retrieve(changed.id)).toMatchObject({
    status: 'paid',
    status_transitions: { finalized_at: instant('2027-02-10T11:00:00Z') },
  });
  await pauseSubscription(stripe, id, { effective_at: instant('2027-02-14T00:00:00Z'), resumes_at: instant('2027-04-01T00:00:00Z') });
  await advanceTo(stripe, clock, '2027-02-14T00:30:00Z');
  const paused = await latest(customer);
  expect(paused).toMatchObject({ status: 'draft', automatically_finalizes_at: instant('2027-02-14T01:00:00Z') });
  expect(paused.total).toBeLessThan(0);
  expect(await stripe.customers.retrieve(customer)).toMatchObject({ balance: 0 });
  await advanceTo(stripe, clock, '2027-02-14T01:00:00Z');
  expect(await stripe.customers.retrieve(customer)).toMatchObject({ balance: paused.total });
  await advanceTo(stripe, clock, '2027-04-01T00:59:59Z');
  const resumed = await latest(customer);
  expect(resumed).toMatchObject({ status: 'draft', automatically_finalizes_at: instant('2027-04-01T01:00:00Z'), total: 2400 });
  await advanceTo(stripe, clock, '2027-04-01T01:00:00Z');
  expect((await stripe.invoices.retrieve(resumed.id)).status).toBe('paid');
});

test('an external tax engine is asked when the hour is over, and by whoever finalises', { timeout: 120_000 }, async () => {
  const calculator = fakeTaxCalculator();
  const taxed = await startStack({ taxCalculators: [calculator], account: { taxCalculator: calculator.name, invoiceGraceSeconds: 3600 } });
  try {
    const { clock, customer } = await subscribed({}, taxed.stripe);
    await advanceTo(taxed.stripe, clock, '2027-02-28T10:30:00Z');
    const draft = await latest(customer, taxed.stripe);
    expect(draft).toMatchObject({ status: 'draft', tax_status: 'pending', total: 1200 });
    expect(calculator.calls(draft.id)).toBe(0);
    await advanceTo(taxed.stripe, clock, '2027-02-28T11:00:00Z');
    expect(await taxed.stripe.invoices.retrieve(draft.id)).toMatchObject({ status: 'paid', total: 1428 });
    await advanceTo(taxed.stripe, clock, '2027-03-31T10:30:00Z');
    const second = await latest(customer, taxed.stripe);
    expect(await taxed.stripe.invoices.finalizeInvoice(second.id)).toMatchObject({ total: 1428, number: expect.any(String) });
    await advanceTo(taxed.stripe, clock, '2027-03-31T12:00:00Z');
    expect(await taxed.stripe.invoices.retrieve(second.id)).toMatchObject({ status: 'paid' });
    expect(calculator.calls(second.id)).toBe(1);
  } finally {
    await taxed.stop();
  }
});

test('the same hour on real timers', { timeout: 120_000 }, async () => {
  const life = await startLife('2027-01-31T10:00:00Z', { account: { invoiceGraceSeconds: 3600 } });
  try {
    const customer = await newCustomer(life.stripe);
    await life.stripe.subscriptions.create({ customer, items: [{ price: await newPrice(life.stripe, 1200) }] });
    await life.until('2027-02-28T10:30:00Z');
    const draft = await latest(customer, life.stripe);
    expect(draft).toMatchObject({ status: 'draft', automatically_finalizes_at: draft.created + 3600 });
    await life.until('2027-02-28T11:30:00Z');
    const paid = await life.stripe.invoices.retrieve(draft.id);
    expect(paid).toMatchObject({ status: 'paid' });
    expect((paid.status_transitions.finalized_at ?? 0) - draft.created).toBe(3600);
  } finally {
    await life.stop();
  }
});

test('the grace period is at most three days, and of live accounts an hour', async () => {
  await expect(setGrace(stripe, 259_201)).rejects.toMatchObject({ param: 'invoice_grace_seconds' });
  await expect(setGrace(stripe, -1)).rejects.toMatchObject({ param: 'invoice_grace_seconds' });
  expect(await stripe.rawRequest('GET', '/v1/account')).toMatchObject({ invoice_grace_seconds: 3600 });
});
