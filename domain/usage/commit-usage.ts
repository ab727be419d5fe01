import type { MeteredPrice } from '../catalog/price.ts';
import type { Period } from '../invoicing/invoice.ts';
import { exact, exactToString, formatAmount, fractionOf } from '../money.ts';
import { type Fraction, type Prorated, type ProrationTerms, shareOf } from '../rating/prorate.ts';
import { roundLine } from '../rating/round-line.ts';
import { fullCycleOf, itemCycleOf } from '../subscription/anchor.ts';
import type { Subscription } from '../subscription/subscription.ts';
import type { UsagePeriod } from './usage-period.ts';

/** What a stretch of usage costs at least and at most, minor units; null: no limit. */
export interface Commitment extends Pick<UsagePeriod, 'minimum' | 'maximum'> {
  /** The part of a full cycle that they are for; null: all of it. */
  fraction: Fraction | null;
}

/**
 * The limits of a metered price, which are for a full cycle of it, as they are for a stretch: their share of the cycle on the proration basis, each rounded once, half up. `subscription` as it is
 * while the usage is measured.
 */
export function commitmentOf({ recurring }: MeteredPrice, stretch: Period, subscription: Subscription, terms: ProrationTerms): Commitment {
  const { minimumAmount = null, maximumAmount = null } = recurring;
  if (minimumAmount === null && maximumAmount === null) return { minimum: null, maximum: null, fraction: null };
  const { currentPeriodStart: start, currentPeriodEnd: end } = subscription;
  const whole = itemCycleOf(subscription, recurring, fullCycleOf(subscription, { start, end }));
  const isWhole = stretch.start === whole.start && stretch.end === whole.end;
  const fraction = isWhole ? null : shareOf(stretch, whole, terms);
  const share = (amount: number | null): number | null =>
    amount === null || fraction === null ? amount : roundLine(fractionOf(amount, fraction.numerator, fraction.denominator));
  return { minimum: share(minimumAmount), maximum: share(maximumAmount), fraction };
}

/** What is used, and no more than the maximum; the tiers then no longer say how the amount came about. */
export function capped(charge: Prorated, maximum: number | null, currency: string): Prorated {
  if (maximum === null || charge.amount <= maximum) return charge;
  return heldAt(charge, maximum, `at most ${formatAmount(maximum, currency)}`);
}

/** The same as a whole, the minimum with it: what has to be billed for the stretch by now. */
export function bounded(charge: Prorated, { minimum, maximum }: Pick<UsagePeriod, 'minimum' | 'maximum'>, currency: string): Prorated {
  const most = capped(charge, maximum, currency);
  if (minimum === null || most.amount >= minimum) return most;
  return heldAt(most, minimum, `at least ${formatAmount(minimum, currency)}`);
}

const heldAt = ({ tiers: _, ...charge }: Prorated, amount: number, note: string): Prorated => ({
  ...charge,
  amount,
  exact: exactToString(exact(amount)),
  notes: [...charge.notes, note],
});
