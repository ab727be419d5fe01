import type { BillingSnapshot } from '../billing-snapshot.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { beginDecision, changeSubscription, type DecisionContext, finishDecision } from '../invoicing/draft-decision.ts';
import { subscriptionOf } from './bill-items.ts';
import { abandon } from './cancel.ts';
import { nextStatus } from './transitions.ts';

/**
 * Ends a subscription whose first invoice was not paid in time (incomplete -> incomplete_expired) and voids that invoice. Where it was paid or canceled in the
 * meantime there is nothing to do, and the decision is empty.
 */
export function decideExpiry(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, context);
  const { status } = subscriptionOf(draft);
  if (status !== 'incomplete') return emptyDecision();
  abandon(draft);
  changeSubscription(draft, {
    status: nextStatus('incomplete', 'first_invoice_expired'),
    endedAt: context.asOf,
    incompleteExpiresAt: null,
  });
  return finishDecision(draft);
}
