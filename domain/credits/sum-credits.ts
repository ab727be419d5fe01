import type { Price } from '../catalog/price.ts';
import { sum } from '../money.ts';
import type { Instant } from '../time.ts';
import { type CreditGrant, type CreditScope, hasExpired, isAvailable, paysFor } from './grant.ts';

/** Which grants are asked for: one, or all that would pay for something of a scope. */
export type CreditFilter = { grantId: string } | { scope: CreditScope };

/** Minor units. `available` could be drawn now; `ledger` counts also what becomes effective later. */
export interface CreditBalance {
  currency: string;
  available: number;
  ledger: number;
}

/** What the grants come to, per currency in alphabetical order. @param prices those that the filter names */
export function sumCredits(grants: readonly CreditGrant[], filter: CreditFilter, prices: readonly Price[], at: Instant): CreditBalance[] {
  const chosen = grants.filter((grant) => grant.voidedAt === null && !hasExpired(grant, at) && isAsked(grant, filter, prices));
  const currencies = [...new Set(chosen.map(({ currency }) => currency))].sort();
  return currencies.map((currency) => {
    const own = chosen.filter((grant) => grant.currency === currency);
    const of = (some: CreditGrant[]): number => sum(some.map(({ remaining }) => remaining));
    return { currency, available: of(own.filter((grant) => isAvailable(grant, at))), ledger: of(own) };
  });
}

function isAsked(grant: CreditGrant, filter: CreditFilter, prices: readonly Price[]): boolean {
  if ('grantId' in filter) return grant.id === filter.grantId;
  if ('priceIds' in filter.scope) return prices.some((price) => paysFor(grant, price));
  return 'priceType' in grant.scope && grant.scope.priceType === filter.scope.priceType;
}
