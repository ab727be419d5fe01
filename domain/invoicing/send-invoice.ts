import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { beginDecision, type DecisionContext, emit, finishDecision } from './draft-decision.ts';
import type { Invoice } from './invoice.ts';
import { openInvoiceOf } from './void-invoice.ts';

/**
 * The customer is sent an open invoice, once more where that was done before: an event that says so.
 * @throws Refusal transition_not_allowed for an invoice that is charged automatically, invoice_already_paid, invoice_not_open
 */
export function decideSending(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const invoice = openInvoiceOf(snapshot, 'send');
  checkSendable(invoice);
  const draft = beginDecision(snapshot, context);
  emit(draft, 'invoice.sent', 'invoice', invoice.id);
  return finishDecision(draft);
}

/** @throws Refusal transition_not_allowed */
export function checkSendable({ collectionMethod }: Pick<Invoice, 'collectionMethod'>): void {
  if (collectionMethod === 'charge_automatically') {
    throw new Refusal('transition_not_allowed', "An invoice can only be sent if its collection method is 'send_invoice'.");
  }
}
