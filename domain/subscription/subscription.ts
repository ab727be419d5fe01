import type { Cycle, Metadata } from '../catalog/price.ts';
import type { Discount } from '../discounts/discount.ts';
import type { CollectionTerms } from '../invoicing/due-date.ts';
import type { Instant } from '../time.ts';
import type { ScheduledChange } from './scheduled-change.ts';

export const SUBSCRIPTION_STATUSES = [
  'incomplete',
  'incomplete_expired',
  'trialing',
  'active',
  'past_due',
  'unpaid',
  'paused',
  'canceled',
] as const;
export type SubscriptionStatus = (typeof SUBSCRIPTION_STATUSES)[number];

export type ProrationBehavior = 'create_prorations' | 'always_invoice' | 'none';
export type ProrationBasis = 'second' | 'day' | 'fixed_30';
export type PaymentBehavior = 'allow_incomplete' | 'default_incomplete' | 'error_if_incomplete' | 'pending_if_incomplete';

/** What is done at the end of a trial when there is nothing to pay with; as Stripe. */
export const MISSING_PAYMENT_METHOD = ['create_invoice', 'pause', 'cancel'] as const;
export type MissingPaymentMethod = (typeof MISSING_PAYMENT_METHOD)[number];

export interface SubscriptionItem {
  id: string;
  priceId: string;
  /** Decimal string; whole numbers for per-seat prices. */
  quantity: string;
  taxRateIds: string[];
  /** Its own, before those of the subscription; absent: none. */
  discounts?: Discount[];
  /** So much of its usage not billed yet is billed at once (see `BillingThresholds`), a whole number; absent or null: none is. */
  usageGte?: number | null;
  metadata: Metadata;
  createdAt: Instant;
}

/** When usage is billed before its period ends; as Stripe's. */
export interface BillingThresholds {
  /** Once what was used and is not billed yet is worth as much, before discounts and taxes; minor units. */
  amountGte: number;
  /** Whether a new period begins then. */
  resetBillingCycleAnchor: boolean;
}

export interface CancellationDetails {
  comment: string | null;
  feedback: string | null;
  reason: 'cancellation_requested' | 'payment_failed' | null;
}

/** A change that waits for its payment (`pending_if_incomplete`, `error_if_incomplete`); dropped at `expiresAt`. */
export interface PendingUpdate {
  operationId: string;
  invoiceId: string;
  expiresAt: Instant;
  /** The items, period and billed coverage as they will be once the invoice is paid. */
  next: {
    items: SubscriptionItem[];
    cycle: Cycle;
    billingCycleAnchor: Instant;
    currentPeriodStart: Instant;
    currentPeriodEnd: Instant;
    /** Where the update ends a trial, which then was over at this instant. */
    trialEnd?: Instant;
    billedShrinks: BilledShrink[];
    billedInserts: BilledPeriod[];
    /** Discounts that its invoice uses up. */
    usedDiscountIds?: string[];
  };
}

/** The day and time on which periods begin, on the calendar of the billing zone; as Stripe's `billing_cycle_anchor_config`. */
export interface AnchorConfig {
  /** 1–31; where a month is shorter, its last day. */
  dayOfMonth: number;
  /** 1–12. */
  month: number | null;
  /** Absent parts of the time are those of the subscription's start. */
  hour: number | null;
  minute: number | null;
  second: number | null;
}

/** A pause that was asked for: scheduled while the status is another, begun once it is `paused`. */
export interface Pause {
  /** When it begins or began. While `atPeriodEnd` it follows the end of the current period, see `pauseStart`. */
  at: Instant;
  atPeriodEnd: boolean;
  /** null: until somebody resumes it. */
  resumesAt: Instant | null;
  /** What becomes of time that is billed and not used: credited when the pause begins, or given back after it. */
  unusedTime: 'credit' | 'extend';
  /** How it resumes by itself. */
  resume: ResumeTerms;
}

/** `null`: the way of its `unusedTime` (a new period now; where time is given back, the period that was interrupted, moved). */
export interface ResumeTerms {
  billingCycleAnchor: 'now' | 'unchanged' | null;
  prorationBehavior: ProrationBehavior;
}

/** Stripe's `pause_collection`: it goes on renewing, and what becomes of the invoices made since. */
export interface PauseCollection {
  behavior: 'keep_as_draft' | 'mark_uncollectible' | 'void';
  resumesAt: Instant | null;
  since: Instant;
}

/** All that is remembered of a subscription. Instants are unix seconds, UTC. */
export interface Subscription extends CollectionTerms {
  id: string;
  /** How many decisions have changed it so far: of two readings of it the one with more is the later. */
  revision: number;
  customerId: string;
  status: SubscriptionStatus;
  currency: string;
  cycle: Cycle;
  /** Period n is anchor + n x cycle, as a local date in `billingTimezone`. */
  billingCycleAnchor: Instant;
  /** What the anchor was found by; null where it is an instant that was given or came about. */
  billingCycleAnchorConfig: AnchorConfig | null;
  billingTimezone: string;
  startDate: Instant;
  currentPeriodStart: Instant;
  currentPeriodEnd: Instant;
  items: SubscriptionItem[];
  /** [trialStart, trialEnd) is free, and the current period while it lasts. Both stay when the trial is over; null where there was none. */
  trialStart: Instant | null;
  trialEnd: Instant | null;
  /** When the customer is to be told that the trial will end; null once that is done, or without a trial. */
  trialReminderAt: Instant | null;
  trialMissingPaymentMethod: MissingPaymentMethod;
  cancelAtPeriodEnd: boolean;
  cancelAt: Instant | null;
  canceledAt: Instant | null;
  endedAt: Instant | null;
  cancellationDetails: CancellationDetails;
  /** Absent or null: none. */
  billingThresholds?: BillingThresholds | null;
  /** When an incomplete subscription becomes incomplete_expired (23 h after creation); null otherwise. */
  incompleteExpiresAt: Instant | null;
  defaultPaymentMethodId: string | null;
  defaultTaxRateIds: string[];
  /** In the order in which they count. While there is one the customer's does not. */
  discounts: Discount[];
  latestInvoiceId: string | null;
  pendingUpdate: PendingUpdate | null;
  pause: Pause | null;
  pauseCollection: PauseCollection | null;
  /** The full cycle of a current period that a pause has moved: no cycle of its anchor. */
  movedCycle: { start: Instant; end: Instant } | null;
  /** Since when it runs again after its last pause or end: nothing before may be charged by a later change. */
  resumedAt: Instant | null;
  /** Coverage as it was when the subscription ended and kept the money: what a reactivation finds paid for. */
  forfeited: BilledPeriod[];
  /** Those still to come, the next one first. */
  scheduledChanges: ScheduledChange[];
  /** The schedule that drives it now. */
  scheduleId: string | null;
  description: string | null;
  externalId: string | null;
  metadata: Metadata;
  createdAt: Instant;
}

/**
 * What has been billed for one item over one stretch of time: the record that proves nothing is billed twice.
 * `[start, end)` is what is still covered; it shrinks from the end when unused time is credited. `originalStart` and
 * `originalEnd` are the line's period and the denominator of every fraction of it.
 */
export interface BilledPeriod {
  id: string;
  subscriptionItemId: string;
  priceId: string;
  quantity: string;
  start: Instant;
  end: Instant;
  originalStart: Instant;
  originalEnd: Instant;
  /** The full cycle of which the line billed a part: [start, end) of the subscription's period at the time. */
  cycleStart: Instant;
  cycleEnd: Instant;
  /** Billed net of discount, before exclusive tax, including inclusive tax; minor units. */
  amount: number;
  /** Sum of what has been credited of `amount` so far, as a positive number. */
  credited: number;
  taxRateIds: string[];
  /** Of a bundle: which component of the price it is, from 0. Null: it is the whole price. */
  component: number | null;
  /** The line that billed it: an invoice line when invoiced, else the pending invoice item. */
  invoiceId: string | null;
  invoiceLineId: string | null;
  invoiceItemId: string | null;
}

export interface BilledShrink {
  id: string;
  /** New end of coverage; equal to `start` when nothing is left (the row then covers no time). */
  end: Instant;
  credited: number;
}
