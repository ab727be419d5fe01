import type { Price, TiersMode } from '../../domain/catalog/price.ts';
import { MemoryBook } from './memory-book.ts';

type Tier = readonly [upTo: number | null, unit: string | number | null, flat?: string | number | null];

const text = (amount: string | number | null | undefined): string | null => (amount == null ? null : String(amount));

export const tiersOf = (tiers: readonly Tier[]) =>
  tiers.map(([upTo, unit, flat]) => ({ upTo: text(upTo), unitAmountDecimal: text(unit), flatAmountDecimal: text(flat) }));

/** What makes a price one with tiers: up to, amount per unit, flat amount. */
export const tiered = (tiersMode: TiersMode, tiers: readonly Tier[]) =>
  ({ billingScheme: 'tiered', tiersMode, tiers: tiersOf(tiers), unitAmountDecimal: null }) as const satisfies Partial<Price>;

/** A price in euro, per month. */
export function aPriceOf(unit: string, patch: Partial<Price> = {}): Price {
  const book = new MemoryBook();
  book.price('p', unit, 'month', patch);
  return book.prices['p'] as Price;
}
