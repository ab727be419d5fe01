import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { bookCreditToOpenInvoice, bookFinalization } from '../ledger/book.ts';
import { assertSameCurrency, sum } from '../money.ts';
import type { TaxAmount } from '../tax/tax-rate.ts';
import { recoverSubscription } from '../subscription/recover.ts';
import { type DecisionContext, type DecisionDraft, beginDecision, emit, finishDecision, moveBalance, putInvoice } from './draft-decision.ts';
import type { Invoice } from './invoice.ts';
import { withTaxes } from './record-taxes.ts';

/**
 * Finalises the draft of the snapshot. `taxes` are those of an external engine, per line in the order of the lines; without them the ones stored on the draft count.
 * @throws Refusal invoice_not_draft, invoice_already_paid; transition_not_allowed while taxes are still missing
 */
export function decideFinalization(snapshot: BillingSnapshot, command: { taxes?: TaxAmount[][] }, context: DecisionContext): Decision {
  const given = snapshot.invoice;
  if (!given) throw new Refusal('resource_missing', 'There is no invoice to finalize.', 'invoice');
  if (given.status === 'paid') throw new Refusal('invoice_already_paid', 'This invoice is already paid.');
  if (given.status !== 'draft') throw new Refusal('invoice_not_draft', `This invoice is already finalized: it is ${given.status}.`);
  const invoice = command.taxes ? withTaxes(given, command.taxes) : given;
  if (invoice.taxStatus !== 'complete') throw new Refusal('transition_not_allowed', 'The taxes of this invoice are not calculated yet; try again shortly.');
  const draft = beginDecision(snapshot, context);
  finalizeInvoice(draft, invoice);
  return finishDecision(draft);
}

/**
 * Draft -> open, or paid at once where nothing is due. Parties are frozen as they are now. A negative total goes first to the unpaid invoices whose lines it gives back
 * (so time that was never paid is never spendable), the rest to the customer's balance. A total of zero or more takes the customer's balance: credit lowers
 * what is due, a debt raises it. Books the journal. The number is drawn by the database when this is written.
 */
export function finalizeInvoice(draft: DecisionDraft, given: Invoice): Invoice {
  const { account, customer } = draft.snapshot;
  if (customer.currency !== null) assertSameCurrency(customer.currency, given.currency, 'currency');
  const startingBalance = draft.balance;
  if (given.total < 0) moveBalance(draft, 'credit_from_invoice', given.total + creditUnpaidInvoices(draft, given), given);
  else moveBalance(draft, 'applied_to_invoice', -Math.max(draft.balance, given.amountCredited - given.total), given);

  const amountDue = given.total < 0 ? 0 : sum([given.total, startingBalance, -draft.balance]);
  const amountRemaining = sum([amountDue, -given.amountCredited]);
  const paid = amountRemaining === 0;
  const invoice: Invoice = {
    ...given,
    status: paid ? 'paid' : 'open',
    customer: { name: customer.name, email: customer.email, address: customer.address },
    seller: account.seller,
    startingBalance,
    endingBalance: draft.balance,
    amountDue,
    amountRemaining,
    attempted: paid || given.attempted,
    finalizedAt: draft.asOf,
    paidAt: paid ? draft.asOf : null,
  };
  putInvoice(draft, invoice);
  draft.decision.journal.push(...bookFinalization(invoice, draft));
  emit(draft, 'invoice.finalized', 'invoice', invoice.id, { status: 'draft' });
  if (paid) {
    emit(draft, 'invoice.paid', 'invoice', invoice.id);
    recoverSubscription(draft, invoice);
  }
  return invoice;
}

/** Puts the credit of a negative invoice against the unpaid invoices of which its lines are part, oldest first. @returns how much of it was used, positive */
function creditUnpaidInvoices(draft: DecisionDraft, credit: Invoice): number {
  let left = -credit.total;
  for (const open of draft.openInvoices) {
    const givenBack = credit.lines.filter((line) => line.creditedInvoiceId === open.id).flatMap((line) => [-line.amount, ...line.taxes.filter((tax) => !tax.inclusive).map((tax) => -tax.amount)]);
    const amount = Math.min(left, open.amountRemaining, Math.max(0, sum(givenBack)));
    if (amount === 0) continue;
    left = sum([left, -amount]);
    const amountRemaining = sum([open.amountRemaining, -amount]);
    const paid = open.status === 'open' && amountRemaining === 0;
    const credited: Invoice = {
      ...open,
      amountCredited: sum([open.amountCredited, amount]),
      amountRemaining,
      status: paid ? 'paid' : open.status,
      paidAt: paid ? draft.asOf : null,
      nextPaymentAttempt: paid ? null : open.nextPaymentAttempt,
    };
    putInvoice(draft, credited);
    draft.decision.journal.push(...bookCreditToOpenInvoice(credit, credited, amount, draft));
    emit(draft, 'invoice.updated', 'invoice', open.id, { amountCredited: open.amountCredited, amountRemaining: open.amountRemaining });
    if (paid) {
      emit(draft, 'invoice.paid', 'invoice', open.id);
      recoverSubscription(draft, credited);
    }
  }
  return sum([-credit.total, -left]);
}
