import { ID_PREFIX } from '../ids.ts';
import { type DecisionDraft, emit } from '../invoicing/draft-decision.ts';
import type { Invoice } from '../invoicing/invoice.ts';
import { bookBreakage } from '../ledger/book.ts';
import { sum } from '../money.ts';
import { type CreditDraw, type CreditGrant, type CreditTransaction, hasExpired } from './grant.ts';
import { planDraws } from './plan-draws.ts';

/**
 * Takes from the customer's grants what they pay of an invoice that is being finalised; `bookFinalization` books it. What has expired meanwhile is written off first.
 * @param most of what is left to pay of it
 * @returns what was taken, per grant and line
 */
export function drawCredits(draft: DecisionDraft, invoice: Invoice, most: number): CreditDraw[] {
  lapseCredits(draft);
  if (most <= 0) return [];
  const { currency, lines } = invoice;
  const planned = planDraws(draft.creditGrants, { lines, currency, most, prices: draft.snapshot.prices, at: draft.asOf });
  return planned.map(({ grant, lineId, amount }) => {
    const transactionId = moveCredit(draft, grant.id, {
      type: 'credits_applied',
      amount: -amount,
      invoiceId: invoice.id,
      invoiceLineId: lineId,
    });
    return { transactionId, grantId: grant.id, category: grant.category, invoiceLineId: lineId, amount };
  });
}

/** Gives back what grants had paid of an invoice that is voided; `bookVoid` books it. What comes back to a grant that has expired is lost at once, as at Stripe. */
export function returnCredits(draft: DecisionDraft, invoice: Invoice): void {
  for (const { grantId, amount, invoiceLineId } of invoice.creditDraws ?? []) {
    moveCredit(draft, grantId, { type: 'credits_application_invoice_voided', amount, invoiceId: invoice.id, invoiceLineId });
  }
  if (invoice.creditDraws?.length) lapseCredits(draft);
}

/** Writes off what is left of grants that have expired. What was paid for and never used is revenue now. Those of a period are settled with the subscription that gives them. */
function lapseCredits(draft: DecisionDraft): void {
  for (const grant of draft.creditGrants) {
    if (
      grant.recurring != null ||
      grant.remaining === 0 ||
      grant.voidedAt !== null ||
      grant.expiresAt === null ||
      !hasExpired(grant, draft.asOf)
    )
      continue;
    moveCredit(draft, grant.id, {
      type: 'credits_expired',
      amount: -grant.remaining,
      invoiceId: null,
      invoiceLineId: null,
      effectiveAt: grant.expiresAt,
    });
    draft.decision.journal.push(...bookBreakage(grant, grant.remaining, draft));
  }
}

/** @returns the id of the movement */
function moveCredit(
  draft: DecisionDraft,
  grantId: string,
  moved: Pick<CreditTransaction, 'type' | 'amount' | 'invoiceId' | 'invoiceLineId'> & { effectiveAt?: number },
): string {
  const grant = draft.creditGrants.find(({ id }) => id === grantId);
  if (!grant) throw new Error(`the credit grant ${grantId} moves and was not read`);
  const after: CreditGrant = { ...grant, remaining: sum([grant.remaining, moved.amount]) };
  if (after.remaining < 0 || after.remaining > after.amount)
    throw new Error(`${after.remaining} of ${after.amount} would be left of ${grantId}`);
  draft.creditGrants = draft.creditGrants.map((other) => (other.id === grantId ? after : other));
  const { credits } = draft.decision;
  const id = draft.newId(ID_PREFIX.creditTransaction);
  credits.grants = [...credits.grants.filter((other) => other.id !== grantId), after];
  const { customerId, currency } = grant;
  credits.transactions.push({ id, grantId, customerId, currency, effectiveAt: draft.asOf, createdAt: draft.asOf, ...moved });
  emit(draft, 'billing.credit_balance_transaction.created', 'credit_balance_transaction', id);
  return id;
}
