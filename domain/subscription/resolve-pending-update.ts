import type { BillingSnapshot } from '../billing-snapshot.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { beginDecision, type DecisionContext, finishDecision } from '../invoicing/draft-decision.ts';
import { applyPendingUpdate } from './apply-pending-update.ts';
import { subscriptionOf } from './bill-items.ts';
import { dropPendingUpdate } from './end-subscription.ts';

/**
 * Applies a pending update whose invoice is paid (items, period and coverage as they were decided with it), or takes it back by voiding its invoice. Where there is none any more
 * the decision is empty. Money decides: an update whose invoice was paid in the meantime can only be applied.
 * @throws Refusal transition_not_allowed where it is to be applied and its invoice is still unpaid
 */
export function decidePendingUpdate(snapshot: BillingSnapshot, command: { apply: boolean }, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, context);
  const subscription = subscriptionOf(draft);
  const { pendingUpdate } = subscription;
  if (!pendingUpdate) return emptyDecision();
  const unpaid = draft.openInvoices.some((invoice) => invoice.id === pendingUpdate.invoiceId);
  if (unpaid && command.apply) {
    throw new Refusal('transition_not_allowed', `The invoice ${pendingUpdate.invoiceId} of the pending update is not paid.`);
  }
  if (unpaid) dropPendingUpdate(draft);
  else applyPendingUpdate(draft);
  return finishDecision(draft);
}
