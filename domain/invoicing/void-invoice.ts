import type { BillingSnapshot } from '../billing-snapshot.ts';
import { returnCredits } from '../credits/move-credits.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { bookVoid } from '../ledger/book.ts';
import { recoverSubscription } from '../subscription/recover.ts';
import { nextStatus } from '../subscription/transitions.ts';
import {
  beginDecision,
  changeSubscription,
  type DecisionContext,
  type DecisionDraft,
  emit,
  finishDecision,
  forEachBilled,
  moveBalance,
  putInvoice,
  removePending,
  shrinkCoverage,
} from './draft-decision.ts';
import type { Invoice } from './invoice.ts';

/**
 * Open -> void: nobody owes it any more. The prepaid credits and the customer balance it had taken come back and the journal is reversed for what was left of it. As with Stripe, voided
 * time is not billed again: its coverage stays, worth nothing, so a later change gives no credit for it either. Voiding the first invoice ends an
 * incomplete subscription; voiding the last unpaid one makes a delinquent subscription active; voiding a pending update's drops the update.
 * @throws Refusal invoice_already_paid, invoice_not_open
 */
export function decideVoid(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const invoice = openInvoiceOf(snapshot, 'void');
  const draft = beginDecision(snapshot, context);
  voidInvoice(draft, invoice);
  if (!forgetUpdate(draft, invoice) && draft.subscription?.status === 'incomplete' && invoice.billingReason === 'subscription_create') {
    changeSubscription(draft, {
      status: nextStatus('incomplete', 'first_invoice_expired'),
      endedAt: draft.asOf,
      incompleteExpiresAt: null,
    });
  }
  return finishDecision(draft);
}

/** An update that waited for this invoice will not happen. @returns whether there was one */
export function forgetUpdate(draft: DecisionDraft, invoice: Invoice): boolean {
  const { subscription } = draft;
  if (subscription?.pendingUpdate?.invoiceId !== invoice.id) return false;
  changeSubscription(draft, { pendingUpdate: null });
  emit(draft, 'customer.subscription.pending_update_expired', 'subscription', subscription.id);
  return true;
}

const PARTICIPLES = { void: 'voided', 'write off': 'written off', send: 'sent' } as const;

/** The invoice an operation on an open invoice is about. @throws Refusal resource_missing, invoice_already_paid, invoice_not_open */
export function openInvoiceOf(snapshot: BillingSnapshot, verb: keyof typeof PARTICIPLES): Invoice {
  const { invoice } = snapshot;
  if (!invoice) throw new Refusal('resource_missing', `There is no invoice to ${verb}.`, 'invoice');
  if (invoice.status === 'paid') throw new Refusal('invoice_already_paid', `A paid invoice cannot be ${PARTICIPLES[verb]}.`);
  if (invoice.status !== 'open')
    throw new Refusal(
      'invoice_not_open',
      `Only an open invoice can be ${verb === 'void' ? 'voided' : 'written off'}; this one is ${invoice.status}.`,
    );
  return invoice;
}

/** Voids an open invoice, or a draft whose subscription ends before it was ever finalised (nothing was booked for that one). */
export function voidInvoice(draft: DecisionDraft, invoice: Invoice): Invoice {
  if (invoice.status === 'open') {
    draft.decision.journal.push(...bookVoid(invoice, draft));
    returnCredits(draft, invoice);
    moveBalance(draft, 'unapplied_from_invoice', invoice.startingBalance - (invoice.endingBalance ?? invoice.startingBalance), invoice);
  }
  const voided: Invoice = {
    ...invoice,
    status: 'void',
    voidedAt: draft.asOf,
    autoAdvance: false,
    automaticallyFinalizesAt: null,
    nextPaymentAttempt: null,
  };
  putInvoice(draft, voided);
  emit(draft, 'invoice.voided', 'invoice', invoice.id, { status: invoice.status });
  forgetPaidTime(draft, invoice);
  recoverSubscription(draft, voided);
  return voided;
}

/** Time that nobody will pay for is covered but worth nothing: no credit for it is pending, and none can be made. */
export function forgetPaidTime(draft: DecisionDraft, invoice: Invoice): void {
  forEachBilled(draft, invoice, (billed) => forgetTimeOf(billed, invoice));
}

function forgetTimeOf(draft: DecisionDraft, invoice: Invoice): void {
  const rows = draft.snapshot.billed.filter((row) => row.invoiceId === invoice.id);
  shrinkCoverage(
    draft,
    rows.map((row) => ({ id: row.id, end: row.end, credited: Math.max(0, row.amount) })),
  );
  removePending(
    draft,
    draft.snapshot.pendingItems.filter((item) => item.line.creditedInvoiceId === invoice.id),
  );
}
