import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import type { RefusalCode } from '../errors.ts';
import type { PhaseItem } from '../schedule/schedule.ts';
import type { Instant } from '../time.ts';
import type { ChangePlan } from './commands.ts';
import type { Subscription } from './subscription.ts';

export const SCHEDULED_CHANGE_STATUSES = ['scheduled', 'applied', 'replaced', 'canceled', 'failed'] as const;

/** The beginning of a phase of a schedule, or (`index` null) the end of its last one, or (`expiring`) that this end comes near, which changes nothing. What is to change is found when it is due: the items become those of the phase, whatever they are by then. */
export interface PhaseMark {
  scheduleId: string;
  index: number | null;
  expiring?: true;
  items: PhaseItem[];
}

/** A change that is for later. It is remembered for ever; those that are still to come stand on their subscription, too. */
export interface ScheduledChange {
  id: string;
  subscriptionId: string;
  status: (typeof SCHEDULED_CHANGE_STATUSES)[number];
  effectiveAt: Instant;
  /** It goes with the end of the current period, wherever that moves. */
  atPeriodEnd: boolean;
  change: Omit<
    ChangePlan,
    | 'effectiveAt'
    | 'preview'
    | 'cancellation'
    | 'prorationDate'
    | 'trialEnd'
    | 'trialChange'
    | 'trialMissingPaymentMethod'
    | 'pauseCollection'
    | 'collectionMethod'
    | 'daysUntilDue'
    | 'billingThresholds'
  > & { phase?: PhaseMark };
  /** The scheduled change that took its place; null where one that was not scheduled did. */
  replacedBy: string | null;
  cancellationReason: 'requested' | 'subscription_ended' | null;
  /** Why it had become impossible when its time came. */
  failure: { code: RefusalCode; message: string; param: string | null } | null;
  createdAt: Instant;
  /** When it was applied, replaced, canceled, or failed. */
  closedAt: Instant | null;
}

/** The change to be carried out next, where it comes before, or with, the next boundary; null where the subscription ends first, and while it is paused. */
export function nextScheduled({ scheduledChanges, currentPeriodEnd, cancelAt, status }: Subscription): ScheduledChange | null {
  const [next] = scheduledChanges;
  if (!next || status === 'paused' || next.effectiveAt > currentPeriodEnd || (cancelAt !== null && next.effectiveAt >= cancelAt))
    return null;
  return next;
}

/** What a change has to do with: parts of items, prices that come to an item, the anchor, settings. */
function touchedBy({
  items = [],
  ...command
}: Pick<ChangePlan, 'items' | 'billingCycleAnchor' | 'defaultPaymentMethodId' | 'defaultTaxRateIds' | 'discounts'>): string[] {
  const parts = items.flatMap((change): string[] => {
    if (change.do === 'add') return [`price:${change.item.priceId}`];
    const of = (part: string): string => `${change.itemId}:${part}`;
    if (change.do === 'remove') return [of('price'), of('quantity'), of('taxes'), of('discounts')];
    return [
      ...(change.priceId === undefined ? [] : [of('price'), `price:${change.priceId}`]),
      ...(change.quantity === undefined ? [] : [of('quantity')]),
      ...(change.taxRateIds === undefined ? [] : [of('taxes')]),
      ...(change.discounts === undefined ? [] : [of('discounts')]),
    ];
  });
  if (command.billingCycleAnchor !== undefined && command.billingCycleAnchor !== 'unchanged') parts.push('anchor');
  if (command.defaultPaymentMethodId !== undefined) parts.push('payment method');
  if (command.defaultTaxRateIds !== undefined) parts.push('tax rates');
  if (command.discounts !== undefined) parts.push('discounts');
  return parts;
}

/**
 * What a change that takes effect at `from` replaces: whatever is scheduled for that instant or later and has to do with the same price, quantity, item or setting. What comes
 * before it stays, so that steps can be scheduled one after another.
 */
export function replacedBy(
  { scheduledChanges }: Subscription,
  command: Parameters<typeof touchedBy>[0],
  from: Instant,
  by: string | null,
  at: Instant,
): ScheduledChange[] {
  const touched = new Set(touchedBy(command));
  return scheduledChanges
    .filter(({ effectiveAt, change }) => effectiveAt >= from && touchedBy(change).some((part) => touched.has(part)))
    .map((scheduled) => ({ ...scheduled, status: 'replaced', replacedBy: by, closedAt: at }));
}

/** The decision, and with it these new versions of scheduled changes: on the subscription, in the records, and as events. */
export function withScheduled(snapshot: BillingSnapshot, decision: Decision, versions: readonly ScheduledChange[]): Decision {
  const before = snapshot.subscription;
  const after = decision.subscription ?? before;
  if (versions.length === 0 || !before || !after) return decision;
  const ids = new Set(versions.map(({ id }) => id));
  const scheduledChanges = [
    ...after.scheduledChanges.filter(({ id }) => !ids.has(id)),
    ...versions.filter(({ status }) => status === 'scheduled'),
  ].sort((a, b) => a.effectiveAt - b.effectiveAt);
  const type = 'customer.subscription.updated';
  const previous = { scheduledChanges: before.scheduledChanges };
  const known = decision.events.find((event) => event.type === type);
  const updated = { type, objectType: 'subscription', objectId: after.id, previous } as const;
  return {
    ...decision,
    subscription: { ...after, scheduledChanges },
    scheduledChanges: [...decision.scheduledChanges.filter(({ id }) => !ids.has(id)), ...versions],
    events: [
      ...(known
        ? decision.events.map((event) => (event === known ? { ...event, previous: { ...event.previous, ...previous } } : event))
        : [...decision.events, updated]),
      ...versions.map(({ id, status }) => ({
        type: `customer.subscription.scheduled_change.${status === 'scheduled' ? 'created' : status}` as const,
        objectType: 'scheduled_change' as const,
        objectId: id,
        previous: null,
      })),
    ],
  };
}
