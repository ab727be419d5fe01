import type { DiscountWish } from '../domain/discounts/discount.ts';
import type { discounts } from './schemas/discounts.ts';
import type { z } from './schemas/zod.ts';

type Given = z.output<typeof discounts>;

const wishFrom = ({ coupon, promotion_code: code, discount = '' }: NonNullable<Given>[number]): DiscountWish =>
  coupon !== undefined ? { couponId: coupon } : code !== undefined ? { promotionCodeId: code } : { discountId: discount };

/** `discounts` of a request, where it says anything of them. */
export const discountsFrom = ({ discounts: given }: { discounts?: Given }): { discounts?: DiscountWish[] } =>
  given === undefined ? {} : { discounts: (given ?? []).map(wishFrom) };
