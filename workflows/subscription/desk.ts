import type { InvoiceFacts, SubscriptionFacts } from '../../activities/index.ts';
import type {
  CancelSubscription,
  ChangePlan,
  PauseSubscription,
  ResumeSubscription,
  ScheduleCancellation,
} from '../../domain/subscription/commands.ts';
import { hasEnded } from '../../domain/subscription/transitions.ts';
import type { Instant } from '../../domain/time.ts';
import type { Clock } from '../clock.ts';
import type { Inbox } from '../inbox.ts';
import type { Command, CommandResult, DunningEnded, EditSchedule, InvoiceSettled, JoinClock, NotStarted } from '../messages.ts';
import type { SubscriptionState } from './state.ts';

export type Order =
  | { name: 'changePlan'; command: Command & ChangePlan }
  | { name: 'cancel'; command: Command & CancelSubscription }
  | { name: 'scheduleCancellation'; command: Command & ScheduleCancellation }
  | { name: 'cancelScheduledChange'; command: Command & { changeId: string } }
  | { name: 'editSchedule'; command: Command & EditSchedule }
  | { name: 'pause'; command: Command & PauseSubscription }
  | { name: 'resume'; command: Command & ResumeSubscription }
  | { name: 'reactivate'; command: Command };

export type Answer = CommandResult | NotStarted;

export type Fact =
  | ({ name: 'invoiceSettled' } & InvoiceSettled)
  | ({ name: 'dunningEnded' } & DunningEnded)
  | { name: 'draftChanged'; invoice: InvoiceFacts }
  | { name: 'invoiceOverdue'; subscription: SubscriptionFacts | null }
  | { name: 'paymentMethodChanged'; paymentMethodId: string }
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
  /** True while the loop does again what it has answered before: the answer is of its time and must not replace what is known now. */
  repeating: boolean;
  /** A newer generation decides now: this run ends. */
  superseded: boolean;
}

/** The one instant of a command's decisions: now, and never before the period it changes. */
export const asOfNow = (desk: Desk): Instant => Math.max(desk.clock.now(), desk.state.facts.periodStart);

/** Takes over what an activity has just recorded. */
export function adopt(desk: Desk, facts: SubscriptionFacts | null): void {
  if (facts === null || desk.repeating || isStale(desk, facts)) return;
  desk.state.facts = facts;
}

/**
 * Takes over what another workflow recorded some time ago. Settling an invoice moves the status and nothing else, and what the loop
 * itself has recorded since is newer, so only that is taken.
 */
export function learn(desk: Desk, facts: SubscriptionFacts | null): void {
  if (facts === null || isStale(desk, facts)) return;
  desk.state.facts = { ...desk.state.facts, status: facts.status, incompleteExpiresAt: facts.incompleteExpiresAt };
}

function isStale({ state }: Desk, facts: SubscriptionFacts): boolean {
  return facts.periodStart < state.facts.periodStart || (hasEnded(state.facts.status) && !hasEnded(facts.status));
}
