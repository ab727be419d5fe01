import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { applyPendingUpdate } from '../subscription/apply-pending-update.ts';
import type { TaxAmount } from '../tax/tax-rate.ts';
import { closeDraft } from './close-draft.ts';
import { beginDecision, type DecisionContext, finishDecision } from './draft-decision.ts';
import { collectionHold, holdInvoice } from './hold-invoice.ts';
import { withTaxes } from './record-taxes.ts';
import { retaxDraft } from './retax-draft.ts';

export interface Finalization {
  /** Those of an external engine, per line in the order of the lines; without them the ones stored on the draft count. */
  taxes?: TaxAmount[][];
  /** Whether the engine collects it by itself from now on; absent: as the draft says. */
  autoAdvance?: boolean;
  /** Because its time has come and not because somebody asked: a draft that is to wait is left alone. */
  automatic?: boolean;
}

/**
 * Finalises the draft of the snapshot (see `closeDraft`); a pending update for which nothing is left to pay is applied with it. Taxes of the built-in calculator are computed
 * anew, for the customer as he is now.
 * @throws Refusal invoice_not_draft, invoice_already_paid; transition_not_allowed while taxes are still missing
 */
export function decideFinalization(snapshot: BillingSnapshot, command: Finalization, context: DecisionContext): Decision {
  const given = snapshot.invoice;
  if (!given) throw new Refusal('resource_missing', 'There is no invoice to finalize.', 'invoice');
  if (given.status === 'paid') throw new Refusal('invoice_already_paid', 'This invoice is already paid.');
  if (given.status !== 'draft') throw new Refusal('invoice_not_draft', `This invoice is already finalized: it is ${given.status}.`);
  const waits = !given.autoAdvance || (given.automaticallyFinalizesAt ?? context.asOf) > context.asOf;
  if (command.automatic && waits) throw new Refusal('invoice_not_draft', 'This draft waits for somebody to finalize it.');
  const draft = beginDecision(snapshot, context);
  const taxed = command.taxes ? withTaxes(given, command.taxes) : given;
  if (taxed.taxStatus !== 'complete')
    throw new Refusal('transition_not_allowed', 'The taxes of this invoice are not calculated yet; try again shortly.');
  const invoice = taxed.taxCalculator === 'manual' ? retaxDraft(draft, taxed) : taxed;
  const open = closeDraft(draft, { ...invoice, autoAdvance: command.autoAdvance ?? invoice.autoAdvance });
  // Whoever finalises a draft himself wants it to count; one that goes on by itself shares the fate of its time.
  const closed = holdInvoice(draft, open, command.automatic ? collectionHold(draft.subscription, invoice.createdAt) : null);
  if (closed.status === 'paid' && draft.subscription?.pendingUpdate?.invoiceId === closed.id) applyPendingUpdate(draft);
  return finishDecision(draft);
}
