import type { BillingSnapshot } from '../billing-snapshot.ts';
import { productsOf } from '../catalog/bundle.ts';
import { findPrice } from '../catalog/find-price.ts';
import type { Cycle } from '../catalog/price.ts';
import { priceIn } from '../catalog/price-in.ts';
import { Refusal } from '../errors.ts';
import { describeTrial, explainTrial } from '../invoicing/describe-line.ts';
import { changeSubscription, type DecisionDraft, emit } from '../invoicing/draft-decision.ts';
import type { Period } from '../invoicing/invoice.ts';
import type { SettledLine } from '../invoicing/settle.ts';
import { boundary, type Instant } from '../time.ts';
import { firstAnchor } from './anchor.ts';
import type { FirstPeriods } from './backdate.ts';
import { subscriptionOf } from './bill-items.ts';
import type { CreateSubscription, NewTrial } from './commands.ts';
import type { Subscription, SubscriptionItem } from './subscription.ts';

/** As Stripe. */
export const MAX_TRIAL_DAYS = 730;
/** As Stripe: the customer is told this long before a trial ends. */
const REMINDER_DAYS = 3;

const daysFrom = (at: Instant, days: number, zone: string): Instant => boundary(at, { interval: 'day', intervalCount: days }, zone, 1);

/** Whether the current period is a trial's. */
export const isOnTrial = ({ trialEnd, currentPeriodStart }: Pick<Subscription, 'trialEnd' | 'currentPeriodStart'>): boolean =>
  trialEnd !== null && currentPeriodStart < trialEnd;

/**
 * When a trial of these days ends: whole days of the billing zone, so at the same local time also across a change of clocks.
 * @throws Refusal parameter_invalid about `trial_period_days` unless it is 1 to 730
 */
export function trialOfDays(start: Instant, days: number, zone: string): Instant {
  if (!Number.isInteger(days) || days < 1 || days > MAX_TRIAL_DAYS)
    throw new Refusal('parameter_invalid', `A trial has 1 to ${MAX_TRIAL_DAYS} days.`, 'trial_period_days');
  return daysFrom(start, days, zone);
}

/** @throws Refusal date_out_of_range about `trial_end` unless it lies ahead, by two years at most (as Stripe) */
export function checkTrialEnd(end: Instant, asOf: Instant, zone: string): void {
  if (end <= asOf) throw new Refusal('date_out_of_range', 'A trial must end in the future.', 'trial_end');
  if (end > boundary(asOf, { interval: 'year', intervalCount: 2 }, zone, 1))
    throw new Refusal('date_out_of_range', 'A trial ends within two years at most.', 'trial_end');
}

/** When the trial of a new subscription ends; null: it has none. @throws Refusal about `trial_end` or `trial_period_days` */
function newTrialEnd(trial: NewTrial | undefined, asOf: Instant, zone: string): Instant | null {
  if (trial === undefined) return null;
  if ('days' in trial) return trialOfDays(asOf, trial.days, zone);
  if (trial.end === 'now') return null;
  checkTrialEnd(trial.end, asOf, zone);
  return trial.end;
}

/**
 * The command without its trial where the customer had one of the same product before and it is to be dropped. A trial counts once it has begun, whatever became of it.
 * @throws Refusal trial_already_used where it is to be refused
 */
export function withoutUsedTrial(snapshot: BillingSnapshot, command: CreateSubscription): CreateSubscription {
  const { trial, trialReuse, items } = command;
  if (trial === undefined || trialReuse === undefined || ('end' in trial && trial.end === 'now')) return command;
  const products = items.flatMap(({ priceId }) => {
    const price = snapshot.prices[priceId];
    return price ? productsOf(price) : [];
  });
  const used = products.find((productId) => snapshot.trialedProductIds.includes(productId));
  if (used === undefined) return command;
  if (trialReuse === 'refuse') {
    throw new Refusal(
      'trial_already_used',
      `The customer ${command.customerId} had a trial of the product ${used} before.`,
      'days' in trial ? 'trial_period_days' : 'trial_end',
    );
  }
  const { trial: _, ...rest } = command;
  return rest;
}

/**
 * How the life of a subscription that begins on trial does: its first period is the trial, free from the start date on, and its anchor the trial's end, or one that was asked for within
 * a cycle from there; what comes before that is then billed as a stub. Null without a trial.
 * @throws Refusal about `trial_end`, `trial_period_days`, `backdate_start_date`, `billing_cycle_anchor` or `proration_behavior`
 */
export function planTrialPeriod(command: CreateSubscription, cycle: Cycle, zone: string, asOf: Instant): FirstPeriods | null {
  const end = newTrialEnd(command.trial, asOf, zone);
  if (end === null) return null;
  const { billingCycleAnchor, backdateStartDate: startDate = asOf } = command;
  if (startDate > asOf) throw new Refusal('date_out_of_range', 'The start date must be in the past.', 'backdate_start_date');
  if (billingCycleAnchor !== undefined && billingCycleAnchor < end)
    throw new Refusal('date_out_of_range', 'The billing cycle anchor cannot lie before the end of the trial.', 'billing_cycle_anchor');
  const anchor = billingCycleAnchor === end ? end : firstAnchor(command, cycle, zone, end);
  if (command.prorationBehavior === 'none' && anchor !== end) {
    throw new Refusal('parameter_invalid', 'The time between the end of a trial and the anchor is always billed.', 'proration_behavior');
  }
  return { startDate, anchor, period: { start: startDate, end }, stretches: [] };
}

/** What is remembered of a trial: the reminder is due three days of the zone before its end, at once where it is shorter. */
export function trialFacts(trial: Period | null, zone: string): Pick<Subscription, 'trialStart' | 'trialEnd' | 'trialReminderAt'> {
  if (trial === null) return { trialStart: null, trialEnd: null, trialReminderAt: null };
  const reminder = boundary(trial.end, { interval: 'day', intervalCount: REMINDER_DAYS }, zone, -1);
  return { trialStart: trial.start, trialEnd: trial.end, trialReminderAt: Math.max(trial.start, reminder) };
}

/** Tells the customer that the trial will end, where that is due and not done. */
export function remindWhereDue(draft: DecisionDraft): void {
  const { id, status, trialReminderAt } = subscriptionOf(draft);
  if (status !== 'trialing' || trialReminderAt === null || trialReminderAt > draft.asOf) return;
  changeSubscription(draft, { trialReminderAt: null });
  emit(draft, 'customer.subscription.trial_will_end', 'subscription', id);
}

/** A line of nothing per item (of a bundle, per component), as Stripe shows a trial. They cover no time: nothing of it was billed, so nothing of it can be given back. */
export function trialLines(draft: DecisionDraft, items: readonly SubscriptionItem[], period: Period): SettledLine[] {
  const { billingTimezone, currency } = subscriptionOf(draft);
  const { products } = draft.snapshot;
  return items.flatMap(({ id, priceId, quantity }): SettledLine[] => {
    const { price: found, product: sold } = findPrice(draft.snapshot, priceId);
    const price = priceIn(found, currency);
    const parts = price.bundle ? price.bundle.flatMap(({ productId }) => products[productId] ?? []) : [sold];
    return parts.map((product) => ({
      line: {
        subscriptionItemId: id,
        priceId,
        productId: product.id,
        quantity,
        unitAmountDecimal: price.bundle ? null : price.unitAmountDecimal,
        currency: price.currency,
        period,
        description: describeTrial(product, quantity),
        amount: 0,
        proration: false,
        creditedInvoiceId: null,
        creditedLineId: null,
        metadata: {},
        explanation: explainTrial(price, quantity, period, billingTimezone),
      },
      taxRateIds: [],
      covers: null,
    }));
  });
}
