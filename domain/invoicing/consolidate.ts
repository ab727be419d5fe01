import { zoneOf } from '../billing-snapshot.ts';
import type { Discount } from '../discounts/discount.ts';
import { pauseStart, scheduledEnd } from '../subscription/paused-time.ts';
import type { Subscription } from '../subscription/subscription.ts';
import { type Instant, localDate } from '../time.ts';
import { closeDraft } from './close-draft.ts';
import { type DecisionDraft, emit, putInvoice } from './draft-decision.ts';
import type { Invoice } from './invoice.ts';
import { retaxDraft } from './retax-draft.ts';

/** With whom a renewal of a customer who wants consolidated invoices may share one. */
export interface Consolidation {
  /** The customer's consolidated drafts. */
  drafts: Invoice[];
  /** The customer's other subscriptions that are alive. */
  siblings: Subscription[];
}

/** A consolidated invoice as a renewal finds it. */
export interface SharedInvoice {
  key: string;
  /** The draft to which its lines come; null: it makes one. */
  into: Invoice | null;
  /** Until when it waits for the others; null: nobody is waited for. */
  finalizesAt: Instant | null;
}

/** Seconds after the last boundary of the day for which a draft waits for a subscription that does not come: a stuck one never blocks the others. */
export const CONSOLIDATION_WINDOW = 3600;

/**
 * The invoice that a renewal at `boundary` shares with the customer's other subscriptions that renew on the same local date (in the customer's zone, else the account's) and are paid
 * on the same terms; null: it makes one of its own, as the customer does not want otherwise, or nobody is there to share it with. Whoever finds nobody left to come
 * finalises it, unless it waits for the account's grace period.
 */
export function planConsolidation(draft: DecisionDraft, subscription: Subscription, boundary: Instant): SharedInvoice | null {
  const { consolidation, account } = draft.snapshot;
  if (!consolidation || !canShare(subscription, boundary)) return null;
  const keyOf = (one: Subscription, at: Instant): string =>
    [localDate(at, zoneOf(draft.snapshot)), one.currency, one.collectionMethod, one.daysUntilDue, one.defaultPaymentMethodId].join(' ');
  const key = keyOf(subscription, boundary);
  const into =
    consolidation.drafts.find(
      ({ consolidationKey, automaticallyFinalizesAt: until, subscriptionIds = [] }) =>
        consolidationKey === key && until !== null && until >= draft.asOf && !subscriptionIds.includes(subscription.id),
    ) ?? null;
  const toCome = consolidation.siblings.filter(
    (sibling) => canShare(sibling, sibling.currentPeriodEnd) && keyOf(sibling, sibling.currentPeriodEnd) === key,
  );
  if (into === null && toCome.length === 0) return null;
  const grace = account.invoiceGraceSeconds;
  if (toCome.length === 0 && grace === 0) return { key, into, finalizesAt: null };
  const last = Math.max(boundary, ...toCome.map(({ currentPeriodEnd }) => currentPeriodEnd));
  return { key, into, finalizesAt: into?.automaticallyFinalizesAt ?? last + Math.max(grace, CONSOLIDATION_WINDOW) };
}

/** What is billed while somebody has to look after the money, or when the subscription ends or pauses there, is an invoice of its own. */
function canShare(subscription: Subscription, boundary: Instant): boolean {
  const { status, pauseCollection } = subscription;
  const end = scheduledEnd(subscription);
  const pause = pauseStart(subscription);
  return (
    (status === 'active' || status === 'past_due' || status === 'trialing') &&
    pauseCollection === null &&
    (end === null || end > boundary) &&
    (pause === null || pause > boundary)
  );
}

/** The discounts that count for lines that come to a draft: their own, and the customer's that the draft was made with where the subscription has none in its place. */
export function discountsOnto(into: Invoice, own: Discount[]): Discount[] {
  const isOfCustomer = ({ subscriptionId, subscriptionItemId, invoiceItemId }: Discount): boolean =>
    subscriptionId === null && subscriptionItemId === null && invoiceItemId === null;
  const isReplaced = own.some(
    (discount) => !isOfCustomer(discount) && discount.subscriptionItemId === null && discount.invoiceItemId === null,
  );
  const ofCustomer = (into.discounts ?? []).filter((discount) => isOfCustomer(discount) && !own.some(({ id }) => id === discount.id));
  return isReplaced ? own : [...own, ...ofCustomer];
}

/** The last one that was to come has nothing to bill: the draft is complete. Where an external engine calculates its taxes, it is asked first. */
export function completeShared(draft: DecisionDraft, { into, finalizesAt }: SharedInvoice): void {
  if (into === null || finalizesAt !== null) return;
  if (into.taxCalculator === 'manual') {
    closeDraft(draft, retaxDraft(draft, into));
    return;
  }
  putInvoice(draft, { ...into, automaticallyFinalizesAt: null });
  emit(draft, 'invoice.updated', 'invoice', into.id, { automaticallyFinalizesAt: into.automaticallyFinalizesAt });
}
