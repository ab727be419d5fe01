import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { hasEnded } from '../subscription/transitions.ts';
import type { Instant } from '../time.ts';
import { beginDecision, type DecisionContext, emit, finishDecision, putInvoice } from './draft-decision.ts';
import type { Invoice } from './invoice.ts';

/** Whether a draft's time has come and its taxes and finalising are under way: nothing about it may change any more. */
export const isBeingFinalized = (invoice: Invoice, asOf: Instant): boolean =>
  invoice.autoAdvance && (invoice.automaticallyFinalizesAt ?? asOf) <= asOf;

/** The draft of the snapshot, which may still be changed. @throws Refusal resource_missing, invoice_not_draft, transition_not_allowed */
export function changeableDraft({ invoice }: BillingSnapshot, asOf: Instant, param?: string): Invoice {
  if (!invoice) throw new Refusal('resource_missing', 'No such invoice.', 'invoice');
  if (invoice.status !== 'draft')
    throw new Refusal('invoice_not_draft', `Only a draft can be changed; this invoice is ${invoice.status}.`, param);
  if (isBeingFinalized(invoice, asOf)) throw new Refusal('transition_not_allowed', 'This invoice is being finalized.', param);
  return invoice;
}

/**
 * `false`: the draft stays one until somebody finalises it. `true`: it finalises itself when its grace period is over, at once where that has passed.
 * It is the subscription that does so: a draft of none, of one that has ended, or a consolidated one that was held back, waits for somebody.
 * As with Stripe, the grace period counts from the invoice's creation.
 * @throws Refusal invoice_not_draft; transition_not_allowed where it is being finalised
 */
export function decideAutoAdvance(snapshot: BillingSnapshot, command: { autoAdvance: boolean }, context: DecisionContext): Decision {
  const invoice = changeableDraft(snapshot, context.asOf, 'auto_advance');
  if (command.autoAdvance && (snapshot.subscription === null || hasEnded(snapshot.subscription.status))) {
    throw new Refusal(
      'transition_not_allowed',
      'No subscription goes on with this draft by itself: finalize it, with auto_advance to have it collected.',
      'auto_advance',
    );
  }
  const draft = beginDecision(snapshot, context);
  if (invoice.autoAdvance === command.autoAdvance) return finishDecision(draft);
  const due = Math.max(context.asOf, invoice.createdAt + snapshot.account.invoiceGraceSeconds);
  putInvoice(draft, { ...invoice, autoAdvance: command.autoAdvance, automaticallyFinalizesAt: command.autoAdvance ? due : null });
  emit(draft, 'invoice.updated', 'invoice', invoice.id, {
    autoAdvance: invoice.autoAdvance,
    automaticallyFinalizesAt: invoice.automaticallyFinalizesAt,
  });
  return finishDecision(draft);
}
