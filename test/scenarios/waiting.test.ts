import { expect, test } from 'vitest';
import { fakeTaxCalculator } from '../../gateways/tax/fake-external.ts';
import { calendar, invoicesOf, newCustomer, newPrice, startLife, statusOf } from '../support/scenario.ts';

test('never paid: the subscription expires after 23 hours and its invoice is void', { timeout: 120_000 }, async () => {
  const life = await startLife('2027-03-01T09:00:00Z');
  try {
    const { stripe } = life;
    const customer = await newCustomer(stripe, 'pm_card_chargeCustomerFail');
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: await newPrice(stripe, 2500) }] });
    await life.until('2027-03-02T07:50:00Z');
    expect(await statusOf(stripe, id)).toBe('incomplete');
    await life.until('2027-03-02T08:10:00Z');
    expect(await statusOf(stripe, id)).toBe('incomplete_expired');
    expect(await calendar(stripe)).toEqual(['2027-03-01 create EUR 25.00 void']);
  } finally {
    await life.stop();
  }
});

test('the tax engine is down at a renewal: the invoice waits as a draft and is finished when it is back', {
  timeout: 120_000,
}, async () => {
  const engine = fakeTaxCalculator();
  const life = await startLife('2027-03-01T09:00:00Z', { account: { taxCalculator: engine.name }, taxCalculators: [engine] });
  try {
    const { stripe } = life;
    const customer = await newCustomer(stripe, 'pm_card_visa', { address: { country: 'DE' } });
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: await newPrice(stripe, 1000) }] });
    expect(await statusOf(stripe, id)).toBe('active');
    expect(await calendar(stripe)).toEqual(['2027-03-01 create EUR 11.90 paid']);

    engine.down();
    await life.until('2027-04-01T10:00:00Z');
    expect((await invoicesOf(stripe)).at(-1)).toMatchObject({ status: 'draft', billing_reason: 'subscription_cycle' });
    expect(await statusOf(stripe, id), 'a tax engine that is down is no reason to lock the customer out').toBe('active');

    engine.up();
    await life.until('2027-04-01T12:00:00Z');
    expect(await calendar(stripe)).toEqual(['2027-03-01 create EUR 11.90 paid', '2027-04-01 cycle EUR 11.90 paid']);
  } finally {
    await life.stop();
  }
});
