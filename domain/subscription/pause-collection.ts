import type { BillingSnapshot } from '../billing-snapshot.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import {
  beginDecision,
  changeSubscription,
  type DecisionContext,
  type DecisionDraft,
  finishDecision,
} from '../invoicing/draft-decision.ts';
import { MAX_INSTANT } from '../time.ts';
import { subscriptionOf } from './bill-items.ts';
import type { ChangePlan } from './commands.ts';
import type { PauseCollection } from './subscription.ts';
import { hasEnded } from './transitions.ts';

/**
 * The pause of collection as it will be; null collects again. Invoices made before and after it are not touched by it.
 * @throws Refusal date_out_of_range, pending_update_exists
 */
export function collectionPause(draft: DecisionDraft, given: NonNullable<ChangePlan['pauseCollection']> | null): PauseCollection | null {
  const { pauseCollection } = subscriptionOf(draft);
  if (given === null) return null;
  if (given.resumesAt !== null && (given.resumesAt <= draft.asOf || given.resumesAt > MAX_INSTANT)) {
    throw new Refusal('date_out_of_range', 'The date at which collection resumes must be in the future.', 'pause_collection[resumes_at]');
  }
  const isSame = pauseCollection?.behavior === given.behavior;
  return { behavior: given.behavior, resumesAt: given.resumesAt, since: isSame ? pauseCollection.since : draft.asOf };
}

/** Collection resumes by itself at `asOf`. Drafts that were kept stay drafts for a person to finalise, as with Stripe. Empty where that was moved or taken back. */
export function decideCollectionResumption(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, context);
  const { status, pauseCollection } = subscriptionOf(draft);
  if (hasEnded(status) || pauseCollection?.resumesAt == null || context.asOf < pauseCollection.resumesAt) return emptyDecision();
  changeSubscription(draft, { pauseCollection: null });
  return finishDecision(draft);
}
