import type { Metadata } from '../catalog/price.ts';
import type { SubscriptionStatus } from '../subscription/subscription.ts';
import type { Instant } from '../time.ts';

/** Something a customer may do or have. `lookupKey` is what the program asks for ("api-access"), unique in the account and never changed. */
export interface Feature {
  id: string;
  lookupKey: string;
  name: string;
  active: boolean;
  metadata: Metadata;
  createdAt: Instant;
}

/** A feature that comes with a product. `limit`: how much of it, in whatever the feature counts; null: without limit. */
export interface ProductFeature {
  id: string;
  productId: string;
  featureId: string;
  limit: number | null;
  createdAt: Instant;
}

/**
 * What a customer is entitled to by the products subscribed to. Where several products give it, the largest limit holds, and none where one gives it without.
 */
export interface ActiveEntitlement {
  id: string;
  customerId: string;
  featureId: string;
  lookupKey: string;
  limit: number | null;
  createdAt: Instant;
}

/**
 * The statuses in which a subscription gives access: also while a payment is being chased, as at Stripe. Delinquency is a fact of its own; who wants to lock out whoever is past
 * due looks at the status.
 */
export const ENTITLING: readonly SubscriptionStatus[] = ['trialing', 'active', 'past_due'];

/** What `entitlements.active_entitlement_summary.updated` tells of: all that a customer is entitled to. */
export interface EntitlementSummary {
  id: string;
  customerId: string;
  entitlements: ActiveEntitlement[];
}
