import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import type { DecisionContext } from '../invoicing/draft-decision.ts';
import type { Instant } from '../time.ts';
import { decideScheduledApplication } from './apply-scheduled-change.ts';
import { datesOf } from './find-dates.ts';
import { type DatedStep, listDates } from './list-dates.ts';
import { decideScheduledPause } from './pause.ts';
import { decideCollectionResumption } from './pause-collection.ts';
import { decideRenewal } from './renew.ts';
import { decideScheduledResumption } from './resume.ts';
import type { Subscription } from './subscription.ts';

export interface Occasion {
  at: Instant;
  /** Whether a period or the subscription ends. */
  isBoundary: boolean;
  decide(snapshot: BillingSnapshot, context: DecisionContext): Decision;
}

type Does = Exclude<DatedStep['do'], 'remind' | 'expire'>;
type Billing = DatedStep & { do: Does };

const DECISIONS: Record<Exclude<Does, 'apply_change'>, Occasion['decide']> = {
  renew: decideRenewal,
  begin_pause: decideScheduledPause,
  end_pause: decideScheduledResumption,
  resume_collection: decideCollectionResumption,
};

/** What of the list (`listDates`) comes next that may bill, with the decision it is; null: nothing. */
export function nextOccasion(subscription: Subscription): Occasion | null {
  const next = listDates(datesOf(subscription)).find((step): step is Billing => step.do !== 'remind' && step.do !== 'expire');
  if (next === undefined) return null;
  const isBoundary = next.do === 'renew';
  if (next.do !== 'apply_change') return { at: next.asOf, isBoundary, decide: DECISIONS[next.do] };
  const { asOf: at, changeId } = next;
  return { at, isBoundary, decide: (snapshot, context) => decideScheduledApplication(snapshot, { changeId }, context) };
}
