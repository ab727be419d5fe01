import type { LowCredit } from '../domain/credits/low-credit.ts';
import type { AwaitedInvoice } from '../domain/dunning/next-step.ts';
import type { InvoiceStatus } from '../domain/invoicing/invoice.ts';
import type { PaymentOutcomeKind } from '../domain/payments/payment.ts';
import type { ScheduleStatus } from '../domain/schedule/transitions.ts';
import type {
  CancelSubscription,
  ChangePlan,
  CreateSubscription,
  PauseSubscription,
  ReactivateSubscription,
  ResumeSubscription,
  ScheduleCancellation,
} from '../domain/subscription/commands.ts';
import type { Dates } from '../domain/subscription/list-dates.ts';
import type { PaymentBehavior } from '../domain/subscription/subscription.ts';
import type { SubscriptionRecord } from '../domain/subscription/subscription-record.ts';
import type { Instant } from '../domain/time.ts';

/** Who and when, on every activity. `asOf` is the only time a decision knows; unix seconds. */
export interface Envelope {
  accountId: string;
  operationId: string;
  asOf: Instant;
  actor: string;
  /** Of the workflow that asks; absent: asked by none that could be superseded. */
  generation?: number;
}

/** What the workflow needs to know of a subscription; the rest is in Postgres. */
export interface SubscriptionFacts extends Dates {
  /** Grows with every decision that changes the subscription: what was recorded earlier never replaces what was recorded later. */
  revision: number;
  currency: string;
  /** Price id of the first item, for the search attribute. */
  planId: string;
  pendingUpdate: { invoiceId: string; expiresAt: Instant } | null;
}

export interface InvoiceFacts {
  id: string;
  number: string | null;
  status: InvoiceStatus;
  amountDue: number;
  amountRemaining: number;
  currency: string;
  /** What the workflow must do next with it. */
  next: 'calculate_tax' | 'finalize' | 'collect' | 'await_payment' | 'nothing';
  /** A draft that advances by itself: not before this instant. */
  finalizesAt?: Instant;
  /** An open invoice that was sent: when it has to be paid. */
  dueDate?: Instant;
  /** It has drawn so much credit that more is to be bought; absent: it has not. */
  lowCredit?: LowCredit;
  /** Of a consolidated invoice: all subscriptions that it bills. */
  shared?: MemberFacts[];
  /** Further subscriptions that were changed as it became final, as what it gives back has paid an invoice that they share. Absent: none. */
  others?: MemberFacts[];
}

/** A subscription of a consolidated invoice, as it is after what was done. */
export interface MemberFacts {
  subscriptionId: string;
  subscription: SubscriptionFacts;
}

/** An invoice that wants no money any more, and what that made of its subscription (null where it has none). */
export interface InvoiceClosure {
  invoice: InvoiceFacts;
  subscription: SubscriptionFacts | null;
}

export interface BillingOutcome {
  subscription: SubscriptionFacts;
  invoice: InvoiceFacts | null;
  /** Further subscriptions that were changed, as what was given back has paid an invoice that they share. Absent: none. */
  others?: MemberFacts[];
  /** Without an invoice: so much is used that credit is to be bought. Absent: it is not, or the invoice says so. */
  lowCredit?: LowCredit;
}

export interface PaymentResult {
  outcome: PaymentOutcomeKind;
  attemptNumber: number;
  attemptId: string | null;
  declineCode: string | null;
  invoice: InvoiceFacts;
  /** null when the invoice has no subscription. */
  subscription: SubscriptionFacts | null;
}

/** What dunning of one invoice needs to decide its next step; see domain/dunning/next-step.ts. */
export interface DunningFacts {
  policy: import('../domain/dunning/policy.ts').DunningPolicy;
  invoice: InvoiceFacts;
  attemptCount: number;
  lastDeclineCode: string | null;
  lastAttemptAt: Instant | null;
  unresolved: boolean;
  /** A consolidated invoice of which a subscription has not ended: it is chased for its sake, whoever calls it off. */
  isWanted?: boolean;
  /** Of an invoice that was sent, and is not tried by itself. */
  awaited?: AwaitedInvoice;
}

/** A subscription as a workflow that starts anew finds it. */
export interface ReopenedSubscription {
  facts: SubscriptionFacts;
  /** Without its texts, which may hold personal data. */
  record: SubscriptionRecord;
}

/** What a workflow needs to know of a schedule. */
export interface ScheduleFacts {
  id: string;
  status: ScheduleStatus;
  /** When its subscription is to be created, or was. */
  startsAt: Instant;
}

/** A schedule after a decision, and its subscription once there is one. */
export interface ScheduleOutcome {
  schedule: ScheduleFacts;
  subscription: SubscriptionFacts | null;
  invoice: InvoiceFacts | null;
  /** As in `BillingOutcome`. */
  others?: MemberFacts[];
}

/** Every activity is one verb in one file: load -> decide -> record. All refusals arrive as ApplicationFailure with `type` = RefusalCode. */
export interface Activities {
  createSubscription(input: Envelope & CreateSubscription): Promise<BillingOutcome>;
  /** Bills the period that starts at `asOf` (the boundary). Ends the subscription instead where it cancels at that instant. */
  issueInvoice(input: Envelope & { subscriptionId: string }): Promise<BillingOutcome>;
  /** Bills what is used where a threshold is reached; else nothing is written. */
  billThreshold(input: Envelope & { subscriptionId: string }): Promise<BillingOutcome>;
  /** Makes the invoice of a credit top-up that is due; null where it is not any more. */
  topUpCredits(input: Envelope & { subscriptionId: string } & LowCredit): Promise<{ invoice: InvoiceFacts | null }>;
  /** Tells that a trial will end. */
  remindOfTrialEnd(input: Envelope & { subscriptionId: string }): Promise<BillingOutcome>;
  changePlan(input: Envelope & { subscriptionId: string } & ChangePlan): Promise<BillingOutcome>;
  /** Applies a pending update whose invoice is paid, or drops it (voiding its invoice). */
  resolvePendingUpdate(input: Envelope & { subscriptionId: string; apply: boolean }): Promise<BillingOutcome>;
  scheduleCancellation(input: Envelope & { subscriptionId: string } & ScheduleCancellation): Promise<BillingOutcome>;
  cancelSubscription(input: Envelope & { subscriptionId: string } & CancelSubscription): Promise<BillingOutcome>;
  pauseSubscription(input: Envelope & { subscriptionId: string } & PauseSubscription): Promise<BillingOutcome>;
  /** A scheduled pause begins at `asOf`. */
  beginPause(input: Envelope & { subscriptionId: string }): Promise<BillingOutcome>;
  resumeSubscription(input: Envelope & { subscriptionId: string } & ResumeSubscription): Promise<BillingOutcome>;
  /** A pause ends by itself at `asOf`. */
  endPause(input: Envelope & { subscriptionId: string }): Promise<BillingOutcome>;
  /** `pause_collection` ends by itself at `asOf`. */
  resumeCollection(input: Envelope & { subscriptionId: string }): Promise<BillingOutcome>;
  /** A canceled subscription lives again. */
  reactivateSubscription(input: Envelope & { subscriptionId: string } & ReactivateSubscription): Promise<BillingOutcome>;
  /** What a workflow needs that goes on with a subscription whose workflow has gone. */
  loadSubscription(input: { accountId: string; subscriptionId: string }): Promise<ReopenedSubscription>;
  /** Carries out a scheduled change at `asOf`, its instant; one that has become impossible is recorded as failed. */
  applyScheduledChange(
    input: Envelope & { subscriptionId: string; changeId: string; paymentBehavior: PaymentBehavior },
  ): Promise<BillingOutcome>;
  cancelScheduledChange(input: Envelope & { subscriptionId: string; changeId: string }): Promise<BillingOutcome>;
  /** Does to a schedule what is written down under `editId` (`db/schedules.ts`). */
  editSchedule(input: Envelope & { subscriptionId: string; scheduleId: string; editId: string }): Promise<ScheduleOutcome>;
  /** Creates the subscription of a schedule at `asOf`, its start; where that has become impossible, the schedule is canceled. */
  startSchedule(input: Envelope & { subscriptionId: string; scheduleId: string }): Promise<ScheduleOutcome>;
  /** Ends a subscription whose first invoice was not paid in time (incomplete_expired); voids that invoice. */
  expireSubscription(input: Envelope & { subscriptionId: string }): Promise<BillingOutcome>;
  /** External tax engines only: asks the calculator for a draft invoice's taxes and stores them on the draft. */
  calculateTax(input: Envelope & { invoiceId: string }): Promise<InvoiceFacts>;
  /** `automatic`: because its time has come; a draft that is to wait is then refused. `autoAdvance`: whether it is collected by itself from now on. */
  finalizeInvoice(input: Envelope & { invoiceId: string; automatic?: boolean; autoAdvance?: boolean }): Promise<InvoiceFacts>;
  /** Does to a draft what is written down under `editId` (`db/invoice-edits.ts`). */
  editInvoice(input: Envelope & { invoiceId: string; editId: string }): Promise<InvoiceFacts>;
  /** Lets a draft finalise itself when its time has come, or wait for somebody to finalise it. */
  setAutoAdvance(input: Envelope & { invoiceId: string; autoAdvance: boolean }): Promise<InvoiceFacts>;
  /** One attempt, intent first. `paymentMethodId` overrides the default for this attempt. */
  collectPayment(input: Envelope & { invoiceId: string; paymentMethodId: string | null }): Promise<PaymentResult>;
  /** Looks an unresolved attempt up at the gateway and records what became of it. */
  resolvePayment(input: Envelope & { invoiceId: string }): Promise<PaymentResult>;
  voidInvoice(input: Envelope & { invoiceId: string }): Promise<InvoiceClosure>;
  markInvoiceUncollectible(input: Envelope & { invoiceId: string }): Promise<InvoiceClosure>;
  /** The money came another way. */
  payOutOfBand(input: Envelope & { invoiceId: string }): Promise<InvoiceClosure>;
  /** Tells that an open invoice was sent to its customer. */
  sendInvoice(input: Envelope & { invoiceId: string }): Promise<InvoiceFacts>;
  /** The due date of a sent invoice has come. */
  markOverdue(input: Envelope & { invoiceId: string }): Promise<InvoiceClosure>;
  loadDunning(input: { accountId: string; invoiceId: string }): Promise<DunningFacts>;
  /** Writes the next attempt's date on the invoice (shown to customers and operators); null clears it. */
  scheduleAttempt(input: Envelope & { invoiceId: string; at: Instant | null }): Promise<void>;
  /** Applies the policy's terminal action to the subscription, or the subscriptions, of an invoice that dunning gave up on. */
  endDunning(input: Envelope & { invoiceId: string }): Promise<InvoiceClosure>;
  /** Cancels a quote that has expired by `asOf`. @returns when it expires, null once it is settled */
  expireQuote(input: { accountId: string; quoteId: string; asOf: Instant }): Promise<{ expiresAt: Instant | null }>;
  /** Ids of the workflows that may have something to do on a test clock: living subscriptions, then dunning, each in the order of creation. */
  findClockParticipants(input: { accountId: string; clockId: string }): Promise<{ workflowId: string; customerId: string }[]>;
  /** Moves a price migration on: who is to be asked next for the change, or for taking it back; `nothing` when all were. `asOf` is on the wall clock. */
  takePriceMigrationPage(input: {
    accountId: string;
    migrationId: string;
    asOf: Instant;
  }): Promise<{ do: 'migrate' | 'undo'; subscriptionIds: string[] } | { do: 'nothing' }>;
  /** Asks one subscription for the change of a price migration and writes down what became of that. `asOf` is on the wall clock; a customer on a test clock has the clock's. */
  migrateSubscription(input: { accountId: string; migrationId: string; subscriptionId: string; asOf: Instant }): Promise<void>;
  /** Takes a scheduled change of a price migration back. `asOf` as above. */
  undoMigration(input: { accountId: string; migrationId: string; subscriptionId: string; asOf: Instant }): Promise<void>;
  /** Writes that a subscription gave no answer, to the change or to taking it back. `asOf` as above. */
  giveUpMigration(input: { accountId: string; migrationId: string; subscriptionId: string; undo: boolean; asOf: Instant }): Promise<void>;
  /** Writes that a test clock has reached `to`. `asOf` is the time of the event, on the wall clock. */
  finishClockAdvance(input: { accountId: string; clockId: string; to: Instant; asOf: Instant }): Promise<void>;
}
