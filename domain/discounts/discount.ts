import { boundary, type Instant } from '../time.ts';
import type { CouponTerms } from './coupon.ts';

/** A coupon redeemed by somebody. It stands where it was redeemed: on a customer, a subscription, an item of one, or an invoice item. */
export interface Discount {
  id: string;
  couponId: string;
  promotionCodeId: string | null;
  customerId: string;
  subscriptionId: string | null;
  subscriptionItemId: string | null;
  invoiceItemId: string | null;
  /** It counts for what is billed in [start, end). */
  start: Instant;
  /** Of a repeating one; null: it has no end of its own. */
  end: Instant | null;
  /** When it was used up, expired, replaced or taken away; null while it stands. */
  endedAt: Instant | null;
  terms: CouponTerms;
}

/** What one discount takes off one line. */
export interface DiscountAmount {
  discountId: string;
  couponId: string;
  /** Whether it is one of the line itself or of the whole invoice. */
  level: 'item' | 'invoice';
  name: string | null;
  percentOff: string | null;
  /** The whole amount off, of which this is the line's share. */
  amountOff: number | null;
  /** Minor units, not negative. */
  amount: number;
}

/** How somebody asks for a discount: by a new redemption, or by one that stands already. */
export type DiscountWish = { couponId: string } | { promotionCodeId: string } | { discountId: string };

/** Where a repeating discount ends: as many months after its start on the calendar of the zone, the last day where a month is shorter. */
export const endOf = ({ duration, durationInMonths }: CouponTerms, start: Instant, zone: string): Instant | null =>
  duration === 'repeating' ? boundary(start, { interval: 'month', intervalCount: durationInMonths ?? 1 }, zone, 1) : null;

/** Whether it counts for what is billed at an instant. */
export const isInForce = ({ start, end, endedAt }: Discount, at: Instant): boolean =>
  endedAt === null && at >= start && (end === null || at < end);

/** What has to be read for wishes to be redeemed. */
export const askedFor = (wishes: readonly DiscountWish[]): { couponIds: string[]; promotionCodeIds: string[] } => ({
  couponIds: wishes.flatMap((wish) => ('couponId' in wish ? [wish.couponId] : [])),
  promotionCodeIds: wishes.flatMap((wish) => ('promotionCodeId' in wish ? [wish.promotionCodeId] : [])),
});
