import { findMetered } from '../catalog/find-price.ts';
import type { MeteredPrice, Price } from '../catalog/price.ts';
import type { Period } from '../invoicing/invoice.ts';
import { pauseStart } from '../subscription/paused-time.ts';
import type { Subscription, SubscriptionItem } from '../subscription/subscription.ts';
import { type Instant, periodContaining } from '../time.ts';
import { EARLIEST_EVENT } from './meter-event.ts';
import type { UsagePeriod } from './usage-period.ts';

/** A stretch of usage that a decision may want to bill. */
export interface WantedReading extends Period {
  price: MeteredPrice;
}

/** Since when an item is measured: never on trial, in a pause or before it came. */
function measuredSince({ createdAt, startDate, trialEnd, resumedAt }: Subscription, item: SubscriptionItem): Instant {
  const came = item.createdAt === createdAt ? startDate : item.createdAt;
  return Math.max(came, trialEnd ?? came, resumedAt ?? came);
}

/** The stretch of an item that was billed early and runs on; null where there is none, or a pause or an end of the subscription has ended it without billing the rest. */
export const runningStretch = <P extends UsagePeriod>(
  subscription: Subscription,
  item: SubscriptionItem,
  periods: readonly P[],
): P | null =>
  periods.find(
    ({ subscriptionItemId, runsOn, start }) =>
      runsOn === true && subscriptionItemId === item.id && start >= measuredSince(subscription, item),
  ) ?? null;

/** From when usage of an item is still to be rated: the start of the stretch that runs on, else the end of what is billed, and never what was used before it is measured. */
export function usageStart(subscription: Subscription, item: SubscriptionItem, periods: readonly UsagePeriod[]): Instant {
  const running = runningStretch(subscription, item, periods);
  if (running !== null) return running.start;
  const billed = periods.filter(({ subscriptionItemId }) => subscriptionItemId === item.id).map(({ end }) => end);
  return Math.max(measuredSince(subscription, item), ...billed);
}

/**
 * The stretches that a decision at `asOf` may bill: from where each metered item stands to `asOf`, to all boundaries that lie before (a renewal may be late), and to the last moment of which there may be
 * events, which is what a later boundary sees of them now; and those that were billed and have changed since.
 */
export function planReadings(
  subscription: Subscription,
  prices: Record<string, Price>,
  periods: readonly (UsagePeriod & { changed: boolean })[],
  asOf: Instant,
): WantedReading[] {
  const horizon = asOf + EARLIEST_EVENT;
  const happens = [...instantsOf(subscription, horizon).filter((at) => at < horizon), asOf];
  // Each also with its own second, which belongs to what ends there.
  const ends = [...new Set([...happens.flatMap((at) => [at, at + 1]), horizon])];
  const wanted: WantedReading[] = [];
  for (const item of subscription.items) {
    const price = findMetered(prices, item.priceId);
    if (price === null) continue;
    const from = usageStart(subscription, item, periods);
    for (const start of new Set([from, ...ends.filter((at) => at > from && at < asOf)]))
      for (const end of ends) if (end > start) wanted.push({ price, start, end });
  }
  for (const { changed, priceId, start, end } of periods) {
    const price = findMetered(prices, priceId);
    if (changed && price !== null) wanted.push({ price, start, end });
  }
  return wanted;
}

/** Where something may happen to a subscription by itself, up to an instant. */
function instantsOf(subscription: Subscription, until: Instant): Instant[] {
  const { currentPeriodEnd, cancelAt, trialEnd, pause, scheduledChanges, billingCycleAnchor, cycle, billingTimezone } = subscription;
  const boundaries: Instant[] = [];
  for (let at = currentPeriodEnd; at < until; at = periodContaining(billingCycleAnchor, cycle, billingTimezone, at).end)
    boundaries.push(at);
  const others = [
    cancelAt,
    trialEnd,
    pauseStart(subscription),
    pause?.resumesAt,
    ...scheduledChanges.map(({ effectiveAt }) => effectiveAt),
  ];
  return [...boundaries, ...others.filter((at) => at !== null && at !== undefined)];
}
