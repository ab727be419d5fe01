import type Stripe from 'stripe';
import { newCustomer } from '../support/scenario.ts';
import type { Act, Bill, Item, Life, Line } from './life.ts';
import { METERED_LIST, PRICE_LIST, priced } from './prices.ts';

/** The price list as the engine knows it: price ids by the names in the list, and back. */
export interface Catalogue {
  ids: Map<string, string>;
  names: Map<string, string>;
  taxRate: string;
}

const EVENT = 'simulated_usage';

export async function listPrices(stripe: Stripe): Promise<Catalogue> {
  const product = await stripe.products.create({ name: 'Simulated' });
  const ids = new Map<string, string>();
  const { id: meter } = await stripe.billing.meters.create({
    display_name: 'Simulated',
    event_name: EVENT,
    default_aggregation: { formula: 'sum' },
  });
  for (const { id, months, cost, metered } of [...PRICE_LIST, ...METERED_LIST]) {
    const recurring = {
      ...{ interval: 'month' as const, interval_count: months },
      ...(metered ? { usage_type: 'metered' as const, meter } : {}),
    };
    const common = { product: product.id, currency: 'eur', recurring, nickname: id };
    const price = await stripe.prices.create(
      cost.model === 'per_unit' || cost.model === 'package'
        ? {
            ...common,
            unit_amount_decimal: cost.unit as never,
            ...(cost.model === 'package' ? { transform_quantity: { divide_by: cost.size, round: cost.round } } : {}),
          }
        : {
            ...common,
            billing_scheme: 'tiered',
            tiers_mode: cost.model,
            tiers: cost.tiers.map(({ upTo, unit, flat }) => ({
              up_to: upTo ?? 'inf',
              unit_amount_decimal: unit as never,
              ...(flat === '0' ? {} : { flat_amount_decimal: flat as never }),
            })),
          },
    );
    ids.set(id, price.id);
  }
  const { id: taxRate } = await stripe.taxRates.create({ display_name: 'VAT', percentage: 20, inclusive: false });
  return { ids, names: new Map([...ids].map(([name, id]) => [id, name])), taxRate };
}

/** Somebody who lives a made-up life through the API. */
export class Subscriber {
  readonly #stripe: Stripe;
  readonly #catalogue: Catalogue;
  readonly #life: Life;
  readonly #comes: () => Promise<string>;
  #customer = '';
  #subscription = '';
  #items: Item[] = [];

  /** `comes`: the customer's id, when the subscription begins. */
  constructor(stripe: Stripe, catalogue: Catalogue, life: Life, comes: () => Promise<string>) {
    this.#stripe = stripe;
    this.#catalogue = catalogue;
    this.#life = life;
    this.#comes = comes;
  }

  /** What is done at an instant, which the clock shows. */
  async actAt(at: number): Promise<void> {
    for (const { at: when, act } of this.#life.acts) if (when === at) await this.#do(act, at);
  }

  async #do(act: Act, at: number): Promise<void> {
    const stripe = this.#stripe;
    const id = this.#subscription;
    switch (act.do) {
      case 'subscribe': {
        this.#customer = await this.#comes();
        const made = await stripe.subscriptions.create({
          customer: this.#customer,
          items: act.items.map(({ price, quantity }) => ({ price: this.#idOf(price), ...(priced(price).metered ? {} : { quantity }) })),
          ...(await this.#discounts()),
          ...(act.anchor === undefined ? {} : { billing_cycle_anchor: act.anchor }),
          ...(act.trialDays === undefined ? {} : { trial_period_days: act.trialDays }),
          ...(this.#life.threshold === null
            ? {}
            : { billing_thresholds: { amount_gte: this.#life.threshold.amount, reset_billing_cycle_anchor: this.#life.threshold.resets } }),
          ...(this.#life.tax === null ? {} : { default_tax_rates: [this.#catalogue.taxRate] }),
          payment_behavior: 'error_if_incomplete',
        });
        this.#subscription = made.id;
        this.#items = act.items;
        return;
      }
      case 'change':
        await stripe.subscriptions.update(id, { items: await this.#changesTo(act.items), proration_behavior: act.proration });
        this.#items = act.items;
        return;
      case 'change at period end':
        await stripe.subscriptions.update(id, { items: await this.#changesTo(act.items), ...{ effective_at: 'period_end' } });
        this.#items = act.items;
        return;
      case 'use':
        // Together, so that whatever is billed by them is billed once.
        await stripe.rawRequest('POST', '/v1/billing/meter_events/batch', {
          events: act.units.map((units) => ({
            event_name: EVENT,
            payload: { stripe_customer_id: this.#customer, value: String(units) },
            timestamp: at - (act.ago ?? 0),
          })),
        });
        return;
      case 'cancel':
        await stripe.subscriptions.cancel(id, { prorate: act.prorate, invoice_now: act.invoiceNow });
        return;
      case 'cancel at period end':
        await stripe.subscriptions.update(id, { cancel_at_period_end: true });
        return;
      case 'pause':
        await stripe.rawRequest('POST', `/v1/subscriptions/${id}/pause`, { unused_time: 'credit' });
        return;
      case 'resume':
        await stripe.rawRequest('POST', `/v1/subscriptions/${id}/resume`, { billing_cycle_anchor: 'now' });
    }
  }

  async #discounts(): Promise<Pick<Stripe.SubscriptionCreateParams, 'discounts'>> {
    const { coupon } = this.#life;
    if (coupon === null) return {};
    const { id } = await this.#stripe.coupons.create({
      percent_off: Number(coupon.percent),
      ...(coupon.months === null ? { duration: 'forever' } : { duration: 'repeating', duration_in_months: coupon.months }),
    });
    return { discounts: [{ coupon: id }] };
  }

  #idOf(price: string): string {
    return this.#catalogue.ids.get(price) ?? price;
  }

  async #changesTo(next: readonly Item[]): Promise<Stripe.SubscriptionUpdateParams.Item[]> {
    const living = await this.#stripe.subscriptions.retrieve(this.#subscription);
    const idOf = ({ price }: Item): string => living.items.data.find((item) => item.price.id === this.#idOf(price))?.id ?? 'missing';
    const gone = this.#items
      .filter(({ name }) => !next.some((item) => item.name === name))
      .map((item) => ({ id: idOf(item), deleted: true }));
    const changed = next.flatMap(({ name, price, quantity }): Stripe.SubscriptionUpdateParams.Item[] => {
      const present = this.#items.find((item) => item.name === name);
      if (!present) return [{ price: this.#idOf(price), quantity }];
      if (present.price === price && present.quantity === quantity) return [];
      return [{ id: idOf(present), price: this.#idOf(price), quantity }];
    });
    return [...gone, ...changed];
  }
}

/** A customer with the subscriptions of a household, or with one; who has several wants one invoice a day. */
export class Resident {
  readonly #stripe: Stripe;
  readonly #catalogue: Catalogue;
  readonly #subscribers: Subscriber[];
  #customer = '';

  constructor(stripe: Stripe, catalogue: Catalogue, clock: string, lives: readonly Life[]) {
    this.#stripe = stripe;
    this.#catalogue = catalogue;
    const wishes = { test_clock: clock, ...(lives.length > 1 ? { consolidated_invoicing: true } : {}) };
    const comes = async (): Promise<string> => {
      this.#customer ||= await newCustomer(stripe, 'pm_card_visa', wishes);
      return this.#customer;
    };
    this.#subscribers = lives.map((life) => new Subscriber(stripe, catalogue, life, comes));
  }

  /** What is done at an instant, which the clock shows. */
  async actAt(at: number): Promise<void> {
    for (const subscriber of this.#subscribers) await subscriber.actAt(at);
  }

  /** What was billed, in the words of the other biller. */
  async bills(): Promise<Bill[]> {
    const bills: Bill[] = [];
    for await (const invoice of this.#stripe.invoices.list({ customer: this.#customer, limit: 100 })) {
      // One that still waits is not written yet.
      if (invoice.status === 'draft') continue;
      const lines: Line[] = [];
      const add = (line: Stripe.InvoiceLineItem): void =>
        void lines.push({
          price: this.#catalogue.names.get(String(line.pricing?.price_details?.price)) ?? '?',
          quantity: line.quantity ?? 0,
          start: line.period.start,
          end: line.period.end,
          amount: line.amount,
          off: (line.discount_amounts ?? []).reduce((sum, { amount }) => sum + amount, 0),
        });
      if (invoice.lines.has_more) for await (const line of this.#stripe.invoices.listLineItems(invoice.id, { limit: 100 })) add(line);
      else invoice.lines.data.forEach(add);
      bills.push({ at: invoice.created, reason: invoice.billing_reason ?? '', lines, total: invoice.total, due: invoice.amount_due });
    }
    return bills.reverse();
  }
}
