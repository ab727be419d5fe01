import { expect, test } from 'vitest';
import { calendar, invoicesOf, newCustomer, newPrice, startLife } from '../support/scenario.ts';

test('canceled at the end of the period: paid until then, nothing after', { timeout: 120_000 }, async () => {
  const life = await startLife('2027-03-15T09:00:00Z');
  try {
    const { stripe } = life;
    const { id } = await stripe.subscriptions.create({
      customer: await newCustomer(stripe),
      items: [{ price: await newPrice(stripe, 900) }],
    });
    await life.until('2027-04-20T09:00:00Z');
    await stripe.subscriptions.update(id, { cancel_at_period_end: true });
    await life.until('2027-05-10T09:00:00Z');
    expect((await stripe.subscriptions.retrieve(id)).status).toBe('active');
    await life.until('2027-07-01T09:00:00Z');
    const ended = await stripe.subscriptions.retrieve(id);
    expect(ended.status).toBe('canceled');
    expect(new Date((ended.ended_at ?? 0) * 1000).toISOString().slice(0, 10)).toBe('2027-05-15');
    expect(await calendar(stripe)).toEqual(['2027-03-15 create EUR 9.00 paid', '2027-04-15 cycle EUR 9.00 paid']);
  } finally {
    await life.stop();
  }
});

test('canceled now with credit: the rest goes to the balance and pays for the next subscription', { timeout: 120_000 }, async () => {
  const life = await startLife('2027-04-01T00:00:00Z');
  try {
    const { stripe } = life;
    const customer = await newCustomer(stripe);
    const price = await newPrice(stripe, 3000);
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price }] });
    await life.until('2027-04-16T00:00:00Z');
    const ended = await stripe.subscriptions.cancel(id, { prorate: true, invoice_now: true });
    expect(ended.status).toBe('canceled');
    const credit = (await invoicesOf(stripe)).at(-1);
    expect(credit).toMatchObject({ total: -1500, amount_due: 0, status: 'paid' });
    expect((await stripe.customers.retrieve(customer)) as { balance?: number }).toMatchObject({ balance: -1500 });

    const again = await stripe.subscriptions.create({ customer, items: [{ price }], expand: ['latest_invoice'] });
    expect(again.latest_invoice).toMatchObject({
      total: 3000,
      amount_due: 1500,
      starting_balance: -1500,
      ending_balance: 0,
      status: 'paid',
    });
  } finally {
    await life.stop();
  }
});

test('a cancellation date in the middle of a period ends it there', { timeout: 120_000 }, async () => {
  const life = await startLife('2027-04-01T00:00:00Z');
  try {
    const { stripe } = life;
    const { id } = await stripe.subscriptions.create({
      customer: await newCustomer(stripe),
      items: [{ price: await newPrice(stripe, 3000) }],
    });
    const at = Math.floor(Date.parse('2027-05-10T12:00:00Z') / 1000);
    await stripe.subscriptions.update(id, { cancel_at: at, proration_behavior: 'none' });
    await life.until('2027-06-02T00:00:00Z');
    expect(await stripe.subscriptions.retrieve(id)).toMatchObject({ status: 'canceled', ended_at: at });
    expect(await calendar(stripe), 'the last period is charged up to its end').toEqual([
      '2027-04-01 create EUR 30.00 paid',
      '2027-05-01 cycle EUR 9.19 paid',
    ]);
  } finally {
    await life.stop();
  }
});
