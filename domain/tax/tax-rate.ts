import type { Metadata } from '../catalog/price.ts';
import type { Instant } from '../time.ts';

/** A manual tax rate. `percentage` is a decimal string ("8.25" means 8.25 %), at most 4 decimals, 0 to 100. */
export interface TaxRate {
  id: string;
  displayName: string;
  description: string | null;
  percentage: string;
  inclusive: boolean;
  active: boolean;
  country: string | null;
  state: string | null;
  jurisdiction: string | null;
  taxType: string | null;
  metadata: Metadata;
  createdAt: Instant;
}

/** Tax of one rate on one line, minor units. For an inclusive rate `amount` is contained in the line's amount. */
export interface TaxAmount {
  taxRateId: string | null;
  displayName: string;
  percentage: string;
  inclusive: boolean;
  taxableAmount: number;
  amount: number;
}
