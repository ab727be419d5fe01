import type { IdSource } from '../decision.ts';
import { ID_PREFIX } from '../ids.ts';
import type { Invoice } from '../invoicing/invoice.ts';
import { allocate, sum } from '../money.ts';
import type { PaymentAttempt } from '../payments/payment.ts';
import type { Instant } from '../time.ts';
import type { JournalEntry, JournalTransaction } from './journal.ts';

export interface BookingContext {
  asOf: Instant;
  newId: IdSource;
}

type BookedInvoice = Pick<Invoice, 'id' | 'customerId' | 'currency'>;

/**
 * Finalising: debit receivable, credit deferred revenue (net of tax) and tax payable; the balance taken on the way moves between receivable and customer balance. A negative
 * invoice is the reverse, its whole credit standing on the customer's balance, from where `bookCreditToOpenInvoice` takes what unpaid invoices get.
 * So the receivable of an invoice is at every moment its amount remaining. Minor units, debit positive; empty for an invoice of zero.
 */
export function bookFinalization(invoice: Invoice, context: BookingContext): JournalTransaction[] {
  const balanceMoved = invoice.total < 0 ? invoice.total : (invoice.endingBalance ?? invoice.startingBalance) - invoice.startingBalance;
  return book('invoice_finalized', invoice, context, [
    { ledgerAccount: 'receivable', amount: sum([invoice.total, -balanceMoved]) },
    { ledgerAccount: 'deferred_revenue', amount: -invoice.totalExcludingTax },
    { ledgerAccount: 'tax_payable', amount: -invoice.tax },
    { ledgerAccount: 'customer_balance', amount: balanceMoved },
  ]);
}

/** Credit of a later invoice put against the unpaid one it gives back: customer balance to receivable. */
export const bookCreditToOpenInvoice = (open: BookedInvoice, amount: number, context: BookingContext): JournalTransaction[] =>
  book('credit_applied', open, context, [
    { ledgerAccount: 'customer_balance', amount },
    { ledgerAccount: 'receivable', amount: -amount },
  ]);

/** Money arrived for an invoice: cash of its gateway against receivable, or against the bad debt it had become. */
export const bookPayment = (
  invoice: BookedInvoice & Pick<Invoice, 'status'>,
  attempt: Pick<PaymentAttempt, 'id' | 'gateway' | 'amount'>,
  context: BookingContext,
): JournalTransaction[] =>
  book(
    'payment',
    invoice,
    context,
    [
      { ledgerAccount: `cash:${attempt.gateway}`, amount: attempt.amount },
      { ledgerAccount: invoice.status === 'uncollectible' ? 'bad_debt' : 'receivable', amount: -attempt.amount },
    ],
    attempt.id,
  );

/** Money arrived for an invoice that no longer wants it: it is the customer's. */
export const bookPaymentToBalance = (
  invoice: BookedInvoice,
  attempt: Pick<PaymentAttempt, 'id' | 'gateway' | 'amount'>,
  context: BookingContext,
): JournalTransaction[] =>
  book(
    'payment',
    invoice,
    context,
    [
      { ledgerAccount: `cash:${attempt.gateway}`, amount: attempt.amount },
      { ledgerAccount: 'customer_balance', amount: -attempt.amount },
    ],
    attempt.id,
  );

/**
 * Takes back what is left of an invoice: its amount remaining and the balance that had been applied, split over revenue and tax as the
 * invoice was. What later invoices had credited of it stays as they booked it. `invoice` is as it was while open.
 */
export function bookVoid(invoice: Invoice, context: BookingContext): JournalTransaction[] {
  const restored = (invoice.endingBalance ?? invoice.startingBalance) - invoice.startingBalance;
  const [net = 0, tax = 0] = allocate(sum([invoice.amountRemaining, restored]), [Math.abs(invoice.totalExcludingTax), Math.abs(invoice.tax)]);
  return book('invoice_voided', invoice, context, [
    { ledgerAccount: 'receivable', amount: -invoice.amountRemaining },
    { ledgerAccount: 'customer_balance', amount: -restored },
    { ledgerAccount: 'deferred_revenue', amount: net },
    { ledgerAccount: 'tax_payable', amount: tax },
  ]);
}

/** Given up: debit bad debt, credit receivable for the amount remaining. */
export const bookUncollectible = (invoice: Invoice, context: BookingContext): JournalTransaction[] =>
  book('invoice_uncollectible', invoice, context, [
    { ledgerAccount: 'bad_debt', amount: invoice.amountRemaining },
    { ledgerAccount: 'receivable', amount: -invoice.amountRemaining },
  ]);

function book(
  kind: string,
  invoice: BookedInvoice,
  { asOf, newId }: BookingContext,
  given: JournalEntry[],
  paymentAttemptId: string | null = null,
): JournalTransaction[] {
  const entries = given.filter((entry) => entry.amount !== 0);
  if (entries.length === 0) return [];
  if (sum(entries.map((entry) => entry.amount)) !== 0) throw new Error(`the entries of ${kind} for ${invoice.id} do not sum to zero`);
  return [
    {
      id: newId(ID_PREFIX.journalTransaction),
      kind,
      currency: invoice.currency,
      invoiceId: invoice.id,
      paymentAttemptId,
      customerId: invoice.customerId,
      effectiveAt: asOf,
      entries,
    },
  ];
}
