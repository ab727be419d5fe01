import { discountIds, discounts } from './discounts.ts';
import {
  answerMetadata,
  currency,
  decimal,
  expand,
  expandable,
  expandableOrNull,
  idList,
  metadata,
  nullableText,
  paging,
  quantity,
  reference,
  timestamp,
  unsettable,
  when,
} from './fields.ts';
import { oneTimePriceData } from './price-data.ts';
import { taxRate } from './tax-rates.ts';
import { z } from './zod.ts';

const amount = z.int().min(-999_999_999_999).max(999_999_999_999);
const unitAmount = decimal(12, (value) => Math.abs(Number(value)) <= 999_999_999_999, 'minor units with at most 12 decimals');

export const invoiceItemTerms = {
  amount: amount.optional(),
  pricing: z.strictObject({ price: reference }).optional(),
  price_data: oneTimePriceData.optional(),
  unit_amount_decimal: unitAmount.optional(),
  quantity: quantity.optional(),
  description: unsettable(5000),
  period: z.strictObject({ start: timestamp, end: timestamp }).optional(),
  tax_rates: idList(20).nullable().optional(),
  discounts,
  discountable: z.boolean().optional(),
  metadata,
  expand,
};

/** In one of three ways: `amount` with `currency`, `pricing[price]` (one-time) or `price_data`, or `unit_amount_decimal` with `currency`; the last two times `quantity`. */
export const invoiceItemCreate = z.strictObject({
  ...invoiceItemTerms,
  customer: reference,
  currency: currency.optional(),
  subscription: reference.optional(),
  invoice: reference.optional(),
});
export const invoiceItemUpdate = z.strictObject(invoiceItemTerms);
export const invoiceItemList = z.strictObject({
  ...paging,
  customer: reference.optional(),
  invoice: reference.optional(),
  pending: z.boolean().optional(),
  created: when,
});

export const invoiceItem = z
  .strictObject({
    id: z.string(),
    object: z.literal('invoiceitem'),
    amount: z.int(),
    currency: z.string(),
    customer: expandable('Customer'),
    date: z.int(),
    description: nullableText,
    discountable: z.boolean(),
    discounts: discountIds,
    invoice: expandableOrNull('Invoice'),
    livemode: z.boolean(),
    metadata: answerMetadata,
    parent: z
      .strictObject({
        type: z.literal('subscription_details'),
        subscription_details: z.strictObject({ subscription: z.string(), subscription_item: z.string().optional() }),
      })
      .nullable(),
    period: z.strictObject({ start: z.int(), end: z.int() }),
    pricing: z
      .strictObject({
        type: z.literal('price_details'),
        price_details: z.strictObject({ price: expandable('Price'), product: z.string() }).optional(),
        unit_amount_decimal: nullableText,
      })
      .nullable(),
    proration: z.boolean(),
    quantity: z.number(),
    quantity_decimal: z.string(),
    tax_rates: z.array(taxRate),
    test_clock: expandableOrNull('TestClock'),
  })
  .openapi('InvoiceItem');
