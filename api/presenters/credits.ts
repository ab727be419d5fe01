import type Stripe from 'stripe';
import type { CreditDraw, CreditGrant, CreditScope, CreditTransaction, RecurringCredit, Rollover } from '../../domain/credits/grant.ts';
import type { CreditBalance } from '../../domain/credits/sum-credits.ts';
import type { Dialect } from './dialect.ts';

export const monetary = (value: number, currency: string) => ({ type: 'monetary' as const, monetary: { currency, value } });

export const presentScope = (scope: CreditScope): { price_type?: 'metered' | 'licensed'; prices?: { id: string }[] } =>
  'priceIds' in scope ? { prices: scope.priceIds.map((id) => ({ id })) } : { price_type: scope.priceType };

const presentRollover = (rollover: Rollover | null) =>
  rollover && { max_amount: rollover.maxAmount, max_periods: rollover.maxPeriods, percent: rollover.percent };

/** What a price gives for each of its periods. */
export const presentRecurringCredit = (credit: RecurringCredit, currency: string) => ({
  amount: monetary(credit.amount, currency),
  applicability_config: { scope: presentScope(credit.scope) },
  category: credit.category,
  name: credit.name,
  priority: credit.priority,
  rollover: presentRollover(credit.rollover),
});

type GrantAnswer = Dialect<
  Stripe.Billing.CreditGrant,
  | 'id'
  | 'object'
  | 'amount'
  | 'category'
  | 'created'
  | 'customer'
  | 'customer_account'
  | 'effective_at'
  | 'expires_at'
  | 'livemode'
  | 'metadata'
  | 'name'
  | 'priority'
  | 'test_clock'
  | 'updated'
  | 'voided_at'
> & {
  applicability_config: { scope: ReturnType<typeof presentScope> };
  recurring: {
    periods_rolled_over: number;
    price: string;
    rollover: ReturnType<typeof presentRollover>;
    subscription: string;
    subscription_item: string;
  } | null;
  remaining: ReturnType<typeof monetary>;
};

export function presentCreditGrant(grant: CreditGrant, livemode: boolean, testClock: string | null): GrantAnswer {
  const { recurring } = grant;
  return {
    id: grant.id,
    object: 'billing.credit_grant',
    amount: monetary(grant.amount, grant.currency),
    applicability_config: { scope: presentScope(grant.scope) },
    category: grant.category,
    created: grant.createdAt,
    customer: grant.customerId,
    customer_account: null,
    effective_at: grant.effectiveAt,
    expires_at: grant.expiresAt,
    livemode,
    metadata: grant.metadata,
    name: grant.name,
    priority: grant.priority,
    recurring:
      recurring == null
        ? null
        : {
            periods_rolled_over: recurring.periodsRolledOver,
            price: recurring.priceId,
            rollover: presentRollover(recurring.rollover),
            subscription: recurring.subscriptionId,
            subscription_item: recurring.itemId,
          },
    remaining: monetary(grant.remaining, grant.currency),
    test_clock: testClock,
    updated: grant.updatedAt,
    voided_at: grant.voidedAt,
  };
}

type TransactionAnswer = Dialect<
  Stripe.Billing.CreditBalanceTransaction,
  'id' | 'object' | 'created' | 'credit' | 'credit_grant' | 'debit' | 'effective_at' | 'livemode' | 'test_clock' | 'type'
>;

export function presentCreditTransaction(moved: CreditTransaction, livemode: boolean, testClock: string | null): TransactionAnswer {
  const { type, invoiceId, invoiceLineId } = moved;
  const amount = monetary(Math.abs(moved.amount), moved.currency);
  const place = invoiceId === null || invoiceLineId === null ? null : { invoice: invoiceId, invoice_line_item: invoiceLineId };
  const isCredit = type === 'credits_granted' || type === 'credits_application_invoice_voided';
  return {
    id: moved.id,
    object: 'billing.credit_balance_transaction',
    created: moved.createdAt,
    credit: isCredit ? { amount, credits_application_invoice_voided: place, type } : null,
    credit_grant: moved.grantId,
    debit: isCredit ? null : { amount, credits_applied: place, type },
    effective_at: moved.effectiveAt,
    livemode,
    test_clock: testClock,
    type: isCredit ? 'credit' : 'debit',
  };
}

type SummaryAnswer = Dialect<Stripe.Billing.CreditBalanceSummary, 'object' | 'balances' | 'customer' | 'customer_account' | 'livemode'>;

export const presentCreditSummary = (customerId: string, balances: readonly CreditBalance[], livemode: boolean): SummaryAnswer => ({
  object: 'billing.credit_balance_summary',
  balances: balances.map(({ currency, available, ledger }) => ({
    available_balance: monetary(available, currency),
    ledger_balance: monetary(ledger, currency),
  })),
  customer: customerId,
  customer_account: null,
  livemode,
});

export const presentCreditAmounts = (draws: readonly CreditDraw[]) =>
  draws.map(({ amount, transactionId, grantId, invoiceLineId }) => ({
    amount,
    credit_balance_transaction: transactionId,
    credit_grant: grantId,
    invoice_line_item: invoiceLineId,
  }));
