import type { SubscriptionFacts } from '../../activities/index.ts';
import type { DatedStep } from '../../domain/subscription/list-dates.ts';
import type { Instant } from '../../domain/time.ts';

/** All that one run hands to the next: plain JSON, about 1 kB, versioned (`migrateState`). */
export interface SubscriptionState {
  v: 1;
  /** How often the workflow was started from the books, and one. An older generation decides nothing any more. */
  generation: number;
  accountId: string;
  subscriptionId: string;
  customerId: string;
  clock: ClockSetting;
  facts: SubscriptionFacts;
  /** Invoices whose dunning is still running. */
  dunning: string[];
  /** Operation ids answered lately, oldest first, at most 20: a repeat is sent to Postgres, which holds its answer. */
  answered: string[];
  /** Steps that could not be finished and are retried by the loop, at most one per invoice; empty normally. */
  parked: ParkedStep[];
  /** Invoices that finalise themselves when their grace period is over. */
  drafts: OpenDraft[];
  /** When it was told of usage and has looked at it, and looks next; absent: it never was. */
  usage?: { told: Instant; looked: Instant | null; lookAt: Instant | null };
  /** The boundary step that failed last, held back until `retryAt`; null normally. */
  stalled: { step: BoundaryStep; since: Instant; error: string; tries: number; retryAt: Instant } | null;
}

/** What happens at an instant of its own (`listDates`). */
export type BoundaryStep = DatedStep['do'];

export type ClockSetting = { kind: 'real' } | FrozenClock;

/** Stands at `at` until its test clock moves it. What is owed to the test clock outlives the run. */
export interface FrozenClock {
  kind: 'frozen';
  /** `clock_…` */
  id: string;
  at: Instant;
  /** The step that the test clock has asked for and this workflow has not taken yet. */
  asked?: ClockStep;
  /** The step that is under way, and is reported once nothing is left to do until its end. */
  owed?: ClockStep;
  /** Workflows started or told something since the last report. */
  news?: string[];
}

export interface ClockStep {
  /** How far it goes, each of its own wake-ups in turn. A step to the past only asks where the workflow stands. */
  to: Instant;
  /** Workflow id of the test clock. */
  from: string;
  /** Number of the step, given back in the report. */
  step: number;
}

export interface OpenDraft {
  invoiceId: string;
  finalizesAt: Instant;
  /** `calculate_tax`: an external engine has to be asked first. */
  next: 'calculate_tax' | 'finalize';
}

export interface ParkedStep {
  invoiceId: string;
  step: 'calculate_tax' | 'finalize_invoice' | 'collect_payment' | 'resolve_payment' | 'apply_update' | 'drop_update';
  since: Instant;
  /** What went wrong last, for the operator. */
  error: string;
  tries: number;
  /** null while an activity that retries by itself is pending (`calculate_tax`). */
  retryAt: Instant | null;
  manner: CollectionManner;
  /** The attempt that is looked up, part of the operation id of every look-up. */
  attemptNumber: number;
}

/** How an invoice is to be collected, fixed by the command that made it. */
export interface CollectionManner {
  /** false: left open for somebody to pay (`default_incomplete`). */
  collect: boolean;
  /** A declined payment takes its pending update back at once (`error_if_incomplete`). */
  dropIfDeclined: boolean;
}
