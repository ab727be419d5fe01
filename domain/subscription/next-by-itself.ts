import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import type { DecisionContext } from '../invoicing/draft-decision.ts';
import type { Instant } from '../time.ts';
import { decideScheduledApplication } from './apply-scheduled-change.ts';
import { decideScheduledPause } from './pause.ts';
import { decideCollectionResumption } from './pause-collection.ts';
import { pauseStart, scheduledEnd } from './paused-time.ts';
import { decideRenewal } from './renew.ts';
import { decideScheduledResumption } from './resume.ts';
import { nextScheduled } from './scheduled-change.ts';
import type { Subscription } from './subscription.ts';
import { hasEnded } from './transitions.ts';

export interface Occasion {
  at: Instant;
  /** Whether a period or the subscription ends. */
  isBoundary: boolean;
  decide(snapshot: BillingSnapshot, context: DecisionContext): Decision;
}

/**
 * What a living subscription does next by itself, and when; null: nothing. Where several things fall on one instant they come in the order of the workflow's agenda: a scheduled change first, collection is
 * resumed before anything is billed, a pause comes before the renewal it replaces, and an end before a pause.
 */
export function nextOccasion(subscription: Subscription): Occasion | null {
  const { status, currentPeriodStart, currentPeriodEnd, pause, pauseCollection } = subscription;
  if (hasEnded(status)) return null;
  const paused = status === 'paused';
  const end = scheduledEnd(subscription);
  const begins = pauseStart(subscription);
  const occasions: Occasion[] = [];
  const add = (at: Instant | null | undefined, decide: Occasion['decide'], isBoundary = false): void => {
    if (at !== null && at !== undefined) occasions.push({ at, decide, isBoundary });
  };
  const change = nextScheduled(subscription);
  if (change !== null) {
    // A change whose time came in a pause is carried out when it runs again.
    const at = Math.max(change.effectiveAt, currentPeriodStart);
    add(at, (snapshot, context) => decideScheduledApplication(snapshot, { changeId: change.id }, context));
  }
  add(pauseCollection?.resumesAt, decideCollectionResumption);
  if (end === null || begins === null || begins < end) add(begins, decideScheduledPause);
  add(paused ? end : Math.min(currentPeriodEnd, end ?? currentPeriodEnd), decideRenewal, true);
  if (paused) add(pause?.resumesAt, decideScheduledResumption);
  return occasions.reduce<Occasion | null>((first, next) => (first === null || next.at < first.at ? next : first), null);
}
