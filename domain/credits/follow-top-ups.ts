import type { OutboxEvent } from '../decision.ts';
import { ID_PREFIX } from '../ids.ts';
import type { Invoice } from '../invoicing/invoice.ts';
import type { JournalTransaction } from '../ledger/journal.ts';
import { sum } from '../money.ts';
import { boundary, type Instant } from '../time.ts';
import { grantCredit } from './edit-grant.ts';
import type { CreditGrant, CreditTransaction } from './grant.ts';
import type { CreditTopUp } from './low-credit.ts';

export interface TopUpFacts {
  topUps: readonly CreditTopUp[];
  /** As the decision leaves them. */
  invoices: readonly Invoice[];
  events: readonly OutboxEvent[];
  zone: string;
  asOf: Instant;
  newId: (prefix: string) => string;
}

export interface FollowedTopUp {
  topUp: CreditTopUp;
  did: 'succeeded' | 'failed' | 'canceled';
  granted: { grant: CreditGrant; transactions: CreditTransaction[]; journal: JournalTransaction[] } | null;
}

/**
 * What becomes of the invoices of top-ups makes of the top-ups: one that is paid, in whatever way, grants its credit in the same decision, and the next one may be made; one whose payment fails stops all further
 * ones until it is paid; one that is voided is forgotten.
 */
export function followTopUps({ topUps, invoices, events, zone, asOf, newId }: TopUpFacts): FollowedTopUp[] {
  return topUps.flatMap((topUp): FollowedTopUp[] => {
    const invoice = invoices.find(({ id }) => id === topUp.pendingInvoiceId);
    if (invoice === undefined) return [];
    const over = { ...topUp, pendingInvoiceId: null, suspendedAt: null, updatedAt: asOf };
    if (invoice.status === 'void') return [{ topUp: over, did: 'canceled', granted: null }];
    if (invoice.status === 'paid') {
      const amount = sum(invoice.lines.map((line) => line.amount));
      const { customerId, name, currency, scope, priority, expiresAfter, metadata } = topUp;
      const expiresAt = expiresAfter && boundary(asOf, expiresAfter, zone, 1);
      const granted = grantCredit(
        {
          ...{ id: newId(ID_PREFIX.creditGrant), customerId, name, category: 'paid', amount, currency, scope, priority },
          ...{ metadata, recurring: null, effectiveAt: null, expiresAt },
        },
        { asOf, newId },
      );
      return [{ topUp: over, did: 'succeeded', granted }];
    }
    const failed = events.some(({ type, objectId }) => type === 'invoice.payment_failed' && objectId === invoice.id);
    return failed ? [{ topUp: { ...topUp, suspendedAt: asOf, updatedAt: asOf }, did: 'failed', granted: null }] : [];
  });
}
