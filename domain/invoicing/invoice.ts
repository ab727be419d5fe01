import type { Metadata } from '../catalog/price.ts';
import type { CreditDraw } from '../credits/grant.ts';
import type { Discount, DiscountAmount } from '../discounts/discount.ts';
import type { TaxAmount } from '../tax/tax-rate.ts';
import type { Instant } from '../time.ts';
import type { CollectionMethod } from './due-date.ts';

export type InvoiceStatus = 'draft' | 'open' | 'paid' | 'void' | 'uncollectible';
export type BillingReason = 'subscription_create' | 'subscription_cycle' | 'subscription_threshold' | 'subscription_update' | 'manual';

export interface Period {
  start: Instant;
  end: Instant;
}

/** What one tier of a price contributes to a line: `quantity` units of those more than `from`, up to and with `upTo` (null: without end). */
export interface TierAmount {
  from: string;
  upTo: string | null;
  quantity: string;
  unitAmountDecimal: string | null;
  flatAmountDecimal: string | null;
  /** Minor units; rounded together, so that the tiers sum to the line. */
  amount: number;
}

/** What a line has measured, and up to where: rated again with the events up to the `watermark`, it is the same. */
export interface UsageMeasured extends Period {
  meterId: string;
  formula: string;
  events: number;
  quantity: string;
  watermark: number;
  /** Of a line for late events: the line it corrects, and what that had billed. Of one for what is used since a threshold was reached: what was billed then. */
  corrects: { invoiceId: string | null; invoiceLineId: string | null; quantity: string; amount: number } | null;
}

/** How a line's amount came about: the inputs as data, and the same as an English sentence. */
export interface Explanation {
  sentence: string;
  rule:
    | 'full_period'
    | 'prorated_charge'
    | 'prorated_credit'
    | 'quantity'
    | 'one_time'
    | 'trial'
    | 'usage'
    | 'minimum_commitment'
    | 'late_usage';
  unitAmountDecimal: string | null;
  quantity: string | null;
  /** Of a price with tiers, in their order. */
  tiers?: TierAmount[];
  /** Of a line that bills a component of a bundle: the product that is sold, and what all of it costs for the same time; the line is `share` of `shares`. */
  bundle?: { productId: string; amount: number; share: string; shares: string };
  /** Of a line that bills usage. */
  usage?: UsageMeasured;
  /** Whole units of the proration basis (seconds or days); null where nothing was prorated. */
  fraction: { numerator: number; denominator: number; basis: string } | null;
  /** Exact value before the single rounding, as a decimal string of minor units. */
  exact: string;
  rounding: 'half_up';
  /** Largest remainder or cap adjustments and the like, in words. */
  notes: string[];
}

export interface InvoiceLine {
  id: string;
  /** Of a line of a consolidated invoice: whose it is. Absent: that of the invoice, or none. */
  subscriptionId?: string;
  subscriptionItemId: string | null;
  invoiceItemId: string | null;
  priceId: string | null;
  productId: string | null;
  description: string;
  quantity: string | null;
  unitAmountDecimal: string | null;
  currency: string;
  /** Minor units; negative for a credit. Includes inclusive tax, excludes exclusive tax. */
  amount: number;
  period: Period;
  proration: boolean;
  /** For a prorated credit: the invoice and line it gives back. */
  creditedInvoiceId: string | null;
  creditedLineId: string | null;
  /** What discounts take off `amount`, in their order; absent: nothing. */
  discountAmounts?: DiscountAmount[];
  /** Absent: it is. */
  discountable?: boolean;
  taxes: TaxAmount[];
  explanation: Explanation;
  metadata: Metadata;
}

/** A prorated line waiting for the next invoice (`create_prorations`). The line it will become, plus who owns it. */
export interface InvoiceItem {
  id: string;
  customerId: string;
  subscriptionId: string | null;
  invoiceId: string | null;
  line: Omit<InvoiceLine, 'id' | 'taxes' | 'invoiceItemId'>;
  taxRateIds: string[];
  /** Its own, beside those of the invoice it comes to; absent: none. */
  discounts?: Discount[];
  date: Instant;
}

/** Who sold to whom, frozen when the invoice is finalised. */
export interface InvoiceParty {
  name: string | null;
  email: string | null;
  address: Address | null;
}

export interface Address {
  line1: string | null;
  line2: string | null;
  city: string | null;
  state: string | null;
  postalCode: string | null;
  country: string | null;
}

/**
 * An invoice. Sums, all minor units: `subtotal` = sum of line amounts, before discounts; `tax` = all taxes (inclusive and exclusive);
 * `total` = subtotal - discounts + exclusive taxes; `startingBalance`/`endingBalance` are the customer balance (negative = credit) before and after;
 * `amountDue` = max(0, total - prepaid credits + the balance applied); `amountPaid + amountCredited + amountRemaining = amountDue`.
 */
export interface Invoice {
  id: string;
  number: string | null;
  customerId: string;
  /** null: it is one of none, or a consolidated one. */
  subscriptionId: string | null;
  /** Of a consolidated invoice: the subscriptions that it bills, in the order in which they came to it. Absent: it is none. */
  subscriptionIds?: string[];
  /** What has to be the same for a subscription to come to this consolidated draft (`consolidate.ts`). */
  consolidationKey?: string;
  status: InvoiceStatus;
  billingReason: BillingReason;
  currency: string;
  lines: InvoiceLine[];
  /** Those that counted when it was made, for lines that come to it while it is a draft; absent: none. */
  discounts?: Discount[];
  subtotal: number;
  subtotalExcludingTax: number;
  tax: number;
  total: number;
  totalExcludingTax: number;
  taxes: TaxAmount[];
  /** Prepaid credits that were drawn for it when it was finalised; they stay listed when it is voided, which gives them back. Absent: none. */
  creditDraws?: CreditDraw[];
  startingBalance: number;
  endingBalance: number | null;
  /** Credits of later invoices put against this one while it was open (never customer balance). */
  amountCredited: number;
  amountDue: number;
  amountPaid: number;
  amountRemaining: number;
  attemptCount: number;
  attempted: boolean;
  nextPaymentAttempt: Instant | null;
  autoAdvance: boolean;
  /** When a draft that advances by itself becomes final; null for every other invoice. Lines may change until then. */
  automaticallyFinalizesAt: Instant | null;
  collectionMethod: CollectionMethod;
  /** Of a sent invoice: until when the customer may pay it; null where it is charged automatically. */
  dueDate: Instant | null;
  /** When it was told that it is overdue. */
  overdueAt: Instant | null;
  periodStart: Instant;
  periodEnd: Instant;
  defaultTaxRateIds: string[];
  /** Which TaxCalculator computes it; `manual` is the built-in one. */
  taxCalculator: string;
  taxStatus: 'complete' | 'pending' | 'failed';
  customer: InvoiceParty;
  seller: InvoiceParty;
  description: string | null;
  footer: string | null;
  metadata: Metadata;
  createdAt: Instant;
  finalizedAt: Instant | null;
  paidAt: Instant | null;
  voidedAt: Instant | null;
  markedUncollectibleAt: Instant | null;
}
