import type { BillingSnapshot } from '../../domain/billing-snapshot.ts';
import { DEFAULT_DUNNING_POLICY } from '../../domain/dunning/policy.ts';
import type { DecisionContext } from '../../domain/invoicing/draft-decision.ts';
import type { Invoice } from '../../domain/invoicing/invoice.ts';
import type { JournalTransaction, LedgerAccount } from '../../domain/ledger/journal.ts';
import type { PaymentAttempt, PaymentMethod } from '../../domain/payments/payment.ts';
import type { Subscription } from '../../domain/subscription/subscription.ts';
import { aSubscription } from '../api/examples.ts';

/** Facts for tests of payments, dunning and the ledger: an open renewal invoice of 12.00 EUR (10.00 and 20 % tax) of an active subscription. */
export const NOW = 1_800_000_000;
const MONTH = 2_592_000;

export const context = (asOf = NOW): DecisionContext => {
  let count = 0;
  return {
    asOf,
    newId: (prefix) => {
      count += 1;
      return `${prefix}_${count}`;
    },
  };
};

const NOBODY = { name: null, email: null, address: null };

export const invoiceOf = (patch: Partial<Invoice> = {}): Invoice => ({
  id: 'in_1',
  number: 'A-1',
  customerId: 'cus_1',
  subscriptionId: 'sub_1',
  status: 'open',
  billingReason: 'subscription_cycle',
  currency: 'eur',
  lines: [],
  subtotal: 1000,
  subtotalExcludingTax: 1000,
  tax: 200,
  total: 1200,
  totalExcludingTax: 1000,
  taxes: [],
  startingBalance: 0,
  endingBalance: 0,
  amountCredited: 0,
  amountDue: 1200,
  amountPaid: 0,
  amountRemaining: 1200,
  attemptCount: 0,
  attempted: false,
  nextPaymentAttempt: null,
  autoAdvance: true,
  automaticallyFinalizesAt: null,
  collectionMethod: 'charge_automatically',
  dueDate: null,
  overdueAt: null,
  periodStart: NOW,
  periodEnd: NOW + MONTH,
  defaultTaxRateIds: [],
  taxCalculator: 'manual',
  taxStatus: 'complete',
  customer: NOBODY,
  seller: NOBODY,
  description: null,
  footer: null,
  metadata: {},
  createdAt: NOW,
  finalizedAt: NOW,
  paidAt: null,
  voidedAt: null,
  markedUncollectibleAt: null,
  ...patch,
});

export const subscriptionOf = (patch: Partial<Subscription> = {}): Subscription =>
  aSubscription({
    id: 'sub_1',
    billingCycleAnchor: NOW,
    billingTimezone: 'UTC',
    startDate: NOW,
    currentPeriodStart: NOW,
    currentPeriodEnd: NOW + MONTH,
    items: [],
    defaultTaxRateIds: [],
    createdAt: NOW,
    ...patch,
  });

export const methodOf = (patch: Partial<PaymentMethod> = {}): PaymentMethod => ({
  id: 'pm_1',
  customerId: 'cus_1',
  type: 'card',
  gateway: 'sandbox',
  gatewayReference: 'pm_card_visa',
  card: null,
  metadata: {},
  createdAt: NOW,
  ...patch,
});

export const attemptOf = (patch: Partial<PaymentAttempt> = {}): PaymentAttempt => ({
  id: 'pa_1',
  invoiceId: 'in_1',
  customerId: 'cus_1',
  number: 1,
  operationId: 'op_1',
  gateway: 'sandbox',
  paymentMethodId: 'pm_1',
  idempotencyKey: 'in_1:attempt-1',
  gatewayReference: null,
  amount: 1200,
  currency: 'eur',
  status: 'created',
  declineCode: null,
  declineMessage: null,
  createdAt: NOW,
  resolvedAt: null,
  ...patch,
});

export const snapshotOf = (invoice: Invoice, patch: Partial<BillingSnapshot> & { balance?: number } = {}): BillingSnapshot => {
  const { balance = 0, ...rest } = patch;
  return {
    account: {
      id: 'acct_1',
      name: 'Seller',
      livemode: false,
      billingTimezone: 'UTC',
      prorationBasis: 'second',
      defaultTaxRateIds: [],
      taxCalculator: 'manual',
      dunningPolicy: DEFAULT_DUNNING_POLICY,
      invoiceGraceSeconds: 0,
      invoiceNumberPrefix: 'A',
      seller: NOBODY,
    },
    customer: {
      id: 'cus_1',
      name: null,
      email: null,
      phone: null,
      description: null,
      address: null,
      currency: 'eur',
      balance,
      defaultPaymentMethodId: null,
      defaultTaxRateIds: [],
      taxExempt: 'none',
      billingTimezone: null,
      externalId: null,
      metadata: {},
      deleted: false,
      createdAt: NOW,
    },
    subscription: subscriptionOf(),
    prices: {},
    products: {},
    taxRates: {},
    coupons: {},
    promotionCodes: {},
    hasPaidBefore: false,
    trialedProductIds: [],
    billed: [],
    pendingItems: [],
    customerItems: [],
    item: null,
    openInvoices: invoice.status === 'open' ? [invoice] : [],
    invoice,
    attempts: [],
    schedule: null,
    paymentMethods: [methodOf()],
    ...rest,
  };
};

/** Sum of one account over journal transactions, of one invoice where it is named; debit positive. */
export const ledgerSum = (journal: readonly JournalTransaction[], ledgerAccount: LedgerAccount, invoiceId?: string): number =>
  journal
    .filter((transaction) => invoiceId === undefined || transaction.invoiceId === invoiceId)
    .flatMap((transaction) => transaction.entries)
    .filter((entry) => entry.ledgerAccount === ledgerAccount)
    .reduce((total, entry) => total + entry.amount, 0);
