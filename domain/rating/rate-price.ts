import type { Price } from '../catalog/price.ts';
import { priceIn } from '../catalog/price-in.ts';
import { Refusal } from '../errors.ts';
import { type ExactAmount, exactSum } from '../money.ts';
import type { TierCharge } from './charge-tier.ts';
import { rateGraduated } from './rate-graduated.ts';
import { packagesOf, ratePackage } from './rate-package.ts';
import { ratePerUnit } from './rate-per-unit.ts';
import { rateVolume } from './rate-volume.ts';

/** What a quantity costs for one full cycle, in minor units and exact: nothing is rounded yet. */
export interface Rated {
  total: ExactAmount;
  /** The tiers that are charged, in their order; their totals sum to `total`. null where the price has none. */
  tiers: TierCharge[] | null;
  /** How many packages are charged; null where the price is not sold in packages. */
  packages: string | null;
}

/**
 * The one place where the model of a price is chosen. `quantity` is a decimal string, zero or more.
 * @throws Refusal currency_mismatch where the price is not sold in the currency; parameter_invalid for a quantity beyond the last tier
 */
export function ratePrice(price: Price, quantity: string, currency: string = price.currency): Rated {
  const { tiers, tiersMode, unitAmountDecimal, transformQuantity } = priceIn(price, currency);
  if (tiers === null) {
    const unit = unitAmountDecimal ?? '0';
    if (transformQuantity === null) return { total: ratePerUnit(unit, quantity), tiers: null, packages: null };
    return { total: ratePackage(unit, quantity, transformQuantity), tiers: null, packages: packagesOf(quantity, transformQuantity) };
  }
  const charges = (tiersMode === 'volume' ? rateVolume : rateGraduated)(tiers, quantity);
  if (charges.length === 0)
    throw new Refusal('parameter_invalid', `The price ${price.id} has no tier for a quantity of ${quantity}.`, 'quantity');
  return { total: exactSum(charges.map(({ total }) => total)), tiers: charges, packages: null };
}
