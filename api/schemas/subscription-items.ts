import { discountIds, discounts } from './discounts.ts';
import { answerMetadata, expand, idList, metadata, paging, previewToken, quantity, reference, timestamp } from './fields.ts';
import { tiersMode, transformQuantity } from './price-amounts.ts';
import { recurringPriceData, somePrice } from './price-data.ts';
import { price } from './prices.ts';
import { taxRate } from './tax-rates.ts';
import { z } from './zod.ts';

export const prorationBehavior = z.enum(['create_prorations', 'always_invoice', 'none']);
export const paymentBehavior = z.enum(['allow_incomplete', 'default_incomplete', 'error_if_incomplete', 'pending_if_incomplete']);

/** Ours: when a change takes effect. */
export const effectiveAt = z.union([z.enum(['now', 'period_end']), timestamp]);

/** Of what is metered: as much as is not billed yet is billed at once. */
export const itemThresholds = z
  .strictObject({ usage_gte: z.int().min(1).max(999_999_999_999) })
  .nullable()
  .optional();

const charging = {
  payment_behavior: paymentBehavior.default('allow_incomplete'),
  proration_behavior: prorationBehavior.default('create_prorations'),
  proration_date: timestamp.optional(),
  preview_token: previewToken,
};

export const itemCreate = z
  .strictObject({
    subscription: reference,
    price: reference.optional(),
    price_data: recurringPriceData.optional(),
    quantity: quantity.default(1),
    billing_thresholds: itemThresholds,
    tax_rates: idList(20).nullable().optional(),
    discounts,
    metadata,
    ...charging,
    effective_at: effectiveAt.default('now'),
    expand,
  })
  .superRefine(somePrice);
export const itemUpdate = z.strictObject({
  price: reference.optional(),
  price_data: recurringPriceData.optional(),
  quantity: quantity.optional(),
  billing_thresholds: itemThresholds,
  tax_rates: idList(20).nullable().optional(),
  discounts,
  metadata,
  ...charging,
  effective_at: effectiveAt.default('now'),
  expand,
});
export const itemDelete = z.strictObject(charging);
export const itemList = z.strictObject({ ...paging, subscription: reference });

/** The old name of a recurring price, which Stripe still shows beside it. */
const plan = z
  .strictObject({
    id: z.string(),
    object: z.literal('plan'),
    active: z.boolean(),
    amount: z.int().nullable(),
    amount_decimal: z.string().nullable(),
    billing_scheme: z.enum(['per_unit', 'tiered']),
    created: z.int(),
    currency: z.string(),
    interval: z.enum(['day', 'week', 'month', 'year']),
    interval_count: z.int(),
    livemode: z.boolean(),
    metadata: answerMetadata,
    meter: z.string().nullable(),
    nickname: z.string().nullable(),
    product: z.string(),
    tiers_mode: tiersMode.nullable(),
    transform_usage: transformQuantity.nullable(),
    trial_period_days: z.null(),
    usage_type: z.enum(['licensed', 'metered']),
  })
  .openapi('Plan');

export const subscriptionItem = z
  .strictObject({
    id: z.string(),
    object: z.literal('subscription_item'),
    billing_thresholds: z.strictObject({ usage_gte: z.int() }).nullable(),
    created: z.int(),
    current_period_end: z.int(),
    current_period_start: z.int(),
    discounts: discountIds,
    metadata: answerMetadata,
    plan: plan.nullable(),
    price,
    quantity: z.number().optional(),
    subscription: z.string(),
    tax_rates: z.array(taxRate),
  })
  .openapi('SubscriptionItem');
