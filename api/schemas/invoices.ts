import { creditAmounts } from './credits.ts';
import { addressAnswer } from './customers.ts';
import { discountAmounts, discountIds } from './discounts.ts';
import {
  answerMetadata,
  currency,
  expand,
  expandable,
  expandableOrNull,
  listOf,
  metadata,
  nullableText,
  nullableTime,
  paging,
  reference,
  timestamp,
  unsettable,
  when,
} from './fields.ts';
import { alwaysEmpty, invoiceLine, tax } from './invoice-lines.ts';
import { paymentAttempt } from './payment-attempts.ts';
import { collectionMethod, daysUntilDue } from './subscriptions.ts';
import { taxRate } from './tax-rates.ts';
import { z } from './zod.ts';

export const invoiceList = z.strictObject({
  ...paging,
  customer: reference.optional(),
  subscription: reference.optional(),
  status: z.enum(['draft', 'open', 'paid', 'void', 'uncollectible']).optional(),
  created: when,
});
export const lineList = z.strictObject(paging);
export const invoiceCommand = z.strictObject({ expand });
/** A draft of no subscription, which waits for somebody to finalise it. */
export const invoiceCreate = z.strictObject({
  customer: reference,
  currency: currency.optional(),
  pending_invoice_items_behavior: z.enum(['include', 'exclude']).default('exclude'),
  auto_advance: z.literal(false).optional(),
  collection_method: collectionMethod.optional(),
  days_until_due: daysUntilDue.optional(),
  due_date: timestamp.optional(),
  description: unsettable(1500),
  footer: unsettable(5000),
  metadata,
  expand,
});
/** Description, footer and `auto_advance` of a draft; metadata of any invoice. */
export const invoiceUpdate = z.strictObject({
  auto_advance: z.boolean().optional(),
  description: unsettable(1500),
  footer: unsettable(5000),
  metadata,
  expand,
});
export const invoiceFinalize = z.strictObject({ auto_advance: z.boolean().optional(), expand });
/** `paid_out_of_band`: the money came another way; nothing is charged. */
export const invoicePay = z.strictObject({ payment_method: reference.optional(), paid_out_of_band: z.boolean().optional(), expand });

export const invoice = z
  .strictObject({
    id: z.string(),
    object: z.literal('invoice'),
    account_country: nullableText,
    account_name: nullableText,
    account_tax_ids: z.null(),
    amount_due: z.int(),
    amount_overpaid: z.int(),
    amount_paid: z.int(),
    amount_remaining: z.int(),
    amount_shipping: z.int(),
    application: z.null(),
    attempt_count: z.int(),
    attempted: z.boolean(),
    auto_advance: z.boolean(),
    automatic_tax: z.strictObject({
      disabled_reason: z.null(),
      enabled: z.boolean(),
      liability: z.null(),
      provider: nullableText,
      status: nullableText,
    }),
    automatically_finalizes_at: nullableTime,
    billing_reason: z.enum([
      'subscription_create',
      'subscription_cycle',
      'subscription_threshold',
      'subscription_update',
      'manual',
      'upcoming',
    ]),
    collection_method: collectionMethod,
    confirmation_secret: z.null().optional(),
    created: z.int(),
    currency: z.string(),
    custom_fields: z.null(),
    customer: expandableOrNull('Customer'),
    customer_address: addressAnswer.nullable(),
    customer_email: nullableText,
    customer_name: nullableText,
    customer_phone: z.null(),
    customer_shipping: z.null(),
    default_payment_method: z.null(),
    default_source: z.null(),
    default_tax_rates: z.array(taxRate),
    description: nullableText,
    discounts: discountIds,
    due_date: nullableTime,
    effective_at: nullableTime,
    ending_balance: z.int().nullable(),
    footer: nullableText,
    from_invoice: z.null(),
    last_finalization_error: z.null(),
    latest_revision: z.null(),
    lines: listOf(invoiceLine),
    livemode: z.boolean(),
    metadata: answerMetadata,
    next_payment_attempt: nullableTime,
    number: nullableText,
    on_behalf_of: z.null(),
    parent: z
      .strictObject({
        type: z.literal('subscription_details'),
        quote_details: z.null(),
        subscription_details: z.strictObject({ metadata: answerMetadata.nullable(), subscription: expandable('Subscription') }),
      })
      .nullable(),
    period_end: z.int(),
    period_start: z.int(),
    post_payment_credit_notes_amount: z.int(),
    pre_payment_credit_notes_amount: z.int(),
    receipt_number: z.null(),
    rendering: z.null(),
    shipping_cost: z.null(),
    shipping_details: z.null(),
    starting_balance: z.int(),
    statement_descriptor: z.null(),
    status: z.enum(['draft', 'open', 'paid', 'void', 'uncollectible']),
    status_transitions: z.strictObject({
      finalized_at: nullableTime,
      marked_uncollectible_at: nullableTime,
      paid_at: nullableTime,
      voided_at: nullableTime,
    }),
    subtotal: z.int(),
    subtotal_excluding_tax: z.int(),
    test_clock: expandableOrNull('TestClock'),
    total: z.int(),
    total_credit_amounts: creditAmounts,
    total_discount_amounts: discountAmounts,
    total_excluding_tax: z.int(),
    total_pretax_credit_amounts: alwaysEmpty,
    total_taxes: z.array(tax),
    webhooks_delivered_at: z.null(),
    consolidated_subscriptions: z.array(z.string()),
    amount_credited: z.int().openapi({ description: 'Credits of later invoices put against this one while it was open.' }),
    payment_attempts: listOf(paymentAttempt).optional(),
    tax_calculator: z.string(),
    tax_status: z.enum(['complete', 'pending', 'failed']),
  })
  .openapi('Invoice');
