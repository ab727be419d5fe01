import { type BillingSnapshot, zoneOf } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { beginDecision, type DecisionContext, finishDecision } from '../invoicing/draft-decision.ts';
import type { DiscountWish } from './discount.ts';
import { endDiscounts, redeem } from './redeem.ts';

/**
 * The customer's discount from now on, in place of the one there is; null: none. It counts on the next invoices of subscriptions without discounts of their own.
 * @throws Refusal customer_deleted; what `redeem` refuses
 */
export function decideCustomerDiscount(
  snapshot: BillingSnapshot,
  { wish }: { wish: DiscountWish | null },
  context: DecisionContext,
): Decision {
  const { customer } = snapshot;
  if (customer.deleted) throw new Refusal('customer_deleted', `The customer ${customer.id} is deleted.`, 'customer');
  const present = customer.discount ? [customer.discount] : [];
  const draft = beginDecision(snapshot, context);
  if (wish === null) {
    endDiscounts(draft, present);
    if (present.length > 0) draft.decision.customerDiscount = null;
    return finishDecision(draft);
  }
  const [discount = null] = redeem(draft, [wish], {
    subscriptionId: null,
    subscriptionItemId: null,
    invoiceItemId: null,
    param: null,
    present,
    inherited: [],
    currency: customer.currency,
    zone: zoneOf(draft.snapshot),
    purchase: null,
  });
  draft.decision.customerDiscount = discount;
  const [replaced] = present;
  // As Stripe, who changes from one coupon to another is told so, beside the end of the old one.
  if (replaced && discount && discount.id !== replaced.id) {
    const { couponId, promotionCodeId, start, end } = replaced;
    draft.decision.events = draft.decision.events.map((event) =>
      event.type === 'customer.discount.created'
        ? { ...event, type: 'customer.discount.updated', previous: { couponId, promotionCodeId, start, end } }
        : event,
    );
  }
  return finishDecision(draft);
}
