import type Stripe from 'stripe';
import { type Coupon, isActive, isValid, type PromotionCode } from '../../domain/discounts/coupon.ts';
import type { Discount } from '../../domain/discounts/discount.ts';
import type { Instant } from '../../domain/time.ts';
import type { Dialect } from './dialect.ts';

type CouponAnswer = Dialect<
  Stripe.Coupon,
  | 'id'
  | 'object'
  | 'amount_off'
  | 'created'
  | 'currency'
  | 'duration'
  | 'duration_in_months'
  | 'livemode'
  | 'max_redemptions'
  | 'metadata'
  | 'name'
  | 'percent_off'
  | 'redeem_by'
  | 'times_redeemed'
  | 'valid'
> & { applies_to?: { products: string[]; prices?: string[] }; currency_options?: Record<string, { amount_off: number }> };

/** @param at the instant at which it is or is not `valid` */
export function presentCoupon(coupon: Coupon, livemode: boolean, at: Instant): CouponAnswer {
  const { appliesTo, currencyOptions } = coupon;
  return {
    id: coupon.id,
    object: 'coupon',
    amount_off: coupon.amountOff,
    ...(appliesTo === null
      ? {}
      : { applies_to: { products: appliesTo.productIds, ...(appliesTo.priceIds.length === 0 ? {} : { prices: appliesTo.priceIds }) } }),
    created: coupon.createdAt,
    currency: coupon.currency,
    ...(Object.keys(currencyOptions).length === 0
      ? {}
      : { currency_options: mapValues(currencyOptions, ({ amountOff }) => ({ amount_off: amountOff })) }),
    duration: coupon.duration,
    duration_in_months: coupon.durationInMonths,
    livemode,
    max_redemptions: coupon.maxRedemptions,
    metadata: coupon.metadata,
    name: coupon.name,
    percent_off: coupon.percentOff === null ? null : Number(coupon.percentOff),
    redeem_by: coupon.redeemBy,
    times_redeemed: coupon.timesRedeemed,
    valid: isValid(coupon, at),
  };
}

type PromotionCodeAnswer = Dialect<
  Stripe.PromotionCode,
  | 'id'
  | 'object'
  | 'active'
  | 'code'
  | 'created'
  | 'customer'
  | 'customer_account'
  | 'expires_at'
  | 'livemode'
  | 'max_redemptions'
  | 'metadata'
  | 'promotion'
  | 'restrictions'
  | 'times_redeemed'
>;

/** @param coupon absent: whether it is still valid is not asked */
export function presentPromotionCode(code: PromotionCode, coupon: Coupon | undefined, livemode: boolean, at: Instant): PromotionCodeAnswer {
  const { firstTimeTransaction, minimumAmount, minimumAmountCurrency, currencyOptions } = code.restrictions;
  return {
    id: code.id,
    object: 'promotion_code',
    active: isActive(code, coupon, at),
    code: code.code,
    created: code.createdAt,
    customer: code.customerId,
    customer_account: null,
    expires_at: code.expiresAt,
    livemode,
    max_redemptions: code.maxRedemptions,
    metadata: code.metadata,
    promotion: { coupon: code.couponId, type: 'coupon' },
    restrictions: {
      ...(Object.keys(currencyOptions).length === 0
        ? {}
        : { currency_options: mapValues(currencyOptions, (option) => ({ minimum_amount: option.minimumAmount })) }),
      first_time_transaction: firstTimeTransaction,
      minimum_amount: minimumAmount,
      minimum_amount_currency: minimumAmountCurrency,
    },
    times_redeemed: code.timesRedeemed,
  };
}

type DiscountAnswer = Dialect<
  Stripe.Discount,
  | 'id'
  | 'object'
  | 'checkout_session'
  | 'customer'
  | 'customer_account'
  | 'end'
  | 'invoice'
  | 'invoice_item'
  | 'promotion_code'
  | 'source'
  | 'start'
  | 'subscription'
  | 'subscription_item'
> & { deleted?: true };

/** One that stands nowhere any more is `deleted`, as at Stripe. */
export const presentDiscount = (discount: Discount): DiscountAnswer => ({
  id: discount.id,
  object: 'discount',
  checkout_session: null,
  customer: discount.customerId,
  customer_account: null,
  ...(discount.endedAt === null ? {} : { deleted: true as const }),
  end: discount.end,
  invoice: null,
  invoice_item: discount.invoiceItemId,
  promotion_code: discount.promotionCodeId,
  source: { coupon: discount.couponId, type: 'coupon' },
  start: discount.start,
  subscription: discount.subscriptionId,
  subscription_item: discount.subscriptionItemId,
});

export const discountIds = (discounts: readonly Discount[] | undefined): string[] => (discounts ?? []).map(({ id }) => id);

const mapValues = <A, B>(record: Record<string, A>, map: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
