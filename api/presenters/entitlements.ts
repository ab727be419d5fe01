import type Stripe from 'stripe';
import type { ActiveEntitlement, EntitlementSummary, Feature, ProductFeature } from '../../domain/entitlements/feature.ts';
import type { Dialect, List } from './dialect.ts';

type FeatureAnswer = Dialect<Stripe.Entitlements.Feature, 'id' | 'object' | 'active' | 'livemode' | 'lookup_key' | 'metadata' | 'name'>;

export const presentFeature = (feature: Feature, livemode: boolean): FeatureAnswer => ({
  id: feature.id,
  object: 'entitlements.feature',
  active: feature.active,
  livemode,
  lookup_key: feature.lookupKey,
  metadata: feature.metadata,
  name: feature.name,
});

type ProductFeatureAnswer = Dialect<Stripe.ProductFeature, 'id' | 'object' | 'livemode'> & {
  entitlement_feature: FeatureAnswer;
  limit: number | null;
};

export const presentProductFeature = (given: ProductFeature, feature: Feature, livemode: boolean): ProductFeatureAnswer => ({
  id: given.id,
  object: 'product_feature',
  entitlement_feature: presentFeature(feature, livemode),
  limit: given.limit,
  livemode,
});

type EntitlementAnswer = Dialect<Stripe.Entitlements.ActiveEntitlement, 'id' | 'object' | 'livemode' | 'lookup_key'> & {
  feature: string;
  limit: number | null;
};

export const presentEntitlement = (entitlement: ActiveEntitlement, livemode: boolean): EntitlementAnswer => ({
  id: entitlement.id,
  object: 'entitlements.active_entitlement',
  feature: entitlement.featureId,
  limit: entitlement.limit,
  livemode,
  lookup_key: entitlement.lookupKey,
});

type SummaryAnswer = Dialect<Stripe.Entitlements.ActiveEntitlementSummary, 'object' | 'customer' | 'livemode'> & {
  entitlements: List<EntitlementAnswer>;
};

/** What the event tells of: all that the customer was entitled to then. */
export const presentEntitlementSummary = ({ customerId, entitlements }: EntitlementSummary, livemode: boolean): SummaryAnswer => ({
  object: 'entitlements.active_entitlement_summary',
  customer: customerId,
  entitlements: {
    object: 'list',
    data: entitlements.map((entitlement) => presentEntitlement(entitlement, livemode)),
    has_more: false,
    url: `/v1/entitlements/active_entitlements?customer=${customerId}`,
  },
  livemode,
});
