import type { Metadata } from './catalog/price.ts';
import type { CreditGrant, CreditTransaction } from './credits/grant.ts';
import type { CreditTopUp, LowCredit } from './credits/low-credit.ts';
import type { BalanceTransaction } from './customer.ts';
import type { Discount } from './discounts/discount.ts';
import type { Invoice, InvoiceItem } from './invoicing/invoice.ts';
import type { JournalTransaction } from './ledger/journal.ts';
import type { PaymentAttempt } from './payments/payment.ts';
import type { Quote } from './quote/quote.ts';
import type { SubscriptionSchedule } from './schedule/schedule.ts';
import type { ScheduledChange } from './subscription/scheduled-change.ts';
import type { BilledPeriod, BilledShrink, PaymentBehavior, Subscription } from './subscription/subscription.ts';
import type { Instant } from './time.ts';
import type { EventType } from './timeline/event-types.ts';
import type { Verb } from './timeline/verbs.ts';
import type { UsagePeriod } from './usage/usage-period.ts';

/** Makes ids for one operation: the same operation id gives the same ids in the same order, so a retry writes the same rows. */
export type IdSource = (prefix: string) => string;

/** A fact for the outbox. `objectId` is the object that changed; presenters turn it into Stripe's event on reading. */
export interface OutboxEvent {
  type: EventType;
  objectType:
    | 'customer'
    | 'subscription'
    | 'invoice'
    | 'payment_attempt'
    | 'invoiceitem'
    | 'scheduled_change'
    | 'subscription_schedule'
    | 'quote'
    | 'discount'
    | 'credit_grant'
    | 'credit_top_up'
    | 'credit_balance_transaction';
  objectId: string;
  /** Changed fields as they were, in our own names; small. */
  previous: Record<string, unknown> | null;
}

/** What a pure decision function returns and `db/record-decision.ts` writes in one transaction. Absent parts are empty. */
export interface Decision {
  /** As the subscription will be; null when it does not change. */
  subscription: Subscription | null;
  /** Further subscriptions that it changes, each with its schedule where that changes too. Absent: none. */
  others?: { subscription: Subscription; schedule: SubscriptionSchedule | null }[];
  /** New and changed invoices, whole. A number is drawn by the database for an invoice that becomes open or paid without one. */
  invoices: Invoice[];
  /** Drafts that were taken away, as they were. */
  deletedInvoices: Invoice[];
  /** `change`: whole, as they will be. `consume` with null: it waits again. */
  pendingItems: { insert: InvoiceItem[]; change: InvoiceItem[]; consume: { id: string; invoiceId: string | null }[]; remove: string[] };
  billed: { shrink: BilledShrink[]; insert: BilledPeriod[]; attach: { invoiceItemId: string; invoiceId: string; invoiceLineId: string }[] };
  /** Usage that its lines bill (`insert`), and stretches that were rated anew (`change`, whole). */
  usage: { insert: UsagePeriod[]; change: UsagePeriod[] };
  attempt: PaymentAttempt | null;
  balance: BalanceTransaction[];
  /** Grants that changed, whole, and how. */
  credits: { grants: CreditGrant[]; transactions: CreditTransaction[] };
  /** As they will be; absent: none changes. */
  topUps?: CreditTopUp[];
  /** So little credit is left after it that more is to be bought; absent: it is not. */
  lowCredit?: LowCredit;
  /** Set on the customer's first invoice. */
  customerCurrency: string | null;
  journal: JournalTransaction[];
  /** New and changed ones, whole. */
  discounts: Discount[];
  /** Counted when written, each never beyond what its coupon and code allow. */
  redemptions: { couponId: string; promotionCodeId: string | null }[];
  /** The customer's as it will be; absent: as it is. */
  customerDiscount?: Discount | null;
  /** New and changed ones, whole. */
  scheduledChanges: ScheduledChange[];
  /** As the schedule will be; null when it does not change. */
  schedule: SubscriptionSchedule | null;
  /** The quote that is accepted by what is decided, as it will be; absent: none is. */
  quote?: Quote;
  /** Added to the subscription's; a key with an empty value is taken away. */
  subscriptionMetadata: Metadata | null;
  events: OutboxEvent[];
}

export const emptyDecision = (): Decision => ({
  subscription: null,
  invoices: [],
  deletedInvoices: [],
  pendingItems: { insert: [], change: [], consume: [], remove: [] },
  billed: { shrink: [], insert: [], attach: [] },
  usage: { insert: [], change: [] },
  attempt: null,
  balance: [],
  credits: { grants: [], transactions: [] },
  customerCurrency: null,
  journal: [],
  discounts: [],
  redemptions: [],
  scheduledChanges: [],
  schedule: null,
  subscriptionMetadata: null,
  events: [],
});

/** The envelope of an operation: unique per account by `operationId`; a second write of it returns the first one's result. */
export interface Operation {
  operationId: string;
  kind: Verb;
  asOf: Instant;
  /** Hash of kind and parameters, so that an operation id reused for something else is refused (`operation_conflict`). */
  requestHash: string;
  subscriptionId: string | null;
  invoiceId: string | null;
  /** Of a consolidated invoice: the subscriptions that it bills. Absent: the operation is about none. */
  sharedBy?: string[] | undefined;
  /** Who asked: an API key id, `workflow`, `dunning`, `operator:<name>`. */
  actor: string;
  /** How the money of the invoice it makes is to be asked for; null where the command does not say. */
  paymentBehavior: PaymentBehavior | null;
  /** What was asked for, as the command says it; null or absent where the verb says all. */
  parameters?: Record<string, unknown> | null;
  /** The run of the workflow that had it done; null or absent outside one. */
  run?: { workflowId: string; runId: string } | null;
}
