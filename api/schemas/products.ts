import { answerMetadata, expand, expandableOrNull, idList, metadata, nullableText, paging, text, unsettable, when } from './fields.ts';
import { defaultPriceData } from './prices.ts';
import { z } from './zod.ts';

/** The bases of an add-on. */
const requiresOneOf = idList(20).refine((ids) => new Set(ids).size === ids.length, { error: 'Invalid list: a product is named twice.' });

export const productCreate = z.strictObject({
  id: text(200)
    .regex(/^[A-Za-z0-9_-]+$/)
    .optional(),
  name: text(),
  active: z.boolean().default(true),
  description: unsettable(),
  default_price_data: defaultPriceData.optional(),
  unit_label: unsettable(12),
  external_id: unsettable(255),
  requires_one_of: requiresOneOf.optional(),
  metadata,
  expand,
});

export const productUpdate = z.strictObject({
  name: text().optional(),
  active: z.boolean().optional(),
  description: unsettable(),
  default_price: text(255).nullable().optional(),
  unit_label: unsettable(12),
  external_id: unsettable(255),
  requires_one_of: requiresOneOf.nullable().optional(),
  metadata,
  expand,
});

export const productList = z.strictObject({
  ...paging,
  active: z.boolean().optional(),
  ids: idList(100).optional(),
  external_id: text(255).optional(),
  created: when,
});

export const product = z
  .strictObject({
    id: z.string(),
    object: z.literal('product'),
    active: z.boolean(),
    created: z.int(),
    default_price: expandableOrNull('Price'),
    description: nullableText,
    images: z.array(z.string()),
    livemode: z.boolean(),
    marketing_features: z.array(z.strictObject({ name: z.string() })),
    metadata: answerMetadata,
    name: z.string(),
    package_dimensions: z.null(),
    shippable: z.null(),
    statement_descriptor: z.null(),
    tax_code: z.null(),
    type: z.literal('service'),
    unit_label: nullableText,
    updated: z.int(),
    url: z.null(),
    external_id: nullableText,
    requires_one_of: z
      .array(z.string())
      .openapi({ description: 'Makes it an add-on: one of these products must be on the same subscription.' }),
  })
  .openapi('Product');
