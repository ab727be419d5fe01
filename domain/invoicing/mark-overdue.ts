import type { BillingSnapshot } from '../billing-snapshot.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { hasEnded, nextStatus } from '../subscription/transitions.ts';
import {
  beginDecision,
  changeSubscription,
  type DecisionContext,
  emit,
  finishDecision,
  forEachBilled,
  putInvoice,
} from './draft-decision.ts';

/**
 * The due date of a sent invoice has come and it is not paid: its subscription is past due. Empty where it was settled or told before, or is not due yet.
 * @throws Refusal resource_missing
 */
export function decideOverdue(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const { invoice } = snapshot;
  if (!invoice) throw new Refusal('resource_missing', 'There is no invoice that could be overdue.', 'invoice');
  const { status, dueDate, overdueAt } = invoice;
  if (status !== 'open' || dueDate === null || overdueAt !== null || context.asOf < dueDate) return emptyDecision();
  const draft = beginDecision(snapshot, context);
  putInvoice(draft, { ...invoice, overdueAt: context.asOf });
  emit(draft, 'invoice.overdue', 'invoice', invoice.id);
  forEachBilled(draft, invoice, (billed) => {
    if (billed.subscription && !hasEnded(billed.subscription.status))
      changeSubscription(billed, { status: nextStatus(billed.subscription.status, 'invoice_overdue') });
  });
  return finishDecision(draft);
}
