import type { PauseCollection, Subscription } from '../subscription/subscription.ts';
import type { Instant } from '../time.ts';
import type { DecisionDraft } from './draft-decision.ts';
import type { Invoice } from './invoice.ts';
import { writeOff } from './mark-uncollectible.ts';
import { voidInvoice } from './void-invoice.ts';

/** What becomes of an invoice made at `at`, where collection is paused then; else null. */
export function collectionHold(subscription: Subscription | null, at: Instant): PauseCollection['behavior'] | null {
  const held = subscription?.pauseCollection;
  if (!held || at < held.since || (held.resumesAt !== null && at >= held.resumesAt)) return null;
  return held.behavior;
}

/**
 * A finalised invoice that asks for money is voided or written off where collection is paused that way; one that gives money back, or is paid by the balance, stands as it is.
 * @returns the invoice as it now stands
 */
export function holdInvoice(draft: DecisionDraft, invoice: Invoice, hold: PauseCollection['behavior'] | null): Invoice {
  if (invoice.status !== 'open') return invoice;
  if (hold === 'void') return voidInvoice(draft, invoice);
  return hold === 'mark_uncollectible' ? writeOff(draft, invoice) : invoice;
}
