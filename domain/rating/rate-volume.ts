import type { PriceTier } from '../catalog/price.ts';
import { compareDecimals } from '../money.ts';
import { chargeTier, type TierCharge } from './charge-tier.ts';

/**
 * All units cost what the tier says in which the quantity lies (`upTo` belongs to its tier), and that tier's flat amount is charged once. Nothing lies in the first tier.
 * Tiers of flat amounts alone are the stairstep model.
 *
 * Up to 10 at EUR 1.50, up to 110 at EUR 1.00, beyond at EUR 0.50; 111 units: 111 x 50 = 5550, EUR 55.50.
 * A stairstep of up to 10 for EUR 50.00 and up to 50 for EUR 200.00; 11 units: 20000, EUR 200.00.
 */
export function rateVolume(tiers: readonly PriceTier[], quantity: string): TierCharge[] {
  let from = '0';
  for (const tier of tiers) {
    if (tier.upTo === null || compareDecimals(quantity, tier.upTo) <= 0) return [chargeTier(tier, from, quantity)];
    from = tier.upTo;
  }
  return [];
}
