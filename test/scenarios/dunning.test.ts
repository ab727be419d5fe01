import { expect, test } from 'vitest';
import { calendar, invoicesOf, newCustomer, newPrice, startLife, statusOf, useCard } from '../support/scenario.ts';

test('a card that stops working, a new one, and all is well again', { timeout: 120_000 }, async () => {
  const life = await startLife('2027-03-01T09:00:00Z');
  try {
    const { stripe } = life;
    const customer = await newCustomer(stripe);
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: await newPrice(stripe, 2500) }] });
    await useCard(stripe, customer, 'pm_card_chargeCustomerFail');

    await life.until('2027-04-02T09:00:00Z');
    expect(await statusOf(stripe, id)).toBe('past_due');
    const [, failed] = await invoicesOf(stripe);
    expect(failed).toMatchObject({ status: 'open', attempted: true });
    expect(failed?.next_payment_attempt).not.toBeNull();

    await useCard(stripe, customer, 'pm_card_visa');
    // A new card is tried at once; the next date of the schedule is two days away.
    await life.until('2027-04-02T09:05:00Z');
    expect(await statusOf(stripe, id)).toBe('active');
    await life.until('2027-05-02T09:00:00Z');
    expect(await calendar(stripe)).toEqual([
      '2027-03-01 create EUR 25.00 paid',
      '2027-04-01 cycle EUR 25.00 paid',
      '2027-05-01 cycle EUR 25.00 paid',
    ]);
  } finally {
    await life.stop();
  }
});

test('a card that stops working for good: the subscription ends as the policy says', { timeout: 120_000 }, async () => {
  const life = await startLife('2027-03-01T09:00:00Z');
  try {
    const { stripe } = life;
    const customer = await newCustomer(stripe);
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: await newPrice(stripe, 2500) }] });
    await useCard(stripe, customer, 'pm_card_chargeCustomerFail');

    await life.until('2027-04-02T09:00:00Z');
    expect(await statusOf(stripe, id)).toBe('past_due');
    await life.until('2027-04-28T09:00:00Z');
    const ended = await stripe.subscriptions.retrieve(id);
    expect(ended).toMatchObject({ status: 'canceled', cancellation_details: { reason: 'payment_failed' } });
    const [, failed] = await invoicesOf(stripe);
    expect(failed?.attempt_count).toBeGreaterThan(2);

    await life.until('2027-06-02T09:00:00Z');
    expect(await calendar(stripe), 'nothing more is billed').toHaveLength(2);
  } finally {
    await life.stop();
  }
});
