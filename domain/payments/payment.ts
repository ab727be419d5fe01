import type { Metadata } from '../catalog/price.ts';
import type { Instant } from '../time.ts';

export interface PaymentMethod {
  id: string;
  customerId: string | null;
  type: 'card' | 'us_bank_account' | 'sepa_debit';
  gateway: string;
  /** The gateway's own name for it, for example `pm_card_visa`. */
  gatewayReference: string;
  card: { brand: string; last4: string; expMonth: number; expYear: number; country: string | null; fingerprint: string } | null;
  metadata: Metadata;
  createdAt: Instant;
}

/**
 * One attempt to collect one invoice. Committed as `created` before the gateway is called; a row in `created`, `processing` or
 * `unknown` is unresolved and blocks every other attempt of its invoice.
 */
export interface PaymentAttempt {
  id: string;
  invoiceId: string;
  customerId: string;
  /** 1, 2, 3 …; rises only after a definitive outcome. */
  number: number;
  operationId: string;
  gateway: string;
  paymentMethodId: string;
  idempotencyKey: string;
  gatewayReference: string | null;
  amount: number;
  currency: string;
  status: 'created' | 'processing' | 'unknown' | 'requires_action' | 'succeeded' | 'declined' | 'canceled';
  declineCode: string | null;
  declineMessage: string | null;
  createdAt: Instant;
  resolvedAt: Instant | null;
}

export type PaymentOutcomeKind = 'paid' | 'declined' | 'processing' | 'requires_action' | 'unknown' | 'no_payment_method' | 'nothing_due';
