import { cycleOf } from '../catalog/find-price.ts';
import { isSameCycle } from '../catalog/mix-cycles.ts';
import type { Cycle, Price } from '../catalog/price.ts';
import { Refusal } from '../errors.ts';
import type { Period } from '../invoicing/invoice.ts';
import { anchorOn, boundary, type Instant, isoInstant, periodContaining } from '../time.ts';
import type { CreateSubscription, ItemPeriodEnd } from './commands.ts';
import type { AnchorConfig, Subscription } from './subscription.ts';

/**
 * The anchor of a subscription that begins at `from`: the instant or the day that was asked for, else `from` itself. An instant lies after `from` and at most one cycle
 * later (as Stripe); a day is the next one at or after `from`, on the calendar of the billing zone, and only for cycles of months and years.
 * @throws Refusal date_out_of_range, parameter_invalid
 */
export function firstAnchor(
  { billingCycleAnchor, billingCycleAnchorConfig }: Pick<CreateSubscription, 'billingCycleAnchor' | 'billingCycleAnchorConfig'>,
  cycle: Cycle,
  zone: string,
  from: Instant,
): Instant {
  if (billingCycleAnchor !== undefined) {
    if (billingCycleAnchorConfig !== undefined) {
      throw new Refusal(
        'parameter_invalid',
        'You may only specify one of billing_cycle_anchor and billing_cycle_anchor_config.',
        'billing_cycle_anchor_config',
      );
    }
    checkAnchor(billingCycleAnchor, from, boundary(from, cycle, zone, 1));
    return billingCycleAnchor;
  }
  if (billingCycleAnchorConfig === undefined) return from;
  checkConfig(billingCycleAnchorConfig, cycle);
  return anchorOn(billingCycleAnchorConfig, cycle, zone, from);
}

/** An anchor that is an instant. @throws Refusal date_out_of_range unless it lies in (after, until] */
export function checkAnchor(anchor: Instant, after: Instant, until: Instant): void {
  if (anchor <= after) throw new Refusal('date_out_of_range', 'The billing cycle anchor must be in the future.', 'billing_cycle_anchor');
  if (anchor > until) {
    throw new Refusal(
      'date_out_of_range',
      `The billing cycle anchor cannot be later than the next natural billing date (${isoInstant(until)}).`,
      'billing_cycle_anchor',
    );
  }
}

function checkConfig(config: AnchorConfig, cycle: Cycle): void {
  const param = 'billing_cycle_anchor_config';
  if (cycle.interval !== 'month' && cycle.interval !== 'year') {
    throw new Refusal('parameter_invalid', 'A day of the month can anchor monthly and yearly prices only.', param);
  }
  const ranges = { dayOfMonth: [1, 31], month: [1, 12], hour: [0, 23], minute: [0, 59], second: [0, 59] } as const;
  for (const [name, [least, most]] of Object.entries(ranges)) {
    const value = config[name as keyof AnchorConfig];
    if (value === null || (Number.isInteger(value) && value >= least && value <= most)) continue;
    throw new Refusal('parameter_invalid', `It must be a whole number from ${least} to ${most}.`, `${param}[${snake(name)}]`);
  }
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * The full cycle that the current period is, or is a part of: the one that ends with it. A stub is thus charged at its share of the cycle it is cut from, and a period that was
 * made longer at the rate of its last cycle. A period that a pause has moved
 * keeps the length of its cycle. One whose end is no boundary of its anchor is its own whole.
 */
export function fullCycleOf(
  {
    billingCycleAnchor,
    cycle,
    billingTimezone,
    movedCycle,
  }: Pick<Subscription, 'billingCycleAnchor' | 'cycle' | 'billingTimezone' | 'movedCycle'>,
  period: Period,
): Period {
  if (movedCycle?.end === period.end) return movedCycle;
  const whole = periodContaining(billingCycleAnchor, cycle, billingTimezone, period.end - 1);
  return whole.end === period.end ? { start: whole.start, end: whole.end } : period;
}

/**
 * The full cycle of an item that bills by another, longer cycle than its subscription does: the one of the same anchor that contains the end of `whole`, which is the subscription's own
 * (see `fullCycleOf`). As every cycle is a multiple of the shortest, it ends with a period of the subscription.
 */
export function itemCycleOf(
  { billingCycleAnchor, cycle, billingTimezone }: Pick<Subscription, 'billingCycleAnchor' | 'cycle' | 'billingTimezone'>,
  itemCycle: Cycle,
  whole: Period,
): Period {
  if (isSameCycle(itemCycle, cycle)) return whole;
  const { start, end } = periodContaining(billingCycleAnchor, itemCycle, billingTimezone, whole.end - 1);
  return { start, end };
}

/** The current period of an item: its subscription's, or that of its own, longer cycle. */
export function itemPeriodOf(
  subscription: Pick<
    Subscription,
    'billingCycleAnchor' | 'cycle' | 'billingTimezone' | 'movedCycle' | 'currentPeriodStart' | 'currentPeriodEnd' | 'startDate' | 'trialEnd'
  >,
  itemCycle: Cycle,
): Period {
  const { currentPeriodStart: start, currentPeriodEnd: end, cycle, startDate, trialEnd } = subscription;
  const isOnTrial = trialEnd !== null && start < trialEnd;
  if (isOnTrial || isSameCycle(itemCycle, cycle)) return { start, end };
  const whole = itemCycleOf(subscription, itemCycle, fullCycleOf(subscription, { start, end }));
  return { start: Math.max(whole.start, startDate, trialEnd ?? whole.start), end: whole.end };
}

/** The first or the last end of the current periods of the items. */
export function itemPeriodEnd(subscription: Subscription, prices: Readonly<Record<string, Price>>, which: ItemPeriodEnd): Instant {
  const ends = subscription.items.map((item) => itemPeriodOf(subscription, cycleOf(prices, item, subscription.cycle)).end);
  return which === 'min_period_end' ? Math.min(...ends) : Math.max(...ends);
}
