import type { BillingSnapshot } from '../billing-snapshot.ts';
import { Refusal } from '../errors.ts';
import { ID_PREFIX } from '../ids.ts';
import { type DecisionDraft, emit } from '../invoicing/draft-decision.ts';
import { formatAmount } from '../money.ts';
import type { Instant } from '../time.ts';
import { amountOffIn, type Coupon, type CouponTerms, isValid, minimumIn, type PromotionCode } from './coupon.ts';
import { type Discount, type DiscountWish, endOf, isInForce } from './discount.ts';

/** As Stripe. */
export const MAX_DISCOUNTS = 20;

/** Where the discounts are to stand, and what is known there. */
export interface RedemptionPlace extends Pick<Discount, 'subscriptionId' | 'subscriptionItemId' | 'invoiceItemId'> {
  /** The request parameter, `discounts` or `items[0][discounts]`; null where coupon and code are parameters of their own. */
  param: string | null;
  /** Those that stand there already. */
  present: readonly Discount[];
  /** Those of what it belongs to, which may be named to count here, too. */
  inherited: readonly Discount[];
  /** Null: any, where nothing says yet what it will be. */
  currency: string | null;
  zone: string;
  /** What is bought with it, in minor units: for a minimum amount. Null: nothing. */
  purchase: number | null;
}

/**
 * Redeems what is wished for, in the order given, in place of what stands there: that of it which is named again stays as it is. Redemptions are counted when the decision is
 * recorded; what is left of a coupon was read under a lock.
 * @returns the discounts as they will stand there
 * @throws Refusal resource_missing, coupon_expired, promotion_code_restricted, currency_mismatch, parameter_invalid, with the parameter at fault
 */
export function redeem(draft: DecisionDraft, wishes: readonly DiscountWish[], place: RedemptionPlace): Discount[] {
  const list = place.param ?? 'coupon';
  if (wishes.length > MAX_DISCOUNTS) throw new Refusal('parameter_invalid', `At most ${MAX_DISCOUNTS} discounts can be applied.`, list);
  const discounts = wishes.map((wish, index): Discount => {
    const named = (name: string): Place => ({ ...place, param: place.param === null ? name : `${place.param}[${index}][${name}]` });
    if ('discountId' in wish) return known(draft, wish.discountId, named('discount'));
    if ('couponId' in wish) return redeemCoupon(draft, wish.couponId, null, named('coupon'));
    const at = named('promotion_code');
    const code = redeemable(draft, wish.promotionCodeId, at);
    return redeemCoupon(draft, code.couponId, code, at);
  });
  const ids = discounts.map(({ couponId }) => couponId);
  const twice = ids.findIndex((id, index) => ids.indexOf(id) !== index);
  if (twice >= 0) {
    throw new Refusal('parameter_invalid', `The coupon ${ids[twice]} cannot be applied twice to the same object.`, `${list}[${twice}]`);
  }
  endDiscounts(
    draft,
    place.present.filter(({ id }) => !discounts.some((discount) => discount.id === id)),
  );
  return discounts;
}

/**
 * Whether what is to be redeemed later could be redeemed by what is known now. What can run out until then is found when it is redeemed.
 * @throws Refusal resource_missing, coupon_expired, currency_mismatch, parameter_invalid about `param`
 */
export function checkRedeemable(
  { coupons, promotionCodes }: Pick<BillingSnapshot, 'coupons' | 'promotionCodes'>,
  wishes: readonly DiscountWish[],
  { asOf, currency, param }: { asOf: Instant; currency: string; param: string },
): void {
  if (wishes.length > MAX_DISCOUNTS) throw new Refusal('parameter_invalid', `At most ${MAX_DISCOUNTS} discounts can be applied.`, param);
  wishes.forEach((wish, index) => {
    if ('discountId' in wish)
      throw new Refusal('resource_missing', `No such discount: '${wish.discountId}'`, `${param}[${index}][discount]`);
    const isCode = 'promotionCodeId' in wish;
    const at = `${param}[${index}][${isCode ? 'promotion_code' : 'coupon'}]`;
    const code = isCode ? promotionCodes[wish.promotionCodeId] : null;
    if (code === undefined) throw new Refusal('resource_missing', `No such promotion code: '${isCode ? wish.promotionCodeId : ''}'`, at);
    const id = isCode ? (code?.couponId ?? '') : wish.couponId;
    const coupon = coupons[id];
    if (!coupon || (coupon.deleted && code === null)) throw new Refusal('resource_missing', `No such coupon: '${id}'`, at);
    if (!isValid(coupon, asOf) || code?.active === false)
      throw new Refusal('coupon_expired', `The coupon ${id} has expired or was redeemed as often as it can be.`, at);
    if (coupon.amountOff !== null && amountOffIn(coupon, currency) === null)
      throw new Refusal('currency_mismatch', `The coupon ${id} takes no amount off in ${currency}.`, at);
  });
}

type Place = RedemptionPlace & { param: string };

function known(draft: DecisionDraft, id: string, place: Place): Discount {
  const present = place.present.find((discount) => discount.id === id);
  if (present) return present;
  const given = place.inherited.find((discount) => discount.id === id);
  if (!given) throw new Refusal('resource_missing', `No such discount: '${id}'`, place.param);
  const { subscriptionId, subscriptionItemId, invoiceItemId } = place;
  return begin(draft, { ...given, id: draft.newId(ID_PREFIX.discount), subscriptionId, subscriptionItemId, invoiceItemId });
}

/** @throws Refusal for a code that this customer cannot redeem now */
function redeemable(draft: DecisionDraft, id: string, { param, currency, purchase }: Place): PromotionCode {
  const { promotionCodes, customer, hasPaidBefore } = draft.snapshot;
  const code = promotionCodes[id];
  if (!code) throw new Refusal('resource_missing', `No such promotion code: '${id}'`, param);
  const refuse = (why: string): Refusal => new Refusal('promotion_code_restricted', `This promotion code cannot be redeemed${why}.`, param);
  const { maxRedemptions, timesRedeemed, expiresAt, restrictions } = code;
  if (!code.active || (expiresAt !== null && draft.asOf >= expiresAt))
    throw new Refusal('coupon_expired', 'This promotion code has expired or is not active.', param);
  if (maxRedemptions !== null && timesRedeemed + asked(draft, 'promotionCodeId', id) >= maxRedemptions)
    throw new Refusal('coupon_expired', 'This promotion code has been redeemed as often as it can be.', param);
  if (code.customerId !== null && code.customerId !== customer.id) throw refuse(' by this customer');
  if (restrictions.firstTimeTransaction && hasPaidBefore) throw refuse(' because the associated customer has prior transactions');
  const minimum = currency === null ? restrictions.minimumAmount : minimumIn(restrictions, currency);
  if (minimum === 'impossible') throw refuse(` in ${currency}: its minimum amount is one of another currency`);
  if (minimum !== null && purchase === null) throw refuse(': it has a minimum amount, and nothing is bought here');
  if (minimum !== null && purchase !== null && purchase < minimum)
    throw refuse(
      `: the amount does not meet the minimum of ${formatAmount(minimum, currency ?? restrictions.minimumAmountCurrency ?? '')}`,
    );
  return code;
}

function redeemCoupon(draft: DecisionDraft, id: string, code: PromotionCode | null, place: Place): Discount {
  const coupon = draft.snapshot.coupons[id];
  if (!coupon || (coupon.deleted && code === null)) throw new Refusal('resource_missing', `No such coupon: '${id}'`, place.param);
  const counted = { ...coupon, timesRedeemed: coupon.timesRedeemed + asked(draft, 'couponId', id) };
  if (!isValid(counted, draft.asOf))
    throw new Refusal('coupon_expired', `The coupon ${id} has expired or was redeemed as often as it can be.`, place.param);
  const { currency } = place;
  if (coupon.amountOff !== null && currency !== null && amountOffIn(coupon, currency) === null)
    throw new Refusal('currency_mismatch', `The coupon ${id} takes no amount off in ${currency}.`, place.param);
  draft.decision.redemptions.push({ couponId: id, promotionCodeId: code?.id ?? null });
  const terms = termsOf(coupon);
  const { subscriptionId, subscriptionItemId, invoiceItemId, zone } = place;
  return begin(draft, {
    id: draft.newId(ID_PREFIX.discount),
    couponId: id,
    promotionCodeId: code?.id ?? null,
    customerId: draft.snapshot.customer.id,
    subscriptionId,
    subscriptionItemId,
    invoiceItemId,
    start: draft.asOf,
    end: endOf(terms, draft.asOf, zone),
    endedAt: null,
    terms,
  });
}

/** How often this decision itself has redeemed it already. */
const asked = ({ decision }: DecisionDraft, key: 'couponId' | 'promotionCodeId', id: string): number =>
  decision.redemptions.filter((redemption) => redemption[key] === id).length;

const termsOf = ({
  name,
  percentOff,
  amountOff,
  currency,
  currencyOptions,
  duration,
  durationInMonths,
  appliesTo,
}: Coupon): CouponTerms => ({
  name,
  percentOff,
  amountOff,
  currency,
  currencyOptions,
  duration,
  durationInMonths,
  appliesTo,
});

function begin(draft: DecisionDraft, discount: Discount): Discount {
  draft.decision.discounts.push(discount);
  emit(draft, 'customer.discount.created', 'discount', discount.id);
  return discount;
}

/** They stand nowhere any more; where they stood is for the caller to change. */
export function endDiscounts(draft: DecisionDraft, discounts: readonly Discount[]): void {
  for (const discount of discounts) {
    const { decision } = draft;
    decision.discounts = [...decision.discounts.filter(({ id }) => id !== discount.id), { ...discount, endedAt: draft.asOf }];
    emit(draft, 'customer.discount.deleted', 'discount', discount.id);
  }
}

/** Those of a list that count at an instant. */
export const inForce = (discounts: readonly Discount[], at: number): Discount[] => discounts.filter((discount) => isInForce(discount, at));
