import type { CreditTopUp } from '../../domain/credits/low-credit.ts';
import { monetary, presentScope } from './credits.ts';

/** Ours: Stripe has none. */
export function presentCreditTopUp(topUp: CreditTopUp, livemode: boolean, testClock: string | null) {
  const { currency, expiresAfter } = topUp;
  return {
    id: topUp.id,
    object: 'billing.credit_top_up' as const,
    active: topUp.active,
    amount: monetary(topUp.amount, currency),
    applicability_config: { scope: presentScope(topUp.scope) },
    created: topUp.createdAt,
    customer: topUp.customerId,
    expires_after: expiresAfter && { interval: expiresAfter.interval, interval_count: expiresAfter.intervalCount },
    latest_invoice: topUp.latestInvoiceId,
    livemode,
    max_per_month: topUp.maxPerMonth,
    metadata: topUp.metadata,
    name: topUp.name,
    payment_method: topUp.paymentMethodId,
    priority: topUp.priority,
    status: statusOf(topUp),
    suspended_at: topUp.suspendedAt,
    test_clock: testClock,
    threshold: monetary(topUp.threshold, currency),
    updated: topUp.updatedAt,
  };
}

function statusOf({ active, suspendedAt, pendingInvoiceId }: CreditTopUp): 'active' | 'inactive' | 'pending' | 'suspended' {
  if (!active) return 'inactive';
  if (suspendedAt !== null) return 'suspended';
  return pendingInvoiceId === null ? 'active' : 'pending';
}
