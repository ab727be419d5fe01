import { drawCredits } from '../credits/move-credits.ts';
import { bookCreditToOpenInvoice, bookFinalization } from '../ledger/book.ts';
import { assertSameCurrency, sum } from '../money.ts';
import { recoverSubscription } from '../subscription/recover.ts';
import { type DecisionDraft, emit, moveBalance, putInvoice } from './draft-decision.ts';
import type { Invoice } from './invoice.ts';

/**
 * Draft -> open, or paid at once where nothing is due. Parties are frozen as they are now. A negative total goes first to the unpaid invoices whose lines it gives back
 * (so time that was never paid is never spendable), the rest to the customer's balance. A total of zero or more takes prepaid credits and then the customer's balance: credit lowers
 * what is due, a debt raises it. Whoever gets a draft after its due date has as long to pay as if it had been made now. Books the journal. The number is drawn by the database when this is written.
 */
export function closeDraft(draft: DecisionDraft, given: Invoice): Invoice {
  const { account, customer } = draft.snapshot;
  if (customer.currency !== null) assertSameCurrency(customer.currency, given.currency, 'currency');
  const startingBalance = draft.balance;
  const creditDraws = drawCredits(draft, given, sum([given.total, -given.amountCredited]));
  const toPay = sum([given.total, ...creditDraws.map(({ amount }) => -amount)]);
  if (given.total < 0) moveBalance(draft, 'credit_from_invoice', given.total + creditUnpaidInvoices(draft, given), given);
  else moveBalance(draft, 'applied_to_invoice', -Math.max(draft.balance, given.amountCredited - toPay), given);

  const amountDue = given.total < 0 ? 0 : sum([toPay, startingBalance, -draft.balance]);
  const amountRemaining = sum([amountDue, -given.amountCredited]);
  const paid = amountRemaining === 0;
  const { dueDate, createdAt } = given;
  const invoice: Invoice = {
    ...given,
    dueDate: dueDate !== null && dueDate <= draft.asOf ? draft.asOf + Math.max(0, dueDate - createdAt) : dueDate,
    status: paid ? 'paid' : 'open',
    customer: { name: customer.name, email: customer.email, address: customer.address },
    seller: account.seller,
    startingBalance,
    endingBalance: draft.balance,
    amountDue,
    amountRemaining,
    attempted: paid || given.attempted,
    automaticallyFinalizesAt: null,
    finalizedAt: draft.asOf,
    paidAt: paid ? draft.asOf : null,
    ...(creditDraws.length === 0 ? {} : { creditDraws }),
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
  const unpaid = new Map([draft, ...draft.members].flatMap(({ openInvoices }) => openInvoices.map((open) => [open.id, open])));
  for (const open of unpaid.values()) {
    const givenBack = credit.lines
      .filter((line) => line.creditedInvoiceId === open.id)
      .flatMap((line) => [-line.amount, ...line.taxes.filter((tax) => !tax.inclusive).map((tax) => -tax.amount)]);
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
