import type { Metadata } from '../catalog/price.ts';
import type { Instant } from '../time.ts';

export const COUPON_DURATIONS = ['once', 'repeating', 'forever'] as const;

/** What a coupon takes off, on what and for how long. It never changes, so a discount keeps a copy and needs its coupon no more. */
export interface CouponTerms {
  name: string | null;
  /** More than 0, at most 100, as a decimal string; null for an amount off. */
  percentOff: string | null;
  /** Minor units of `currency`; null for a percentage. */
  amountOff: number | null;
  currency: string | null;
  /** Amounts off in other currencies, by currency. */
  currencyOptions: Record<string, { amountOff: number }>;
  duration: (typeof COUPON_DURATIONS)[number];
  /** Of a repeating one. */
  durationInMonths: number | null;
  /** Only lines of these products or prices; null: all of them. */
  appliesTo: { productIds: string[]; priceIds: string[] } | null;
}

export interface Coupon extends CouponTerms {
  id: string;
  maxRedemptions: number | null;
  /** The last instant at which it can be redeemed lies before this one. */
  redeemBy: Instant | null;
  timesRedeemed: number;
  metadata: Metadata;
  /** Nobody can redeem it any more; discounts that it gave stay. */
  deleted: boolean;
  createdAt: Instant;
}

/** What has to be true for a promotion code to be redeemed; as Stripe's. */
export interface Restrictions {
  firstTimeTransaction: boolean;
  /** Minor units of `minimumAmountCurrency`. */
  minimumAmount: number | null;
  minimumAmountCurrency: string | null;
  /** Minimum amounts in other currencies, by currency. */
  currencyOptions: Record<string, { minimumAmount: number }>;
}

/** A word that customers type, which redeems a coupon. */
export interface PromotionCode {
  id: string;
  code: string;
  couponId: string;
  active: boolean;
  /** Null: for everybody. */
  customerId: string | null;
  expiresAt: Instant | null;
  maxRedemptions: number | null;
  timesRedeemed: number;
  restrictions: Restrictions;
  metadata: Metadata;
  createdAt: Instant;
}

interface Limited {
  maxRedemptions: number | null;
  timesRedeemed: number;
}

const isUsedUp = ({ maxRedemptions, timesRedeemed }: Limited): boolean => maxRedemptions !== null && timesRedeemed >= maxRedemptions;

/** Whether the coupon can still be redeemed at an instant. */
export const isValid = (coupon: Coupon, at: Instant): boolean =>
  !coupon.deleted && !isUsedUp(coupon) && (coupon.redeemBy === null || at < coupon.redeemBy);

/** As Stripe shows it: switched on, not expired, not used up, and its coupon still valid. */
export const isActive = (code: PromotionCode, coupon: Coupon | undefined, at: Instant): boolean =>
  code.active && !isUsedUp(code) && (code.expiresAt === null || at < code.expiresAt) && (coupon === undefined || isValid(coupon, at));

/** What the coupon takes off in a currency: null for a percentage, and where it has no amount in that currency. */
export function amountOffIn(terms: Pick<CouponTerms, 'amountOff' | 'currency' | 'currencyOptions'>, currency: string): number | null {
  if (terms.amountOff === null) return null;
  return terms.currency === currency ? terms.amountOff : (terms.currencyOptions[currency]?.amountOff ?? null);
}

/** The least that must be bought in a currency; null: no minimum, `impossible`: there is one, and none in this currency. */
export function minimumIn(restrictions: Restrictions, currency: string): number | 'impossible' | null {
  const { minimumAmount, minimumAmountCurrency, currencyOptions } = restrictions;
  if (minimumAmount === null) return null;
  return minimumAmountCurrency === currency ? minimumAmount : (currencyOptions[currency]?.minimumAmount ?? 'impossible');
}
