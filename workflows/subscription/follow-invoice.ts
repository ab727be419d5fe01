import { condition } from '@temporalio/workflow';
import type { InvoiceFacts, PaymentResult } from '../../activities/index.ts';
import { refusalIn } from '../read-failure.ts';
import * as act from './act.ts';
import { chase } from './chase.ts';
import { adopt, asOfNow, type Desk, type Errand } from './desk.ts';
import { park, unpark } from './park.ts';
import { takeShared, tellOthers } from './share-news.ts';
import type { CollectionManner, ParkedStep } from './state.ts';
import { topUp } from './top-up.ts';

export interface Followed {
  invoice: InvoiceFacts | null;
  payment: PaymentResult | null;
}

/** How long a command waits for an external tax engine before it is answered with a draft. */
const TAX_PATIENCE = '5s';

/**
 * Takes an invoice as far as it goes now: taxes -> finalising -> collecting. What does not go is parked and retried by the loop, so
 * this never throws for a step's failure.
 */
export async function followInvoice(desk: Desk, invoice: InvoiceFacts | null, manner: CollectionManner): Promise<Followed> {
  if (invoice === null) return { invoice: null, payment: null };
  const { next, finalizesAt } = invoice;
  if (finalizesAt !== undefined && (next === 'calculate_tax' || next === 'finalize')) {
    forgetDraft(desk, invoice.id);
    desk.state.drafts.push({ invoiceId: invoice.id, finalizesAt, next });
    return { invoice, payment: null };
  }
  if (next === 'calculate_tax') return calculateTax(desk, invoice.id, manner, invoice);
  return collectWhereDue(desk, invoice, manner);
}

/** Goes on with a draft whose grace period is over. */
export async function finalizeDraft(desk: Desk, invoiceId: string): Promise<void> {
  const known = desk.state.drafts.find((draft) => draft.invoiceId === invoiceId);
  forgetDraft(desk, invoiceId);
  const manner = { collect: true, dropIfDeclined: false };
  if (known?.next === 'calculate_tax') await calculateTax(desk, invoiceId, manner, null);
  else await finalize(desk, invoiceId, manner);
}

export function forgetDraft({ state }: Desk, invoiceId: string): void {
  state.drafts = state.drafts.filter((draft) => draft.invoiceId !== invoiceId);
}

/** Takes up a parked step again. */
export async function retry(desk: Desk, invoiceId: string): Promise<void> {
  const parked = desk.state.parked.find((step) => step.invoiceId === invoiceId);
  if (parked === undefined) return;
  const { manner } = parked;
  switch (parked.step) {
    case 'calculate_tax':
      startErrand(desk, invoiceId, parked.since);
      parked.retryAt = null;
      return;
    case 'finalize_invoice':
      await finalize(desk, invoiceId, manner);
      return;
    case 'collect_payment':
      await collect(desk, { id: invoiceId }, manner);
      return;
    case 'resolve_payment':
      await lookUp(desk, parked);
      return;
    case 'apply_update':
    case 'drop_update':
      await resolveUpdate(desk, invoiceId, parked.step === 'apply_update', asOfNow(desk));
  }
}

// Taxes of an external engine ----------------------------------------------------------------------------------------

async function calculateTax(desk: Desk, invoiceId: string, manner: CollectionManner, invoice: InvoiceFacts | null): Promise<Followed> {
  const errand = startErrand(desk, invoiceId);
  if (await condition(() => errand.end !== null, TAX_PATIENCE, { summary: `waits for the taxes of ${invoiceId}` })) {
    return endErrand(desk, errand, manner, invoice);
  }
  park(desk, {
    invoiceId,
    step: 'calculate_tax',
    error: 'the tax engine does not answer; its pending activity shows why',
    manner,
    retriesItself: true,
  });
  return { invoice, payment: null };
}

/** Starts the calculation without waiting for it: while the engine is away, the subscription goes on. `again`: since when an earlier answer is not enough. */
function startErrand(desk: Desk, invoiceId: string, again?: number): Errand {
  const known = desk.errands.get(invoiceId);
  if (known !== undefined) return known;
  const errand: Errand = { invoiceId, end: null };
  desk.errands.set(invoiceId, errand);
  act.calculateTax(desk, invoiceId, again).then(
    (taxed) => {
      errand.end = { taxed };
    },
    (failure: unknown) => {
      errand.end = { failure };
    },
  );
  return errand;
}

/** After continue-as-new the activities of the run before are gone; the parked steps remember what they were for. */
export function restartErrands(desk: Desk): void {
  for (const { invoiceId, step, retryAt } of desk.state.parked)
    if (step === 'calculate_tax' && retryAt === null) startErrand(desk, invoiceId);
}

export const finishedErrand = (desk: Desk): Errand | undefined => [...desk.errands.values()].find((errand) => errand.end !== null);

/** Goes on with an invoice whose taxes have come after it was parked. */
export async function takeUp(desk: Desk, errand: Errand): Promise<void> {
  const parked = desk.state.parked.find((step) => step.invoiceId === errand.invoiceId);
  await endErrand(desk, errand, parked?.manner ?? { collect: true, dropIfDeclined: false }, null);
}

async function endErrand(desk: Desk, errand: Errand, manner: CollectionManner, draft: InvoiceFacts | null): Promise<Followed> {
  desk.errands.delete(errand.invoiceId);
  if (errand.end !== null && 'failure' in errand.end) {
    const { failure } = errand.end;
    if (isSettledElsewhere(failure)) unpark(desk, errand.invoiceId);
    else park(desk, { invoiceId: errand.invoiceId, step: 'calculate_tax', error: failure, manner });
    return { invoice: draft, payment: null };
  }
  return finalize(desk, errand.invoiceId, manner);
}

async function finalize(desk: Desk, invoiceId: string, manner: CollectionManner): Promise<Followed> {
  try {
    const invoice = await act.finalizeInvoice(desk, invoiceId);
    unpark(desk, invoiceId);
    await tellOthers(desk, null, invoice.others);
    return await collectWhereDue(desk, invoice, manner);
  } catch (error) {
    if (isSettledElsewhere(error)) unpark(desk, invoiceId);
    else {
      // Its lines have changed since its taxes came: they are asked for once more.
      const step = refusalIn(error)?.type === 'transition_not_allowed' ? 'calculate_tax' : 'finalize_invoice';
      park(desk, { invoiceId, step, error, manner });
    }
    return { invoice: null, payment: null };
  }
}

// Money ----------------------------------------------------------------------------------------------------------------

/** What is sent is waited for by its dunning, from the due date on in earnest. */
async function collectWhereDue(desk: Desk, invoice: InvoiceFacts, manner: CollectionManner): Promise<Followed> {
  if (invoice.shared !== undefined) await takeShared(desk, invoice, invoice.shared);
  if (invoice.next === 'await_payment' && !desk.repeating) await chase(desk, invoice);
  const payment = invoice.next === 'collect' && manner.collect ? await collect(desk, invoice, manner) : null;
  if (invoice.lowCredit !== undefined) await topUp(desk, invoice.lowCredit);
  return { invoice: payment?.invoice ?? invoice, payment };
}

async function collect(desk: Desk, invoice: InvoiceFacts | act.ParkedInvoice, manner: CollectionManner): Promise<PaymentResult | null> {
  try {
    return await settle(desk, await act.collectPayment(desk, invoice), manner);
  } catch (error) {
    if (isSettledElsewhere(error)) unpark(desk, invoice.id);
    else {
      // Somebody else's attempt is under way: what becomes of it is looked up, and no second one is made.
      const step = refusalIn(error)?.type === 'payment_in_progress' ? 'resolve_payment' : 'collect_payment';
      park(desk, { invoiceId: invoice.id, step, error, manner });
    }
    return null;
  }
}

async function lookUp(desk: Desk, { invoiceId, attemptNumber, tries, manner }: ParkedStep): Promise<void> {
  try {
    await settle(desk, await act.resolvePayment(desk, invoiceId, attemptNumber, tries), manner);
  } catch (error) {
    if (isSettledElsewhere(error)) unpark(desk, invoiceId);
    else park(desk, { invoiceId, step: 'resolve_payment', error, manner, attemptNumber });
  }
}

/** What follows from an attempt's outcome. A decline is an outcome like any other. */
async function settle(desk: Desk, payment: PaymentResult, manner: CollectionManner): Promise<PaymentResult> {
  adopt(desk, payment.subscription);
  const { id, shared } = payment.invoice;
  const isOpen = payment.outcome === 'processing' || payment.outcome === 'unknown';
  if (shared !== undefined && !isOpen) await takeShared(desk, payment.invoice, shared);
  if (desk.repeating) return payment;
  const awaited = desk.state.facts.pendingUpdate?.invoiceId === id;
  switch (payment.outcome) {
    case 'paid':
    case 'nothing_due':
      unpark(desk, id);
      if (awaited) await resolveUpdate(desk, id, true, asOfNow(desk));
      return payment;
    case 'processing':
    case 'unknown':
      park(desk, {
        invoiceId: id,
        step: 'resolve_payment',
        error: `attempt ${payment.attemptNumber} is ${payment.outcome}`,
        manner,
        attemptNumber: payment.attemptNumber,
      });
      return payment;
    default:
      unpark(desk, id);
      // One of no subscription is that of a credit top-up, which is not tried again by itself.
      if (payment.subscription === null && shared === undefined) return payment;
      if (!awaited) await chase(desk, payment.invoice);
      else if (manner.dropIfDeclined) await resolveUpdate(desk, id, false, asOfNow(desk));
      return payment;
  }
}

/** Applies a pending update whose invoice is paid, or takes it back. */
export async function resolveUpdate(desk: Desk, invoiceId: string, apply: boolean, asOf: number): Promise<void> {
  try {
    const outcome = await act.resolvePendingUpdate(desk, invoiceId, apply, asOf);
    unpark(desk, invoiceId);
    adopt(desk, outcome.subscription);
    await tellOthers(desk, null, outcome.others);
  } catch (error) {
    const manner = { collect: false, dropIfDeclined: false };
    park(desk, { invoiceId, step: apply ? 'apply_update' : 'drop_update', error, manner });
  }
}

/** The invoice was paid, voided or finalised by somebody else's command, who also tells the subscription. */
function isSettledElsewhere(error: unknown): boolean {
  const code = refusalIn(error)?.type;
  return code === 'invoice_already_paid' || code === 'invoice_not_open' || code === 'invoice_not_draft' || code === 'resource_missing';
}

export const wasDeclined = (payment: PaymentResult | null): payment is PaymentResult =>
  payment !== null && (payment.outcome === 'declined' || payment.outcome === 'requires_action' || payment.outcome === 'no_payment_method');
