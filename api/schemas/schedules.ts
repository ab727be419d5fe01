import { MAX_PHASES } from '../../domain/schedule/plan-phases.ts';
import { SCHEDULE_STATUSES } from '../../domain/schedule/transitions.ts';
import { MAX_ONE_TIME_ITEMS } from '../../domain/subscription/bill-once.ts';
import { laterDiscounts } from './discounts.ts';
import {
  answerMetadata,
  currency,
  expand,
  expandable,
  expandableOrNull,
  idList,
  metadata,
  nullableText,
  nullableTime,
  paging,
  quantity,
  reference,
  timestamp,
  when,
} from './fields.ts';
import { itemThresholds, prorationBehavior } from './subscription-items.ts';
import { billingThresholds, collectionMethod, daysUntilDue } from './subscriptions.ts';
import { taxRate } from './tax-rates.ts';
import { z } from './zod.ts';

const endBehavior = z.enum(['release', 'cancel']);
const anchor = z.enum(['automatic', 'phase_start']);
const whenOrNow = z.union([timestamp, z.literal('now')]);
const interval = z.enum(['day', 'week', 'month', 'year']);
/** A value may be empty: the key is then taken off the subscription. */
const phaseMetadata = z.record(z.string().min(1).max(40), z.string().max(500)).optional();

const collection = {
  collection_method: collectionMethod.optional(),
  invoice_settings: z.strictObject({ days_until_due: daysUntilDue.optional() }).optional(),
};
const settings = z.strictObject({
  billing_cycle_anchor: anchor.optional(),
  ...collection,
  default_payment_method: reference.optional(),
});

const priced = { price: reference, quantity: quantity.default(1), tax_rates: idList(20).nullable().optional() };
const phaseItem = z.strictObject({ ...priced, discounts: laterDiscounts, billing_thresholds: itemThresholds });
const phase = {
  items: z.array(phaseItem).min(1).max(20),
  duration: z.strictObject({ interval, interval_count: z.int().min(1).max(1000).default(1) }).optional(),
  currency: currency.optional(),
  proration_behavior: prorationBehavior.optional(),
  billing_cycle_anchor: anchor.optional(),
  billing_thresholds: billingThresholds,
  ...collection,
  discounts: laterDiscounts,
  add_invoice_items: z.array(z.strictObject(priced)).max(MAX_ONE_TIME_ITEMS).optional(),
  trial: z.boolean().optional(),
  default_payment_method: reference.optional(),
  default_tax_rates: idList(20).nullable().optional(),
  metadata: phaseMetadata,
};
const newPhase = z.strictObject({ ...phase, end_date: timestamp.optional(), trial_end: timestamp.optional() });
const changedPhase = z.strictObject({
  ...phase,
  start_date: whenOrNow.optional(),
  end_date: whenOrNow.optional(),
  trial_end: whenOrNow.optional(),
});

export const scheduleCreate = z.strictObject({
  customer: reference.optional(),
  from_subscription: reference.optional(),
  start_date: whenOrNow.optional(),
  phases: z.array(newPhase).min(1).max(MAX_PHASES).optional(),
  end_behavior: endBehavior.optional(),
  default_settings: settings.optional(),
  metadata,
  expand,
});

export const scheduleUpdate = z.strictObject({
  phases: z.array(changedPhase).min(1).max(50).optional(),
  end_behavior: endBehavior.optional(),
  default_settings: settings.optional(),
  proration_behavior: prorationBehavior.default('create_prorations'),
  metadata,
  expand,
});

/** Of a preview: the phases of a new schedule, or a change of one. */
export const scheduleDetails = z.strictObject({
  phases: z.array(changedPhase).min(1).max(50).optional(),
  end_behavior: endBehavior.optional(),
  proration_behavior: prorationBehavior.optional(),
});

export const scheduleCancel = z.strictObject({ invoice_now: z.boolean().default(true), prorate: z.boolean().default(true), expand });
export const scheduleRelease = z.strictObject({ preserve_cancel_date: z.boolean().default(false), expand });

export const scheduleList = z.strictObject({
  ...paging,
  customer: reference.optional(),
  subscription: reference.optional(),
  scheduled: z.boolean().optional(),
  created: when,
  canceled_at: when,
  completed_at: when,
  released_at: when,
});

const wishAnswer = z.strictObject({ coupon: nullableText, discount: z.null(), promotion_code: nullableText });
const invoiceSettingsAnswer = z.strictObject({
  account_tax_ids: z.null(),
  custom_fields: z.null(),
  days_until_due: z.int().nullable(),
  description: z.null(),
  footer: z.null(),
  issuer: z.null(),
});

const phaseAnswer = z.strictObject({
  add_invoice_items: z.array(
    z.strictObject({
      discountable: z.null(),
      discounts: z.array(z.string()),
      metadata: answerMetadata,
      period: z.strictObject({
        start: z.strictObject({ type: z.literal('phase_start') }),
        end: z.strictObject({ type: z.literal('timestamp'), timestamp: z.int() }),
      }),
      price: z.string(),
      quantity: z.number(),
      tax_rates: z.array(taxRate),
    }),
  ),
  application_fee_percent: z.null(),
  billing_cycle_anchor: anchor.nullable(),
  billing_thresholds: z.strictObject({ amount_gte: z.int(), reset_billing_cycle_anchor: z.boolean() }).nullable(),
  collection_method: collectionMethod.nullable(),
  currency: z.string(),
  default_payment_method: nullableText,
  default_tax_rates: z.array(taxRate),
  description: z.null(),
  discounts: z.array(wishAnswer),
  end_date: z.int(),
  invoice_settings: invoiceSettingsAnswer.nullable(),
  items: z.array(
    z.strictObject({
      billing_thresholds: z.strictObject({ usage_gte: z.int() }).nullable(),
      discounts: z.array(wishAnswer),
      metadata: answerMetadata,
      plan: z.string(),
      price: z.string(),
      quantity: z.number(),
      tax_rates: z.array(taxRate),
    }),
  ),
  metadata: answerMetadata,
  on_behalf_of: z.null(),
  proration_behavior: prorationBehavior,
  start_date: z.int(),
  transfer_data: z.null(),
  trial_end: nullableTime,
});

export const subscriptionSchedule = z
  .strictObject({
    id: z.string(),
    object: z.literal('subscription_schedule'),
    application: z.null(),
    canceled_at: nullableTime,
    completed_at: nullableTime,
    created: z.int(),
    current_phase: z.strictObject({ end_date: z.int(), start_date: z.int() }).nullable(),
    customer: expandable('Customer'),
    default_settings: z.strictObject({
      application_fee_percent: z.null(),
      billing_cycle_anchor: anchor,
      billing_thresholds: z.null(),
      collection_method: collectionMethod,
      default_payment_method: expandableOrNull('PaymentMethod'),
      description: z.null(),
      invoice_settings: invoiceSettingsAnswer,
      on_behalf_of: z.null(),
      transfer_data: z.null(),
    }),
    end_behavior: endBehavior,
    livemode: z.boolean(),
    metadata: answerMetadata,
    phases: z.array(phaseAnswer),
    released_at: nullableTime,
    released_subscription: nullableText,
    status: z.enum(SCHEDULE_STATUSES),
    subscription: expandableOrNull('Subscription'),
    test_clock: expandableOrNull('TestClock'),
    failure: z
      .strictObject({ code: z.string(), message: z.string(), param: nullableText })
      .nullable()
      .openapi({ description: 'Why the subscription could not be created when the time came; the schedule was then canceled.' }),
  })
  .openapi('SubscriptionSchedule');
