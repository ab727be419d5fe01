import type { DiscountWish } from '../../domain/discounts/discount.ts';
import type { ItemChange } from '../../domain/subscription/commands.ts';
import type { PhaseMark, ScheduledChange } from '../../domain/subscription/scheduled-change.ts';
import type { List } from './dialect.ts';

const presentWish = (wish: DiscountWish) =>
  'couponId' in wish
    ? { coupon: wish.couponId }
    : 'discountId' in wish
      ? { discount: wish.discountId }
      : { promotion_code: wish.promotionCodeId };

function presentItemChange(change: ItemChange) {
  if (change.do === 'remove') return { id: change.itemId, deleted: true as const };
  const { priceId, quantity, taxRateIds, discounts } = change.do === 'add' ? change.item : change;
  return {
    id: change.do === 'add' ? change.item.id : change.itemId,
    ...(priceId === undefined ? {} : { price: priceId }),
    ...(quantity === undefined ? {} : { quantity: Number(quantity) }),
    ...(taxRateIds === undefined ? {} : { tax_rates: taxRateIds }),
    ...(discounts === undefined ? {} : { discounts: discounts.map(presentWish) }),
  };
}

/** What a phase of a schedule makes of the subscription, whatever its items are by then; without a phase the schedule is over. */
const presentPhaseMark = ({ scheduleId, index, items, expiring }: PhaseMark) => ({
  schedule: scheduleId,
  phase: index,
  ...(expiring ? { expiring } : {}),
  ...(index === null
    ? {}
    : {
        phase_items: items.map(({ priceId, quantity, taxRateIds }) => ({
          price: priceId,
          quantity: Number(quantity),
          tax_rates: taxRateIds,
        })),
      }),
});

/** Ours: Stripe has subscription schedules only, which are made of these here. `change` is told in the words it was asked for with. */
export function presentScheduledChange(scheduled: ScheduledChange, livemode: boolean) {
  const { items, billingCycleAnchor, defaultPaymentMethodId, defaultTaxRateIds, discounts, prorationBehavior, paymentBehavior, phase } =
    scheduled.change;
  return {
    id: scheduled.id,
    object: 'scheduled_change' as const,
    subscription: scheduled.subscriptionId,
    status: scheduled.status,
    effective_at: scheduled.effectiveAt,
    at_period_end: scheduled.atPeriodEnd,
    change: {
      ...(phase === undefined ? {} : presentPhaseMark(phase)),
      ...(items === undefined ? {} : { items: items.map(presentItemChange) }),
      ...(billingCycleAnchor === undefined ? {} : { billing_cycle_anchor: billingCycleAnchor }),
      ...(defaultPaymentMethodId === undefined ? {} : { default_payment_method: defaultPaymentMethodId }),
      ...(defaultTaxRateIds === undefined ? {} : { default_tax_rates: defaultTaxRateIds }),
      ...(discounts === undefined ? {} : { discounts: discounts.map(presentWish) }),
      proration_behavior: prorationBehavior,
      payment_behavior: paymentBehavior,
    },
    replaced_by: scheduled.replacedBy,
    cancellation_reason: scheduled.cancellationReason,
    failure: scheduled.failure,
    created: scheduled.createdAt,
    closed_at: scheduled.closedAt,
    livemode,
  };
}

/** What is still to come, on its subscription. */
export const presentScheduled = (
  { id, scheduledChanges }: { id: string; scheduledChanges: readonly ScheduledChange[] },
  livemode: boolean,
): List<ReturnType<typeof presentScheduledChange>> => ({
  object: 'list',
  data: scheduledChanges.map((scheduled) => presentScheduledChange(scheduled, livemode)),
  has_more: false,
  url: `/v1/subscriptions/${id}/scheduled_changes`,
});
