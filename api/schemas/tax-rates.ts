import { compareDecimals } from '../../domain/money.ts';
import { answerMetadata, decimal, expand, metadata, nullableText, paging, text, unsettable, when } from './fields.ts';
import { z } from './zod.ts';

const country = z
  .string()
  .regex(/^[A-Za-z]{2}$/)
  .nullable()
  .optional();
const TAX_TYPES = [
  'vat',
  'gst',
  'hst',
  'igst',
  'jct',
  'lease_tax',
  'pst',
  'qst',
  'retail_delivery_fee',
  'rst',
  'sales_tax',
  'service_tax',
  'amusement_tax',
  'communications_tax',
] as const;
const taxType = z.enum(TAX_TYPES).nullable().optional();
const percentage = decimal(
  4,
  (value) => !value.startsWith('-') && compareDecimals(value, '100') <= 0,
  'a percentage from 0 to 100 with at most 4 decimals',
);

const descriptive = {
  active: z.boolean().optional(),
  description: unsettable(),
  country,
  state: unsettable(50),
  jurisdiction: unsettable(200),
  tax_type: taxType,
  metadata,
  expand,
};

export const taxRateCreate = z.strictObject({ ...descriptive, display_name: text(50), percentage, inclusive: z.boolean() });

/** Percentage and inclusiveness never change: invoices refer to them. */
export const taxRateUpdate = z.strictObject({ ...descriptive, display_name: text(50).optional() });

export const taxRateList = z.strictObject({ ...paging, active: z.boolean().optional(), inclusive: z.boolean().optional(), created: when });

export const taxRate = z
  .strictObject({
    id: z.string(),
    object: z.literal('tax_rate'),
    active: z.boolean(),
    country: nullableText,
    created: z.int(),
    description: nullableText,
    display_name: z.string(),
    effective_percentage: z.number(),
    flat_amount: z.null(),
    inclusive: z.boolean(),
    jurisdiction: nullableText,
    jurisdiction_level: z.null(),
    livemode: z.boolean(),
    metadata: answerMetadata,
    percentage: z.number(),
    rate_type: z.literal('percentage'),
    state: nullableText,
    tax_type: nullableText,
  })
  .openapi('TaxRate');
