import { QUOTE_STATUSES } from '../../domain/quote/transitions.ts';
import { MAX_TRIAL_DAYS } from '../../domain/subscription/start-trial.ts';
import { discounts } from './discounts.ts';
import {
  answerMetadata,
  expand,
  expandable,
  expandableOrNull,
  idList,
  listOf,
  metadata,
  nullableText,
  nullableTime,
  paging,
  quantity,
  reference,
  timestamp,
  unsettable,
} from './fields.ts';
import { price } from './prices.ts';
import { collectionMethod, daysUntilDue } from './subscriptions.ts';
import { z } from './zod.ts';

const lineItem = z.strictObject({
  price: reference,
  quantity: quantity.default(1),
  tax_rates: idList(20).nullable().optional(),
  discounts,
});

const terms = {
  line_items: z.array(lineItem).min(1).max(20).optional(),
  collection_method: collectionMethod.optional(),
  invoice_settings: z.strictObject({ days_until_due: daysUntilDue.optional() }).optional(),
  default_tax_rates: idList(20).nullable().optional(),
  discounts,
  expires_at: timestamp.optional(),
  subscription_data: z
    .strictObject({
      effective_date: timestamp.nullable().optional(),
      trial_period_days: z.int().min(1).max(MAX_TRIAL_DAYS).nullable().optional(),
      description: unsettable(500),
      metadata,
    })
    .optional(),
  description: unsettable(500),
  header: unsettable(50),
  footer: unsettable(500),
  metadata,
  expand,
};

export const quoteCreate = z.strictObject({
  customer: reference.optional(),
  from_quote: z.strictObject({ quote: reference, is_revision: z.boolean().default(false) }).optional(),
  ...terms,
});
export const quoteUpdate = z.strictObject(terms);
export const quoteFinalize = z.strictObject({ expires_at: timestamp.optional(), expand });
export const quoteCommand = z.strictObject({ expand });
export const quoteList = z.strictObject({ ...paging, customer: reference.optional(), status: z.enum(QUOTE_STATUSES).optional() });
export const quoteLineList = z.strictObject(paging);

const totalDetails = z.strictObject({ amount_discount: z.int(), amount_shipping: z.null(), amount_tax: z.int() });
const totals = { amount_subtotal: z.int(), amount_total: z.int(), total_details: totalDetails };

export const quoteLine = z
  .strictObject({
    id: z.string(),
    object: z.literal('item'),
    amount_discount: z.int(),
    amount_subtotal: z.int(),
    amount_tax: z.int(),
    amount_total: z.int(),
    currency: z.string(),
    description: nullableText,
    price: price,
    quantity: z.number(),
  })
  .openapi('QuoteLineItem');

export const quote = z
  .strictObject({
    id: z.string(),
    object: z.literal('quote'),
    amount_subtotal: z.int(),
    amount_total: z.int(),
    application: z.null(),
    application_fee_amount: z.null(),
    application_fee_percent: z.null(),
    automatic_tax: z.strictObject({ enabled: z.boolean(), liability: z.null(), provider: z.null(), status: z.null() }),
    collection_method: collectionMethod,
    computed: z.strictObject({
      recurring: z
        .strictObject({ ...totals, interval: z.enum(['day', 'week', 'month', 'year']), interval_count: z.int() })
        .nullable()
        .openapi({ description: 'The first renewal.' }),
      upfront: z.strictObject(totals).openapi({ description: 'The first invoice.' }),
    }),
    created: z.int(),
    currency: z.string(),
    customer: expandable('Customer'),
    default_tax_rates: z.array(z.string()),
    description: nullableText,
    discounts: z.array(z.strictObject({ coupon: nullableText, discount: nullableText, promotion_code: nullableText })),
    expires_at: z.int(),
    footer: nullableText,
    from_quote: z.strictObject({ is_revision: z.boolean(), quote: z.string() }).nullable(),
    header: nullableText,
    invoice: expandableOrNull('Invoice'),
    invoice_settings: z.strictObject({ days_until_due: z.int().nullable() }),
    line_items: listOf(quoteLine).optional(),
    livemode: z.boolean(),
    metadata: answerMetadata,
    number: nullableText,
    on_behalf_of: z.null(),
    status: z.enum(QUOTE_STATUSES),
    status_transitions: z.strictObject({ accepted_at: nullableTime, canceled_at: nullableTime, finalized_at: nullableTime }),
    subscription: expandableOrNull('Subscription'),
    subscription_data: z.strictObject({
      description: nullableText,
      effective_date: nullableTime,
      metadata: answerMetadata,
      trial_period_days: z.int().nullable(),
    }),
    subscription_schedule: expandableOrNull('SubscriptionSchedule'),
    test_clock: expandableOrNull('TestClock'),
    total_details: totalDetails,
    transfer_data: z.null(),
  })
  .openapi('Quote');
