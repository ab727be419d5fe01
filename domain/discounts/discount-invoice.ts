import { changeSubscription, type DecisionDraft } from '../invoicing/draft-decision.ts';
import type { Invoice } from '../invoicing/invoice.ts';
import type { Instant } from '../time.ts';
import type { Discount } from './discount.ts';
import { endDiscounts, inForce } from './redeem.ts';

/**
 * The discounts that count for an invoice of now: those of its items, then those of its subscription, else (as at Stripe, the subscription's replace them) the one of the customer.
 * @param at what is billed begins here: a discount counts from its start on and before its end
 * @param ofItems those of invoice items on it
 */
export function discountsFor(draft: DecisionDraft, at: Instant, ofItems: readonly Discount[] = []): Discount[] {
  const { subscription } = draft;
  const own = (subscription?.items ?? []).flatMap(({ discounts }) => inForce(discounts ?? [], at));
  const ofSubscription = inForce(subscription?.discounts ?? [], at);
  const ofCustomer = customerDiscount(draft);
  const ofInvoice = ofSubscription.length > 0 ? ofSubscription : inForce(ofCustomer ? [ofCustomer] : [], at);
  return [...ofItems, ...own, ...ofInvoice];
}

const customerDiscount = ({ decision, snapshot }: DecisionDraft): Discount | null =>
  decision.customerDiscount === undefined ? (snapshot.customer.discount ?? null) : decision.customerDiscount;

/** All that stand somewhere, whether they count now or not. */
const standing = (draft: DecisionDraft): Discount[] => {
  const ofCustomer = customerDiscount(draft);
  const { items = [], discounts = [] } = draft.subscription ?? {};
  return [...items.flatMap((item) => item.discounts ?? []), ...discounts, ...(ofCustomer ? [ofCustomer] : [])];
};

/**
 * After an invoice: discounts that are used once and have taken something off it, and those whose time is over by `at`, stand nowhere any more. One that took nothing off
 * (a free trial, an invoice of credits) waits for the next invoice.
 */
export function retireDiscounts(draft: DecisionDraft, invoice: Invoice, at: Instant): void {
  const used = usedBy(invoice);
  retire(draft, ({ id, end, terms }) => (end !== null && end <= at) || (terms.duration === 'once' && used.has(id)));
}

/** Those of an update that is paid for only now. */
export const retireUsed = (draft: DecisionDraft, ids: readonly string[]): void => retire(draft, ({ id }) => ids.includes(id));

/** The discounts an invoice would use up. */
export const usedUpBy = (draft: DecisionDraft, invoice: Invoice): string[] => {
  const used = usedBy(invoice);
  return standing(draft).flatMap(({ id, terms }) => (terms.duration === 'once' && used.has(id) ? [id] : []));
};

/** The discounts that have taken something off it. */
const usedBy = (invoice: Invoice): Set<string> =>
  new Set(invoice.lines.flatMap(({ discountAmounts }) => (discountAmounts ?? []).map(({ discountId }) => discountId)));

function retire(draft: DecisionDraft, isOver: (discount: Discount) => boolean): void {
  const over = standing(draft).filter(isOver);
  if (over.length === 0) return;
  endDiscounts(draft, over);
  const ids = new Set(over.map(({ id }) => id));
  const left = (discounts: readonly Discount[]): Discount[] => discounts.filter(({ id }) => !ids.has(id));
  const { subscription } = draft;
  if (subscription) {
    changeSubscription(draft, {
      discounts: left(subscription.discounts),
      items: subscription.items.map((item) =>
        item.discounts?.some(({ id }) => ids.has(id)) ? { ...item, discounts: left(item.discounts) } : item,
      ),
    });
  }
  const ofCustomer = customerDiscount(draft);
  if (ofCustomer && ids.has(ofCustomer.id)) draft.decision.customerDiscount = null;
}
