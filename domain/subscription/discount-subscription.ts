import type { BillingSnapshot } from '../billing-snapshot.ts';
import { askedFor, type Discount, type DiscountWish } from '../discounts/discount.ts';
import { endDiscounts, redeem } from '../discounts/redeem.ts';
import { Refusal } from '../errors.ts';
import { changeSubscription, type DecisionDraft } from '../invoicing/draft-decision.ts';
import { sum } from '../money.ts';
import { ratePrice } from '../rating/rate-price.ts';
import { roundLine } from '../rating/round-line.ts';
import { subscriptionOf } from './bill-items.ts';
import type { ChangePlan, CreateSubscription, ItemChange } from './commands.ts';
import type { SubscriptionItem } from './subscription.ts';

/** Discounts of the subscription, and of its items by id; absent: they stay. */
interface WishedDiscounts {
  discounts?: readonly DiscountWish[];
  items: readonly { itemId: string; discounts: readonly DiscountWish[]; param: string }[];
}

/** What a change of plan says of discounts. */
const wishesOf = ({ discounts, items = [] }: Pick<ChangePlan, 'discounts' | 'items'>): WishedDiscounts => ({
  ...(discounts === undefined ? {} : { discounts }),
  items: items.flatMap((change: ItemChange, index) => {
    const [itemId, wishes] =
      change.do === 'add'
        ? [change.item.id, change.item.discounts]
        : change.do === 'update'
          ? [change.itemId, change.discounts]
          : ['', undefined];
    return wishes === undefined ? [] : [{ itemId, discounts: wishes, param: `items[${index}][discounts]` }];
  }),
});

/**
 * Redeems what is wished for onto the subscription of the draft and its items as they are now. Nothing is billed by it: it counts from now on. A minimum amount is compared
 * with a full cycle of what is discounted, before discounts and tax.
 * @throws Refusal what `redeem` refuses
 */
export function discountSubscription(draft: DecisionDraft, { discounts, items }: WishedDiscounts): void {
  const { id: subscriptionId, currency, billingTimezone: zone } = subscriptionOf(draft);
  const ofCustomer = draft.snapshot.customer.discount;
  const inherited = ofCustomer ? [ofCustomer] : [];
  const place = { subscriptionId, subscriptionItemId: null, invoiceItemId: null, currency, zone };
  if (discounts !== undefined) {
    const subscription = subscriptionOf(draft);
    const redeemed = redeem(draft, discounts, {
      ...place,
      param: 'discounts',
      present: subscription.discounts,
      inherited,
      purchase: fullCycle(draft.snapshot, subscription.items, currency),
    });
    changeSubscription(draft, { discounts: redeemed });
  }
  for (const { itemId, discounts: wishes, param } of items) {
    const subscription = subscriptionOf(draft);
    const item = subscription.items.find(({ id }) => id === itemId);
    if (!item) throw new Refusal('item_missing', `No such subscription item: '${itemId}'`, param);
    const redeemed = redeem(draft, wishes, {
      ...place,
      subscriptionItemId: itemId,
      param,
      present: item.discounts ?? [],
      inherited: [...subscription.discounts, ...inherited],
      purchase: fullCycle(draft.snapshot, [item], currency),
    });
    changeSubscription(draft, { items: subscription.items.map((other) => (other === item ? { ...item, discounts: redeemed } : other)) });
  }
}

/**
 * What a change says of discounts counts from now on, also for what the change itself bills.
 * @throws Refusal parameter_invalid together with a payment that the change may wait for: as at Stripe, discounts cannot be pending; and what `redeem` refuses
 */
export function changeDiscounts(draft: DecisionDraft, command: ChangePlan): void {
  const wishes = wishesOf(command);
  const param = wishes.discounts === undefined ? wishes.items[0]?.param : 'discounts';
  if (param === undefined) return;
  if (mayWait(command))
    throw new Refusal('parameter_invalid', `You cannot combine discounts with payment_behavior ${command.paymentBehavior}.`, param);
  discountSubscription(draft, wishes);
}

export const mayWait = ({ paymentBehavior }: ChangePlan): boolean =>
  paymentBehavior === 'error_if_incomplete' || paymentBehavior === 'pending_if_incomplete';

/** The discounts of items that are gone end with them. */
export function endThoseOfRemovedItems(draft: DecisionDraft, before: readonly SubscriptionItem[]): void {
  const kept = new Set(subscriptionOf(draft).items.map(({ id }) => id));
  endDiscounts(
    draft,
    before.flatMap((item): Discount[] => (kept.has(item.id) ? [] : (item.discounts ?? []))),
  );
}

const fullCycle = ({ prices }: BillingSnapshot, items: readonly SubscriptionItem[], currency: string): number =>
  sum(
    items.map(({ priceId, quantity }) => {
      const price = prices[priceId];
      return price ? roundLine(ratePrice(price, quantity, currency).total) : 0;
    }),
  );

/** The coupons and codes that a command redeems. */
export const redeemedBy = ({
  discounts = [],
  items = [],
}: Pick<CreateSubscription, 'discounts' | 'items'> | Pick<ChangePlan, 'discounts' | 'items'>) =>
  askedFor([
    ...discounts,
    ...items.flatMap(
      (item) =>
        ('do' in item ? (item.do === 'add' ? item.item.discounts : item.do === 'update' ? item.discounts : []) : item.discounts) ?? [],
    ),
  ]);
