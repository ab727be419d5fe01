import type Stripe from 'stripe';
import { invoicesOf, newCustomer, newPrice, useCard } from './scenario.ts';

/** A customer who subscribes, and whose life then takes its course without anybody's doing. */
export interface Persona {
  name: string;
  /** Begins the life of a customer that has a card. @returns the subscriptions */
  begin(stripe: Stripe, customer: string, prices: Prices): Promise<string[]>;
}

export type Prices = Record<'monthly' | 'bimonthly' | 'quarterly' | 'yearly' | 'yen', string>;

export async function newPrices(stripe: Stripe): Promise<Prices> {
  return {
    monthly: await newPrice(stripe, 1200),
    bimonthly: await newPrice(stripe, 999, { count: 2 }),
    quarterly: await newPrice(stripe, 4500, { count: 3 }),
    yearly: await newPrice(stripe, 99_000, { interval: 'year' }),
    yen: await newPrice(stripe, 1500, { currency: 'jpy' }),
  };
}

const subscribe = async (stripe: Stripe, customer: string, price: string, more: Partial<Stripe.SubscriptionCreateParams> = {}) =>
  (await stripe.subscriptions.create({ customer, items: [{ price }], ...more })).id;

export const PERSONAS: readonly Persona[] = [
  { name: 'monthly', begin: async (stripe, customer, prices) => [await subscribe(stripe, customer, prices.monthly)] },
  {
    name: 'a card that stops working, on two subscriptions',
    begin: async (stripe, customer, prices) => {
      const ids = [await subscribe(stripe, customer, prices.monthly), await subscribe(stripe, customer, prices.bimonthly)];
      await useCard(stripe, customer, 'pm_card_chargeCustomerFail');
      return ids;
    },
  },
  {
    name: 'two subscriptions at the same instants',
    begin: async (stripe, customer, prices) => [
      await subscribe(stripe, customer, prices.monthly, { items: [{ price: prices.monthly, quantity: 3 }] }),
      await subscribe(stripe, customer, prices.quarterly),
    ],
  },
  {
    name: 'leaves at the end of a period that was changed half-way',
    begin: async (stripe, customer, prices) => {
      const { id, items } = await stripe.subscriptions.create({ customer, items: [{ price: prices.quarterly }] });
      const quantity = { items: [{ id: items.data[0]?.id ?? '', quantity: 2 }], proration_behavior: 'create_prorations' as const };
      await stripe.subscriptions.update(id, quantity);
      await stripe.subscriptions.update(id, { cancel_at_period_end: true });
      return [id];
    },
  },
  { name: 'yen', begin: async (stripe, customer, prices) => [await subscribe(stripe, customer, prices.yen)] },
  {
    name: 'pays by debit, which takes days to settle',
    begin: async (stripe, customer, prices) => {
      await useCard(stripe, customer, 'pm_usBankAccount_success');
      return [await subscribe(stripe, customer, prices.quarterly)];
    },
  },
  { name: 'yearly', begin: async (stripe, customer, prices) => [await subscribe(stripe, customer, prices.yearly)] },
];

/** A customer of a persona, and what is theirs. */
export interface Life {
  customer: string;
  subscriptions: string[];
}

export async function beginLife(stripe: Stripe, persona: Persona, prices: Prices, clock?: string): Promise<Life> {
  const customer = await newCustomer(stripe, 'pm_card_visa', clock === undefined ? {} : { test_clock: clock });
  return { customer, subscriptions: await persona.begin(stripe, customer, prices) };
}

/** Everything that a life has left behind, as the API shows it. `events` are those about the customer, oldest first. */
export async function tellLife(stripe: Stripe, { customer, subscriptions }: Life, events: readonly Stripe.Event[]): Promise<object> {
  return {
    customer: await stripe.customers.retrieve(customer),
    subscriptions: await Promise.all(subscriptions.map((id) => stripe.subscriptions.retrieve(id))),
    // Those of one instant have no order but that of their numbers.
    invoices: (await invoicesOf(stripe, { customer })).sort(
      (a, b) => a.created - b.created || (a.number ?? '').localeCompare(b.number ?? ''),
    ),
    timelines: await Promise.all(subscriptions.map((id) => timelineOf(stripe, id))),
    events: events.filter((event) => JSON.stringify(event.data.object).includes(customer)),
  };
}

async function timelineOf(stripe: Stripe, subscription: string): Promise<object[]> {
  const all: { id: string }[] = [];
  for (let after = ''; ; ) {
    const path = `/v1/subscriptions/${subscription}/timeline?limit=100${after}`;
    const page = (await stripe.rawRequest('GET', path)) as unknown as Stripe.ApiList<{ id: string }>;
    all.push(...page.data);
    if (!page.has_more) return all;
    after = `&starting_after=${page.data.at(-1)?.id}`;
  }
}

const IDS =
  /\b(?:(cus|sub|si|in|il|pa|pm|evt|ch|price|prod|clock|bp|ii|op|tle)_[A-Za-z0-9]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:_\d+)?/g;
/** On the wall clock, or of the gateway's making. */
const INCIDENTAL = new Set(['recorded_at', 'run_id', 'sequence', 'idempotency_key', 'gateway_reference', 'request', 'url', 'position']);

/** The same with each id replaced by what it is the how-manieth of, so that lives can be compared. Numbers of invoices stay, but for the customer's part. */
export function withoutIds(life: object): unknown {
  const names = new Map<string, string>();
  const counts = new Map<string, number>();
  const nameOf = (id: string, kind = 'uuid'): string => {
    const known = names.get(id);
    if (known !== undefined) return known;
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    names.set(id, `${kind}#${count}`);
    return `${kind}#${count}`;
  };
  const text = JSON.stringify(life, (key, value) => (INCIDENTAL.has(key) ? null : value))
    .replaceAll(/(api_key:|API key )[0-9a-f]{12}/g, '$1…')
    .replaceAll(/\b(TEST)-[0-9A-Z]{10}-(\d{4,})/g, '$1-$2')
    .replaceAll(IDS, nameOf);
  return JSON.parse(text);
}
