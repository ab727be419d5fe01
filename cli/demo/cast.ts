import type Stripe from 'stripe';

/** The catalogue of a small SaaS company. */
export interface Catalogue {
  starter: string;
  pro: string;
  proYearly: string;
  seat: string;
  starterYen: string;
  /** The base of a hybrid plan. */
  platform: string;
  /** Metered: so many a month are free, and the price of the others falls. */
  calls: string;
  /** 20 % off for three months. */
  welcome: string;
}

/** What the meter of API calls listens to. */
export const API_CALLS = 'api_calls';

export async function makeCatalogue(stripe: Stripe): Promise<Catalogue> {
  const price = async (name: string, amount: number, currency: string, interval: 'month' | 'year' = 'month'): Promise<string> => {
    const product = await stripe.products.create({ name });
    const { id } = await stripe.prices.create({ product: product.id, currency, unit_amount: amount, recurring: { interval } });
    return id;
  };
  const calls = async (): Promise<string> => {
    const meter = await stripe.billing.meters.create({
      display_name: 'API calls',
      event_name: API_CALLS,
      default_aggregation: { formula: 'sum' },
    });
    const product = await stripe.products.create({ name: 'API calls' });
    const { id } = await stripe.prices.create({
      ...{ product: product.id, currency: 'eur', billing_scheme: 'tiered', tiers_mode: 'graduated' },
      recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
      tiers: [
        { up_to: 1000, unit_amount: 0 },
        { up_to: 10_000, unit_amount_decimal: '0.9' as never },
        { up_to: 'inf', unit_amount_decimal: '0.5' as never },
      ],
    });
    return id;
  };
  const welcome = async (): Promise<string> =>
    (await stripe.coupons.create({ name: 'Welcome', percent_off: 20, duration: 'repeating', duration_in_months: 3 })).id;
  const [starter, pro, proYearly, seat, starterYen, platform, metered, coupon] = await Promise.all([
    price('Starter', 1900, 'eur'),
    price('Pro', 4900, 'eur'),
    price('Pro, yearly', 49_000, 'eur', 'year'),
    price('Team seat', 1200, 'eur'),
    price('Starter', 2400, 'jpy'),
    price('Platform', 2900, 'eur'),
    calls(),
    welcome(),
  ]);
  return { starter, pro, proYearly, seat, starterYen, platform, calls: metered, welcome: coupon };
}

/** Somebody of the story, once they have subscribed. */
export interface Character {
  name: string;
  customer: string;
  subscription: string;
  item: string;
}

export type Arrival = { name: string; card?: string | null; zone?: string } & Pick<
  Stripe.SubscriptionCreateParams,
  'items' | 'discounts' | 'trial_period_days' | 'trial_settings'
>;

/** A customer on the clock with a card (default: one that always pays) and a subscription. */
export async function arrive(
  stripe: Stripe,
  clock: string,
  { name, card = 'pm_card_visa', zone, ...params }: Arrival,
): Promise<Character & { invoice: Stripe.Invoice | null; status: string }> {
  const customer = await stripe.customers.create({ name, test_clock: clock });
  if (card !== null) await giveCard(stripe, customer.id, card);
  const subscription = await stripe.subscriptions.create({
    customer: customer.id,
    expand: ['latest_invoice'],
    ...params,
    ...(zone === undefined ? {} : ({ billing_timezone: zone } as object)),
  });
  const item = subscription.items.data[0];
  if (item === undefined) throw new Error(`${name} subscribed to nothing`);
  const invoice = typeof subscription.latest_invoice === 'string' ? null : subscription.latest_invoice;
  return { name, customer: customer.id, subscription: subscription.id, item: item.id, invoice, status: subscription.status };
}

/** Attaches a test card and charges it from now on. */
export async function giveCard(stripe: Stripe, customer: string, card: string): Promise<void> {
  const method = await stripe.paymentMethods.attach(card, { customer });
  await stripe.customers.update(customer, { invoice_settings: { default_payment_method: method.id } });
}
