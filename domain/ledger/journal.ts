import type { Instant } from '../time.ts';

/** The chart of accounts. A cash account exists per gateway: `cash:sandbox`. */
export type LedgerAccount =
  | 'receivable'
  | `cash:${string}`
  | 'deferred_revenue'
  | 'revenue'
  | 'tax_payable'
  | 'customer_balance'
  | 'prepaid_credits'
  | 'promotional_credits'
  | 'refunds'
  | 'bad_debt';

/** Debit positive, credit negative, minor units. */
export interface JournalEntry {
  ledgerAccount: LedgerAccount;
  amount: number;
}

/** A zero-sum set of entries in one currency, written with the decision it books. */
export interface JournalTransaction {
  id: string;
  /** What was booked: 'invoice_finalized', 'payment', 'invoice_voided', 'invoice_uncollectible', 'credit_applied', 'credit_granted', 'credit_expired', 'credit_grant_voided'. */
  kind: string;
  currency: string;
  invoiceId: string | null;
  paymentAttemptId: string | null;
  customerId: string;
  effectiveAt: Instant;
  entries: JournalEntry[];
}
