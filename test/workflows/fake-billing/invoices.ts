import type { Activities } from '../../../activities/index.ts';
import { type FakeBook, refusal } from './book.ts';

/** What is done to one invoice without a gateway. */
export const invoiceVerbs = (book: FakeBook) =>
  ({
    calculateTax: async (input) =>
      book.once('calculateTax', input, () => {
        const invoice = book.invoice(input.invoiceId);
        if (invoice.status !== 'draft') throw refusal('invoice_not_draft');
        invoice.taxPending = false;
        const facts = book.invoiceFacts(invoice);
        book.afterTax?.(invoice);
        return facts;
      }),
    finalizeInvoice: async (input) =>
      book.once('finalizeInvoice', input, () => {
        const invoice = book.invoice(input.invoiceId);
        if (invoice.status !== 'draft') throw refusal('invoice_not_draft');
        const waits = !invoice.autoAdvance || (invoice.finalizesAt ?? input.asOf) > input.asOf;
        if (input.automatic && waits) throw refusal('invoice_not_draft');
        if (invoice.taxPending) throw refusal('transition_not_allowed');
        invoice.status = 'open';
        invoice.autoAdvance = input.autoAdvance ?? invoice.autoAdvance;
        invoice.finalizesAt = null;
        return book.invoiceFacts(invoice);
      }),
    editInvoice: async (input) =>
      book.once('editInvoice', input, () => {
        const invoice = book.invoice(input.invoiceId);
        if (invoice.status !== 'draft') throw refusal('invoice_not_draft');
        return book.invoiceFacts(invoice);
      }),
    setAutoAdvance: async (input) =>
      book.once('setAutoAdvance', input, () => {
        const invoice = book.invoice(input.invoiceId);
        if (invoice.status !== 'draft') throw refusal('invoice_not_draft');
        invoice.autoAdvance = input.autoAdvance;
        invoice.finalizesAt = input.autoAdvance ? Math.max(input.asOf, invoice.createdAt + book.graceSeconds) : null;
        return book.invoiceFacts(invoice);
      }),
    voidInvoice: async (input) =>
      book.once('voidInvoice', input, () => {
        const invoice = book.invoice(input.invoiceId);
        if (invoice.status !== 'open') throw refusal('invoice_not_open');
        invoice.status = 'void';
        return { invoice: book.invoiceFacts(invoice), subscription: book.subscriptionFacts(book.sub(invoice.subscriptionId)) };
      }),
    markInvoiceUncollectible: async (input) =>
      book.once('markInvoiceUncollectible', input, () => {
        const invoice = book.invoice(input.invoiceId);
        if (invoice.status !== 'open') throw refusal('invoice_not_open');
        invoice.status = 'uncollectible';
        return { invoice: book.invoiceFacts(invoice), subscription: book.subscriptionFacts(book.sub(invoice.subscriptionId)) };
      }),
    payOutOfBand: async (input) =>
      book.once('payOutOfBand', input, () => {
        const invoice = book.invoice(input.invoiceId);
        if (invoice.status !== 'open') throw refusal('invoice_not_open');
        invoice.status = 'paid';
        const sub = book.sub(invoice.subscriptionId);
        if (sub.status === 'past_due') sub.status = 'active';
        return { invoice: book.invoiceFacts(invoice), subscription: book.subscriptionFacts(sub) };
      }),
    sendInvoice: async (input) =>
      book.once('sendInvoice', input, () => {
        const invoice = book.invoice(input.invoiceId);
        if (invoice.status !== 'open') throw refusal('invoice_not_open');
        return book.invoiceFacts(invoice);
      }),
    markOverdue: async (input) =>
      book.once('markOverdue', input, () => {
        const invoice = book.invoice(input.invoiceId);
        const sub = book.sub(invoice.subscriptionId);
        if (input.asOf < (invoice.dueDate ?? 0)) throw new Error(`overdue at ${input.asOf}, before it is due`);
        invoice.isOverdue = true;
        if (sub.status === 'active') sub.status = 'past_due';
        return { invoice: book.invoiceFacts(invoice), subscription: book.subscriptionFacts(sub) };
      }),
  }) satisfies Partial<Activities>;
