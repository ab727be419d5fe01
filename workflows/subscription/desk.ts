import type { InvoiceFacts, SubscriptionFacts } from '../../activities/index.ts';
import type {
  CancelSubscription,
  ChangePlan,
  PauseSubscription,
  ReactivateSubscription,
  ResumeSubscription,
  ScheduleCancellation,
} from '../../domain/subscription/commands.ts';
import type { Instant } from '../../domain/time.ts';
import type { Clock } from '../clock.ts';
import type { Inbox } from '../inbox.ts';
import type {
  Command,
  CommandResult,
  DunningEnded,
  EditSchedule,
  InvoiceSettled,
  JoinClock,
  NotStarted,
  PaymentMethodChanged,
  SharedInvoiceNews,
} from '../messages.ts';
import type { SubscriptionState } from './state.ts';

export type Order =
  | { name: 'changePlan'; command: Command & ChangePlan }
  | { name: 'cancel'; command: Command & CancelSubscription }
  | { name: 'scheduleCancellation'; command: Command & ScheduleCancellation }
  | { name: 'cancelScheduledChange'; command: Command & { changeId: string } }
  | { name: 'editSchedule'; command: Command & EditSchedule }
  | { name: 'pause'; command: Command & PauseSubscription }
  | { name: 'resume'; command: Command & ResumeSubscription }
  | { name: 'reactivate'; command: Command & ReactivateSubscription };

export type Answer = CommandResult | NotStarted;

export type Fact =
  | ({ name: 'invoiceSettled' } & InvoiceSettled)
  | ({ name: 'dunningEnded' } & DunningEnded)
  | ({ name: 'sharedInvoice' } & SharedInvoiceNews)
  | { name: 'draftChanged'; invoice: InvoiceFacts }
  | { name: 'invoiceOverdue'; subscription: SubscriptionFacts | null }
  | { name: 'usageReported' }
  | ({ name: 'paymentMethodChanged' } & PaymentMethodChanged)
  | ({ name: 'joinClock' } & JoinClock);

/** A tax calculation under way, which the loop does not wait for. */
export interface Errand {
  invoiceId: string;
  end: { taxed: InvoiceFacts } | { failure: unknown } | null;
}

/** What lies before the loop: what it remembers, and what has come in. */
export interface Desk {
  state: SubscriptionState;
  clock: Clock;
  inbox: Inbox<Order, Answer>;
  facts: Fact[];
  errands: Map<string, Errand>;
  /** The last command that could not be obeyed, for the operator. */
  lastRefusal: string | null;
  /** True while the loop does again what it has answered before: what followed from it has followed. */
  repeating: boolean;
  /** A newer generation decides now: this run ends. */
  superseded: boolean;
}

/** The one instant of a command's decisions: now, and never before the period it changes. */
export const asOfNow = (desk: Desk): Instant => Math.max(desk.clock.now(), desk.state.facts.periodStart);

/** Takes over what was recorded, by whomever: just now, some time ago, or when what is asked again was asked first. What has been recorded since is kept. */
export function adopt({ state }: Desk, facts: SubscriptionFacts | null): void {
  if (facts !== null && !(facts.revision < state.facts.revision)) state.facts = facts;
}
