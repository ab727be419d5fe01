import type { DiscountWish } from '../discounts/discount.ts';
import type { CollectionMethod } from '../invoicing/due-date.ts';
import type { Instant } from '../time.ts';
import type { PreviewPins } from './keep-preview.ts';
import type {
  AnchorConfig,
  BillingThresholds,
  CancellationDetails,
  MissingPaymentMethod,
  Pause,
  PauseCollection,
  PaymentBehavior,
  ProrationBehavior,
  ResumeTerms,
} from './subscription.ts';

/** A command that may be applied as it was previewed, or not at all. */
interface Previewed {
  preview?: PreviewPins;
}

export interface NewItem {
  /** Made by the API so that the answer can name it; `si_…`. */
  id: string;
  priceId: string;
  quantity: string;
  taxRateIds: string[];
  discounts?: DiscountWish[];
  /** Absent: none. */
  usageGte?: number | null;
}

/** A trial of whole days of the billing zone, or until an instant; `now`: none. */
export type NewTrial = { days: number } | { end: Instant | 'now' };

/** Something sold once, on the first invoice. */
export interface OneTimeItem {
  priceId: string;
  quantity: string;
  taxRateIds: string[];
}

/** Create a subscription and bill its first period. Ids only: no personal data may enter a workflow's history. */
export interface CreateSubscription extends Previewed {
  subscriptionId: string;
  customerId: string;
  currency: string | null;
  items: NewItem[];
  paymentBehavior: Exclude<PaymentBehavior, 'pending_if_incomplete'>;
  billingTimezone: string | null;
  /** Absent: charged automatically. */
  collectionMethod?: CollectionMethod;
  daysUntilDue?: number;
  defaultPaymentMethodId: string | null;
  defaultTaxRateIds: string[];
  cancelAtPeriodEnd: boolean;
  cancelAt: Instant | ItemPeriodEnd | null;
  /** When the first full period begins; what comes before it is a stub. Absent: at once. */
  billingCycleAnchor?: Instant;
  /** The same by day and time; not together with `billingCycleAnchor`. */
  billingCycleAnchorConfig?: AnchorConfig;
  /** A start in the past; the time since then is billed too. */
  backdateStartDate?: Instant;
  /** Periods are counted from the start in the past. */
  anchorAtStart?: boolean;
  /** `none`: neither the past nor a stub is billed. Absent: both are. */
  prorationBehavior?: ProrationBehavior;
  trial?: NewTrial;
  /** What becomes of it where the customer had a trial of one of the products before: refused, or left out. Absent: they have another. */
  trialReuse?: 'refuse' | 'drop';
  trialMissingPaymentMethod?: MissingPaymentMethod;
  addInvoiceItems?: OneTimeItem[];
  billingThresholds?: BillingThresholds | null;
  discounts?: DiscountWish[];
  /** The quote that is accepted by it, in the same transaction. */
  quoteId?: string;
}

export type ItemChange =
  | { do: 'add'; item: NewItem }
  | {
      do: 'update';
      itemId: string;
      priceId?: string;
      quantity?: string;
      taxRateIds?: string[];
      discounts?: DiscountWish[];
      /** null: none. */
      usageGte?: number | null;
    }
  | { do: 'remove'; itemId: string };

/** When the current period of an item ends first or last; as Stripe, an instant from then on. */
export type ItemPeriodEnd = 'min_period_end' | 'max_period_end';

export interface ScheduleCancellation extends Previewed {
  /** `never` undoes. */
  at: 'period_end' | ItemPeriodEnd | 'never' | Instant;
  details?: Partial<CancellationDetails>;
  /** `none`: an end inside the current period gives nothing back. Absent: it gives back what is billed beyond it, as at Stripe. */
  prorationBehavior?: ProrationBehavior;
}

/**
 * What a change of items does to a trial that is running: its end stays (as Stripe), it is as many days long as the new plan's trial, counted from its start (over where
 * they have passed), or it is over and the new plan is billed at once.
 */
export type TrialChange = { policy: 'keep_end' | 'end_now' } | { policy: 'new_length_from_start'; days: number };

/** POST /v1/subscriptions/:id, /v1/subscription_items: everything that may change in one command. Absent means unchanged. */
export interface ChangePlan extends Previewed {
  items?: ItemChange[];
  /** When the change takes effect; absent: now. */
  effectiveAt?: 'period_end' | Instant;
  prorationBehavior: ProrationBehavior;
  /** The instant from which the change is priced; default `asOf`. Must lie in the current period. */
  prorationDate?: Instant;
  paymentBehavior: PaymentBehavior;
  /** `now` starts a new period at the change. A change of cycle implies it. A date ends the current period there, where the next one begins. */
  billingCycleAnchor?: 'now' | 'unchanged' | Instant;
  /** Moves the end of a trial, ends it (`now`), or puts the subscription on trial. */
  trialEnd?: Instant | 'now';
  trialChange?: TrialChange;
  trialMissingPaymentMethod?: MissingPaymentMethod;
  cancellation?: ScheduleCancellation;
  /** null: collect again. */
  pauseCollection?: Omit<PauseCollection, 'since'> | null;
  /** Of invoices from now on. */
  collectionMethod?: CollectionMethod;
  daysUntilDue?: number;
  defaultPaymentMethodId?: string | null;
  defaultTaxRateIds?: string[];
  /** null: none. */
  billingThresholds?: BillingThresholds | null;
  /** All that are to stand on the subscription from then on, in their order; empty: none. Nothing is billed by it. */
  discounts?: DiscountWish[];
  /** Sold once, with the invoice that the change makes, else the next one. */
  addInvoiceItems?: OneTimeItem[];
}

/** Whether the current period ends elsewhere, or another one begins now. */
export const movesAnchor = ({ billingCycleAnchor }: ChangePlan): boolean =>
  billingCycleAnchor !== undefined && billingCycleAnchor !== 'unchanged';

/** Whether a command changes only what is charged to whom, with nothing to bill: allowed where a change of plan is not. */
export const isAboutDefaults = (command: ChangePlan): boolean =>
  command.items === undefined &&
  command.cancellation === undefined &&
  command.trialEnd === undefined &&
  command.pauseCollection === undefined &&
  command.collectionMethod === undefined &&
  command.daysUntilDue === undefined &&
  command.addInvoiceItems === undefined &&
  !movesAnchor(command);

export interface CancelSubscription extends Previewed {
  /** Credit the unused part of what was billed. */
  prorate: boolean;
  /** Make a final invoice at once out of the credit and all pending items. */
  invoiceNow: boolean;
  details?: Partial<CancellationDetails>;
}

/** POST /v1/subscriptions/:id/pause */
export interface PauseSubscription extends Pick<Pause, 'resumesAt' | 'unusedTime' | 'resume'>, Previewed {
  at: 'now' | 'period_end' | Instant;
}

/** POST /v1/subscriptions/:id/resume */
export interface ResumeSubscription extends ResumeTerms, Previewed {
  /** The instant from which the rest of the period is charged where the anchor is unchanged; default `asOf`. */
  prorationDate?: Instant;
}

/** POST /v1/subscriptions/:id/reactivate */
export type ReactivateSubscription = Previewed;
