import { expect, test } from 'vitest';
import { calendar, invoicesOf, newCustomer, newPrice, startLife, withoutIds } from '../support/scenario.ts';

/** Two years of one subscription that was bought on the 31st: every month end, an upgrade, a downgrade, a cancellation that was thought better of. */
test('two years, bought on a 31st', { timeout: 180_000 }, async () => {
  const life = await startLife('2027-01-31T10:00:00Z');
  try {
    const { stripe } = life;
    const customer = await newCustomer(stripe);
    const basic = await newPrice(stripe, 1200, { name: 'Basic' });
    const pro = await newPrice(stripe, 3600, { name: 'Pro' });
    const subscription = await stripe.subscriptions.create({ customer, items: [{ price: basic }] });
    const { id } = subscription;
    const item = subscription.items.data[0]?.id ?? '';
    expect(subscription.status).toBe('active');

    // The renewal that the preview announces is the one that comes.
    const preview = await stripe.invoices.createPreview({ subscription: id });
    await life.until('2027-02-28T12:00:00Z');
    expect(withoutIds((await invoicesOf(stripe)).at(-1) as typeof preview)).toEqual(withoutIds(preview));
    await life.until('2027-06-10T12:00:00Z');
    expect(await calendar(stripe)).toEqual([
      '2027-01-31 create EUR 12.00 paid',
      '2027-02-28 cycle EUR 12.00 paid',
      '2027-03-31 cycle EUR 12.00 paid',
      '2027-04-30 cycle EUR 12.00 paid',
      '2027-05-31 cycle EUR 12.00 paid',
    ]);

    // Upgraded at once: the rest of Basic comes back, the rest of Pro is charged, as the preview said.
    const change = { items: [{ id: item, price: pro }], proration_behavior: 'always_invoice' as const, proration_date: life.now() };
    const upgradePreview = await stripe.invoices.createPreview({ subscription: id, subscription_details: change });
    const upgraded = await stripe.subscriptions.update(id, { ...change, expand: ['latest_invoice'] });
    const upgradeInvoice = upgraded.latest_invoice as typeof preview;
    expect(withoutIds(upgradeInvoice)).toEqual(withoutIds(upgradePreview));
    expect(upgradeInvoice.lines.data.map(({ amount }) => Math.sign(amount))).toEqual([-1, 1]);
    expect(upgradeInvoice).toMatchObject({ status: 'paid', billing_reason: 'subscription_update' });

    await life.until('2027-11-15T12:00:00Z');
    await stripe.subscriptions.update(id, { cancel_at_period_end: true });
    expect((await stripe.subscriptions.retrieve(id)).cancel_at_period_end).toBe(true);
    await life.until('2027-11-20T12:00:00Z');
    await stripe.subscriptions.update(id, { cancel_at_period_end: false });

    await life.until('2028-03-10T12:00:00Z');
    // Downgraded, the difference waits for the next invoice.
    await stripe.subscriptions.update(id, { items: [{ id: item, price: basic }], proration_behavior: 'create_prorations' });
    const nextPreview = await stripe.invoices.createPreview({ subscription: id });
    expect(nextPreview.lines.data).toHaveLength(3);
    await life.until('2028-03-31T12:00:00Z');
    expect(withoutIds((await invoicesOf(stripe)).at(-1) as typeof preview)).toEqual(withoutIds(nextPreview));

    await life.until('2029-02-01T12:00:00Z');
    const dates = (await calendar(stripe)).map((line) => line.slice(0, 10));
    expect(dates).toEqual([
      '2027-01-31',
      '2027-02-28',
      '2027-03-31',
      '2027-04-30',
      '2027-05-31',
      '2027-06-10',
      '2027-06-30',
      '2027-07-31',
      '2027-08-31',
      '2027-09-30',
      '2027-10-31',
      '2027-11-30',
      '2027-12-31',
      '2028-01-31',
      '2028-02-29',
      '2028-03-31',
      '2028-04-30',
      '2028-05-31',
      '2028-06-30',
      '2028-07-31',
      '2028-08-31',
      '2028-09-30',
      '2028-10-31',
      '2028-11-30',
      '2028-12-31',
      '2029-01-31',
    ]);
    expect((await calendar(stripe)).every((line) => line.endsWith('paid'))).toBe(true);

    const numbers = (await invoicesOf(stripe)).map(({ number }) => Number(number?.split('-').at(-1)));
    expect(numbers, 'gapless').toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index));
  } finally {
    await life.stop();
  }
});
