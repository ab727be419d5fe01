import { Refusal, type RefusalCode } from '../errors.ts';
import type { SubscriptionStatus } from './subscription.ts';

/** What can happen to a subscription that may change its status. */
export const SUBSCRIPTION_EVENTS = [
  'first_invoice_paid',
  'first_invoice_expired',
  'payment_failed',
  'invoices_settled',
  'dunning_gave_up_cancel',
  'dunning_gave_up_unpaid',
  'dunning_gave_up_past_due',
  'canceled',
  'period_end_cancel',
] as const;
export type SubscriptionEvent = (typeof SUBSCRIPTION_EVENTS)[number];

/**
 * The whole life of a subscription on one screen: status -> event -> next status. What is not here cannot happen. Read by the decisions, by the
 * workflow's validators and by the documentation. Statuses and their meaning are Stripe's.
 */
export const TRANSITIONS: Readonly<Record<SubscriptionStatus, Readonly<Partial<Record<SubscriptionEvent, SubscriptionStatus>>>>> = {
  incomplete: {
    first_invoice_paid: 'active',
    first_invoice_expired: 'incomplete_expired',
    payment_failed: 'incomplete',
    invoices_settled: 'active',
    canceled: 'canceled',
  },
  active: {
    first_invoice_paid: 'active',
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

/** @throws Refusal transition_not_allowed where the table has no such step */
export function nextStatus(status: SubscriptionStatus, event: SubscriptionEvent): SubscriptionStatus {
  const next = TRANSITIONS[status][event];
  if (next === undefined) throw new Refusal('transition_not_allowed', `A subscription that is ${status} cannot take ${event}.`);
  return next;
}

/** canceled and incomplete_expired are final. */
export const isFinal = (status: SubscriptionStatus): boolean => Object.keys(TRANSITIONS[status]).length === 0;

export const SUBSCRIPTION_COMMANDS = ['changePlan', 'cancel', 'scheduleCancellation'] as const;
export type SubscriptionCommand = (typeof SUBSCRIPTION_COMMANDS)[number];

/** Why a command cannot be taken in a status; null where it can. An incomplete subscription only waits for its payment or is canceled, as at Stripe. */
export function commandAllowed(status: SubscriptionStatus, command: SubscriptionCommand): RefusalCode | null {
  if (isFinal(status)) return 'subscription_canceled';
  if (status === 'incomplete' && command === 'changePlan') return 'subscription_incomplete';
  return null;
}

/** The table as a Mermaid state diagram, for the documentation. */
export function drawTransitions(): string {
  const arrows = Object.entries(TRANSITIONS).flatMap(([from, steps]) =>
    Object.entries(steps).flatMap(([event, to]) => (from === to ? [] : [`  ${from} --> ${to}: ${event}`])),
  );
  const ends = Object.keys(TRANSITIONS).flatMap((status) => (isFinal(status as SubscriptionStatus) ? [`  ${status} --> [*]`] : []));
  return ['stateDiagram-v2', '  [*] --> incomplete', '  [*] --> active', ...arrows, ...ends].join('\n');
}
