import { expect, test } from 'vitest';
import { calendar, invoicesOf, newCustomer, newPrice, startLife, withoutIds } from '../support/scenario.ts';

test('tax on top and tax within, the same on the preview and on every renewal', { timeout: 120_000 }, async () => {
  const life = await startLife('2027-05-05T00:00:00Z');
  try {
    const { stripe } = life;
    const vat = await stripe.taxRates.create({ display_name: 'VAT', percentage: 19, inclusive: false });
    const customer = await newCustomer(stripe);
    const { id } = await stripe.subscriptions.create({
      customer,
      items: [{ price: await newPrice(stripe, 999), quantity: 3 }],
      default_tax_rates: [vat.id],
    });
    const preview = await stripe.invoices.createPreview({ subscription: id });
    expect(preview).toMatchObject({ subtotal: 2997, total: 3566 });
    await life.until('2027-06-05T12:00:00Z');
    expect(await calendar(stripe)).toEqual(['2027-05-05 create EUR 35.66 paid', '2027-06-05 cycle EUR 35.66 paid']);
    expect(withoutIds((await invoicesOf(stripe)).at(-1) as typeof preview)).toEqual(withoutIds(preview));

    const within = await stripe.taxRates.create({ display_name: 'MwSt.', percentage: 19, inclusive: true });
    await stripe.subscriptions.update(id, { default_tax_rates: [within.id] });
    await life.until('2027-07-05T12:00:00Z');
    const last = (await invoicesOf(stripe)).at(-1);
    expect(last).toMatchObject({ subtotal: 2997, total: 2997, total_excluding_tax: 2518 });
  } finally {
    await life.stop();
  }
});

test.each([
  { currency: 'jpy', amount: 1200, shown: 'JPY 1200' },
  { currency: 'kwd', amount: 4500, shown: 'KWD 4.500' },
])('$currency: amounts are minor units, whatever they are', { timeout: 120_000 }, async ({ currency, amount, shown }) => {
  const life = await startLife('2027-05-05T00:00:00Z');
  try {
    const { stripe } = life;
    const { id } = await stripe.subscriptions.create({
      customer: await newCustomer(stripe),
      items: [{ price: await newPrice(stripe, amount, { currency }) }],
    });
    await life.until('2027-07-06T00:00:00Z');
    expect(await calendar(stripe)).toEqual([
      `2027-05-05 create ${shown} paid`,
      `2027-06-05 cycle ${shown} paid`,
      `2027-07-05 cycle ${shown} paid`,
    ]);
    expect((await stripe.subscriptions.retrieve(id)).currency).toBe(currency);
  } finally {
    await life.stop();
  }
});

test('billing in New York, over the change of the clocks', { timeout: 120_000 }, async () => {
  const life = await startLife('2027-10-07T04:30:00Z');
  try {
    const { stripe } = life;
    const { id } = await stripe.subscriptions.create({
      customer: await newCustomer(stripe),
      items: [{ price: await newPrice(stripe, 700) }],
      billing_timezone: 'America/New_York',
    } as Parameters<typeof stripe.subscriptions.create>[0]);
    await life.until('2027-12-08T00:00:00Z');
    expect(await calendar(stripe, 'America/New_York')).toEqual([
      '2027-10-07 create EUR 7.00 paid',
      '2027-11-07 cycle EUR 7.00 paid',
      '2027-12-07 cycle EUR 7.00 paid',
    ]);
    const period = (await stripe.subscriptions.retrieve(id)).items.data[0];
    // Half past midnight in New York: 04:30 UTC in summer, 05:30 UTC in winter.
    expect(new Date((period?.current_period_start ?? 0) * 1000).toISOString().slice(0, 16)).toBe('2027-12-07T05:30');
  } finally {
    await life.stop();
  }
});
