import { type DatedStep, listDates } from '../../domain/subscription/list-dates.ts';
import { hasEnded } from '../../domain/subscription/transitions.ts';
import type { Instant } from '../../domain/time.ts';
import { day } from '../write-summary.ts';
import type { ParkedStep, SubscriptionState } from './state.ts';

/** Something the subscription does by itself at `at`. `asOf` is the instant its decision is made for, however late it is done. */
export type Step =
  | DatedStep
  | { do: 'drop_update'; at: Instant; asOf: Instant; invoiceId: string }
  | { do: 'finalize'; at: Instant; invoiceId: string }
  | { do: 'retry'; at: Instant; invoiceId: string }
  | { do: 'look_at_usage'; at: Instant };

/** All that is to come, in the order in which it is to be done; a scheduled change comes before the renewal of the same instant. Pure. */
export function agenda(state: SubscriptionState): Step[] {
  const { facts } = state;
  const steps: Step[] = [];
  for (const { invoiceId, retryAt } of state.parked) if (retryAt !== null) steps.push({ do: 'retry', at: retryAt, invoiceId });
  if (!hasEnded(facts.status)) {
    steps.push(...boundarySteps(state));
    if (state.usage?.lookAt != null) steps.push({ do: 'look_at_usage', at: state.usage.lookAt });
  }
  return steps.sort((a, b) => a.at - b.at);
}

function boundarySteps({ facts, drafts, parked, stalled }: SubscriptionState): Step[] {
  // Before the renewal of the same instant: what the draft takes of the customer's balance is gone then.
  const steps: Step[] = drafts.map(({ invoiceId, finalizesAt }) => ({ do: 'finalize', at: finalizesAt, invoiceId }));
  const heldUntil = stalled?.retryAt ?? Number.NEGATIVE_INFINITY;
  const { pendingUpdate } = facts;
  if (pendingUpdate !== null && !parked.some((step) => step.invoiceId === pendingUpdate.invoiceId)) {
    steps.push({ do: 'drop_update', at: pendingUpdate.expiresAt, asOf: pendingUpdate.expiresAt, invoiceId: pendingUpdate.invoiceId });
  }
  // A payment whose outcome is unknown may have been made: the invoice must not be voided before it is known.
  const mayExpire = !parked.some(isMoneyUnderWay);
  const dated = listDates(facts).filter((step) => step.do !== 'expire' || mayExpire);
  return [...steps, ...dated.map((step) => ({ ...step, at: Math.max(step.at, heldUntil) }))];
}

const isMoneyUnderWay = ({ step }: ParkedStep): boolean => step === 'collect_payment' || step === 'resolve_payment';

/** The timer's line in the event list. */
export function describeStep(step: Step, state: SubscriptionState): string {
  switch (step.do) {
    case 'renew':
      if (state.stalled?.step === 'renew') return `retries the renewal of ${day(step.asOf)}, try ${state.stalled.tries + 1}`;
      if (state.facts.cancelAt !== null && state.facts.cancelAt <= step.asOf) return `cancels ${day(step.asOf)}`;
      return `${state.facts.status === 'trialing' ? 'ends the trial' : 'renews'} ${day(step.asOf)}`;
    case 'remind':
      return `tells that the trial ends ${day(state.facts.trial?.end ?? step.asOf)}`;
    case 'apply_change':
      return `changes as scheduled ${day(step.asOf)} (${step.changeId})`;
    case 'expire':
      return `expires ${day(step.asOf)} unless paid`;
    case 'begin_pause':
      return `pauses ${day(step.asOf)}`;
    case 'end_pause':
      return `resumes ${day(step.asOf)}`;
    case 'resume_collection':
      return `collects again ${day(step.asOf)}`;
    case 'drop_update':
      return `drops the pending update ${day(step.asOf)} unless ${step.invoiceId} is paid`;
    case 'look_at_usage':
      return 'looks whether what is used has reached a threshold';
    case 'finalize':
      return `finalizes ${step.invoiceId}`;
    case 'retry': {
      const parked = state.parked.find(({ invoiceId }) => invoiceId === step.invoiceId);
      return `${(parked?.step ?? 'retry').replace('_', ' ')} of ${step.invoiceId}, try ${(parked?.tries ?? 0) + 1}`;
    }
  }
}
