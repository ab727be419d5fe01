import { MAX_LINES } from '../../domain/invoicing/edit-item.ts';
import { creditAmounts } from './credits.ts';
import { addressAnswer } from './customers.ts';
import { discountAmounts, discountIds, discounts } from './discounts.ts';
import {
  address,
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
  reference,
  timestamp,
  timezone,
  unsettable,
  when,
} from './fields.ts';
import { invoiceItemTerms } from './invoice-items.ts';
import { scheduleDetails } from './schedules.ts';
import { effectiveAt, paymentBehavior, prorationBehavior } from './subscription-items.ts';
import {
  anchorConfig,
  cancelAt,
  collectionMethod,
  daysUntilDue,
  itemChange,
  subscriptionCreate,
  subscriptionPause,
  subscriptionUpdate,
  trialEnd,
  updatedAnchor,
} from './subscriptions.ts';
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

/** An item that would wait for the invoice. */
const { amount, unit_amount_decimal, quantity, description, period, tax_rates } = invoiceItemTerms;
const previewedItem = z.strictObject({
  ...{ amount, unit_amount_decimal, quantity, description, period, tax_rates, metadata },
  currency: currency.optional(),
  price: reference.optional(),
  unit_amount: amount,
});

/**
 * With `subscription`: its next renewal, or what a change, cancellation, pause, resumption or reactivation would bill now. Without it: a new subscription of the customer, or of somebody
 * with these details.
 */
export const invoicePreview = z.strictObject({
  customer: reference.optional(),
  customer_details: z
    .strictObject({ address: address.optional(), tax_exempt: z.enum(['none', 'exempt', 'reverse']).optional() })
    .optional(),
  subscription: reference.optional(),
  /** A look at what a schedule will bill: one that is there, changed or not, or a new one of the customer. */
  schedule: reference.optional(),
  schedule_details: scheduleDetails.optional(),
  currency: currency.optional(),
  periods: z.int().min(1).max(36).optional(),
  preview_mode: z.literal('next').optional(),
  invoice_items: z.array(previewedItem).max(MAX_LINES).optional(),
  discounts,
  subscription_details: z
    .strictObject({
      items: z.array(itemChange).min(1).max(20).optional(),
      proration_behavior: prorationBehavior.optional(),
      proration_date: timestamp.optional(),
      payment_behavior: paymentBehavior.optional(),
      billing_timezone: timezone.optional(),
      billing_cycle_anchor: updatedAnchor.optional(),
      billing_cycle_anchor_config: anchorConfig.optional(),
      backdate_start_date: timestamp.optional(),
      effective_at: effectiveAt.optional(),
      cancel_now: z.boolean().optional(),
      resume_at: z.literal('now').optional(),
      pause_at: subscriptionPause.shape.effective_at.unwrap().optional(),
      unused_time: subscriptionPause.shape.unused_time.unwrap().optional(),
      resumes_at: subscriptionPause.shape.resumes_at,
      reactivate_at: z.literal('now').optional(),
      cancel_at: cancelAt.nullable().optional(),
      cancel_at_period_end: z.boolean().optional(),
      collection_method: collectionMethod.optional(),
      days_until_due: daysUntilDue.optional(),
      default_tax_rates: idList(20).nullable().optional(),
      trial_end: trialEnd.optional(),
      trial_period_days: subscriptionCreate.shape.trial_period_days,
      trial_reuse: subscriptionCreate.shape.trial_reuse,
      trial_settings: subscriptionCreate.shape.trial_settings,
      trial_change_behavior: subscriptionUpdate.shape.trial_change_behavior,
      add_invoice_items: subscriptionCreate.shape.add_invoice_items,
      pause_collection: subscriptionUpdate.shape.pause_collection,
      billing_thresholds: subscriptionUpdate.shape.billing_thresholds,
    })
    .optional(),
  expand,
});

/** What Stripe lists and we do not have yet. */
export const alwaysEmpty = z.array(z.string()).max(0);

export const tax = z.strictObject({
  amount: z.int(),
  tax_behavior: z.enum(['exclusive', 'inclusive']),
  tax_rate_details: z.strictObject({ tax_rate: z.string() }).nullable(),
  taxability_reason: z.literal('standard_rated').or(z.literal('zero_rated')),
  taxable_amount: z.int(),
  type: z.literal('tax_rate_details'),
});

const prorationDetails = z.strictObject({
  credited_items: z.strictObject({ invoice: z.string(), invoice_line_items: z.array(z.string()) }).nullable(),
});

export const invoiceLine = z
  .strictObject({
    id: z.string(),
    object: z.literal('line_item'),
    amount: z.int(),
    currency: z.string(),
    description: nullableText,
    discount_amounts: discountAmounts,
    discountable: z.boolean(),
    discounts: discountIds,
    invoice: z.string(),
    livemode: z.boolean(),
    metadata: answerMetadata,
    parent: z
      .strictObject({
        type: z.enum(['subscription_item_details', 'invoice_item_details']),
        invoice_item_details: z
          .strictObject({
            invoice_item: z.string(),
            proration: z.boolean(),
            proration_details: prorationDetails.nullable(),
            subscription: z.string().nullable(),
          })
          .nullable(),
        subscription_item_details: z
          .strictObject({
            invoice_item: z.string().nullable(),
            proration: z.boolean(),
            proration_details: prorationDetails.nullable(),
            subscription: z.string().nullable(),
            subscription_item: z.string(),
          })
          .nullable(),
      })
      .nullable(),
    period: z.strictObject({ start: z.int(), end: z.int() }),
    pretax_credit_amounts: alwaysEmpty,
    pricing: z
      .strictObject({
        type: z.literal('price_details'),
        price_details: z.strictObject({ price: expandable('Price'), product: z.string() }),
        unit_amount_decimal: z.string().nullable(),
      })
      .nullable(),
    quantity: z.number().nullable(),
    quantity_decimal: z.string().nullable(),
    subscription: expandableOrNull('Subscription'),
    subtotal: z.int(),
    taxes: z.array(tax),
    explanation: z
      .strictObject({
        sentence: z.string(),
        rule: z.string(),
        unit_amount_decimal: z.string().nullable(),
        quantity: z.string().nullable(),
        tiers: z
          .array(
            z.strictObject({
              from: z.string(),
              up_to: nullableText,
              quantity: z.string(),
              unit_amount_decimal: nullableText,
              flat_amount_decimal: nullableText,
              amount: z.int(),
            }),
          )
          .nullable(),
        bundle: z
          .strictObject({ product: z.string(), amount: z.int(), share: z.string(), shares: z.string() })
          .nullable()
          .openapi({ description: 'Of a component of a bundle: what is sold, and what all of it costs for the same time.' }),
        usage: z
          .strictObject({
            meter: z.string(),
            formula: z.string(),
            start_time: z.int(),
            end_time: z.int(),
            events: z.int(),
            quantity: z.string(),
            watermark: z.int().openapi({ description: 'Rated again with the events up to this number, the line is the same.' }),
            corrects: z
              .strictObject({ invoice: nullableText, invoice_line_item: nullableText, quantity: z.string(), amount: z.int() })
              .nullable()
              .openapi({
                description:
                  'Of a line for late events: the line it corrects, and what that had billed. Of one for usage since a threshold: what was billed then.',
              }),
          })
          .nullable(),
        fraction: z.strictObject({ numerator: z.number(), denominator: z.number(), basis: z.string() }).nullable(),
        exact: z.string(),
        rounding: z.literal('half_up'),
        notes: z.array(z.string()),
        discounts: z.array(
          z.strictObject({
            discount: z.string(),
            coupon: z.string(),
            name: nullableText,
            level: z.enum(['item', 'invoice']),
            percent_off: z.number().nullable(),
            amount_off: z.int().nullable(),
            amount: z.int(),
          }),
        ),
      })
      .openapi({ description: 'How the amount came about: the inputs as data, and as a sentence.' }),
  })
  .openapi('InvoiceLineItem');

export const paymentAttempt = z
  .strictObject({
    id: z.string(),
    object: z.literal('payment_attempt'),
    amount: z.int(),
    created: z.int(),
    currency: z.string(),
    decline_code: nullableText,
    decline_message: nullableText,
    gateway: z.string(),
    invoice: z.string(),
    number: z.int(),
    payment_method: z.string(),
    resolved_at: nullableTime,
    status: z.enum(['created', 'processing', 'unknown', 'requires_action', 'succeeded', 'declined', 'canceled']),
  })
  .openapi('PaymentAttempt');

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

/** What would be billed first, and with `periods` all of it in order. */
export const invoicePreviewAnswer = invoice
  .extend({ preview_token: z.string().optional(), upcoming: listOf(invoice).optional() })
  .openapi('InvoicePreview');
