import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { instant } from '../../domain/time.ts';
import { pauseSubscription, resumeSubscription } from '../support/pause.ts';
import { calendarLine, invoicesOf, newCustomer, newPrice, statusOf, useCard, withoutIds } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, changesOf, newClock } from '../support/test-clock.ts';

let stack: Stack;
let stripe: Stripe;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
});
afterAll(() => stack?.stop());

const DAY = 86_400;
const SENT = { collection_method: 'send_invoice', days_until_due: 10 } as const;

/** A customer without a card, on the clock; every one of these lives is on the same. */
async function invoiced(clock: string, params: Partial<Stripe.SubscriptionCreateParams> = {}) {
  const customer = await newCustomer(stripe, null, { test_clock: clock });
  const { id } = await stripe.subscriptions.create({ customer, items: [{ price: await newPrice(stripe, 3100) }], ...SENT, ...params });
  return { customer, id };
}
const latest = async (customer: string): Promise<Stripe.Invoice & { id: string }> => {
  const invoice = (await invoicesOf(stripe, { customer })).at(-1);
  if (invoice?.id === undefined) throw new Error('there is no invoice');
  return { ...invoice, id: invoice.id };
};
const lines = async (customer: string): Promise<string[]> =>
  (await invoicesOf(stripe, { customer })).map((invoice) => calendarLine(invoice));

test('invoiced customers: sent, overdue, paid, paused, on trial, cancelled, switched', { timeout: 240_000 }, async () => {
  const { id: clock } = await newClock(stripe, '2027-01-31T10:00:00Z');
  const late = await invoiced(clock);
  const paying = await invoiced(clock);
  const credited = await invoiced(clock);
  const extended = await invoiced(clock);
  const held = await invoiced(clock);
  const trial = await invoiced(clock, { trial_period_days: 5, trial_settings: { end_behavior: { missing_payment_method: 'cancel' } } });
  const leaving = await invoiced(clock);
  const switched = await invoiced(clock);

  expect(await stripe.subscriptions.retrieve(late.id)).toMatchObject({ status: 'active', ...SENT });
  const first = await latest(late.customer);
  expect(first).toMatchObject({
    status: 'open',
    collection_method: 'send_invoice',
    due_date: first.created + 10 * DAY,
    attempted: false,
    amount_remaining: 3100,
  });
  await stripe.invoices.sendInvoice(first.id);
  await stripe.subscriptions.update(switched.id, { collection_method: 'charge_automatically' });
  await useCard(stripe, switched.customer, 'pm_card_visa');
  await stripe.subscriptions.update(held.id, { pause_collection: { behavior: 'keep_as_draft' } });

  // One-offs: the first is paid, the second is not.
  const single = async () => {
    const draft = await stripe.invoices.create({
      customer: paying.customer,
      currency: 'eur',
      collection_method: 'send_invoice',
      days_until_due: 3,
    });
    await stripe.invoiceItems.create({ customer: paying.customer, invoice: draft.id ?? '', amount: 500, currency: 'eur' });
    return stripe.invoices.sendInvoice(draft.id ?? '');
  };
  const own = await single();
  const forgotten = await single();
  expect(own).toMatchObject({ status: 'open', due_date: own.created + 3 * DAY, total: 500 });
  await stripe.invoices.pay(own.id ?? '', { paid_out_of_band: true });

  await advanceTo(stripe, clock, '2027-02-05T10:00:00Z');
  expect(await statusOf(stripe, trial.id)).toBe('active');
  expect(await latest(trial.customer)).toMatchObject({ status: 'open', due_date: instant('2027-02-15T10:00:00Z'), amount_due: 3100 });
  expect(await stripe.invoices.retrieve(forgotten.id ?? '')).toMatchObject({ status: 'open' });
  const overdueAlone = (await changesOf(stripe, clock)).filter(({ type }) => type === 'invoice.overdue');
  expect(overdueAlone).toMatchObject([{ created: instant('2027-02-03T10:00:00Z'), data: { object: { id: forgotten.id } } }]);

  await pauseSubscription(stripe, credited.id);
  await pauseSubscription(stripe, extended.id, { unused_time: 'extend' });
  await stripe.subscriptions.cancel(leaving.id, { prorate: true, invoice_now: true });
  const [mine] = await invoicesOf(stripe, { subscription: paying.id });
  await stripe.invoices.pay(mine?.id ?? '', { payment_method: await useCard(stripe, paying.customer, 'pm_card_visa') });

  await advanceTo(stripe, clock, '2027-02-10T10:00:00Z');
  expect(await statusOf(stripe, late.id)).toBe('past_due');
  expect(await statusOf(stripe, paying.id)).toBe('active');
  expect(await statusOf(stripe, held.id)).toBe('past_due');
  expect(await statusOf(stripe, switched.id)).toBe('past_due');
  expect(await statusOf(stripe, credited.id)).toBe('paused');
  expect(await statusOf(stripe, leaving.id)).toBe('canceled');
  const owed = await latest(late.customer);
  const told = (await changesOf(stripe, clock)).filter(({ data }) => (data.object as { id?: string }).id === owed.id);
  expect(told.map(({ type, created }) => [type, created])).toEqual([['invoice.overdue', instant('2027-02-10T10:00:00Z')]]);

  await stripe.invoices.pay(owed.id, { paid_out_of_band: true });
  expect(await statusOf(stripe, late.id)).toBe('active');
  await stripe.invoices.pay((await latest(switched.customer)).id);
  expect(await statusOf(stripe, switched.id)).toBe('active');
  await resumeSubscription(stripe, extended.id);
  const preview = await stripe.invoices.createPreview({ subscription: late.id });
  expect(preview).toMatchObject({ collection_method: 'send_invoice', due_date: instant('2027-03-10T10:00:00Z') });

  await advanceTo(stripe, clock, '2027-03-11T10:00:00Z');
  const renewed = await latest(late.customer);
  expect(withoutIds(renewed)).toEqual(withoutIds(preview));
  expect(renewed.due_date).toBe(preview.due_date);
  expect(await statusOf(stripe, late.id)).toBe('past_due');
  expect(await lines(switched.customer)).toEqual(['2027-01-31 create EUR 31.00 paid', '2027-02-28 cycle EUR 31.00 paid']);
  expect(await lines(held.customer)).toEqual(['2027-01-31 create EUR 31.00 open', '2027-02-28 cycle EUR 31.00 draft']);
  expect(await lines(trial.customer)).toEqual([
    '2027-01-31 create EUR 0.00 paid',
    '2027-02-05 cycle EUR 31.00 open',
    '2027-03-05 cycle EUR 31.00 open',
  ]);
  expect((await stripe.subscriptions.retrieve(extended.id)).items.data[0]?.current_period_end).toBeGreaterThan(
    instant('2027-02-28T10:00:00Z'),
  );
  const [part] = await invoicesOf(stripe, { customer: leaving.customer });
  expect(part).toMatchObject({ status: 'open', auto_advance: false });
  expect(part?.amount_remaining).toBeLessThan(3100);
  expect((await invoicesOf(stripe, { customer: credited.customer }))[0]?.amount_remaining).toBe(part?.amount_remaining);
});

test('what makes no sense is refused', { timeout: 60_000 }, async () => {
  const customer = await newCustomer(stripe);
  const price = await newPrice(stripe, 3100);
  await expect(stripe.subscriptions.create({ customer, items: [{ price }], collection_method: 'send_invoice' })).rejects.toMatchObject({
    code: 'parameter_missing',
    param: 'days_until_due',
  });
  const { id, latest_invoice } = await stripe.subscriptions.create({ customer, items: [{ price }] });
  await expect(stripe.subscriptions.update(id, { days_until_due: 5 })).rejects.toMatchObject({ param: 'days_until_due' });
  await expect(stripe.invoices.sendInvoice(String(latest_invoice))).rejects.toMatchObject({ statusCode: 400 });
});
