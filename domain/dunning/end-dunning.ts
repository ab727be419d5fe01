import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import {
  beginDecision,
  changeSubscription,
  type DecisionContext,
  type DecisionDraft,
  emit,
  finishDecision,
  forEachBilled,
  putInvoice,
} from '../invoicing/draft-decision.ts';
import { endSubscription } from '../subscription/end-subscription.ts';
import { hasEnded, nextStatus } from '../subscription/transitions.ts';
import { terminalAction } from './policy.ts';

/**
 * Dunning gives up on an invoice: the policy's terminal action happens to its subscription (canceled, unpaid, or left past due). The invoice stays open, to be paid or
 * written off by a person, and is no longer tried. A no-op where the invoice was settled or the subscription ended meanwhile.
 * @throws Refusal resource_missing
 */
export function decideDunningEnd(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const { invoice, account, subscription } = snapshot;
  if (!invoice) throw new Refusal('resource_missing', 'There is no invoice whose dunning could end.', 'invoice');
  const draft = beginDecision(snapshot, context);
  if (invoice.status !== 'open') return draft.decision;
  if (invoice.nextPaymentAttempt !== null || invoice.autoAdvance) {
    putInvoice(draft, { ...invoice, nextPaymentAttempt: null, autoAdvance: false });
    emit(draft, 'invoice.updated', 'invoice', invoice.id, {
      nextPaymentAttempt: invoice.nextPaymentAttempt,
      autoAdvance: invoice.autoAdvance,
    });
  }
  const action = terminalAction(account.dunningPolicy, invoice);
  forEachBilled(draft, invoice, (billed) => giveUp(billed, action));
  const hasJustEnded = subscription && !hasEnded(subscription.status) && draft.subscription && hasEnded(draft.subscription.status);
  return finishDecision(draft, hasJustEnded ? 'customer.subscription.deleted' : undefined);
}

function giveUp(draft: DecisionDraft, action: ReturnType<typeof terminalAction>): void {
  const { subscription } = draft;
  // An incomplete subscription has its own deadline (`incompleteExpiresAt`), not the policy's.
  if (!subscription || hasEnded(subscription.status) || subscription.status === 'incomplete') return;
  const status = nextStatus(subscription.status, `dunning_gave_up_${action}`);
  if (status !== 'canceled') {
    changeSubscription(draft, { status });
    return;
  }
  changeSubscription(draft, { cancelAtPeriodEnd: false, cancelAt: null, canceledAt: draft.asOf });
  endSubscription(draft, {
    at: draft.asOf,
    event: 'dunning_gave_up_cancel',
    unused: 'forfeit',
    finalInvoice: false,
    usage: 'forfeit',
    billingReason: 'subscription_update',
    details: { ...subscription.cancellationDetails, reason: 'payment_failed' },
  });
}
