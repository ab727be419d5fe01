import type Stripe from 'stripe';
import { isMetered, type Price } from '../../domain/catalog/price.ts';
import { itemPeriodOf } from '../../domain/subscription/anchor.ts';
import { pauseStart } from '../../domain/subscription/paused-time.ts';
import type { AnchorConfig, ProrationBehavior, Subscription, SubscriptionItem } from '../../domain/subscription/subscription.ts';
import type { TaxRate } from '../../domain/tax/tax-rate.ts';
import { presentPlan, presentPrice, presentTaxRate } from './catalog.ts';
import type { Dialect, List } from './dialect.ts';
import { discountIds } from './discounts.ts';
import { presentScheduled } from './scheduled-changes.ts';

/** Rows that are shown inside others, whole; read in batches before presenting. */
export interface Related {
  prices: ReadonlyMap<string, Price>;
  taxRates: ReadonlyMap<string, TaxRate>;
  livemode: boolean;
  /** Test clock ids by customer. */
  testClocks?: ReadonlyMap<string, string>;
}

type ItemAnswer = Dialect<
  Stripe.SubscriptionItem,
  | 'id'
  | 'object'
  | 'billing_thresholds'
  | 'created'
  | 'current_period_end'
  | 'current_period_start'
  | 'discounts'
  | 'metadata'
  | 'subscription'
> & {
  plan: ReturnType<typeof presentPlan>;
  price: ReturnType<typeof presentPrice>;
  /** Absent of what is metered. */
  quantity?: number;
  tax_rates: ReturnType<typeof presentTaxRate>[];
};

function presentItem(item: SubscriptionItem, of: Subscription, related: Related): ItemAnswer {
  const price = related.prices.get(item.priceId);
  if (price === undefined) throw new Error(`price ${item.priceId} of item ${item.id} was not read`);
  const period = itemPeriodOf(of, price.recurring ?? of.cycle);
  return {
    id: item.id,
    object: 'subscription_item',
    billing_thresholds: item.usageGte == null ? null : { usage_gte: item.usageGte },
    created: item.createdAt,
    current_period_end: period.end,
    current_period_start: period.start,
    discounts: discountIds(item.discounts),
    metadata: item.metadata,
    plan: presentPlan(price, related.livemode),
    price: presentPrice(price, related.livemode),
    ...(isMetered(price) ? {} : { quantity: Number(item.quantity) }),
    subscription: of.id,
    tax_rates: ratesOf(item.taxRateIds, related),
  };
}

export const ratesOf = (ids: readonly string[], related: Related) =>
  ids.flatMap((id) => {
    const rate = related.taxRates.get(id);
    return rate === undefined ? [] : [presentTaxRate(rate, related.livemode)];
  });

type SubscriptionAnswer = Dialect<
  Stripe.Subscription,
  | 'id'
  | 'object'
  | 'application'
  | 'application_fee_percent'
  | 'automatic_tax'
  | 'billing_cycle_anchor'
  | 'billing_cycle_anchor_config'
  | 'billing_thresholds'
  | 'cancel_at'
  | 'cancel_at_period_end'
  | 'canceled_at'
  | 'collection_method'
  | 'created'
  | 'currency'
  | 'customer'
  | 'days_until_due'
  | 'default_payment_method'
  | 'default_source'
  | 'description'
  | 'discounts'
  | 'ended_at'
  | 'latest_invoice'
  | 'livemode'
  | 'metadata'
  | 'next_pending_invoice_item_invoice'
  | 'on_behalf_of'
  | 'pause_collection'
  | 'pending_invoice_item_interval'
  | 'pending_setup_intent'
  | 'schedule'
  | 'start_date'
  | 'status'
  | 'test_clock'
  | 'transfer_data'
  | 'trial_end'
  | 'trial_settings'
  | 'trial_start'
> & {
  cancellation_details: Dialect<Stripe.Subscription.CancellationDetails, 'comment' | 'feedback' | 'reason'>;
  default_tax_rates: ReturnType<typeof presentTaxRate>[];
  items: List<ItemAnswer>;
  pending_update:
    | (Dialect<Stripe.Subscription.PendingUpdate, 'billing_cycle_anchor' | 'expires_at' | 'trial_end'> & {
        subscription_items: ItemAnswer[];
        invoice: string;
      })
    | null;
  billing_timezone: string;
  external_id: string | null;
  pause: {
    billing_cycle_anchor: 'now' | 'unchanged' | null;
    proration_behavior: ProrationBehavior;
    resumes_at: number | null;
    starts_at: number;
    unused_time: 'credit' | 'extend';
  } | null;
  scheduled_changes: ReturnType<typeof presentScheduled>;
};

export function presentSubscription(subscription: Subscription, related: Related): SubscriptionAnswer {
  const pending = subscription.pendingUpdate;
  return {
    id: subscription.id,
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: subscription.billingCycleAnchor,
    billing_cycle_anchor_config: presentConfig(subscription.billingCycleAnchorConfig),
    billing_thresholds: subscription.billingThresholds
      ? {
          amount_gte: subscription.billingThresholds.amountGte,
          reset_billing_cycle_anchor: subscription.billingThresholds.resetBillingCycleAnchor,
        }
      : null,
    cancel_at: subscription.cancelAt ?? (subscription.cancelAtPeriodEnd ? subscription.currentPeriodEnd : null),
    cancel_at_period_end: subscription.cancelAtPeriodEnd,
    canceled_at: subscription.canceledAt,
    cancellation_details: {
      comment: subscription.cancellationDetails.comment,
      feedback: subscription.cancellationDetails.feedback,
      reason: subscription.cancellationDetails.reason,
    },
    collection_method: subscription.collectionMethod,
    created: subscription.createdAt,
    currency: subscription.currency,
    customer: subscription.customerId,
    days_until_due: subscription.daysUntilDue,
    default_payment_method: subscription.defaultPaymentMethodId,
    default_source: null,
    default_tax_rates: ratesOf(subscription.defaultTaxRateIds, related),
    description: subscription.description,
    discounts: discountIds(subscription.discounts),
    ended_at: subscription.endedAt,
    items: {
      object: 'list',
      data: subscription.items.map((item) => presentItem(item, subscription, related)),
      has_more: false,
      url: `/v1/subscription_items?subscription=${subscription.id}`,
    },
    latest_invoice: subscription.latestInvoiceId,
    livemode: related.livemode,
    metadata: subscription.metadata,
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: subscription.pauseCollection && {
      behavior: subscription.pauseCollection.behavior,
      resumes_at: subscription.pauseCollection.resumesAt,
    },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update:
      pending === null
        ? null
        : {
            billing_cycle_anchor:
              pending.next.billingCycleAnchor === subscription.billingCycleAnchor ? null : pending.next.billingCycleAnchor,
            expires_at: pending.expiresAt,
            subscription_items: pending.next.items.map((item) => presentItem(item, { ...subscription, ...pending.next }, related)),
            trial_end: pending.next.trialEnd ?? null,
            invoice: pending.invoiceId,
          },
    schedule: subscription.scheduleId,
    start_date: subscription.startDate,
    status: subscription.status,
    test_clock: related.testClocks?.get(subscription.customerId) ?? null,
    transfer_data: null,
    trial_end: subscription.trialEnd,
    trial_settings: { end_behavior: { billing_cycle_anchor: null, missing_payment_method: subscription.trialMissingPaymentMethod } },
    trial_start: subscription.trialStart,
    billing_timezone: subscription.billingTimezone,
    external_id: subscription.externalId,
    scheduled_changes: presentScheduled(subscription, related.livemode),
    pause: presentPause(subscription),
  };
}

function presentPause(subscription: Subscription): SubscriptionAnswer['pause'] {
  const { pause } = subscription;
  if (pause === null) return null;
  return {
    billing_cycle_anchor: pause.resume.billingCycleAnchor,
    proration_behavior: pause.resume.prorationBehavior,
    resumes_at: pause.resumesAt,
    starts_at: pauseStart(subscription) ?? pause.at,
    unused_time: pause.unusedTime,
  };
}

const presentConfig = (config: AnchorConfig | null) =>
  config && { day_of_month: config.dayOfMonth, month: config.month, hour: config.hour, minute: config.minute, second: config.second };

/** The ids of the rows that `presentSubscription` shows whole. */
export function relatedToSubscriptions(subscriptions: readonly Subscription[]): { priceIds: string[]; taxRateIds: string[] } {
  const items = subscriptions.flatMap((subscription) => [...subscription.items, ...(subscription.pendingUpdate?.next.items ?? [])]);
  return {
    priceIds: [...new Set(items.map((item) => item.priceId))],
    taxRateIds: [
      ...new Set([...items.flatMap((item) => item.taxRateIds), ...subscriptions.flatMap((subscription) => subscription.defaultTaxRateIds)]),
    ],
  };
}
