import type { RecurringCredit } from '../credits/grant.ts';
import type { Instant } from '../time.ts';

export type Metadata = Record<string, string>;
export type Interval = 'day' | 'week' | 'month' | 'year';

/** How often something bills: every `intervalCount` intervals. */
export interface Cycle {
  interval: Interval;
  intervalCount: number;
}

/**
 * A share of the amount that a customer transacts, which its events report in minor units. Each transaction bears the percentage and the fixed amount, and costs no less than the minimum and no more
 * than the maximum; one that bears neither (of what is free) costs nothing.
 */
export interface Percentage {
  /** Of 100, as a decimal string: "1.3". */
  rate: string;
  /** For each transaction, minor units. */
  fixedAmount: number;
  /** How much of the transacted amount bears no percentage, minor units. */
  freeAmount: number;
  /** How many transactions bear no fixed amount. */
  freeEvents: number;
  /** Of one transaction, minor units. */
  minimumAmount: number | null;
  maximumAmount: number | null;
}

/** How a recurring price bills: its cycle, and whether a quantity is set (`licensed`, billed in advance) or measured by a meter (`metered`, billed in arrears). */
export interface Recurring extends Cycle {
  usageType: 'licensed' | 'metered';
  /** Of a metered price; null for a licensed one. */
  meterId: string | null;
  /** Of a metered price that bills a part of its meter's groups only: the values they have. */
  groups?: Record<string, string>;
  /** Of a metered price that bills a share of what was transacted; its `unitAmountDecimal` is the share of one. */
  percentage?: Percentage;
  /** What usage of a full cycle costs at least and at most, minor units of the price's currency. */
  minimumAmount?: number;
  maximumAmount?: number;
}

export type TaxBehavior = 'inclusive' | 'exclusive' | 'unspecified';

/** `graduated`: each unit costs what its tier says. `volume`: all units cost what the tier of the last one says. */
export type TiersMode = 'graduated' | 'volume';

/** Units above the tier before it, up to and with `upTo` (null: without end; the last tier only). Amounts are minor units as decimal strings; at least one is given. */
export interface PriceTier {
  upTo: string | null;
  unitAmountDecimal: string | null;
  /** Once for the whole tier. */
  flatAmountDecimal: string | null;
}

/** What a price costs in one currency: an amount per unit, or tiers. */
export interface PriceAmounts {
  /** Minor units, as a decimal string with at most 12 decimals; null where the price has tiers. */
  unitAmountDecimal: string | null;
  tiers: PriceTier[] | null;
}

/** What a price costs in another currency than its own; of the same billing scheme. */
export interface CurrencyOption extends PriceAmounts {
  taxBehavior: TaxBehavior;
}

/** A part of what a bundle sells, billed by a line of its own. */
export interface BundleComponent {
  productId: string;
  /** Its weight among the components, a positive decimal string. */
  share: string;
  /** Tax its lines where the subscription item has no rates of its own; absent or empty: as everything else on the subscription. */
  taxRateIds?: string[];
}

/** A price of a product. Amount, currency, cycle and product of a price never change: a new version is a new price, and who has the old one keeps it. */
export interface Price extends PriceAmounts {
  id: string;
  productId: string;
  currency: string;
  billingScheme: 'per_unit' | 'tiered';
  /** Of a tiered price. */
  tiersMode: TiersMode | null;
  /** Sold in packages: the quantity is divided and rounded before it is multiplied. Never together with tiers. */
  transformQuantity: { divideBy: number; round: 'up' | 'down' } | null;
  /** By currency in lower case, without `currency` itself. */
  currencyOptions: Record<string, CurrencyOption>;
  /** null for a one-time price. */
  recurring: Recurring | null;
  /** Of a licensed recurring price: what it costs is billed as one line per component. Absent or null: as one line of its product. */
  bundle?: BundleComponent[] | null;
  /** Of a recurring price of one currency: what it gives for each of its periods. Absent or null: nothing. */
  creditGrant?: RecurringCredit | null;
  taxBehavior: TaxBehavior;
  active: boolean;
  /** The subscription item, subscription or invoice item for which it was made in passing (`price_data`); it is inactive, and what it was made for alone may have it. */
  madeFor: string | null;
  nickname: string | null;
  lookupKey: string | null;
  externalId: string | null;
  metadata: Metadata;
  createdAt: Instant;
}

/** A price that bills what a meter has measured. */
export type MeteredPrice = Price & { recurring: Recurring & { meterId: string } };

export const isMetered = (price: Price): price is MeteredPrice =>
  price.recurring?.usageType === 'metered' && price.recurring.meterId !== null;

export interface Product {
  id: string;
  name: string;
  description: string | null;
  active: boolean;
  defaultPriceId: string | null;
  unitLabel: string | null;
  externalId: string | null;
  /** Makes it an add-on: one of these products at least must be on the same subscription. Absent or empty: it stands by itself. */
  requiresOneOf?: string[];
  metadata: Metadata;
  createdAt: Instant;
  updatedAt: Instant;
}
