import type Stripe from 'stripe';
import { expect, vi } from 'vitest';
import { pauseSubscription, reactivateSubscription, resumeSubscription } from '../support/pause.ts';
import { invoicesOf, newCustomer, newPrice, useCard } from '../support/scenario.ts';
import type { Stack, StackOptions } from '../support/stack.ts';
import { newClock, readyAgain } from '../support/test-clock.ts';

/** A life on a test clock, in which each of the verbs is done at least once, first in this order; so two of them can be compared to the cent and the second. */
export interface Life {
  verbs: readonly string[];
  account?: StackOptions['account'];
  /** @returns the subscription's id */
  live(stack: Stack): Promise<string>;
}

const DAY = 86_400;
const START = '2027-01-31T10:00:00Z';
const PATIENCE_MS = 300_000;

interface Customer {
  clock: string;
  customer: string;
  price: string;
}

async function arrive(stripe: Stripe): Promise<Customer> {
  const clock = await newClock(stripe, START);
  const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id, address: { country: 'DE' } });
  return { clock: clock.id, customer, price: await newPrice(stripe, 1200) };
}

const subscribe = ({ stripe }: Stack, { customer, price }: Customer, params: Partial<Stripe.SubscriptionCreateParams> = {}) =>
  stripe.subscriptions.create({ customer, items: [{ price }], ...params });

async function advance({ stripe }: Stack, { clock }: Customer, seconds: number): Promise<void> {
  const { frozen_time } = await stripe.testHelpers.testClocks.retrieve(clock);
  await stripe.testHelpers.testClocks.advance(clock, { frozen_time: frozen_time + seconds });
  await readyAgain(stripe, clock, PATIENCE_MS);
}

/** One seat more, invoiced at once. */
const grow = (
  { stripe }: Stack,
  { id, items }: Stripe.Subscription,
  quantity: number,
  payment_behavior: Stripe.SubscriptionUpdateParams.PaymentBehavior,
) =>
  stripe.subscriptions.update(id, {
    items: [{ id: items.data[0]?.id ?? '', quantity }],
    proration_behavior: 'always_invoice',
    payment_behavior,
  });

async function latest({ stripe }: Stack, { customer }: Customer): Promise<Stripe.Invoice & { id: string }> {
  const invoice = (await invoicesOf(stripe, { customer })).at(-1);
  if (invoice?.id === undefined) throw new Error('there is no invoice');
  return { ...invoice, id: invoice.id };
}

export const LIVES: Record<string, Life> = {
  'created, to be cancelled, cancelled': {
    verbs: ['create-subscription', 'schedule-cancellation', 'cancel-subscription'],
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const { id } = await subscribe(stack, who);
      await stack.stripe.subscriptions.update(id, { cancel_at_period_end: true });
      await advance(stack, who, 10 * DAY);
      await stack.stripe.subscriptions.cancel(id, { prorate: true, invoice_now: true });
      return id;
    },
  },
  'a ramp, by a schedule that starts later': {
    verbs: ['edit-schedule', 'start-schedule'],
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const { frozen_time } = await stack.stripe.testHelpers.testClocks.retrieve(who.clock);
      const { id } = await stack.stripe.subscriptionSchedules.create({
        customer: who.customer,
        start_date: frozen_time + 5 * DAY,
        phases: [1, 2].map((quantity) => ({ items: [{ price: who.price, quantity }], duration: { interval: 'month' as const } })),
      });
      await advance(stack, who, 40 * DAY);
      return String((await stack.stripe.subscriptionSchedules.retrieve(id)).subscription);
    },
  },
  'quotes that are accepted, for now and for later': {
    verbs: ['create-subscription', 'edit-schedule'],
    live: async (stack) => {
      const { stripe } = stack;
      const who = await arrive(stripe);
      const { frozen_time } = await stripe.testHelpers.testClocks.retrieve(who.clock);
      const accepted = async (subscription_data: Stripe.QuoteCreateParams.SubscriptionData = {}): Promise<Stripe.Quote> => {
        const { id } = await stripe.quotes.create({ customer: who.customer, line_items: [{ price: who.price }], subscription_data });
        await stripe.quotes.finalizeQuote(id);
        return stripe.quotes.accept(id);
      };
      const now = await accepted();
      const later = await accepted({ effective_date: frozen_time + 5 * DAY });
      await advance(stack, who, 10 * DAY);
      expect((await stripe.subscriptions.list({ customer: who.customer })).data).toHaveLength(2);
      expect([now.status, later.status]).toEqual(['accepted', 'accepted']);
      return String(now.subscription);
    },
  },
  'never paid, expired': {
    verbs: ['expire-subscription', 'finish-clock-advance'],
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const { id } = await subscribe(stack, who, { payment_behavior: 'default_incomplete' });
      await advance(stack, who, DAY);
      return id;
    },
  },
  'a change that is not paid in time is taken back': {
    verbs: ['resolve-pending-update'],
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const subscription = await subscribe(stack, who);
      await useCard(stack.stripe, who.customer, 'pm_card_chargeCustomerFail');
      await grow(stack, subscription, 2, 'pending_if_incomplete');
      await advance(stack, who, DAY);
      return subscription.id;
    },
  },
  'taxed elsewhere, with a draft that is told to wait': {
    verbs: ['calculate-tax', 'finalize-invoice', 'set-auto-advance'],
    account: { taxCalculator: 'fake_external', invoiceGraceSeconds: 3600 },
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const { id } = await subscribe(stack, who);
      await advance(stack, who, 28 * DAY);
      const draft = await latest(stack, who);
      await stack.stripe.invoices.update(draft.id, { auto_advance: false });
      await advance(stack, who, DAY);
      await stack.stripe.invoices.finalizeInvoice(draft.id);
      return id;
    },
  },
  'two that share an invoice, which is declined and then paid': {
    verbs: ['issue-invoice', 'collect-payment'],
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      await stack.stripe.customers.update(who.customer, { consolidated_invoicing: true } as Stripe.CustomerUpdateParams);
      await subscribe(stack, who);
      const { id } = await subscribe(stack, who);
      await useCard(stack.stripe, who.customer, 'pm_card_chargeCustomerFail');
      await advance(stack, who, 29 * DAY);
      await useCard(stack.stripe, who.customer, 'pm_card_visa');
      await advance(stack, who, DAY);
      return id;
    },
  },
  'dunned in vain': {
    verbs: ['schedule-attempt', 'end-dunning'],
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const { id } = await subscribe(stack, who);
      await useCard(stack.stripe, who.customer, 'pm_card_chargeCustomerFail');
      await advance(stack, who, 90 * DAY);
      return id;
    },
  },
  'written off and voided': {
    verbs: ['change-plan', 'mark-invoice-uncollectible', 'void-invoice'],
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const subscription = await subscribe(stack, who);
      await advance(stack, who, 5 * DAY);
      await grow(stack, subscription, 2, 'default_incomplete');
      await stack.stripe.invoices.markUncollectible((await latest(stack, who)).id);
      await advance(stack, who, 5 * DAY);
      await grow(stack, subscription, 3, 'default_incomplete');
      await stack.stripe.invoices.voidInvoice((await latest(stack, who)).id);
      return subscription.id;
    },
  },
  'paid, and the answer lost': {
    verbs: ['resolve-payment'],
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const { id } = await subscribe(stack, who, { payment_behavior: 'default_incomplete' });
      const invoice = await latest(stack, who);
      const idempotencyKey = `${invoice.id}:attempt-1`;
      await stack.sandbox.arm('timeout_after_capture', { idempotencyKey });
      await stack.sandbox.arm('look_up_down', { idempotencyKey }, 2);
      await stack.stripe.invoices.pay(invoice.id);
      return id;
    },
  },
  'told that the trial ends': {
    verbs: ['remind-of-trial-end'],
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const { id } = await subscribe(stack, who, { trial_period_days: 10 });
      await advance(stack, who, 12 * DAY);
      return id;
    },
  },
  'paused from the end of the period to a date': {
    verbs: ['pause-subscription', 'begin-pause', 'end-pause'],
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const { id, start_date } = await subscribe(stack, who);
      await pauseSubscription(stack.stripe, id, { effective_at: 'period_end', resumes_at: start_date + 50 * DAY });
      await advance(stack, who, 60 * DAY);
      return id;
    },
  },
  'resumed by hand, cancelled, taken back': {
    verbs: ['resume-subscription', 'reactivate-subscription'],
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const { id } = await subscribe(stack, who);
      await pauseSubscription(stack.stripe, id);
      await advance(stack, who, 5 * DAY);
      await resumeSubscription(stack.stripe, id);
      await advance(stack, who, 5 * DAY);
      await stack.stripe.subscriptions.cancel(id);
      await reactivateSubscription(stack.stripe, id);
      return id;
    },
  },
  'collection paused until a date': {
    verbs: ['resume-collection'],
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const { id, start_date } = await subscribe(stack, who);
      const pause_collection = { behavior: 'keep_as_draft', resumes_at: start_date + 40 * DAY } as const;
      await stack.stripe.subscriptions.update(id, { pause_collection });
      await advance(stack, who, 45 * DAY);
      return id;
    },
  },
  'changed later, after a change of mind': {
    verbs: ['cancel-scheduled-change', 'apply-scheduled-change'],
    live: async (stack) => {
      const { stripe } = stack;
      const who = await arrive(stripe);
      const { id, items, start_date } = await subscribe(stack, who);
      const later = async (quantity: number): Promise<string> => {
        const params = { items: [{ id: items.data[0]?.id ?? '', quantity }], effective_at: start_date + 10 * DAY };
        const changed = await stripe.subscriptions.update(id, params as Stripe.SubscriptionUpdateParams);
        return (changed as unknown as { scheduled_changes: Stripe.ApiList<{ id: string }> }).scheduled_changes.data[0]?.id ?? '';
      };
      await stripe.rawRequest('DELETE', `/v1/subscriptions/${id}/scheduled_changes/${await later(5)}`);
      await later(3);
      await advance(stack, who, 12 * DAY);
      return id;
    },
  },
  'a line added to a draft': {
    verbs: ['edit-invoice'],
    account: { invoiceGraceSeconds: 3600 },
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const { id } = await subscribe(stack, who);
      await advance(stack, who, 28 * DAY);
      await stack.stripe.invoiceItems.create({
        customer: who.customer,
        invoice: (await latest(stack, who)).id,
        amount: 500,
        currency: 'eur',
      });
      await advance(stack, who, DAY);
      return id;
    },
  },
  'paid by another card, while the first waits for its owner': {
    verbs: ['clear-payment'],
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const { id } = await subscribe(stack, who, { payment_behavior: 'default_incomplete' });
      const invoice = await latest(stack, who);
      const { id: waits } = await stack.stripe.paymentMethods.attach('pm_card_authenticationRequired', { customer: who.customer });
      await stack.stripe.invoices.pay(invoice.id, { payment_method: waits }).catch(() => null);
      await stack.stripe.invoices.pay(invoice.id);
      return id;
    },
  },
  'billed as soon as enough is used': {
    verbs: ['bill-threshold'],
    live: async (stack) => {
      const { stripe } = stack;
      const who = await arrive(stripe);
      const event_name = `calls_${who.customer}`;
      const meter = await stripe.billing.meters.create({ display_name: 'Calls', event_name, default_aggregation: { formula: 'sum' } });
      const calls = await newPrice(stripe, 10, {
        name: 'Calls',
        recurring: { interval: 'month', usage_type: 'metered', meter: meter.id },
      });
      const { id } = await subscribe(stack, who, {
        items: [{ price: who.price }, { price: calls }],
        billing_thresholds: { amount_gte: 1000 },
      });
      await advance(stack, who, DAY);
      await stripe.billing.meterEvents.create({ event_name, payload: { stripe_customer_id: who.customer, value: '150' } });
      const early = { billing_reason: 'subscription_threshold', status: 'paid' };
      const invoices = () => invoicesOf(stripe, { customer: who.customer });
      await vi.waitFor(async () => expect(await invoices()).toContainEqual(expect.objectContaining(early)), {
        timeout: PATIENCE_MS,
        interval: 200,
      });
      await advance(stack, who, DAY);
      return id;
    },
  },
  'credit that is bought as little is left': {
    verbs: ['top-up-credits'],
    live: async (stack) => {
      const { stripe } = stack;
      const who = await arrive(stripe);
      const event_name = `chats_${who.customer}`;
      const meter = await stripe.billing.meters.create({ display_name: 'Chats', event_name, default_aggregation: { formula: 'sum' } });
      const chats = await newPrice(stripe, 10, { name: 'Chats', recurring: { interval: 'month', usage_type: 'metered', meter: meter.id } });
      const amount = (value: number) => ({ type: 'monetary' as const, monetary: { currency: 'eur', value } });
      const applicability_config = { scope: { price_type: 'metered' as const } };
      await stripe.billing.creditGrants.create({ customer: who.customer, amount: amount(1000), applicability_config });
      const { id } = await subscribe(stack, who, { items: [{ price: who.price }, { price: chats }] });
      await stripe.rawRequest('POST', '/v1/billing/credit_top_ups', {
        ...{ customer: who.customer, threshold: amount(500), amount: amount(2000), applicability_config },
      });
      await advance(stack, who, DAY);
      await stripe.billing.meterEvents.create({ event_name, payload: { stripe_customer_id: who.customer, value: '80' } });
      const bought = async () => (await stripe.billing.creditGrants.list({ customer: who.customer })).data.length;
      await vi.waitFor(async () => expect(await bought()).toBe(2), { timeout: PATIENCE_MS, interval: 200 });
      await advance(stack, who, 30 * DAY);
      return id;
    },
  },
  'sent, overdue, paid another way': {
    verbs: ['send-invoice', 'mark-overdue', 'pay-out-of-band'],
    live: async (stack) => {
      const who = await arrive(stack.stripe);
      const { id } = await subscribe(stack, who, { collection_method: 'send_invoice', days_until_due: 10 });
      await stack.stripe.invoices.sendInvoice((await latest(stack, who)).id);
      await advance(stack, who, 12 * DAY);
      await stack.stripe.invoices.pay((await latest(stack, who)).id, { paid_out_of_band: true });
      return id;
    },
  },
  'moved to a new price with its cohort, and back, and moved again': {
    verbs: ['take-price-migration-page', 'migrate-subscription', 'undo-migration'],
    live: async (stack) => {
      const { stripe } = stack;
      const who = await arrive(stripe);
      const { id } = await subscribe(stack, who);
      const post = async (path: string, params: object = {}) =>
        (await stripe.rawRequest('POST', `/v1/price_migrations${path}`, params as never)) as unknown as { id: string };
      const comesTo = (migration: string, status: string) =>
        vi.waitFor(async () => expect(await stripe.rawRequest('GET', `/v1/price_migrations/${migration}`)).toMatchObject({ status }), {
          timeout: PATIENCE_MS,
          interval: 200,
        });
      const asked = { from_price: who.price, to_price: await newPrice(stripe, 1500) };
      const first = await post('', asked);
      await comesTo(first.id, 'completed');
      await post(`/${first.id}/cancel`);
      await comesTo(first.id, 'canceled');
      await comesTo((await post('', asked)).id, 'completed');
      await advance(stack, who, 29 * DAY);
      return id;
    },
  },
};
