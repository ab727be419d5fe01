import type Stripe from 'stripe';
import type { SchedulePhase, SubscriptionSchedule } from '../../domain/schedule/schedule.ts';
import type { presentTaxRate } from './catalog.ts';
import type { Dialect } from './dialect.ts';
import { type Related, ratesOf } from './subscriptions.ts';

type Wish = Dialect<Stripe.SubscriptionSchedule.Phase.Discount, 'coupon' | 'discount' | 'promotion_code'>;
type InvoiceSettings = Dialect<
  Stripe.SubscriptionSchedule.Phase.InvoiceSettings,
  'account_tax_ids' | 'custom_fields' | 'days_until_due' | 'description' | 'footer' | 'issuer'
>;

type PhaseAnswer = Dialect<
  Stripe.SubscriptionSchedule.Phase,
  | 'application_fee_percent'
  | 'billing_cycle_anchor'
  | 'billing_thresholds'
  | 'collection_method'
  | 'currency'
  | 'default_payment_method'
  | 'description'
  | 'end_date'
  | 'metadata'
  | 'on_behalf_of'
  | 'proration_behavior'
  | 'start_date'
  | 'transfer_data'
  | 'trial_end'
> & {
  default_tax_rates: ReturnType<typeof presentTaxRate>[];
  discounts: Wish[];
  invoice_settings: InvoiceSettings | null;
  add_invoice_items: (Dialect<
    Stripe.SubscriptionSchedule.Phase.AddInvoiceItem,
    'discountable' | 'metadata' | 'period' | 'price' | 'quantity'
  > & {
    discounts: [];
    tax_rates: ReturnType<typeof presentTaxRate>[];
  })[];
  items: (Dialect<Stripe.SubscriptionSchedule.Phase.Item, 'billing_thresholds' | 'metadata' | 'plan' | 'price'> & {
    discounts: Wish[];
    quantity: number;
    tax_rates: ReturnType<typeof presentTaxRate>[];
  })[];
};

type ScheduleAnswer = Dialect<
  Stripe.SubscriptionSchedule,
  | 'id'
  | 'object'
  | 'application'
  | 'canceled_at'
  | 'completed_at'
  | 'created'
  | 'current_phase'
  | 'customer'
  | 'end_behavior'
  | 'livemode'
  | 'metadata'
  | 'released_at'
  | 'released_subscription'
  | 'status'
  | 'subscription'
  | 'test_clock'
> & {
  default_settings: Dialect<
    Stripe.SubscriptionSchedule.DefaultSettings,
    | 'application_fee_percent'
    | 'billing_cycle_anchor'
    | 'billing_thresholds'
    | 'collection_method'
    | 'default_payment_method'
    | 'description'
    | 'on_behalf_of'
    | 'transfer_data'
  > & { invoice_settings: InvoiceSettings };
  phases: PhaseAnswer[];
  failure: SubscriptionSchedule['failure'];
};

const presentWishes = (wishes: SchedulePhase['discounts']): Wish[] =>
  (wishes ?? []).map((wish) => ({
    coupon: 'couponId' in wish ? wish.couponId : null,
    discount: null,
    promotion_code: 'promotionCodeId' in wish ? wish.promotionCodeId : null,
  }));

const presentInvoiceSettings = ({ daysUntilDue }: Pick<SchedulePhase, 'daysUntilDue'>): InvoiceSettings => ({
  account_tax_ids: null,
  custom_fields: null,
  days_until_due: daysUntilDue ?? null,
  description: null,
  footer: null,
  issuer: null,
});

function presentPhase(phase: SchedulePhase, currency: string, related: Related): PhaseAnswer {
  return {
    add_invoice_items: (phase.addInvoiceItems ?? []).map(({ priceId, quantity, taxRateIds }) => ({
      discountable: null,
      discounts: [],
      metadata: {},
      period: { start: { type: 'phase_start' }, end: { type: 'timestamp', timestamp: phase.start } },
      price: priceId,
      quantity: Number(quantity),
      tax_rates: ratesOf(taxRateIds, related),
    })),
    application_fee_percent: null,
    billing_cycle_anchor: phase.billingCycleAnchor,
    billing_thresholds: phase.billingThresholds
      ? { amount_gte: phase.billingThresholds.amountGte, reset_billing_cycle_anchor: phase.billingThresholds.resetBillingCycleAnchor }
      : null,
    collection_method: phase.collectionMethod ?? null,
    currency,
    default_payment_method: phase.defaultPaymentMethodId,
    default_tax_rates: ratesOf(phase.defaultTaxRateIds ?? [], related),
    description: null,
    discounts: presentWishes(phase.discounts),
    end_date: phase.end,
    invoice_settings: phase.daysUntilDue === undefined ? null : presentInvoiceSettings(phase),
    items: phase.items.map(({ priceId, quantity, taxRateIds, discounts, usageGte }) => ({
      billing_thresholds: usageGte == null ? null : { usage_gte: usageGte },
      discounts: presentWishes(discounts),
      metadata: {},
      plan: priceId,
      price: priceId,
      quantity: Number(quantity),
      tax_rates: ratesOf(taxRateIds, related),
    })),
    metadata: phase.metadata,
    on_behalf_of: null,
    proration_behavior: phase.prorationBehavior,
    start_date: phase.start,
    transfer_data: null,
    trial_end: phase.trialEnd,
  };
}

/** A schedule names its subscription for as long as it drives it, and after it has run its phases; a released one names it as such. */
export function presentSchedule(schedule: SubscriptionSchedule, related: Related): ScheduleAnswer {
  const { status, currentPhase, settings } = schedule;
  const started = currentPhase === null ? null : schedule.subscriptionId;
  const current = status === 'active' && currentPhase !== null ? schedule.phases[currentPhase] : undefined;
  return {
    id: schedule.id,
    object: 'subscription_schedule',
    application: null,
    canceled_at: schedule.canceledAt,
    completed_at: schedule.completedAt,
    created: schedule.createdAt,
    current_phase: current === undefined ? null : { end_date: current.end, start_date: current.start },
    customer: schedule.customerId,
    default_settings: {
      application_fee_percent: null,
      billing_cycle_anchor: settings.billingCycleAnchor,
      billing_thresholds: null,
      collection_method: settings.collectionMethod ?? 'charge_automatically',
      default_payment_method: settings.defaultPaymentMethodId,
      description: null,
      invoice_settings: presentInvoiceSettings(settings),
      on_behalf_of: null,
      transfer_data: null,
    },
    end_behavior: schedule.endBehavior,
    livemode: related.livemode,
    metadata: schedule.metadata,
    phases: schedule.phases.map((phase) => presentPhase(phase, schedule.currency, related)),
    released_at: schedule.releasedAt,
    released_subscription: status === 'released' ? started : null,
    status,
    subscription: status === 'released' ? null : started,
    test_clock: related.testClocks?.get(schedule.customerId) ?? null,
    failure: schedule.failure,
  };
}

/** The ids of the tax rates that `presentSchedule` shows whole. */
export const ratesOfSchedules = (schedules: readonly SubscriptionSchedule[]): string[] =>
  schedules.flatMap(({ phases }) =>
    phases.flatMap((phase) => [
      ...(phase.defaultTaxRateIds ?? []),
      ...[...phase.items, ...(phase.addInvoiceItems ?? [])].flatMap(({ taxRateIds }) => taxRateIds),
    ]),
  );
