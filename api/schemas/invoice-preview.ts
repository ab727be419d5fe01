import { MAX_LINES } from '../../domain/invoicing/edit-item.ts';
import { discounts } from './discounts.ts';
import { address, currency, expand, idList, listOf, metadata, reference, timestamp, timezone } from './fields.ts';
import { invoiceItemTerms } from './invoice-items.ts';
import { invoice } from './invoices.ts';
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
import { z } from './zod.ts';

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

/** What would be billed first, and with `periods` all of it in order. */
export const invoicePreviewAnswer = invoice
  .extend({ preview_token: z.string().optional(), upcoming: listOf(invoice).optional() })
  .openapi('InvoicePreview');
