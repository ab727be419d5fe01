import type { PriceTier } from '../catalog/price.ts';
import { type ExactAmount, exact, plus, times } from '../money.ts';

/** What one tier contributes, exact. */
export interface TierCharge {
  /** The tier holds what is more than this, up to and with its `upTo`. */
  from: string;
  tier: PriceTier;
  /** The units charged at this tier. */
  quantity: string;
  total: ExactAmount;
}

/** Units x unit amount + flat amount. */
export const chargeTier = (tier: PriceTier, from: string, quantity: string): TierCharge => ({
  from,
  tier,
  quantity,
  total: plus(times(exact(tier.unitAmountDecimal ?? '0'), quantity), exact(tier.flatAmountDecimal ?? '0')),
});
