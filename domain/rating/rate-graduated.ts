import type { PriceTier } from '../catalog/price.ts';
import { compareDecimals, exact, exactToString, minus } from '../money.ts';
import { chargeTier, type TierCharge } from './charge-tier.ts';

/**
 * Each unit costs what its tier says; `upTo` belongs to its tier. A tier's flat amount is charged once where the quantity reaches into it, and the first tier begins
 * at nothing, so that its flat amount is the least that is ever charged.
 *
 * Up to 10 at EUR 1.50, up to 110 at EUR 1.00, beyond at EUR 0.50; 111 units: 10 x 150 + 100 x 100 + 1 x 50 = 11550, EUR 115.50.
 * Up to 10 at EUR 10.00 and EUR 2.00 flat, up to 20 at EUR 5.00 and EUR 3.00 flat; 12 units: 10 x 1000 + 200 + 2 x 500 + 300 = 11500, EUR 115.00; no unit: 200.
 */
export function rateGraduated(tiers: readonly PriceTier[], quantity: string): TierCharge[] {
  const charges: TierCharge[] = [];
  let from = '0';
  for (const tier of tiers) {
    const isLast = tier.upTo === null || compareDecimals(quantity, tier.upTo) <= 0;
    const reached = isLast ? quantity : (tier.upTo ?? quantity);
    charges.push(chargeTier(tier, from, exactToString(minus(exact(reached), exact(from)))));
    if (isLast) break;
    from = reached;
  }
  return charges;
}
