import { loadSnapshot } from '../db/billing-snapshot.ts';
import type { AccountTransaction } from '../db/client.ts';
import { digest } from '../db/digest.ts';
import { findOperation } from '../db/operations.ts';
import { recordDecision } from '../db/record-decision.ts';
import type { DiscountWish } from '../domain/discounts/discount.ts';
import { askedFor } from '../domain/discounts/discount.ts';
import { decideCustomerDiscount } from '../domain/discounts/discount-customer.ts';
import type { RequestContext } from './context.ts';
import { badRequest } from './errors.ts';

/** null: none. */
interface CustomerDiscount {
  wish: DiscountWish | null;
}

/** The discount of a customer in the older dialect's words, where the request says anything of it. @throws ApiError 400 for both at once */
export function customerDiscountFrom(given: {
  coupon?: string | null | undefined;
  promotion_code?: string | null | undefined;
}): CustomerDiscount | null {
  const { coupon, promotion_code: code } = given;
  if (coupon !== undefined && code !== undefined)
    throw badRequest('You may only specify one of these parameters: coupon, promotion_code.', 'coupon', 'parameters_exclusive');
  if (coupon === undefined && code === undefined) return null;
  if (typeof coupon === 'string') return { wish: { couponId: coupon } };
  return { wish: typeof code === 'string' ? { promotionCodeId: code } : null };
}

/** Load -> decide -> record in the caller's transaction, the customer locked. Carried out once per operation. @throws Refusal */
export async function discountCustomer(
  context: RequestContext,
  t: AccountTransaction,
  customerId: string,
  asked: CustomerDiscount,
): Promise<void> {
  const { operationId, actor, newId } = context;
  const snapshot = await loadSnapshot(t, { customerId, ...askedFor(asked.wish === null ? [] : [asked.wish]), lock: true });
  if ((await findOperation(t, operationId)) !== null) return;
  const asOf = context.now();
  const decision = decideCustomerDiscount(snapshot, asked, { asOf, newId });
  const operation = {
    operationId,
    kind: 'discount-customer' as const,
    asOf,
    requestHash: digest(JSON.stringify([customerId, asked])),
    subscriptionId: null,
    invoiceId: null,
    actor,
    paymentBehavior: null,
  };
  await recordDecision(t, operation, decision, () => null);
}
