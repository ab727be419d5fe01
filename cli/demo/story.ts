import type Stripe from 'stripe';
import { formatAmount } from '../../domain/money.ts';
import { instant } from '../../domain/time.ts';
import { API_CALLS, type Arrival, arrive, type Catalogue, type Character, giveCard } from './cast.ts';

/** What somebody does on a day, told in a sentence. */
export interface Told {
  who: string;
  what: string;
  amount?: string;
}

/** A day of the story: the clock is advanced to it, then it is acted and told. */
export interface Act {
  on: string;
  play: (world: World) => Promise<Told>;
}

export interface World {
  stripe: Stripe;
  clock: string;
  catalogue: Catalogue;
  cast: Map<string, Character>;
}

export const STORY_BEGINS = '2027-01-31T09:00:00Z';
export const STORY_ENDS = '2028-02-01T09:00:00Z';

const day = (date: string): string => `${date}T09:00:00Z`;
const amountOf = (invoice: Stripe.Invoice | null): string => (invoice === null ? '' : formatAmount(invoice.total, invoice.currency));

const comes = (on: string, arrival: (catalogue: Catalogue) => Arrival, what: string): Act => ({
  on: day(on),
  play: async ({ stripe, clock, catalogue, cast }) => {
    const character = await arrive(stripe, clock, arrival(catalogue));
    cast.set(character.name, character);
    return { who: character.name, what, amount: amountOf(character.invoice) };
  },
});

const latest = async (stripe: Stripe, { customer }: Character): Promise<Stripe.Invoice | null> =>
  (await stripe.invoices.list({ customer, limit: 1 })).data[0] ?? null;

/** Somebody known does something to their subscription; the bill that comes of it at once is told. */
const acts = (on: string, who: string, what: string, play: (world: World, who: Character) => Promise<Stripe.Subscription | null>): Act => ({
  on: day(on),
  play: async (world) => {
    const character = world.cast.get(who);
    if (character === undefined) throw new Error(`${who} has not come yet`);
    const before = await latest(world.stripe, character);
    await play(world, character);
    const after = await latest(world.stripe, character);
    const isNews = after !== null && (after.id !== before?.id || after.status !== before.status);
    return { who, what, amount: isNews ? amountOf(after) : '' };
  },
});

const move = (price: keyof Catalogue, behavior: Stripe.SubscriptionUpdateParams.ProrationBehavior) => {
  return ({ stripe, catalogue }: World, { subscription, item }: Character): Promise<Stripe.Subscription> =>
    stripe.subscriptions.update(subscription, { items: [{ id: item, price: catalogue[price] }], proration_behavior: behavior });
};

const seats = (quantity: number) => {
  return ({ stripe }: World, { subscription, item }: Character): Promise<Stripe.Subscription> =>
    stripe.subscriptions.update(subscription, { items: [{ id: item, quantity }], proration_behavior: 'always_invoice' });
};

/** A new card is charged at once for what is open; the story waits for it. */
const goodCard = (name: string) => {
  return async ({ stripe }: World, { customer }: Character): Promise<null> => {
    await giveCard(stripe, customer, name);
    for (let tries = 0; tries < 200; tries += 1) {
      const { data } = await stripe.invoices.list({ customer, status: 'open' });
      if (data.length === 0) return null;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`the new card of ${customer} was not charged`);
  };
};

const card = (name: string) => {
  return async ({ stripe }: World, { customer }: Character): Promise<null> => {
    await giveCard(stripe, customer, name);
    return null;
  };
};

/** Usage is told as it happens, and billed with the next renewal. */
const uses = (on: string, who: string, calls: number): Act =>
  acts(on, who, `${calls.toLocaleString('en')} API calls`, async ({ stripe }, { customer }) => {
    await stripe.billing.meterEvents.create({
      event_name: API_CALLS,
      payload: { stripe_customer_id: customer, value: String(calls) },
      timestamp: instant(day(on)),
      identifier: `${who}-${on}`,
    });
    return null;
  });

/** A year of thirteen customers. */
export const STORY: readonly Act[] = [
  comes('2027-01-31', ({ starter }) => ({ name: 'Ada', items: [{ price: starter }] }), 'starts on Starter, on a 31st'),
  comes('2027-01-31', ({ pro }) => ({ name: 'Ben', items: [{ price: pro }] }), 'starts on Pro'),
  comes('2027-02-03', ({ starterYen }) => ({ name: 'Emi', items: [{ price: starterYen }], zone: 'Asia/Tokyo' }), 'starts in Tokyo, in yen'),
  comes('2027-02-10', ({ proYearly }) => ({ name: 'Farid', items: [{ price: proYearly }] }), 'takes Pro for a year'),
  comes('2027-02-15', ({ seat }) => ({ name: 'Ines', items: [{ price: seat, quantity: 3 }] }), 'buys 3 seats for her team'),
  comes('2027-03-01', ({ pro }) => ({ name: 'Grace', items: [{ price: pro }], trial_period_days: 14 }), 'tries Pro for 14 days'),
  comes('2027-03-05', ({ starter }) => ({ name: 'Chloe', items: [{ price: starter }] }), 'starts on Starter'),
  acts('2027-03-20', 'Ada', 'moves up to Pro, billed at once', move('pro', 'always_invoice')),
  comes('2027-04-01', ({ pro }) => ({ name: 'Dimitri', items: [{ price: pro }] }), 'starts on Pro'),
  comes('2027-04-05', ({ calls }) => ({ name: 'Kim', items: [{ price: calls }] }), 'pays for what she uses: 1,000 calls a month are free'),
  comes(
    '2027-04-05',
    ({ platform, calls }) => ({ name: 'Luis', items: [{ price: platform }, { price: calls }] }),
    'takes the platform and pays for calls beside it',
  ),
  comes(
    '2027-04-05',
    ({ pro, welcome }) => ({ name: 'Mia', items: [{ price: pro }], discounts: [{ coupon: welcome }] }),
    'starts on Pro with 20 % off for three months',
  ),
  uses('2027-04-20', 'Kim', 4200),
  uses('2027-04-20', 'Luis', 25_000),
  acts('2027-05-12', 'Ines', 'grows to 8 seats', seats(8)),
  acts('2027-05-20', 'Chloe', 'her bank stops the card', card('pm_card_chargeCustomerFail')),
  acts('2027-06-09', 'Chloe', 'gives a new card, which is charged at once', goodCard('pm_card_mastercard')),
  acts('2027-06-15', 'Ben', 'moves down to Starter, the rest credited to the next invoice', move('starter', 'create_prorations')),
  comes('2027-07-07', ({ pro }) => ({ name: 'Hugo', items: [{ price: pro }] }), 'starts on Pro'),
  acts('2027-07-15', 'Dimitri', 'his card stops working, and he does not answer mails', card('pm_card_chargeCustomerFail')),
  comes('2027-08-31', ({ starter }) => ({ name: 'Jun', items: [{ price: starter }] }), 'starts on Starter, on a 31st too'),
  acts('2027-09-20', 'Hugo', 'goes on leave: paused with a credit until he is back', ({ stripe }, { subscription }) =>
    stripe.subscriptions.pause(subscription, { invoicing_behavior: 'invoice' }),
  ),
  uses('2027-10-20', 'Kim', 900),
  uses('2027-10-20', 'Luis', 12_345),
  acts('2027-11-02', 'Ines', 'grows to 12 seats', seats(12)),
  acts('2027-12-01', 'Hugo', 'is back: resumes', ({ stripe }, { subscription }) =>
    stripe.subscriptions.resume(subscription, { billing_cycle_anchor: { type: 'now' } }),
  ),
  acts('2028-01-10', 'Jun', 'cancels at the end of the month', ({ stripe }, { subscription }) =>
    stripe.subscriptions.update(subscription, { cancel_at_period_end: true }),
  ),
];
