import type { DunningPolicy } from './dunning/policy.ts';
import type { InvoiceParty } from './invoicing/invoice.ts';
import type { ProrationBasis } from './subscription/subscription.ts';

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
  invoiceNumberPrefix: string;
  seller: InvoiceParty;
}
