import type { Metadata } from './catalog/price.ts';
import type { Discount } from './discounts/discount.ts';
import type { Address } from './invoicing/invoice.ts';
import type { Instant } from './time.ts';

export interface Customer {
  id: string;
  name: string | null;
  email: string | null;
  phone: string | null;
  description: string | null;
  address: Address | null;
  /** Fixed by the first invoice; null before it. */
  currency: string | null;
  /** Minor units of `currency`; negative is credit the customer may spend, positive is owed (Stripe's sign). */
  balance: number;
  defaultPaymentMethodId: string | null;
  defaultTaxRateIds: string[];
  taxExempt: 'none' | 'exempt' | 'reverse';
  billingTimezone: string | null;
  /** Whether what subscriptions of the same terms bill on one day is one invoice (`invoicing/consolidate.ts`). Absent: no. */
  consolidatedInvoicing?: boolean;
  externalId: string | null;
  metadata: Metadata;
  deleted: boolean;
  /** The test clock whose time this customer lives in; null or absent: real time. Joined once, never left. */
  testClockId?: string | null;
  /** Counts on invoices of subscriptions without discounts of their own, and on those of none. Null or absent: none. */
  discount?: Discount | null;
  createdAt: Instant;
}

/** One movement of a customer's balance; `amount` negative adds credit. */
export interface BalanceTransaction {
  id: string;
  customerId: string;
  type: 'applied_to_invoice' | 'unapplied_from_invoice' | 'credit_from_invoice' | 'adjustment';
  amount: number;
  endingBalance: number;
  currency: string;
  invoiceId: string | null;
  createdAt: Instant;
}
