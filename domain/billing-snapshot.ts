import type { Account } from './account.ts';
import type { Price, Product } from './catalog/price.ts';
import type { CreditGrant } from './credits/grant.ts';
import type { CreditTopUp } from './credits/low-credit.ts';
import type { Customer } from './customer.ts';
import type { Coupon, PromotionCode } from './discounts/coupon.ts';
import type { Consolidation } from './invoicing/consolidate.ts';
import type { Invoice, InvoiceItem } from './invoicing/invoice.ts';
import type { PaymentAttempt, PaymentMethod } from './payments/payment.ts';
import type { SubscriptionSchedule } from './schedule/schedule.ts';
import type { BilledPeriod, Subscription } from './subscription/subscription.ts';
import type { TaxRate } from './tax/tax-rate.ts';
import type { MeteredUsage } from './usage/usage-period.ts';

/**
 * Everything one billing decision may look at, read in one round trip (`db/billing-snapshot.ts`). Prices, products and tax rates
 * hold those referred to by the subscription, its billed periods, its pending items, the invoice, and the ids asked for.
 */
export interface BillingSnapshot {
  account: Account;
  customer: Customer;
  /** null while it is being created. */
  subscription: Subscription | null;
  prices: Record<string, Price>;
  products: Record<string, Product>;
  taxRates: Record<string, TaxRate>;
  /** Those asked for, and those that scheduled changes will redeem; with the coupons of the codes. */
  coupons: Record<string, Coupon>;
  promotionCodes: Record<string, PromotionCode>;
  /** Whether the customer has paid an invoice; false where no promotion code is asked for. */
  hasPaidBefore: boolean;
  /** Products that the customer had on a free trial, on whichever subscription; empty where it is not asked for. */
  trialedProductIds: string[];
  /** Coverage of the subscription's items that ends after the start of the current period, by subscription item and start. */
  billed: BilledPeriod[];
  /** Pending invoice items of the subscription (and, when creating, none). */
  pendingItems: InvoiceItem[];
  /** Pending invoice items of the customer that belong to no subscription. */
  customerItems: InvoiceItem[];
  /** The invoice item the operation is about, when it is about one and it was not removed. */
  item: InvoiceItem | null;
  /** Draft and open invoices of the subscription, with lines, oldest first. */
  openInvoices: Invoice[];
  /** The other subscriptions of consolidated invoices here, as a decision about each would see it. Absent: none. */
  members?: BillingSnapshot[];
  /** With whom a renewal may share an invoice; absent: with nobody. */
  consolidation?: Consolidation;
  /** The invoice the operation is about, whatever its status, when it is about one. */
  invoice: Invoice | null;
  /** The customer's with something left, and those that have paid a part of the invoices here. Absent: none. */
  creditGrants?: CreditGrant[];
  /** The customer's, at most one of a currency. Absent: none. */
  topUps?: CreditTopUp[];
  /** Attempts of `invoice`, by number. */
  attempts: PaymentAttempt[];
  /** What is measured of the subscription; absent where nothing of it is metered. */
  usage?: MeteredUsage;
  /** The schedule the operation is about, else the active one of the subscription. */
  schedule: SubscriptionSchedule | null;
  /** In the order in which they are tried: subscription default, customer default. Empty when there is none. */
  paymentMethods: PaymentMethod[];
}

/** The zone on whose calendar the customer is billed, where no subscription says otherwise. */
export const zoneOf = ({ customer, account }: Pick<BillingSnapshot, 'customer' | 'account'>): string =>
  customer.billingTimezone ?? account.billingTimezone;
