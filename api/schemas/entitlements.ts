import { answerMetadata, expand, listOf, metadata, paging, reference, text } from './fields.ts';
import { z } from './zod.ts';

const lookupKey = text(80);

export const featureCreate = z.strictObject({ lookup_key: lookupKey, name: text(80), metadata, expand });
/** The lookup key never changes: programs ask by it. */
export const featureUpdate = z.strictObject({ active: z.boolean().optional(), name: text(80).optional(), metadata, expand });
export const featureList = z.strictObject({ ...paging, archived: z.boolean().optional(), lookup_key: lookupKey.optional() });

export const productFeatureCreate = z.strictObject({
  entitlement_feature: reference,
  /** Ours: how much of the feature comes with the product; without it there is no limit. */
  limit: z.int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  expand,
});
export const productFeatureList = z.strictObject(paging);

export const entitlementList = z.strictObject({
  ...paging,
  customer: reference,
  /** Ours: whether the customer may do this one thing. */
  lookup_key: lookupKey.optional(),
});

export const feature = z
  .strictObject({
    id: z.string(),
    object: z.literal('entitlements.feature'),
    active: z.boolean(),
    livemode: z.boolean(),
    lookup_key: z.string(),
    metadata: answerMetadata,
    name: z.string(),
  })
  .openapi('Feature');

export const productFeature = z
  .strictObject({
    id: z.string(),
    object: z.literal('product_feature'),
    entitlement_feature: feature,
    limit: z.int().nullable(),
    livemode: z.boolean(),
  })
  .openapi('ProductFeature');
export const deletedProductFeature = z
  .strictObject({ id: z.string(), object: z.literal('product_feature'), deleted: z.literal(true) })
  .openapi('DeletedProductFeature');

export const activeEntitlement = z
  .strictObject({
    id: z.string(),
    object: z.literal('entitlements.active_entitlement'),
    feature: z.union([z.string(), feature]),
    limit: z.int().nullable(),
    livemode: z.boolean(),
    lookup_key: z.string(),
  })
  .openapi('ActiveEntitlement');

export const activeEntitlements = listOf(activeEntitlement);
