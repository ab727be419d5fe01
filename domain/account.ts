import type { DunningPolicy } from './dunning/policy.ts';
import type { InvoiceParty } from './invoicing/invoice.ts';
import type { ProrationBasis } from './subscription/subscription.ts';

/** What `invoiceGraceSeconds` is until somebody sets it: Stripe's hour in live mode, nothing in test mode. */
export const defaultInvoiceGrace = (livemode: boolean): number => (livemode ? 3600 : 0);
/** Stripe's longest grace period, 72 hours. */
export const MAX_INVOICE_GRACE = 72 * 3600;

export const LATE_USAGE = ['next_invoice', 'rerate'] as const;
export type LateUsage = (typeof LATE_USAGE)[number];

/** One business entity in live or test mode. An API key belongs to one account. */
export interface Account {
  id: string;
  name: string;
  livemode: boolean;
  billingTimezone: string;
  prorationBasis: ProrationBasis;
  defaultTaxRateIds: string[];
  /** `manual` or the name of an external TaxCalculator known to the worker. */
  taxCalculator: string;
  dunningPolicy: DunningPolicy;
  /** How long an invoice that the engine makes by itself (a renewal, the end of a trial or pause, a scheduled change) stays a draft before it finalises itself, seconds; 0: it is final at once. */
  invoiceGraceSeconds: number;
  /** When the difference that late events make to usage that is billed is invoiced: with what is invoiced next, or at once. Absent: with what is next. */
  lateUsage?: LateUsage;
  invoiceNumberPrefix: string;
  seller: InvoiceParty;
}
