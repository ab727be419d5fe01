import type { IdSource } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { ID_PREFIX } from '../ids.ts';
import { bookBreakage, bookGrant, bookGrantVoided } from '../ledger/book.ts';
import type { JournalTransaction } from '../ledger/journal.ts';
import { formatAmount } from '../money.ts';
import type { Instant } from '../time.ts';
import { type CreditGrant, type CreditTransaction, hasExpired } from './grant.ts';

interface Context {
  asOf: Instant;
  newId: IdSource;
}

/** A grant as it will be, and what moves and is booked with it. */
export interface GrantChange {
  grant: CreditGrant;
  transactions: CreditTransaction[];
  journal: JournalTransaction[];
}

/**
 * Grants credit. What was paid for is owed from now on.
 * @throws Refusal date_out_of_range where it would begin in the past, or end before it begins
 */
export function grantCredit(
  given: Omit<CreditGrant, 'remaining' | 'voidedAt' | 'createdAt' | 'updatedAt' | 'effectiveAt'> & { effectiveAt: Instant | null },
  context: Context,
): GrantChange {
  const { asOf } = context;
  const effectiveAt = given.effectiveAt ?? asOf;
  if (effectiveAt < asOf) throw new Refusal('date_out_of_range', 'A grant cannot become effective in the past.', 'effective_at');
  checkExpiry(given.expiresAt, effectiveAt);
  const grant: CreditGrant = { ...given, effectiveAt, remaining: given.amount, voidedAt: null, createdAt: asOf, updatedAt: asOf };
  return { grant, transactions: [moved(grant, 'credits_granted', grant.amount, context, effectiveAt)], journal: bookGrant(grant, context) };
}

/** Moves its end; one that a price gives for a period is none of that period's any more. @throws Refusal date_out_of_range; transition_not_allowed for one that is over */
export function moveExpiry(grant: CreditGrant, expiresAt: Instant | null, { asOf }: Context): GrantChange {
  mustStand(grant, asOf);
  checkExpiry(expiresAt, Math.max(asOf, grant.effectiveAt));
  return { grant: { ...grant, expiresAt, recurring: null, updatedAt: asOf }, transactions: [], journal: [] };
}

/** Ends it now: what is left is lost, and revenue where it was paid for. @throws Refusal transition_not_allowed for one that is over */
export function expireGrant(grant: CreditGrant, context: Context): GrantChange {
  const { asOf } = context;
  mustStand(grant, asOf);
  return {
    grant: { ...grant, remaining: 0, expiresAt: asOf, updatedAt: asOf },
    transactions: grant.remaining === 0 ? [] : [moved(grant, 'credits_expired', -grant.remaining, context)],
    journal: bookBreakage(grant, grant.remaining, context),
  };
}

/** Takes it back, as if it had never been granted. @throws Refusal transition_not_allowed for one that is over, or of which something has been drawn */
export function voidGrant(grant: CreditGrant, context: Context): GrantChange {
  const { asOf } = context;
  mustStand(grant, asOf);
  if (grant.remaining < grant.amount) {
    const used = formatAmount(grant.amount - grant.remaining, grant.currency);
    throw new Refusal('transition_not_allowed', `${used} of this credit grant has been applied to invoices: expire what is left of it.`);
  }
  return {
    grant: { ...grant, remaining: 0, voidedAt: asOf, updatedAt: asOf },
    transactions: [moved(grant, 'credits_voided', -grant.remaining, context)],
    journal: bookGrantVoided(grant, context),
  };
}

function checkExpiry(expiresAt: Instant | null, after: Instant): void {
  if (expiresAt !== null && expiresAt <= after)
    throw new Refusal('date_out_of_range', 'A grant must expire in the future, and after it becomes effective.', 'expires_at');
}

function mustStand(grant: CreditGrant, at: Instant): void {
  if (grant.voidedAt !== null) throw new Refusal('transition_not_allowed', 'This credit grant is voided.');
  if (hasExpired(grant, at)) throw new Refusal('transition_not_allowed', 'This credit grant has expired.');
}

const moved = (
  { id: grantId, customerId, currency }: CreditGrant,
  type: CreditTransaction['type'],
  amount: number,
  { asOf, newId }: Context,
  effectiveAt = asOf,
): CreditTransaction => ({
  ...{ id: newId(ID_PREFIX.creditTransaction), grantId, customerId, type, amount, currency, invoiceId: null, invoiceLineId: null },
  ...{ effectiveAt, createdAt: asOf },
});
