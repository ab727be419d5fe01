import { expandable, expandableOrNull, nullableTime, reference } from './fields.ts';
import { z } from './zod.ts';

const EXACTLY_ONE = {
  error: 'You must specify exactly one of these parameters: coupon, promotion_code, discount.',
  params: { code: 'parameters_exclusive' },
};
const isOne = (given: object): boolean => Object.values(given).filter((id) => id !== undefined).length === 1;

/** Exactly one of: a coupon or a promotion code to redeem, or a discount that stands already. */
const wish = z
  .strictObject({ coupon: reference.optional(), promotion_code: reference.optional(), discount: reference.optional() })
  .refine(isOne, EXACTLY_ONE);

/** In the order in which they count; an empty string or list takes all away. */
export const discounts = z.array(wish).max(20).nullable().optional();

/** To be redeemed later, so none can stand already. */
export const laterDiscounts = z
  .array(z.strictObject({ coupon: reference.optional(), promotion_code: reference.optional() }).refine(isOne, EXACTLY_ONE))
  .max(20)
  .nullable()
  .optional();

export const discount = z
  .strictObject({
    id: z.string(),
    object: z.literal('discount'),
    checkout_session: z.null(),
    customer: expandable('Customer'),
    customer_account: z.null(),
    deleted: z.literal(true).optional(),
    end: nullableTime,
    invoice: z.null(),
    invoice_item: z.string().nullable(),
    promotion_code: expandableOrNull('PromotionCode'),
    source: z.strictObject({ coupon: expandable('Coupon'), type: z.literal('coupon') }),
    start: z.int(),
    subscription: z.string().nullable(),
    subscription_item: z.string().nullable(),
  })
  .openapi('Discount');

export const discountIds = z.array(expandable('Discount'));
export const discountAmounts = z.array(z.strictObject({ amount: z.int(), discount: expandable('Discount') }));
