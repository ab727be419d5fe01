import { Refusal, type RefusalCode } from '../errors.ts';
import { SUBSCRIPTION_STATUSES, type SubscriptionStatus } from './subscription.ts';

/** What can happen to a subscription's status. Everything else (plan changes, periods, schedules) leaves the status alone. */
export const SUBSCRIPTION_EVENTS = [
  'first_invoice_paid',
  'first_invoice_expired',
  /** An attempt on a renewal or update invoice was declined, or there was no payment method to try. */
  'payment_failed',
  /** No open invoice with a failed attempt is left. */
  'invoices_settled',
  'dunning_gave_up_cancel',
  'dunning_gave_up_unpaid',
  'dunning_gave_up_past_due',
  'canceled',
  'period_end_cancel',
] as const;
export type SubscriptionEvent = (typeof SUBSCRIPTION_EVENTS)[number];

/** The whole life of a subscription: status, event, next status; statuses mean what they mean at Stripe. What is not here cannot happen. */
export const TRANSITIONS: Readonly<Record<SubscriptionStatus, Partial<Record<SubscriptionEvent, SubscriptionStatus>>>> = {
  incomplete: {
    first_invoice_paid: 'active',
    first_invoice_expired: 'incomplete_expired',
    payment_failed: 'incomplete',
    canceled: 'canceled',
  },
  active: {
    payment_failed: 'past_due',
    invoices_settled: 'active',
    dunning_gave_up_cancel: 'canceled',
    dunning_gave_up_unpaid: 'unpaid',
    dunning_gave_up_past_due: 'past_due',
    canceled: 'canceled',
    period_end_cancel: 'canceled',
  },
  past_due: {
    payment_failed: 'past_due',
    invoices_settled: 'active',
    dunning_gave_up_cancel: 'canceled',
    dunning_gave_up_unpaid: 'unpaid',
    dunning_gave_up_past_due: 'past_due',
    canceled: 'canceled',
    period_end_cancel: 'canceled',
  },
  unpaid: {
    payment_failed: 'unpaid',
    invoices_settled: 'active',
    dunning_gave_up_cancel: 'canceled',
    dunning_gave_up_unpaid: 'unpaid',
    dunning_gave_up_past_due: 'unpaid',
    canceled: 'canceled',
    period_end_cancel: 'canceled',
  },
  incomplete_expired: {},
  canceled: {},
};

/** The status after an event. @throws Refusal transition_not_allowed where the table has none. */
export function nextStatus(status: SubscriptionStatus, event: SubscriptionEvent): SubscriptionStatus {
  const next = TRANSITIONS[status][event];
  if (next === undefined) throw new Refusal('transition_not_allowed', `A subscription that is ${status} cannot take ${event}.`);
  return next;
}

/** Commands of a customer or operator. `changeDefaults` is a change of payment method or tax rates only. */
export type SubscriptionCommand = 'changePlan' | 'changeDefaults' | 'cancel' | 'scheduleCancellation';

/**
 * Whether a subscription of this status takes a command: null when it does, else why not. As in Stripe, an incomplete subscription
 * can be canceled and given another payment method and nothing else; one that ended takes nothing.
 */
export function commandAllowed(status: SubscriptionStatus, command: SubscriptionCommand): RefusalCode | null {
  if (hasEnded(status)) return 'subscription_canceled';
  if (status === 'incomplete' && command !== 'cancel' && command !== 'changeDefaults') return 'subscription_incomplete';
  return null;
}

/** canceled and incomplete_expired: nothing leads out of them. Ask before `nextStatus` where a fact may outlive its subscription (dunning does). */
export const hasEnded = (status: SubscriptionStatus): boolean => Object.keys(TRANSITIONS[status]).length === 0;

/** The table as a Mermaid state diagram; events that leave the status as it is are left out. */
export function drawTransitions(): string {
  const arrows = SUBSCRIPTION_STATUSES.flatMap((from) =>
    SUBSCRIPTION_EVENTS.flatMap((event) => {
      const to = TRANSITIONS[from][event];
      return to === undefined || to === from ? [] : [`  ${from} --> ${to}: ${event}`];
    }),
  );
  const ends = SUBSCRIPTION_STATUSES.filter(hasEnded).map((status) => `  ${status} --> [*]`);
  return ['stateDiagram-v2', '  [*] --> incomplete', '  [*] --> active', ...arrows, ...ends, ''].join('\n');
}
