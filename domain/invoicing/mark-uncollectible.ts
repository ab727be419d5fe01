import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { bookUncollectible } from '../ledger/book.ts';
import { recoverSubscription } from '../subscription/recover.ts';
import { beginDecision, type DecisionContext, type DecisionDraft, emit, finishDecision, putInvoice } from './draft-decision.ts';
import type { Invoice } from './invoice.ts';
import { forgetPaidTime, forgetUpdate, openInvoiceOf } from './void-invoice.ts';

/**
 * Open -> uncollectible: the books give the money up (bad debt), the customer still owes it and may pay it later. Its time stays covered, and since nobody paid for it, no
 * later change gives credit for it. A delinquent subscription with no other open invoice is active again, as with Stripe.
 * @throws Refusal invoice_already_paid, invoice_not_open
 */
export function decideUncollectible(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const invoice = openInvoiceOf(snapshot, 'write off');
  const draft = beginDecision(snapshot, context);
  writeOff(draft, invoice);
  forgetUpdate(draft, invoice);
  return finishDecision(draft);
}

export function writeOff(draft: DecisionDraft, invoice: Invoice): Invoice {
  draft.decision.journal.push(...bookUncollectible(invoice, draft));
  const given: Invoice = {
    ...invoice,
    status: 'uncollectible',
    markedUncollectibleAt: draft.asOf,
    autoAdvance: false,
    nextPaymentAttempt: null,
  };
  putInvoice(draft, given);
  emit(draft, 'invoice.marked_uncollectible', 'invoice', invoice.id, { status: invoice.status });
  forgetPaidTime(draft, invoice);
  recoverSubscription(draft, given);
  return given;
}
