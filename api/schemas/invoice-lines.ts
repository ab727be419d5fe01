import { discountAmounts, discountIds } from './discounts.ts';
import { answerMetadata, expandable, expandableOrNull, nullableText } from './fields.ts';
import { z } from './zod.ts';

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
