import { isSameCycle } from '../catalog/mix-cycles.ts';
import type { Cycle } from '../catalog/price.ts';
import { Refusal } from '../errors.ts';
import type { DecisionDraft } from '../invoicing/draft-decision.ts';
import type { Period } from '../invoicing/invoice.ts';
import { boundary, type Instant, periodContaining } from '../time.ts';
import { checkAnchor } from './anchor.ts';
import { subscriptionOf } from './bill-items.ts';
import { type ChangedItems, changeItems, isFree } from './change-items.ts';
import { planTrial, type TrialMove } from './change-trial.ts';
import type { ChangePlan } from './commands.ts';
import type { Subscription } from './subscription.ts';

/** The items and the period a change leads to, and the instant from which it is priced. */
export interface Plan extends ChangedItems {
  at: Instant;
  period: Period;
  anchor: Instant;
  /** A new period begins at `at`. */
  restarts: boolean;
  trial: TrialMove | null;
}

/** @throws Refusal about the anchor or the date at fault */
export function planChange(draft: DecisionDraft, command: ChangePlan): Plan {
  const { snapshot, asOf } = draft;
  const subscription = subscriptionOf(draft);
  const changed: ChangedItems = command.items?.length
    ? changeItems(snapshot, subscription, command.items, asOf)
    : { items: subscription.items, cycle: subscription.cycle, movesCycle: false, touched: new Set() };
  const newCycle = changed.movesCycle;
  const trial = planTrial(subscription, command, asOf);
  const isTrialing = subscription.status === 'trialing';
  if (newCycle && !isTrialing && command.billingCycleAnchor === 'unchanged') {
    throw new Refusal(
      'parameter_invalid',
      'The billing cycle anchor cannot stay unchanged when the billing interval changes.',
      'billing_cycle_anchor',
    );
  }
  const { currency } = subscription;
  const becomesPaid =
    changed.touched.size > 0 && isFree(snapshot, subscription.items, currency) && !isFree(snapshot, changed.items, currency);
  const wantsNew = newCycle || command.billingCycleAnchor === 'now' || (becomesPaid && command.billingCycleAnchor !== 'unchanged');
  const restarts = trial === null ? wantsNew && !isTrialing : trial.do !== 'move';
  const at = command.prorationDate ?? asOf;
  if (
    at < Math.max(subscription.currentPeriodStart, subscription.resumedAt ?? subscription.currentPeriodStart) ||
    at >= subscription.currentPeriodEnd
  ) {
    throw new Refusal(
      'date_out_of_range',
      'The proration date must lie in the current period of the subscription, and not before it was last resumed.',
      'proration_date',
    );
  }
  const until = trial === null || trial.do === 'end' ? null : trial.end;
  const { billingCycleAnchor: anchor, billingTimezone: zone } = subscription;
  const keepsPeriod = until !== null || isTrialing || isSameCycle(changed.cycle, subscription.cycle);
  const current = keepsPeriod
    ? { start: subscription.currentPeriodStart, end: until ?? subscription.currentPeriodEnd }
    : periodOfShortest(subscription, changed.cycle, at);
  if (typeof command.billingCycleAnchor === 'number') {
    if (newCycle) {
      throw new Refusal(
        'parameter_invalid',
        'A change of the billing interval starts a new period at once; move the anchor in a change of its own.',
        'billing_cycle_anchor',
      );
    }
    const end = command.billingCycleAnchor;
    checkAnchor(end, asOf, periodContaining(anchor, subscription.cycle, zone, current.end).end);
    if (command.cancellation || at >= end) {
      throw new Refusal(
        'parameter_invalid',
        'A date for the billing cycle anchor cannot be combined with a cancellation or a later proration date.',
        'billing_cycle_anchor',
      );
    }
    return { ...changed, at, period: { start: current.start, end }, anchor: end === current.end ? anchor : end, restarts: false, trial };
  }
  if (!restarts) return { ...changed, at, period: current, anchor: until ?? anchor, restarts, trial };
  const period = { start: at, end: until ?? boundary(at, changed.cycle, zone, 1) };
  if (asOf < period.start || asOf >= period.end) {
    throw new Refusal(
      'date_out_of_range',
      'A change that starts a new period needs a proration date by which that period has begun and not ended.',
      'proration_date',
    );
  }
  return { ...changed, at, period, anchor: until ?? at, restarts, trial };
}

/** Another interval is the shortest now, beside others that bill as they did: the periods of the same anchor become shorter or longer. */
function periodOfShortest({ billingCycleAnchor, billingTimezone, startDate, trialEnd }: Subscription, cycle: Cycle, at: Instant): Period {
  const { start, end } = periodContaining(billingCycleAnchor, cycle, billingTimezone, at);
  return { start: Math.max(start, startDate, trialEnd ?? start), end };
}
