import type { Instant } from '../time.ts';

export type Metadata = Record<string, string>;
export type Interval = 'day' | 'week' | 'month' | 'year';

/** How often a recurring price bills: every `intervalCount` intervals. */
export interface Cycle {
  interval: Interval;
  intervalCount: number;
}

export type TaxBehavior = 'inclusive' | 'exclusive' | 'unspecified';

/** A price of a product. `unitAmountDecimal` is in minor units of `currency`, as a decimal string with at most 12 decimals. */
export interface Price {
  id: string;
  productId: string;
  currency: string;
  unitAmountDecimal: string;
  /** null for a one-time price. */
  recurring: Cycle | null;
  taxBehavior: TaxBehavior;
  active: boolean;
  nickname: string | null;
  lookupKey: string | null;
  externalId: string | null;
  metadata: Metadata;
  createdAt: Instant;
}

export interface Product {
  id: string;
  name: string;
  description: string | null;
  active: boolean;
  defaultPriceId: string | null;
  unitLabel: string | null;
  externalId: string | null;
  metadata: Metadata;
  createdAt: Instant;
  updatedAt: Instant;
}
