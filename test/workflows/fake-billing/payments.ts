import type { Activities } from '../../../activities/index.ts';
import { terminalAction } from '../../../domain/dunning/policy.ts';
import { type Attempt, type FakeBook, refusal } from './book.ts';

/** Charges, and the dunning that follows where they fail. */
export const paymentVerbs = (book: FakeBook) =>
  ({
    collectPayment: async (input) =>
      book.once('collectPayment', input, () => {
        const invoice = book.invoice(input.invoiceId);
        if (invoice.status === 'paid') throw refusal('invoice_already_paid');
        if (invoice.status !== 'open') throw refusal('invoice_not_open');
        const last = book.attempts.filter(({ invoiceId }) => invoiceId === invoice.id).at(-1);
        if (last?.outcome === 'unknown' || last?.outcome === 'processing') throw refusal('payment_in_progress');
        const charge = book.charges.shift() ?? 'paid';
        if (charge === 'no_payment_method') return book.paymentResult(invoice, null, 'no_payment_method');
        const attempt: Attempt = {
          invoiceId: invoice.id,
          number: (last?.number ?? 0) + 1,
          outcome: 'paid',
          declineCode: null,
          paymentMethodId: input.paymentMethodId,
          at: input.asOf,
        };
        book.attempts.push(attempt);
        return book.conclude(attempt, charge);
      }),
    resolvePayment: async (input) =>
      book.once('resolvePayment', input, () => {
        const attempt = book.attempts.filter(({ invoiceId }) => invoiceId === input.invoiceId).at(-1);
        if (attempt === undefined) throw refusal('resource_missing');
        if (attempt.outcome !== 'unknown' && attempt.outcome !== 'processing')
          return book.paymentResult(book.invoice(input.invoiceId), attempt, attempt.outcome);
        return book.conclude(attempt, book.lookUps.shift() ?? 'paid');
      }),
    loadDunning: async ({ invoiceId }) => {
      book.strike('loadDunning');
      const attempts = book.attempts.filter((attempt) => attempt.invoiceId === invoiceId);
      const last = attempts.at(-1);
      return {
        policy: book.policy,
        invoice: book.invoiceFacts(book.invoice(invoiceId)),
        attemptCount: attempts.length,
        lastDeclineCode: last?.declineCode ?? null,
        lastAttemptAt: last?.at ?? null,
        unresolved: last?.outcome === 'unknown' || last?.outcome === 'processing',
        ...book.awaited(book.invoice(invoiceId)),
      };
    },
    scheduleAttempt: async (input) =>
      book.once('scheduleAttempt', input, () => {
        book.invoice(input.invoiceId).nextAttempt = input.at;
      }),
    endDunning: async (input) =>
      book.once('endDunning', input, () => {
        const invoice = book.invoice(input.invoiceId);
        const sub = book.sub(invoice.subscriptionId);
        if (invoice.status === 'open' && sub.status !== 'canceled') {
          const action = terminalAction(book.policy, invoice);
          sub.status = action === 'cancel' ? 'canceled' : action;
        }
        invoice.nextAttempt = null;
        return { subscription: book.subscriptionFacts(sub), invoice: book.invoiceFacts(invoice) };
      }),
  }) satisfies Partial<Activities>;
