import { drawStates } from '../draw-states.ts';
import { Refusal, type RefusalCode } from '../errors.ts';
import type { SubscriptionStatus } from './subscription.ts';

/** What can happen to a subscription's status. Everything else (plan changes, periods, schedules) leaves the status alone. */
export const SUBSCRIPTION_EVENTS = [
  'first_invoice_paid',
  'first_invoice_expired',
  /** Its first invoice was sent, and the customer has time to pay it. */
  'first_invoice_sent',
  /** An attempt on a renewal or update invoice was declined, or there was no payment method to try. */
  'payment_failed',
  /** An invoice that was sent is not paid, and its due date has come. */
  'invoice_overdue',
  /** No open invoice with a failed attempt is left. */
  'invoices_settled',
  'dunning_gave_up_cancel',
  'dunning_gave_up_unpaid',
  'dunning_gave_up_past_due',
  'canceled',
  'period_end_cancel',
  /** A trial was given, its first invoice was paid, or an unpaid one owes nothing any more. */
  'trial_started',
  /** The trial is over and its first paid period billed. */
  'trial_ended',
  /** The trial is over, there is nothing to pay with, and `missing_payment_method` says what then. */
  'trial_ended_pause',
  'trial_ended_cancel',
  /** Somebody paused it: nothing is billed until it is resumed. */
  'paused',
  'resumed',
  /** Resumed with trial left. */
  'resumed_trialing',
  /** Somebody took a cancellation back after it had taken effect. */
  'reactivated',
] as const;
export type SubscriptionEvent = (typeof SUBSCRIPTION_EVENTS)[number];

/** The whole life of a subscription: status, event, next status; statuses mean what they mean at Stripe. What is not here cannot happen. */
export const TRANSITIONS: Readonly<Record<SubscriptionStatus, Partial<Record<SubscriptionEvent, SubscriptionStatus>>>> = {
  incomplete: {
    first_invoice_paid: 'active',
    first_invoice_sent: 'active',
    trial_started: 'trialing',
    first_invoice_expired: 'incomplete_expired',
    payment_failed: 'incomplete',
    canceled: 'canceled',
  },
  trialing: {
    payment_failed: 'trialing',
    invoice_overdue: 'trialing',
    invoices_settled: 'trialing',
    dunning_gave_up_cancel: 'canceled',
    dunning_gave_up_unpaid: 'unpaid',
    dunning_gave_up_past_due: 'trialing',
    trial_started: 'trialing',
    trial_ended: 'active',
    trial_ended_pause: 'paused',
    trial_ended_cancel: 'canceled',
    paused: 'paused',
    canceled: 'canceled',
    period_end_cancel: 'canceled',
  },
  active: {
    trial_started: 'trialing',
    paused: 'paused',
    payment_failed: 'past_due',
    invoice_overdue: 'past_due',
    invoices_settled: 'active',
    dunning_gave_up_cancel: 'canceled',
    dunning_gave_up_unpaid: 'unpaid',
    dunning_gave_up_past_due: 'past_due',
    canceled: 'canceled',
    period_end_cancel: 'canceled',
  },
  past_due: {
    trial_started: 'trialing',
    paused: 'paused',
    payment_failed: 'past_due',
    invoice_overdue: 'past_due',
    invoices_settled: 'active',
    dunning_gave_up_cancel: 'canceled',
    dunning_gave_up_unpaid: 'unpaid',
    dunning_gave_up_past_due: 'past_due',
    canceled: 'canceled',
    period_end_cancel: 'canceled',
  },
  unpaid: {
    trial_started: 'trialing',
    paused: 'paused',
    payment_failed: 'unpaid',
    invoice_overdue: 'unpaid',
    invoices_settled: 'active',
    dunning_gave_up_cancel: 'canceled',
    dunning_gave_up_unpaid: 'unpaid',
    dunning_gave_up_past_due: 'unpaid',
    canceled: 'canceled',
    period_end_cancel: 'canceled',
  },
  paused: {
    payment_failed: 'paused',
    invoice_overdue: 'paused',
    invoices_settled: 'paused',
    dunning_gave_up_cancel: 'canceled',
    dunning_gave_up_unpaid: 'paused',
    dunning_gave_up_past_due: 'paused',
    trial_started: 'trialing',
    resumed: 'active',
    resumed_trialing: 'trialing',
    canceled: 'canceled',
    period_end_cancel: 'canceled',
  },
  incomplete_expired: {},
  canceled: { reactivated: 'active' },
};

/** The status after an event. @throws Refusal transition_not_allowed where the table has none. */
export function nextStatus(status: SubscriptionStatus, event: SubscriptionEvent): SubscriptionStatus {
  const next = TRANSITIONS[status][event];
  if (next === undefined) throw new Refusal('transition_not_allowed', `A subscription that is ${status} cannot take ${event}.`);
  return next;
}

/** Commands of a customer or operator. `changeDefaults` is a change of payment method or tax rates only. */
export type SubscriptionCommand =
  | 'changePlan'
  | 'changeDefaults'
  | 'cancel'
  | 'scheduleCancellation'
  | 'cancelScheduledChange'
  | 'editSchedule'
  | 'pause'
  | 'resume'
  | 'reactivate';

/**
 * Whether a subscription of this status takes a command: null when it does, else why not. As in Stripe, an incomplete subscription
 * can be canceled (itself or by its schedule) and given another payment method and nothing else; one that ended takes nothing, but a canceled one can be reactivated.
 */
export function commandAllowed(status: SubscriptionStatus, command: SubscriptionCommand): RefusalCode | null {
  if (command === 'reactivate') return status === 'canceled' ? null : 'transition_not_allowed';
  if (hasEnded(status)) return 'subscription_canceled';
  if (status === 'incomplete' && command !== 'cancel' && command !== 'editSchedule' && command !== 'changeDefaults')
    return 'subscription_incomplete';
  return null;
}

/** The statuses in which nothing is billed any more; only a reactivation leads out of `canceled`. */
export const ENDED_STATUSES = ['canceled', 'incomplete_expired'] as const satisfies readonly SubscriptionStatus[];
/** Ask before `nextStatus` where a fact may outlive its subscription (dunning does). */
export const hasEnded = (status: SubscriptionStatus): boolean => (ENDED_STATUSES as readonly SubscriptionStatus[]).includes(status);

/** Whether it has what it pays for: its periods give credit, and what is used is billed early. */
export const isServed = (status: SubscriptionStatus): boolean => status === 'active' || status === 'past_due';

/** The table as a Mermaid state diagram; events that leave the status as it is are left out. */
export const drawTransitions = (): string =>
  drawStates(TRANSITIONS, { starts: ['incomplete', 'active', 'trialing'], ends: ENDED_STATUSES });
