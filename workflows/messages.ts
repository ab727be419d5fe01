import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { BillingOutcome, InvoiceFacts, PaymentResult, ScheduleFacts, SubscriptionFacts } from '../activities/index.ts';
import type {
  CancelSubscription,
  ChangePlan,
  CreateSubscription,
  PauseSubscription,
  ReactivateSubscription,
  ResumeSubscription,
  ScheduleCancellation,
} from '../domain/subscription/commands.ts';
import type { Instant } from '../domain/time.ts';
import type { ClockStep, SubscriptionState } from './subscription/state.ts';

/** On every command. `operationId` is unique per account for ever; sending it again returns the first answer. */
export interface Command {
  operationId: string;
  actor: string;
}

/** The answer to a command: what was decided and, where money was asked for, what became of it. */
export interface CommandResult extends BillingOutcome {
  payment: PaymentResult | null;
}

/** The answer to an edit of a schedule whose subscription has not started. */
export interface NotStarted {
  subscription: null;
  invoice: null;
  payment: null;
}

/** `clock` is real unless given. */
export type StartSubscription = { accountId: string; command: Command & CreateSubscription; clock?: SubscriptionState['clock'] };
/** Goes on with a subscription whose workflow has gone, from what Postgres knows. `clock` is real unless given. */
export type RestartSubscription = { accountId: string; subscriptionId: string; clock?: SubscriptionState['clock'] };
/** Waits for the start of a schedule, and creates its subscription then. `schedule` where it exists already, else the first command makes it. `clock` is real unless given. */
export type AwaitSchedule = {
  accountId: string;
  subscriptionId: string;
  customerId: string;
  schedule?: ScheduleFacts;
  clock?: SubscriptionState['clock'];
};
/**
 * Argument of the `subscription` workflow: `{ start }` from whoever creates it, `{ wait }` where a schedule will, `{ restart }` where it exists without a workflow, the state from
 * the run before.
 */
export type SubscriptionInput =
  | { start: StartSubscription }
  | { wait: AwaitSchedule }
  | { restart: RestartSubscription }
  | SubscriptionState;

/** Argument of the `dunning` workflow, given by the subscription, or by the invoice where there is none. */
export interface StartDunning {
  accountId: string;
  /** null: of an invoice of none, which is waited for and not chased, or of a consolidated one. */
  subscriptionId: string | null;
  /** Of a consolidated invoice: all subscriptions that it bills. */
  subscriptionIds?: string[];
  customerId: string;
  invoiceId: string;
  currency: string;
  planId: string;
  clock: SubscriptionState['clock'];
  /** Of the subscription's workflow. */
  generation: number;
  /** Where it is started anew from the books: when it began; absent: now. */
  startedAt?: Instant;
}

/** Argument of the `invoice` workflow, given by whoever commands the invoice first. */
export interface StartInvoice {
  accountId: string;
  invoiceId: string;
  /** Whom to tell; null for an invoice without subscription. */
  subscriptionId: string | null;
  customerId: string;
}

/**
 * Failure type of a command that could not be carried out for a reason that is no refusal (an hour without a database, a bug). It
 * may have been applied: sending the same operation id again finds out.
 */
export const UNAVAILABLE = 'unavailable';

// Commands to a subscription: each an update, and a signal of the same name for fire-and-forget callers and operators.
export const subscribeUpdate = defineUpdate<CommandResult, [Command]>('subscribe');
export const changePlanUpdate = defineUpdate<CommandResult, [Command & ChangePlan]>('changePlan');
export const cancelUpdate = defineUpdate<CommandResult, [Command & CancelSubscription]>('cancel');
export const scheduleCancellationUpdate = defineUpdate<CommandResult, [Command & ScheduleCancellation]>('scheduleCancellation');
export const pauseUpdate = defineUpdate<CommandResult, [Command & PauseSubscription]>('pause');
export const resumeUpdate = defineUpdate<CommandResult, [Command & ResumeSubscription]>('resume');
/** Sent together with the start of a workflow (`{ restart }`), as that of a canceled subscription has closed. */
export const reactivateUpdate = defineUpdate<CommandResult, [Command & ReactivateSubscription]>('reactivate');
export const cancelScheduledChangeUpdate = defineUpdate<CommandResult, [Command & { changeId: string }]>('cancelScheduledChange');
/** What is asked of a schedule is in Postgres under `editId`. */
export type EditSchedule = { scheduleId: string; editId: string };
/** Sent together with the start of a workflow (`{ wait }`) where it makes a schedule. */
export const editScheduleUpdate = defineUpdate<CommandResult | NotStarted, [Command & EditSchedule]>('editSchedule');
export const cancelScheduledChangeSignal = defineSignal<[Command & { changeId: string }]>('cancelScheduledChange');
export const changePlanSignal = defineSignal<[Command & ChangePlan]>('changePlan');
export const cancelSignal = defineSignal<[Command & CancelSubscription]>('cancel');
export const scheduleCancellationSignal = defineSignal<[Command & ScheduleCancellation]>('scheduleCancellation');
export const pauseSignal = defineSignal<[Command & PauseSubscription]>('pause');
export const resumeSignal = defineSignal<[Command & ResumeSubscription]>('resume');

/** Something may have been used: a subscription with thresholds looks whether one is reached. At most one is sent per `USAGE_INTERVAL`, except on a test clock. */
export const usageReportedSignal = defineSignal<[]>('usageReported');
/** Seconds. A subscription that is told of usage looks at once, and again when as much has passed: what came meanwhile was not told. */
export const USAGE_INTERVAL = 60;

/** Facts told to a subscription. */
export interface InvoiceSettled {
  invoiceId: string;
  /** paid, void or uncollectible */
  status: InvoiceFacts['status'];
  /** As written with the settlement; null where the invoice has no subscription. */
  subscription: SubscriptionFacts | null;
}
export const invoiceSettledSignal = defineSignal<[InvoiceSettled]>('invoiceSettled');
/** What became of a consolidated invoice, by whoever has seen to it: the subscription as that left it. */
export const sharedInvoiceSignal = defineSignal<[SharedInvoiceNews]>('sharedInvoice');
export interface SharedInvoiceNews {
  /** Final now, whatever else; null where it was paid by something given back on another invoice. */
  invoiceId: string | null;
  subscription: SubscriptionFacts;
  /** Its dunning has begun. */
  isChased?: boolean;
}
/** A draft was finalised by somebody, or its time has changed: as it now is. */
export const draftChangedSignal = defineSignal<[InvoiceFacts]>('draftChanged');
export interface DunningEnded {
  invoiceId: string;
  outcome: 'recovered' | 'gave_up' | 'stopped';
  subscription: SubscriptionFacts | null;
}
/** The due date of a sent invoice has come: its subscription as that left it. */
export const invoiceOverdueSignal = defineSignal<[{ subscription: SubscriptionFacts | null }]>('invoiceOverdue');
export const dunningEndedSignal = defineSignal<[DunningEnded]>('dunningEnded');
/** `operationId`: of the request that has changed it, told by every subscription that owes the same invoice; absent: told by hand, and each time anew. */
export interface PaymentMethodChanged {
  paymentMethodId: string;
  operationId?: string;
}
export const paymentMethodChangedSignal = defineSignal<[PaymentMethodChanged]>('paymentMethodChanged');

/** The customer's time is a test clock's from now on. Told to a subscription, which tells its dunnings. */
export const joinClockSignal = defineSignal<[JoinClock]>('joinClock');
export interface JoinClock {
  /** `clock_…` */
  id: string;
  /** Its frozen time. */
  at: Instant;
}

// Facts told to dunning (`dunning:<invoice id>`): joinClock (as above), paymentMethodChanged (as above), invoiceSettled (as above), stopDunning.
export const stopDunningSignal = defineSignal<[]>('stopDunning');

// The steps of a test clock (`test-clock:<clock id>:<target>`), and what the workflows on it report.
export const advanceClockSignal = defineSignal<[ClockStep]>('advanceClock');
/** A workflow has done all that was due until `at`: the end of its step, or where it had to stop because it has news for others. */
export interface ClockReached {
  workflowId: string;
  step: number;
  at: Instant;
  /** When it has something to do again by itself; null: never. */
  nextWakeAt: Instant | null;
  ended: boolean;
  /** Workflows it has started, or told something that they may act upon at once. */
  news: string[];
}
export const clockReachedSignal = defineSignal<[ClockReached]>('clockReached');

/** Argument of the `testClock` workflow: one advance. The rest is handed from run to run. */
export interface StartTestClock {
  accountId: string;
  clockId: string;
  to: Instant;
  participants?: ClockParticipant[];
  steps?: number;
}
export interface ClockParticipant {
  workflowId: string;
  customerId: string;
  /** Where it stands; null until its first report. */
  at: Instant | null;
  nextWakeAt: Instant | null;
}

/** Argument of the `quote` workflow, which waits until the quote expires. `clock` is real unless given. */
export interface StartQuote {
  accountId: string;
  quoteId: string;
  expiresAt: Instant;
  clock?: SubscriptionState['clock'];
}
/** The quote was settled, or expires at another time: told by whoever has changed it. */
export const quoteChangedSignal = defineSignal<[]>('quoteChanged');
/** Argument of the `priceMigration` workflow: whose subscriptions change their price; all else is in Postgres. */
export interface StartPriceMigration {
  accountId: string;
  migrationId: string;
}
/** A price migration is to be carried out, or taken back: what stands in Postgres has changed. Sent together with the start of its workflow. */
export const priceMigrationAskedSignal = defineSignal<[]>('priceMigrationAsked');

// Commands to an invoice: short workflow `invoice:<invoice id>`, started with the update that commands it.
/** `at`: the frozen time of the customer's test clock, `testClock`; absent: now. */
type ToInvoice = Command & { at?: Instant; testClock?: string };
export type InvoiceCommand =
  /** `autoAdvance`: whether it is collected by itself from now on; absent: as the draft says. */
  | (ToInvoice & { do: 'finalize'; autoAdvance?: boolean })
  /** What is to be done is in Postgres under the id: it may hold personal data. */
  | (ToInvoice & { do: 'edit'; editId: string })
  | (ToInvoice & { do: 'set_auto_advance'; autoAdvance: boolean })
  | (ToInvoice & { do: 'pay'; paymentMethodId: string | null })
  | (ToInvoice & { do: 'pay_out_of_band' })
  /** `finalize`: it is still a draft. */
  | (ToInvoice & { do: 'send'; finalize: boolean })
  | (ToInvoice & { do: 'void' })
  | (ToInvoice & { do: 'mark_uncollectible' });
export const invoiceCommandUpdate = defineUpdate<{ invoice: InvoiceFacts; payment: PaymentResult | null }, [InvoiceCommand]>('command');

/** For operators and debugging; pages and lists read Postgres. */
export const stateQuery = defineQuery<SubscriptionState>('state');

export const WORKFLOW_TYPES = {
  subscription: 'subscription',
  dunning: 'dunning',
  invoice: 'invoice',
  testClock: 'testClock',
  quote: 'quote',
  priceMigration: 'priceMigration',
} as const;
export const dunningWorkflowId = (invoiceId: string): string => `dunning:${invoiceId}`;
export const quoteWorkflowId = (quoteId: string): string => `quote:${quoteId}`;
export const invoiceWorkflowId = (invoiceId: string): string => `invoice:${invoiceId}`;
/** One workflow per advance: a clock may be advanced again as soon as it is ready, when the workflow that made it ready has still to close. */
export const testClockWorkflowId = (clockId: string, to: Instant): string => `test-clock:${clockId}:${to}`;
export const priceMigrationWorkflowId = (migrationId: string): string => `price-migration:${migrationId}`;
/** Under which a price migration asks a subscription for the change; taking it back is the same with `:undo`. */
export const migrationOperationId = (migrationId: string, subscriptionId: string): string =>
  `price-migration:${migrationId}:${subscriptionId}`;
/** One queue for workflows and activities; worker and API take it from config `TEMPORAL_TASK_QUEUE`. */
export const DEFAULT_TASK_QUEUE = 'billing';
