import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { beginDecision, type DecisionContext, emit, finishDecision, putInvoice } from '../invoicing/draft-decision.ts';
import { bookPaymentOutOfBand } from '../ledger/book.ts';
import { recoverSubscription } from '../subscription/recover.ts';
import { isUnresolved } from './start-attempt.ts';

/**
 * The money came another way (a transfer, a cheque): the invoice is paid, and the cash stands in an account of its own. A payment under way is waited for, since it may
 * take the money a second time.
 * @throws Refusal resource_missing, payment_in_progress, invoice_already_paid, invoice_not_open
 */
export function decideOutOfBandPayment(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const { invoice, attempts } = snapshot;
  if (!invoice) throw new Refusal('resource_missing', 'There is no invoice to pay.', 'invoice');
  if (invoice.status === 'paid') throw new Refusal('invoice_already_paid', 'Invoice is already paid');
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible') {
    throw new Refusal('invoice_not_open', `This invoice is ${invoice.status}; only an open invoice can be paid.`);
  }
  if (attempts.some(isUnresolved)) throw new Refusal('payment_in_progress', 'A payment of this invoice is still being processed.');
  const draft = beginDecision(snapshot, context);
  const paid = {
    ...invoice,
    status: 'paid' as const,
    amountPaid: invoice.amountPaid + invoice.amountRemaining,
    amountRemaining: 0,
    nextPaymentAttempt: null,
    paidAt: context.asOf,
  };
  draft.decision.journal.push(...bookPaymentOutOfBand(invoice, draft));
  putInvoice(draft, paid);
  emit(draft, 'invoice.paid', 'invoice', invoice.id, { status: invoice.status });
  recoverSubscription(draft, paid);
  return finishDecision(draft);
}
