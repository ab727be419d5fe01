import type { BillingSnapshot } from '../billing-snapshot.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import type { DecisionContext } from '../invoicing/draft-decision.ts';
import { subscriptionOf } from '../subscription/bill-items.ts';
import { decideChange } from '../subscription/change-plan.ts';
import type { ChangePlan, ScheduleCancellation } from '../subscription/commands.ts';
import { decideNewEnd } from '../subscription/schedule-cancellation.ts';
import { type ScheduledChange, withScheduled } from '../subscription/scheduled-change.ts';
import type { Instant } from '../time.ts';
import { changeIntoPhase, comingPhases, passPhase, withSchedule } from './enter-phase.ts';
import { checkCollections, checkTrials, MAX_PHASES, type PhasePlan, planPhases } from './plan-phases.ts';
import { type PhaseTerms, type ScheduleEdit, type SchedulePhase, type SubscriptionSchedule, scheduleEnd } from './schedule.ts';

type Change = Extract<ScheduleEdit, { do: 'change' }>;

/** The changes of the subscription that are a schedule's. */
export const changesOf = ({ subscription }: BillingSnapshot, scheduleId: string): ScheduledChange[] =>
  (subscription?.scheduledChanges ?? []).filter(({ change }) => change.phase?.scheduleId === scheduleId);

/**
 * Changes a schedule whose subscription runs. Phases are given from one that begins at a known date on; the past ones stay. A change of the current phase is made at once, and billed as
 * the edit's `prorationBehavior` says; where the current phase ends now, the next begins now, billed as it says itself. What is to come is scheduled anew.
 * @throws Refusal about `phases[n][…]`, and what the change of the current phase is refused with
 */
export function changeActive(
  snapshot: BillingSnapshot,
  before: SubscriptionSchedule,
  patched: SubscriptionSchedule,
  edit: Change,
  context: DecisionContext,
): Decision {
  const { asOf, newId } = context;
  const phases = edit.phases === undefined ? before.phases : replan(snapshot, before, edit.phases, asOf);
  const index = phases.findIndex(({ start, end }) => start <= asOf && asOf < end);
  const [was, now] = [before.phases[before.currentPhase ?? 0], phases[index]];
  if (was === undefined || now === undefined) throw new Refusal('date_out_of_range', 'The last phase must end in the future.', 'phases');
  const enters = now.start !== was.start;
  if (enters && now.start !== asOf)
    throw new Refusal('parameter_invalid', 'The start of the current phase cannot be moved.', 'phases[0][start_date]');
  const after: SubscriptionSchedule = { ...patched, phases };
  checkCollections(phases, after.settings, phases.length - (edit.phases?.length ?? 0));
  const changed = changeCurrent(snapshot, before, after, { index, was, now, enters }, edit, context);
  if (changed.schedule !== null) return changed;
  const patch = { settings: after.settings, endBehavior: after.endBehavior, phases, currentPhase: index };
  const known = { ...snapshot, schedule: after };
  const entered = enters ? passPhase(known, changed, { scheduleId: before.id, index, items: [] }, asOf) : changed;
  const told = withSchedule(
    { ...entered, events: entered.events.filter(({ objectType }) => objectType !== 'subscription_schedule') },
    before,
    patch,
  );
  const replaced = changesOf(snapshot, before.id).map(
    (scheduled): ScheduledChange => ({ ...scheduled, status: 'replaced', closedAt: asOf }),
  );
  return withScheduled(snapshot, told, [...replaced, ...comingPhases({ ...after, currentPhase: index }, index + 1, asOf, newId)]);
}

function changeCurrent(
  snapshot: BillingSnapshot,
  before: SubscriptionSchedule,
  after: SubscriptionSchedule,
  { index, was, now, enters }: { index: number; was: SchedulePhase; now: SchedulePhase; enters: boolean },
  edit: Change,
  context: DecisionContext,
): Decision {
  const end = ({ endBehavior, phases }: SubscriptionSchedule): Instant | null =>
    endBehavior === 'cancel' ? scheduleEnd({ phases }) : null;
  const cancellation: ScheduleCancellation | null =
    end(before) === end(after) ? null : { at: end(after) ?? 'never', prorationBehavior: edit.prorationBehavior };
  const {
    items,
    prorationBehavior,
    billingCycleAnchor,
    discounts,
    addInvoiceItems,
    collectionMethod,
    daysUntilDue,
    billingThresholds,
    ...defaults
  } = changeIntoPhase(subscriptionOf(snapshot), after, index, context.newId, enters ? null : was);
  const isSame = (key: keyof SchedulePhase): boolean => JSON.stringify(was[key]) === JSON.stringify(now[key]);
  const sameDefaults = isSame('defaultTaxRateIds') && isSame('defaultPaymentMethodId') && edit.settings === undefined;
  const sameCollection = isSame('collectionMethod') && isSame('daysUntilDue') && edit.settings === undefined;
  const command: ChangePlan = {
    paymentBehavior: 'allow_incomplete',
    ...(enters || !sameDefaults ? defaults : {}),
    ...((enters || !sameCollection) && collectionMethod !== undefined ? { collectionMethod } : {}),
    ...((enters || !sameCollection) && daysUntilDue !== undefined ? { daysUntilDue } : {}),
    ...((enters || !isSame('billingThresholds')) && billingThresholds !== undefined ? { billingThresholds } : {}),
    ...(discounts === undefined ? {} : { discounts }),
    ...(addInvoiceItems === undefined ? {} : { addInvoiceItems }),
    prorationBehavior: enters ? prorationBehavior : edit.prorationBehavior,
    ...(items !== undefined && (enters || !isSame('items')) ? { items } : {}),
    ...(enters && billingCycleAnchor !== undefined ? { billingCycleAnchor } : {}),
    ...(!enters && !isSame('trialEnd') ? { trialEnd: now.trialEnd ?? 'now' } : {}),
  };
  const asks = Object.keys(command).length > 2;
  if (asks) return decideChange(snapshot, { ...command, ...(cancellation === null ? {} : { cancellation }) }, context);
  return cancellation === null ? emptyDecision() : decideNewEnd(snapshot, cancellation, context);
}

/** The phases as they will be: those before the first one that is given, cut where it begins, and the given ones. */
function replan(snapshot: BillingSnapshot, before: SubscriptionSchedule, terms: readonly PhaseTerms[], asOf: Instant): SchedulePhase[] {
  const param = 'phases[0][start_date]';
  const asked = terms[0]?.start;
  if (asked === undefined)
    throw new Refusal('parameter_missing', 'The first phase needs a start_date, to which the others are joined.', param);
  const start = asked === 'now' ? asOf : asked;
  const kept = before.phases.filter((phase) => phase.start < start).map((phase) => ({ ...phase, end: Math.min(phase.end, start) }));
  const isKnown = before.phases.some((phase) => phase.start === start);
  if (!isKnown && (start < asOf || start > scheduleEnd(before)))
    throw new Refusal('date_out_of_range', 'The first phase must begin where one of the schedule does, or from now on within it.', param);
  const zone = subscriptionOf(snapshot).billingTimezone;
  const plan: PhasePlan = { start, asOf, zone, currency: before.currency, row: before.phases[0]?.start };
  const planned = planPhases(snapshot, terms, plan);
  planned.forEach((phase, index) => {
    if (phase.end > asOf || (phase.end === asOf && terms[index]?.end === 'now')) return;
    const known = before.phases.find((candidate) => candidate.start === phase.start);
    if (known === undefined || known.end !== phase.end || JSON.stringify(known.items) !== JSON.stringify(phase.items))
      throw new Refusal('parameter_invalid', 'A phase that is over cannot be changed; leave it out.', `phases[${index}]`);
  });
  const phases = [...kept, ...planned];
  if (phases.filter(({ end }) => end > asOf).length > MAX_PHASES)
    throw new Refusal('parameter_invalid', `A schedule has at most ${MAX_PHASES} phases to come.`, 'phases');
  checkTrials(phases, kept.length);
  return phases;
}
