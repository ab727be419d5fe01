import { COLLECTION_METHODS, MAX_DAYS_UNTIL_DUE } from '../../domain/invoicing/due-date.ts';
import { MAX_AMOUNT } from '../../domain/money.ts';
import { MAX_ONE_TIME_ITEMS } from '../../domain/subscription/bill-once.ts';
import { MAX_TRIAL_DAYS } from '../../domain/subscription/start-trial.ts';
import { MISSING_PAYMENT_METHOD, SUBSCRIPTION_STATUSES } from '../../domain/subscription/subscription.ts';
import { discountIds, discounts } from './discounts.ts';
import {
  answerMetadata,
  currency,
  expand,
  expandable,
  expandableOrNull,
  idList,
  listOf,
  metadata,
  nullableText,
  nullableTime,
  paging,
  previewToken,
  quantity,
  reference,
  text,
  timestamp,
  timezone,
  unsettable,
  when,
} from './fields.ts';
import { oneTimePriceData, recurringPriceData, somePrice } from './price-data.ts';
import { scheduledChange } from './scheduled-changes.ts';
import { effectiveAt, itemThresholds, paymentBehavior, prorationBehavior, subscriptionItem } from './subscription-items.ts';
import { taxRate } from './tax-rates.ts';
import { z } from './zod.ts';

const FEEDBACK = [
  'customer_service',
  'low_quality',
  'missing_features',
  'other',
  'switched_service',
  'too_complex',
  'too_expensive',
  'unused',
] as const;

/** Why the customer leaves. The comment may hold personal data, so it is written to the row and never enters a workflow. */
const cancellationDetails = z.strictObject({ comment: unsettable(), feedback: z.enum(FEEDBACK).nullable().optional() });

const newItem = z
  .strictObject({
    price: reference.optional(),
    price_data: recurringPriceData.optional(),
    quantity: quantity.default(1),
    billing_thresholds: itemThresholds,
    tax_rates: idList(20).nullable().optional(),
    discounts,
    metadata,
  })
  .superRefine(somePrice);

/** `id` names an item to change or (`deleted`) remove; without it the item is added. */
export const itemChange = z.strictObject({
  id: reference.optional(),
  price: reference.optional(),
  price_data: recurringPriceData.optional(),
  quantity: quantity.optional(),
  deleted: z.boolean().optional(),
  billing_thresholds: itemThresholds,
  tax_rates: idList(20).nullable().optional(),
  discounts,
  metadata,
});

const descriptive = { description: unsettable(500), external_id: unsettable(255), metadata, preview_token: previewToken, expand };
/** On the calendar of the billing zone, where Stripe has UTC. */
export const anchorConfig = z.strictObject({
  day_of_month: z.int().min(1).max(31),
  month: z.int().min(1).max(12).optional(),
  hour: z.int().min(0).max(23).optional(),
  minute: z.int().min(0).max(59).optional(),
  second: z.int().min(0).max(59).optional(),
});

/** A date is ours: the current period ends there, earlier or later than it would. */
export const updatedAnchor = z.union([z.enum(['now', 'unchanged']), timestamp]);
/** An instant, or `now`. */
export const trialEnd = z.union([timestamp, z.literal('now')]);
const trialSettings = z.strictObject({ end_behavior: z.strictObject({ missing_payment_method: z.enum(MISSING_PAYMENT_METHOD) }) });
const trialPeriodDays = z.int().min(1).max(MAX_TRIAL_DAYS);

/** Something sold once, on the first invoice. */
const oneTimeItem = z
  .strictObject({
    price: reference.optional(),
    price_data: oneTimePriceData.optional(),
    quantity: quantity.default(1),
    tax_rates: idList(20).nullable().optional(),
  })
  .superRefine(somePrice);

/** A date, or when the first or last current period of the items ends. */
export const cancelAt = z.union([timestamp, z.enum(['min_period_end', 'max_period_end'])]);
export const collectionMethod = z.enum(COLLECTION_METHODS);
export const daysUntilDue = z.int().min(0).max(MAX_DAYS_UNTIL_DUE);

/** Usage that is not billed yet and worth as much is billed at once. */
export const billingThresholds = z
  .strictObject({ amount_gte: z.int().min(1).max(MAX_AMOUNT), reset_billing_cycle_anchor: z.boolean().default(false) })
  .nullable()
  .optional();

export const subscriptionCreate = z.strictObject({
  customer: reference,
  items: z.array(newItem).min(1).max(20),
  currency: currency.optional(),
  payment_behavior: z.enum(['allow_incomplete', 'default_incomplete', 'error_if_incomplete']).default('allow_incomplete'),
  collection_method: collectionMethod.optional(),
  days_until_due: daysUntilDue.optional(),
  default_payment_method: reference.optional(),
  default_tax_rates: idList(20).nullable().optional(),
  cancel_at: cancelAt.optional(),
  cancel_at_period_end: z.boolean().default(false),
  billing_timezone: timezone.optional(),
  billing_cycle_anchor: timestamp.optional(),
  billing_cycle_anchor_config: anchorConfig.optional(),
  backdate_start_date: timestamp.optional(),
  proration_behavior: prorationBehavior.default('create_prorations'),
  trial_period_days: trialPeriodDays.optional(),
  trial_end: trialEnd.optional(),
  trial_settings: trialSettings.optional(),
  trial_reuse: z
    .enum(['allow', 'refuse', 'drop'])
    .optional()
    .openapi({ description: 'Ours: what becomes of the trial where the customer had one of the same product before.' }),
  add_invoice_items: z.array(oneTimeItem).max(MAX_ONE_TIME_ITEMS).optional(),
  billing_thresholds: billingThresholds,
  discounts,
  ...descriptive,
});

/** Stripe's pause of collection: it goes on renewing, and its invoices are kept from the customer in one of three ways. */
const pauseCollection = z.strictObject({
  behavior: z.enum(['keep_as_draft', 'mark_uncollectible', 'void']),
  resumes_at: timestamp.nullable().optional(),
});

export const subscriptionUpdate = z.strictObject({
  items: z.array(itemChange).min(1).max(20).optional(),
  proration_behavior: prorationBehavior.default('create_prorations'),
  effective_at: effectiveAt.default('now'),
  proration_date: timestamp.optional(),
  payment_behavior: paymentBehavior.default('allow_incomplete'),
  billing_cycle_anchor: updatedAnchor.optional(),
  collection_method: collectionMethod.optional(),
  days_until_due: daysUntilDue.optional(),
  cancel_at: cancelAt.nullable().optional(),
  cancel_at_period_end: z.boolean().optional(),
  cancellation_details: cancellationDetails.optional(),
  trial_end: trialEnd.optional(),
  trial_settings: trialSettings.optional(),
  /** What a change of items does to a trial that is running; `trial_period_days` belongs to `new_length_from_start`. */
  trial_change_behavior: z.enum(['keep_end', 'new_length_from_start', 'end_now']).optional(),
  trial_period_days: trialPeriodDays.optional(),
  default_payment_method: reference.nullable().optional(),
  default_tax_rates: idList(20).nullable().optional(),
  pause_collection: pauseCollection.nullable().optional(),
  billing_thresholds: billingThresholds,
  discounts,
  ...descriptive,
});

/** Stripe sends the anchor as a word or, in newer versions, as a hash around it. */
const resumeAnchor = z.union([z.enum(['now', 'unchanged']), z.strictObject({ type: z.enum(['now', 'unchanged']) })]).optional();

export const subscriptionPause = z.strictObject({
  // What Stripe's own call may say of it: the unused time is billed back from now on, by an invoice.
  type: z.literal('subscription').optional(),
  bill_for: z
    .strictObject({
      unused_time_from: z.strictObject({ type: z.literal('now') }).optional(),
      outstanding_usage_through: z.strictObject({ type: z.literal('now') }).optional(),
    })
    .optional(),
  invoicing_behavior: z.literal('invoice').optional(),
  effective_at: z.union([z.enum(['now', 'period_end']), timestamp]).default('now'),
  unused_time: z.enum(['credit', 'extend']).default('credit'),
  resumes_at: timestamp.nullable().optional(),
  billing_cycle_anchor: resumeAnchor,
  proration_behavior: prorationBehavior.default('create_prorations'),
  preview_token: previewToken,
  expand,
});

export const subscriptionResume = z.strictObject({
  billing_cycle_anchor: resumeAnchor,
  payment_behavior: z.literal('resume_on_payment_attempt').optional(),
  proration_behavior: prorationBehavior.default('create_prorations'),
  proration_date: timestamp.optional(),
  preview_token: previewToken,
  expand,
});

export const subscriptionReactivate = z.strictObject({ preview_token: previewToken, expand });

export const subscriptionCancel = z.strictObject({
  prorate: z.boolean().default(false),
  invoice_now: z.boolean().default(false),
  cancellation_details: cancellationDetails.optional(),
  preview_token: previewToken,
  expand,
});

const SUBSCRIPTION_FILTER_STATUSES = [...SUBSCRIPTION_STATUSES, 'all', 'ended'] as const;

export const subscriptionList = z.strictObject({
  ...paging,
  customer: reference.optional(),
  price: reference.optional(),
  status: z.enum(SUBSCRIPTION_FILTER_STATUSES).optional(),
  external_id: text(255).optional(),
  created: when,
});

export const subscription = z
  .strictObject({
    id: z.string(),
    object: z.literal('subscription'),
    application: z.null(),
    application_fee_percent: z.null(),
    automatic_tax: z.strictObject({ disabled_reason: z.null(), enabled: z.boolean(), liability: z.null() }),
    billing_cycle_anchor: z.int(),
    billing_cycle_anchor_config: z
      .strictObject({
        day_of_month: z.int(),
        month: z.int().nullable(),
        hour: z.int().nullable(),
        minute: z.int().nullable(),
        second: z.int().nullable(),
      })
      .nullable(),
    billing_thresholds: z.strictObject({ amount_gte: z.int().nullable(), reset_billing_cycle_anchor: z.boolean().nullable() }).nullable(),
    cancel_at: nullableTime,
    cancel_at_period_end: z.boolean(),
    canceled_at: nullableTime,
    cancellation_details: z.strictObject({ comment: nullableText, feedback: nullableText, reason: nullableText }),
    collection_method: collectionMethod,
    created: z.int(),
    currency: z.string(),
    customer: expandable('Customer'),
    days_until_due: z.int().nullable(),
    default_payment_method: expandableOrNull('PaymentMethod'),
    default_source: z.null(),
    default_tax_rates: z.array(taxRate),
    description: nullableText,
    discounts: discountIds,
    ended_at: nullableTime,
    items: listOf(subscriptionItem),
    latest_invoice: expandableOrNull('Invoice'),
    livemode: z.boolean(),
    metadata: answerMetadata,
    next_pending_invoice_item_invoice: z.null(),
    on_behalf_of: z.null(),
    pause_collection: z
      .strictObject({ behavior: z.enum(['keep_as_draft', 'mark_uncollectible', 'void']), resumes_at: nullableTime })
      .nullable(),
    pending_invoice_item_interval: z.null(),
    pending_setup_intent: z.null(),
    pending_update: z
      .strictObject({
        billing_cycle_anchor: nullableTime,
        expires_at: z.int(),
        subscription_items: z.array(subscriptionItem),
        trial_end: nullableTime,
        invoice: z.string(),
      })
      .nullable(),
    schedule: expandableOrNull('SubscriptionSchedule'),
    start_date: z.int(),
    status: z.enum(SUBSCRIPTION_STATUSES),
    test_clock: expandableOrNull('TestClock'),
    transfer_data: z.null(),
    trial_end: nullableTime,
    trial_settings: z.strictObject({
      end_behavior: z.strictObject({ billing_cycle_anchor: z.null(), missing_payment_method: z.enum(MISSING_PAYMENT_METHOD) }),
    }),
    trial_start: nullableTime,
    billing_timezone: z.string(),
    external_id: nullableText,
    pause: z
      .strictObject({
        billing_cycle_anchor: z.enum(['now', 'unchanged']).nullable(),
        proration_behavior: prorationBehavior,
        resumes_at: nullableTime,
        starts_at: z.int(),
        unused_time: z.enum(['credit', 'extend']),
      })
      .nullable(),
    scheduled_changes: listOf(scheduledChange).openapi({ description: 'What is still to come, the next one first.' }),
    replaced: z
      .array(scheduledChange)
      .optional()
      .openapi({ description: 'In the answer to a change: what was scheduled, and this change has taken the place of.' }),
  })
  .openapi('Subscription');
