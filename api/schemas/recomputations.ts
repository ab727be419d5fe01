import { answerMetadata, expandable, expandableOrNull, listOf, nullableText } from './fields.ts';
import { alwaysEmpty, invoiceLine, tax } from './invoice-lines.ts';
import { taxRate } from './tax-rates.ts';
import { z } from './zod.ts';

const creditNoteLine = z.strictObject({
  object: z.literal('credit_note_line_item'),
  amount: z.int(),
  description: nullableText,
  discount_amount: z.int(),
  discount_amounts: alwaysEmpty,
  invoice_line_item: z.string(),
  livemode: z.boolean(),
  metadata: answerMetadata,
  pretax_credit_amounts: alwaysEmpty,
  quantity: z.null(),
  tax_rates: z.array(taxRate),
  taxes: z.array(tax),
  type: z.literal('invoice_line_item'),
  unit_amount: z.null(),
  unit_amount_decimal: z.null(),
});

const creditNote = z
  .strictObject({
    object: z.literal('credit_note'),
    amount: z.int(),
    amount_shipping: z.int(),
    created: z.int(),
    currency: z.string(),
    customer: z.string(),
    customer_balance_transaction: z.null(),
    discount_amount: z.int(),
    discount_amounts: alwaysEmpty,
    effective_at: z.null(),
    invoice: z.string(),
    lines: listOf(creditNoteLine),
    livemode: z.boolean(),
    memo: z.null(),
    metadata: answerMetadata,
    out_of_band_amount: z.null(),
    post_payment_amount: z.int(),
    pre_payment_amount: z.int(),
    pretax_credit_amounts: alwaysEmpty,
    reason: z.null(),
    refunds: alwaysEmpty,
    shipping_cost: z.null(),
    subtotal: z.int(),
    subtotal_excluding_tax: z.int(),
    total: z.int(),
    total_excluding_tax: z.int(),
    total_taxes: z.array(tax),
    type: z.enum(['mixed', 'post_payment', 'pre_payment']),
    voided_at: z.null(),
  })
  .openapi('ProposedCreditNote');

const invoiceItem = z
  .strictObject({
    object: z.literal('invoiceitem'),
    amount: z.int(),
    currency: z.string(),
    customer: z.string(),
    date: z.int(),
    description: nullableText,
    discountable: z.boolean(),
    discounts: alwaysEmpty,
    invoice: z.null(),
    livemode: z.boolean(),
    metadata: answerMetadata,
    parent: z
      .strictObject({
        type: z.literal('subscription_details'),
        subscription_details: z.strictObject({ subscription: z.string(), subscription_item: z.string().optional() }),
      })
      .nullable(),
    period: z.strictObject({ start: z.int(), end: z.int() }),
    pricing: z.null(),
    proration: z.boolean(),
    quantity: z.number(),
    tax_rates: z.array(taxRate),
    test_clock: expandableOrNull('TestClock'),
    invoice_line_item: z.string(),
    taxes: z.array(tax),
    total: z.int(),
  })
  .openapi('ProposedInvoiceItem');

const difference = z
  .strictObject({
    invoice_line_item: z.string(),
    description: z.string(),
    amount: z.int(),
    amount_recomputed: z.int(),
    tax: z.int(),
    tax_recomputed: z.int(),
    difference: z.int().openapi({ description: 'With exclusive tax; positive where more would be billed today.' }),
    reasons: z.array(z.string()),
  })
  .openapi('RecomputedLine');

export const recomputation = z
  .strictObject({
    object: z.literal('invoice_recomputation'),
    created: z.int(),
    credit_note: creditNote.nullable(),
    currency: z.string(),
    customer: expandable('Customer'),
    difference: z.int(),
    differences: z.array(difference),
    invoice: expandable('Invoice'),
    invoice_items: z.array(invoiceItem),
    livemode: z.boolean(),
    recomputed: z.strictObject({
      lines: z.array(invoiceLine),
      subtotal: z.int(),
      subtotal_excluding_tax: z.int(),
      total: z.int(),
      total_excluding_tax: z.int(),
      total_taxes: z.array(tax),
    }),
  })
  .openapi('InvoiceRecomputation');
