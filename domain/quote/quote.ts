import type { Cycle, Metadata } from '../catalog/price.ts';
import type { DiscountWish } from '../discounts/discount.ts';
import type { CollectionMethod } from '../invoicing/due-date.ts';
import type { Instant } from '../time.ts';
import type { QuoteStatus } from './transitions.ts';

export interface QuoteLine {
  id: string;
  /** Of the subscription that an acceptance creates, so that trying it again is the same command. */
  itemId: string;
  priceId: string;
  /** Decimal string. */
  quantity: string;
  taxRateIds: string[];
  discounts: DiscountWish[];
}

/** Minor units. */
export interface QuoteTotals {
  subtotal: number;
  discount: number;
  /** Exclusive and inclusive. */
  tax: number;
  total: number;
}

/** What the quote comes to, as billed by the functions that bill: computed when it is written, and not after it was finalised. */
export interface QuoteAmounts {
  /** The first invoice. */
  upfront: QuoteTotals;
  /** The first renewal. */
  recurring: (QuoteTotals & { cycle: Cycle }) | null;
  /** By line id; a line that a trial makes free is shown as it is billed after it. */
  lines: Record<string, QuoteTotals & { description: string }>;
}

/** An offer of a subscription, which a customer may accept until it expires. */
export interface Quote {
  id: string;
  customerId: string;
  status: QuoteStatus;
  /** Drawn when it is finalised; a revision shares its beginning with what it revises. */
  number: string | null;
  currency: string;
  lines: QuoteLine[];
  amounts: QuoteAmounts;
  defaultTaxRateIds: string[];
  discounts: DiscountWish[];
  collectionMethod: CollectionMethod;
  daysUntilDue: number | null;
  /** From then on it is canceled, unless it was accepted. */
  expiresAt: Instant;
  /** When the subscription begins; null or past: with the acceptance. */
  effectiveDate: Instant | null;
  trialPeriodDays: number | null;
  subscriptionDescription: string | null;
  subscriptionMetadata: Metadata;
  description: string | null;
  header: string | null;
  footer: string | null;
  metadata: Metadata;
  fromQuoteId: string | null;
  isRevision: boolean;
  /** Of the subscription and the schedule that an acceptance creates. */
  subscriptionId: string;
  scheduleId: string;
  /** How it was accepted; null before. */
  accepted: { invoiceId: string | null; by: 'subscription' | 'schedule' } | null;
  createdAt: Instant;
  finalizedAt: Instant | null;
  acceptedAt: Instant | null;
  canceledAt: Instant | null;
}

/** Whether its time is over: what nobody has accepted by then is canceled. */
export const isExpired = ({ status, expiresAt }: Pick<Quote, 'status' | 'expiresAt'>, at: Instant): boolean =>
  (status === 'draft' || status === 'open') && expiresAt <= at;

/** The quote as it is at an instant, also where the end of its time is not written yet. */
export const asOfTime = (quote: Quote, at: Instant): Quote =>
  isExpired(quote, at) ? { ...quote, status: 'canceled', canceledAt: quote.expiresAt } : quote;
