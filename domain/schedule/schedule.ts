import type { Cycle, Metadata } from '../catalog/price.ts';
import type { DiscountWish } from '../discounts/discount.ts';
import { type CollectionMethod, type CollectionTerms, collectionTerms } from '../invoicing/due-date.ts';
import type { ItemChange, OneTimeItem } from '../subscription/commands.ts';
import type { ScheduledChange } from '../subscription/scheduled-change.ts';
import type { BillingThresholds, ProrationBehavior, SubscriptionItem } from '../subscription/subscription.ts';
import type { Instant } from '../time.ts';
import type { ScheduleStatus } from './transitions.ts';

export interface PhaseItem {
  priceId: string;
  /** Decimal string; whole numbers for per-seat prices. */
  quantity: string;
  taxRateIds: string[];
  /** Redeemed onto the item when the phase begins; absent: those that an earlier phase brought end, others stay. */
  discounts?: DiscountWish[];
  /** As much of its usage that is not billed yet is billed at once; absent: one that an earlier phase brought ends, others stay. */
  usageGte?: number | null;
}

/** When a phase's start begins a new period: with every phase, or only where its prices make it necessary (as Stripe). */
export type PhaseAnchor = 'automatic' | 'phase_start';

/** What of a phase says more than its items: all of it counts from its start on. */
interface PhaseExtras {
  /** Redeemed onto the subscription when the phase begins; absent: those that an earlier phase brought end, others stay. */
  discounts?: DiscountWish[];
  /** When usage is billed before its period ends; absent: what an earlier phase brought ends, others stay. */
  billingThresholds?: BillingThresholds;
  /** Sold once, with the first invoice of the phase. */
  addInvoiceItems?: OneTimeItem[];
  /** How its invoices are to be paid; absent: as the schedule's own setting. */
  collectionMethod?: CollectionMethod;
  daysUntilDue?: number;
}

/** What the subscription is from `start` until `end`. */
export interface SchedulePhase extends PhaseExtras {
  start: Instant;
  end: Instant;
  items: PhaseItem[];
  /** How the change to this phase is billed where it falls into a period. */
  prorationBehavior: ProrationBehavior;
  /** null: as the schedule's own setting. */
  billingCycleAnchor: PhaseAnchor | null;
  /** The phase is free until then. */
  trialEnd: Instant | null;
  /** null: as the schedule's own setting. */
  defaultPaymentMethodId: string | null;
  /** null: those of the customer or the account. */
  defaultTaxRateIds: string[] | null;
  /** Written to the subscription when the phase begins; a key with an empty value is taken away. */
  metadata: Metadata;
}

export interface ScheduleSettings {
  billingCycleAnchor: PhaseAnchor;
  defaultPaymentMethodId: string | null;
  /** Absent: charged automatically. */
  collectionMethod?: CollectionMethod;
  daysUntilDue?: number;
}

/** A plan for a subscription, phase by phase: one after another without gaps. */
export interface SubscriptionSchedule {
  id: string;
  customerId: string;
  /** The subscription it drives; before its start, the one it will create. */
  subscriptionId: string;
  status: ScheduleStatus;
  currency: string;
  phases: SchedulePhase[];
  /** The phase that was entered last; null before the start. */
  currentPhase: number | null;
  /** When the subscription is to be created, or was. */
  startsAt: Instant;
  /** What becomes of the subscription when the last phase is over: it goes on alone, or ends. */
  endBehavior: 'release' | 'cancel';
  settings: ScheduleSettings;
  metadata: Metadata;
  /** Why its subscription could not be created when the time came. */
  failure: ScheduledChange['failure'];
  createdAt: Instant;
  completedAt: Instant | null;
  releasedAt: Instant | null;
  canceledAt: Instant | null;
}

/** A phase as it is asked for; one that says neither how long it lasts nor when it ends lasts one period of its prices. */
export interface PhaseTerms extends PhaseExtras {
  /** Only of the first; the others begin where the one before ends. */
  start?: Instant | 'now';
  end?: Instant | 'now';
  duration?: Cycle;
  items: PhaseItem[];
  currency?: string;
  prorationBehavior?: ProrationBehavior;
  billingCycleAnchor?: PhaseAnchor;
  /** The whole phase is a trial. */
  trial?: boolean;
  trialEnd?: Instant | 'now';
  defaultPaymentMethodId?: string;
  defaultTaxRateIds?: string[];
  metadata?: Metadata;
}

export interface ScheduleCreation {
  do: 'create';
  scheduleId: string;
  subscriptionId: string;
  customerId: string;
  start: Instant | 'now';
  phases: PhaseTerms[];
  endBehavior: SubscriptionSchedule['endBehavior'];
  settings: ScheduleSettings;
  metadata: Metadata;
  /** The quote that is accepted by it, in the same transaction. */
  quoteId?: string;
}

/** What somebody asks of a schedule. It is kept in Postgres; workflows are told its id. */
export type ScheduleEdit =
  | ScheduleCreation
  /** Takes over a subscription that runs: its current period is the first phase. */
  | { do: 'adopt'; scheduleId: string; subscriptionId: string; metadata: Metadata }
  | {
      do: 'change';
      phases?: PhaseTerms[];
      endBehavior?: SubscriptionSchedule['endBehavior'];
      settings?: Partial<ScheduleSettings>;
      /** How a change of the current phase is billed. */
      prorationBehavior: ProrationBehavior;
    }
  | { do: 'cancel'; prorate: boolean; invoiceNow: boolean }
  | { do: 'release'; preserveCancelDate: boolean };

/** When the last phase is over. */
export const scheduleEnd = ({ phases }: Pick<SubscriptionSchedule, 'phases'>): Instant => phases.at(-1)?.end ?? 0;

/**
 * How the invoices of a phase are to be paid: as it says, else as the schedule does, else charged automatically.
 * @throws Refusal about `days_until_due`, as `collectionTerms`
 */
export function collectionOf(phase: PhaseExtras, settings: Partial<ScheduleSettings>): CollectionTerms {
  const collectionMethod = phase.collectionMethod ?? settings.collectionMethod ?? 'charge_automatically';
  const inherited = collectionMethod === 'send_invoice' ? settings.daysUntilDue : undefined;
  const daysUntilDue = phase.daysUntilDue ?? inherited;
  const none: CollectionTerms = { collectionMethod: 'charge_automatically', daysUntilDue: null };
  return collectionTerms(none, { collectionMethod, ...(daysUntilDue === undefined ? {} : { daysUntilDue }) });
}

/**
 * What makes the items of a subscription those of a phase, whatever was done to them meanwhile: an item keeps its price where the phase has it, then items and prices that are left are
 * paired in their order, so that a step of a ramp stays on its item. `ends`: whether items lose discounts, and thresholds, that the phase does not name.
 */
export function itemsOfPhase(
  present: readonly SubscriptionItem[],
  wanted: readonly PhaseItem[],
  newItemId: () => string,
  ends: { discounts: boolean; thresholds: boolean } = { discounts: false, thresholds: false },
): ItemChange[] {
  const same = new Map(wanted.flatMap((wish) => present.flatMap((item) => (item.priceId === wish.priceId ? [[wish, item] as const] : []))));
  const taken = new Set([...same.values()].map(({ id }) => id));
  const free = present.filter(({ id }) => !taken.has(id));
  const changes = wanted.flatMap((wish): ItemChange[] => {
    const item = same.get(wish) ?? free.shift();
    if (item === undefined) return [{ do: 'add', item: { id: newItemId(), ...wish } }];
    const usageGte = wish.usageGte ?? (ends.thresholds ? null : (item.usageGte ?? null));
    const patch = {
      ...(item.priceId === wish.priceId ? {} : { priceId: wish.priceId }),
      ...(item.quantity === wish.quantity ? {} : { quantity: wish.quantity }),
      ...(JSON.stringify(item.taxRateIds) === JSON.stringify(wish.taxRateIds) ? {} : { taxRateIds: wish.taxRateIds }),
      ...(wish.discounts !== undefined ? { discounts: wish.discounts } : ends.discounts && item.discounts?.length ? { discounts: [] } : {}),
      ...(usageGte === (item.usageGte ?? null) ? {} : { usageGte }),
    };
    return Object.keys(patch).length === 0 ? [] : [{ do: 'update', itemId: item.id, ...patch }];
  });
  return [...changes, ...free.map(({ id }): ItemChange => ({ do: 'remove', itemId: id }))];
}
