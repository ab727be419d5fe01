import type { CreditGrant } from '../credits/grant.ts';
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

/** What an entry is about: enough of an invoice to book on it. */
export type BookedInvoice = Pick<
  Invoice,
  | 'id'
  | 'customerId'
  | 'currency'
  | 'status'
  | 'tax'
  | 'total'
  | 'totalExcludingTax'
  | 'creditDraws'
  | 'startingBalance'
  | 'endingBalance'
  | 'amountCredited'
  | 'amountDue'
  | 'amountRemaining'
>;

/*
 * The identity of these postings: per invoice, the receivable sums to `expectedReceivable(invoice)`, and per customer, customer_balance sums to
 * `customer.balance` (both negative for credit the customer holds).
 */

/** What the receivable of an invoice must stand at: what remains of it while it is open or paid, nothing once it was voided or written off; a draft has at most early credits. */
export function expectedReceivable(invoice: Pick<Invoice, 'status' | 'amountRemaining' | 'amountCredited'>): number {
  if (invoice.status === 'draft') return invoice.amountCredited === 0 ? 0 : -invoice.amountCredited;
  return invoice.status === 'open' || invoice.status === 'paid' ? invoice.amountRemaining : 0;
}

/**
 * Finalising: debits the receivable with the total, credits deferred revenue (net) and tax payable; the movement of the customer balance
 * (`endingBalance - startingBalance`) is then taken from or added to the receivable, and so are the prepaid credits drawn: those that were paid for lower what is owed
 * to the customer, those that were given away lower revenue. A negative invoice books the same with the
 * opposite signs; what it puts against open invoices instead of the balance stays on its receivable until
 * `bookCreditToOpenInvoice` moves it.
 *
 * @param invoice as finalised, balances and amounts set.
 * @throws Error when the invoice's amounts contradict each other (a bug, never a refusal).
 */
export function bookFinalization(invoice: BookedInvoice, ctx: BookingContext): JournalTransaction[] {
  const movement = balanceMovement(invoice);
  const credits = creditsDrawn(invoice);
  const receivable = sum([invoice.total, -movement, -credits.paid, -credits.promotional]);
  if (Math.max(0, receivable) !== invoice.amountDue) {
    throw new Error(
      `invoice ${invoice.id}: total ${invoice.total} less balance ${movement} and credits is not its amount due ${invoice.amountDue}`,
    );
  }
  return book('invoice_finalized', invoice, null, ctx, [
    { ledgerAccount: 'receivable', amount: receivable },
    { ledgerAccount: 'customer_balance', amount: movement },
    { ledgerAccount: 'prepaid_credits', amount: credits.paid },
    { ledgerAccount: 'promotional_credits', amount: credits.promotional },
    { ledgerAccount: 'deferred_revenue', amount: -invoice.totalExcludingTax },
    { ledgerAccount: 'tax_payable', amount: -invoice.tax },
  ]);
}

/**
 * A successful payment: debits the cash of its gateway, credits the receivable, or the bad debt where the invoice had been given up.
 * @param invoice as it was before the payment.
 */
export function bookPayment(
  invoice: BookedInvoice,
  attempt: Pick<PaymentAttempt, 'id' | 'gateway' | 'amount'>,
  ctx: BookingContext,
): JournalTransaction[] {
  return book('payment', invoice, attempt.id, ctx, [
    { ledgerAccount: `cash:${attempt.gateway}`, amount: attempt.amount },
    { ledgerAccount: invoice.status === 'uncollectible' ? 'bad_debt' : 'receivable', amount: -attempt.amount },
  ]);
}

/** What remains of an invoice was paid another way: debits the cash out of band, credits what `bookPayment` credits. @param invoice as it was before the payment. */
export function bookPaymentOutOfBand(invoice: BookedInvoice, ctx: BookingContext): JournalTransaction[] {
  return book('payment', invoice, null, ctx, [
    { ledgerAccount: 'cash:out_of_band', amount: invoice.amountRemaining },
    { ledgerAccount: invoice.status === 'uncollectible' ? 'bad_debt' : 'receivable', amount: -invoice.amountRemaining },
  ]);
}

/** A payment that arrived for an invoice that no longer takes it (voided, or paid otherwise meanwhile): cash against the customer's balance. */
export function bookPaymentToBalance(
  invoice: Pick<BookedInvoice, 'id' | 'customerId' | 'currency'>,
  attempt: Pick<PaymentAttempt, 'id' | 'gateway' | 'amount'>,
  ctx: BookingContext,
): JournalTransaction[] {
  return book('payment', invoice, attempt.id, ctx, [
    { ledgerAccount: `cash:${attempt.gateway}`, amount: attempt.amount },
    { ledgerAccount: 'customer_balance', amount: -attempt.amount },
  ]);
}

/**
 * Voiding: reverses what finalising booked and gives an applied balance and prepaid credits back. Credits of later invoices that were put against it have
 * reversed their part already, so only the rest is reversed here, net and tax in the invoice's own proportion.
 * @param invoice as it was before: open, or uncollectible (then the bad debt is reversed instead of the receivable).
 */
export function bookVoid(invoice: BookedInvoice, ctx: BookingContext): JournalTransaction[] {
  const movement = balanceMovement(invoice);
  const credits = creditsDrawn(invoice);
  const reversed = sum([invoice.amountRemaining, movement, credits.paid, credits.promotional]);
  const [net = 0, tax = 0] =
    reversed === invoice.total
      ? [invoice.totalExcludingTax, invoice.tax]
      : allocate(reversed, [Math.abs(invoice.totalExcludingTax), Math.abs(invoice.tax)]);
  return book('invoice_voided', invoice, null, ctx, [
    { ledgerAccount: invoice.status === 'uncollectible' ? 'bad_debt' : 'receivable', amount: -invoice.amountRemaining },
    { ledgerAccount: 'customer_balance', amount: -movement },
    { ledgerAccount: 'prepaid_credits', amount: -credits.paid },
    { ledgerAccount: 'promotional_credits', amount: -credits.promotional },
    { ledgerAccount: 'deferred_revenue', amount: net },
    { ledgerAccount: 'tax_payable', amount: tax },
  ]);
}

/** Writing off: what remains moves from the receivable to bad debt. @param invoice as it was before. */
export function bookUncollectible(invoice: BookedInvoice, ctx: BookingContext): JournalTransaction[] {
  return book('invoice_uncollectible', invoice, null, ctx, [
    { ledgerAccount: 'bad_debt', amount: invoice.amountRemaining },
    { ledgerAccount: 'receivable', amount: -invoice.amountRemaining },
  ]);
}

/**
 * Puts `amount` (positive) of a finalised negative invoice against an open one: two transactions, one per invoice, so that each
 * receivable can be read by invoice. They meet in customer_balance, where they cancel out: the customer never has this credit to spend.
 */
export function bookCreditToOpenInvoice(
  creditInvoice: Pick<BookedInvoice, 'id' | 'customerId' | 'currency'>,
  openInvoice: Pick<BookedInvoice, 'id' | 'customerId' | 'currency'>,
  amount: number,
  ctx: BookingContext,
): JournalTransaction[] {
  return [
    ...book('credit_applied', creditInvoice, null, ctx, [
      { ledgerAccount: 'receivable', amount },
      { ledgerAccount: 'customer_balance', amount: -amount },
    ]),
    ...book('credit_applied', openInvoice, null, ctx, [
      { ledgerAccount: 'customer_balance', amount },
      { ledgerAccount: 'receivable', amount: -amount },
    ]),
  ];
}

type BookedGrant = Pick<CreditGrant, 'customerId' | 'currency' | 'category' | 'amount'>;

/** Credit that was paid for: its sale was booked as deferred revenue, and is owed as credit from now on. What is given away is booked when it is drawn. */
export const bookGrant = (grant: BookedGrant, ctx: BookingContext): JournalTransaction[] =>
  bookPaidCredit('credit_granted', 'deferred_revenue', grant, -grant.amount, ctx);

/** What `bookGrant` booked, reversed. */
export const bookGrantVoided = (grant: BookedGrant, ctx: BookingContext): JournalTransaction[] =>
  bookPaidCredit('credit_grant_voided', 'deferred_revenue', grant, grant.amount, ctx);

/** `amount` of a grant expired without ever being used: what had been paid for it is revenue. */
export const bookBreakage = (grant: BookedGrant, amount: number, ctx: BookingContext): JournalTransaction[] =>
  bookPaidCredit('credit_expired', 'revenue', grant, amount, ctx);

const bookPaidCredit = (
  kind: string,
  against: 'deferred_revenue' | 'revenue',
  { category, customerId, currency }: BookedGrant,
  amount: number,
  ctx: BookingContext,
): JournalTransaction[] =>
  category === 'promotional'
    ? []
    : book(kind, { id: null, customerId, currency }, null, ctx, [
        { ledgerAccount: against, amount: -amount },
        { ledgerAccount: 'prepaid_credits', amount },
      ]);

/** What grants paid of the invoice, by what they are. */
function creditsDrawn({ creditDraws = [] }: BookedInvoice): Record<CreditGrant['category'], number> {
  const of = (category: CreditGrant['category']): number =>
    sum(creditDraws.filter((draw) => draw.category === category).map(({ amount }) => amount));
  return { paid: of('paid'), promotional: of('promotional') };
}

/** Change of the customer's balance by the invoice: positive uses credit up, negative gives credit. */
function balanceMovement(invoice: BookedInvoice): number {
  if (invoice.endingBalance === null) throw new Error(`invoice ${invoice.id} has no ending balance: it is not finalised`);
  return sum([invoice.endingBalance, -invoice.startingBalance]);
}

function book(
  kind: string,
  about: Pick<BookedInvoice, 'customerId' | 'currency'> & { id: string | null },
  paymentAttemptId: string | null,
  ctx: BookingContext,
  lines: JournalEntry[],
): JournalTransaction[] {
  const entries = lines.filter((entry) => entry.amount !== 0);
  if (entries.length === 0) return [];
  const difference = sum(entries.map((entry) => entry.amount));
  if (difference !== 0)
    throw new Error(
      `${kind} of ${about.id === null ? `customer ${about.customerId}` : `invoice ${about.id}`} is out of balance by ${difference}`,
    );
  return [
    {
      id: ctx.newId(ID_PREFIX.journalTransaction),
      kind,
      currency: about.currency,
      invoiceId: about.id,
      paymentAttemptId,
      customerId: about.customerId,
      effectiveAt: ctx.asOf,
      entries,
    },
  ];
}
