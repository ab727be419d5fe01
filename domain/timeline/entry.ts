import type { PaymentAttempt } from '../payments/payment.ts';
import type { Instant } from '../time.ts';

/**
 * What an entry of a timeline is: a `command` somebody asked for and got, a `refusal` of one, a `decision` of the engine's own (a renewal, the end of dunning),
 * a `payment` attempt sent or answered, a `notice` (an event that the customer is written to about), or a `state_change` (any other event).
 */
export const ENTRY_TYPES = ['command', 'refusal', 'decision', 'payment', 'notice', 'state_change'] as const;
export type EntryType = (typeof ENTRY_TYPES)[number];

/** Events that a customer is written to about. */
export const NOTICES = [
  'customer.subscription.trial_will_end',
  'invoice.overdue',
  'invoice.payment_action_required',
  'invoice.payment_failed',
  'invoice.sent',
  'invoice.upcoming',
  'invoice.will_be_due',
] as const;

/** Operations that send a payment attempt or learn what became of it. */
export const PAYMENT_VERBS = ['start-payment', 'collect-payment', 'resolve-payment', 'clear-payment'] as const;

/** Who acts by themselves; anybody else has asked for what was done. */
export const ENGINE_ACTORS = ['workflow', 'dunning'] as const;

/** An operation as the timeline needs it. */
export interface OperationFact {
  source: 'operation';
  /** The verb, as its activity is named. */
  name: string;
  actor: string;
  invoiceId: string | null;
  parameters: Record<string, unknown> | null;
  result: Record<string, unknown> | null;
  /** The attempt it is about, as it stands today. */
  attempt: PaymentAttempt | null;
}

export interface RefusalFact {
  source: 'refusal';
  name: string;
  actor: string;
  invoiceId: string | null;
  parameters: Record<string, unknown> | null;
  refusal: { code: string; message: string; param: string | null };
}

export interface EventFact {
  source: 'event';
  /** Stripe's name of the event. */
  name: string;
  objectType: string;
  objectId: string;
  data: Record<string, unknown>;
  /** Fields that changed, as they were, in our own names. */
  previous: Record<string, unknown> | null;
}

/** One thing that happened. `at` is the time of the billing decision, `recordedAt` when it was written. */
export interface Recorded {
  /** Unique in the account, and rising with time of writing. */
  position: number;
  at: Instant;
  recordedAt: Instant;
  operationId: string | null;
  /** Null where it is not known. */
  actor: string | null;
  run: { workflowId: string; runId: string } | null;
}

export type TimelineEntry = Recorded & (OperationFact | RefusalFact | EventFact);

/** Why something happened. */
export interface Reason {
  /** A cancellation reason, a decline code, a refusal code, a billing reason. */
  code: string | null;
  message: string | null;
  /** The request parameter at fault, of a refusal. */
  param?: string | null;
  /** What a leaving customer said. */
  feedback?: string | null;
}

const includes = (list: readonly string[], value: string): boolean => list.includes(value);

export function typeOf(fact: OperationFact | RefusalFact | EventFact): EntryType {
  if (fact.source === 'refusal') return 'refusal';
  if (fact.source === 'event') return includes(NOTICES, fact.name) ? 'notice' : 'state_change';
  if (includes(PAYMENT_VERBS, fact.name)) return 'payment';
  return includes(ENGINE_ACTORS, fact.actor) ? 'decision' : 'command';
}
