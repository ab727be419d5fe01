import { Refusal } from '../errors.ts';
import { changeSubscription, type DecisionDraft } from '../invoicing/draft-decision.ts';
import type { Instant } from '../time.ts';
import { subscriptionOf } from './bill-items.ts';
import { type ChangePlan, movesAnchor } from './commands.ts';
import { checkTrialEnd, remindWhereDue, trialFacts, trialOfDays } from './start-trial.ts';
import type { Subscription } from './subscription.ts';
import { nextStatus } from './transitions.ts';

/** What a change does to a trial: it is over, its end moves, or one begins. */
export type TrialMove = { do: 'end' } | { do: 'move' | 'start'; end: Instant };

/**
 * What a change wants of the trial; null: it stays as it is, or there is none.
 * @throws Refusal parameter_invalid, date_out_of_range about `trial_end`, `trial_change_behavior`, `trial_period_days` or `billing_cycle_anchor`
 */
export function planTrial(subscription: Subscription, command: ChangePlan, asOf: Instant): TrialMove | null {
  const { trialChange, trialEnd } = command;
  if (trialChange !== undefined && trialEnd !== undefined) {
    throw new Refusal('parameter_invalid', 'You may only specify one of trial_end and trial_change_behavior.', 'trial_change_behavior');
  }
  if (trialChange !== undefined && !command.items?.length) {
    throw new Refusal('parameter_invalid', 'It says what a change of items does to a trial, and no items change.', 'trial_change_behavior');
  }
  const move = trialEnd === undefined ? movedByItems(subscription, command, asOf) : movedTo(subscription, trialEnd, asOf);
  const { billingCycleAnchor: anchor } = command;
  const isEndedNow = move?.do === 'end' && anchor === 'now';
  if (movesAnchor(command) && !isEndedNow && (move !== null || subscription.status === 'trialing')) {
    throw new Refusal(
      'parameter_invalid',
      'A trial is ended by trial_end now, and its end is the billing cycle anchor.',
      'billing_cycle_anchor',
    );
  }
  if (anchor === 'unchanged' && move !== null) {
    throw new Refusal('parameter_invalid', "The billing cycle anchor is the trial's end and moves with it.", 'billing_cycle_anchor');
  }
  return move;
}

function movedByItems({ status, trialStart, billingTimezone }: Subscription, { trialChange }: ChangePlan, asOf: Instant): TrialMove | null {
  if (status !== 'trialing' || trialStart === null || trialChange === undefined || trialChange.policy === 'keep_end') return null;
  if (!('days' in trialChange)) return { do: 'end' };
  const end = trialOfDays(trialStart, trialChange.days, billingTimezone);
  return end > asOf ? { do: 'move', end } : { do: 'end' };
}

function movedTo({ status, billingTimezone }: Subscription, end: Instant | 'now', asOf: Instant): TrialMove {
  const trialing = status === 'trialing';
  if (!trialing && (end === 'now' || (status !== 'active' && status !== 'past_due'))) {
    const why = end === 'now' ? 'it is not on trial' : `it is ${status}`;
    throw new Refusal('parameter_invalid', `The trial of this subscription cannot be changed: ${why}.`, 'trial_end');
  }
  if (end === 'now') return { do: 'end' };
  checkTrialEnd(end, asOf, billingTimezone);
  return { do: trialing ? 'move' : 'start', end };
}

/** Writes a trial that begins at `at` or whose end moves. A new end is told anew, at once where it is less than three days away. */
export function writeTrial(draft: DecisionDraft, move: { do: 'move' | 'start'; end: Instant }, at: Instant): void {
  const { status, trialStart, billingTimezone } = subscriptionOf(draft);
  const start = move.do === 'start' ? at : (trialStart ?? at);
  changeSubscription(draft, {
    ...trialFacts({ start, end: move.end }, billingTimezone),
    ...(move.do === 'start' ? { status: nextStatus(status, 'trial_started') } : {}),
  });
  remindWhereDue(draft);
}
