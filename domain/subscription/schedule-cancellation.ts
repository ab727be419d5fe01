import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { composeInvoice, keepPending } from '../invoicing/compose-invoice.ts';
import {
  beginDecision,
  changeSubscription,
  type DecisionContext,
  type DecisionDraft,
  finishDecision,
} from '../invoicing/draft-decision.ts';
import type { Settlement } from '../invoicing/settle.ts';
import { fullCycleOf, itemPeriodEnd } from './anchor.ts';
import { dueItems, recordCoverage, settleItems, subscriptionOf } from './bill-items.ts';
import type { ScheduleCancellation } from './commands.ts';
import { checkCancelAt } from './create-subscription.ts';
import type { Subscription, SubscriptionItem } from './subscription.ts';
import { commandAllowed } from './transitions.ts';

/**
 * Sets, moves or takes back the end of a subscription. As with Stripe, an end inside the current period gives back at once what is billed beyond it, unless
 * `prorationBehavior` is `none`; the credit waits for the next invoice, at the latest the one at the end. Where the current period is billed only until an earlier end, the time that
 * comes back is charged in the same way. A later period in which it ends is billed only until then, always (see `decideRenewal`).
 * @throws Refusal date_out_of_range for a date that is not in the future, subscription_canceled, pending_update_exists, transition_not_allowed for one whose end is its schedule's
 */
export function decideScheduledCancellation(snapshot: BillingSnapshot, command: ScheduleCancellation, context: DecisionContext): Decision {
  checkUnscheduled(subscriptionOf(snapshot), command.at === 'period_end' ? 'cancel_at_period_end' : 'cancel_at');
  return decideNewEnd(snapshot, command, context);
}

/** As Stripe: the end of a subscription that a schedule drives is the schedule's. @throws Refusal transition_not_allowed */
export function checkUnscheduled({ scheduleId }: Subscription, param: string): void {
  if (scheduleId === null) return;
  throw new Refusal(
    'transition_not_allowed',
    `The subscription is managed by the subscription schedule ${scheduleId}, and updating any cancellation behavior or later change directly is not allowed. Please update the schedule instead.`,
    param,
  );
}

/** The same for whoever may: also the schedule that drives the subscription. */
export function decideNewEnd(snapshot: BillingSnapshot, command: ScheduleCancellation, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, context);
  const subscription = subscriptionOf(draft);
  const refused = commandAllowed(subscription.status, 'scheduleCancellation');
  if (refused) throw new Refusal(refused, `The subscription ${subscription.id} has ended already.`);
  setEnd(draft, command);
  // What a paused subscription is to be billed for is settled when it is resumed.
  if (subscription.status === 'paused') return finishDecision(draft);
  const behavior = command.prorationBehavior ?? 'create_prorations';
  const settlement = settleNewEnd(draft, subscription.items, behavior === 'none' ? 'keep' : 'prorate');
  if (settlement.lines.length > 0 && subscription.pendingUpdate) throw pendingUpdateExists(subscription.id);
  if (behavior !== 'always_invoice' || settlement.lines.length === 0) {
    recordCoverage(draft, settlement, keepPending(draft, settlement.lines, context.asOf));
    return finishDecision(draft);
  }
  const unpaid = subscription.status === 'unpaid';
  const { covered } = composeInvoice(draft, {
    billingReason: 'subscription_update',
    period: { start: subscription.currentPeriodStart, end: context.asOf },
    lines: settlement.lines,
    pending: snapshot.pendingItems,
    autoAdvance: !unpaid,
    leaveDraft: unpaid,
  });
  recordCoverage(draft, settlement, covered);
  return finishDecision(draft);
}

export const pendingUpdateExists = (subscriptionId: string): Refusal =>
  new Refusal(
    'pending_update_exists',
    `The subscription ${subscriptionId} has an update that waits for its payment. Pay or void its invoice first.`,
  );

/** Writes when the subscription ends, and since when that is known. @throws Refusal date_out_of_range */
export function setEnd(draft: DecisionDraft, { at, details }: ScheduleCancellation): void {
  const { cancelAt, cancelAtPeriodEnd, canceledAt, currentPeriodEnd, cancellationDetails, pause } = subscriptionOf(draft);
  if (at === 'never') {
    changeSubscription(draft, {
      cancelAtPeriodEnd: false,
      cancelAt: null,
      canceledAt: null,
      cancellationDetails: { ...cancellationDetails, ...details, reason: null },
    });
    return;
  }
  const atPeriodEnd = at === 'period_end';
  const end = atPeriodEnd
    ? currentPeriodEnd
    : typeof at === 'number'
      ? at
      : itemPeriodEnd(subscriptionOf(draft), draft.snapshot.prices, at);
  if (atPeriodEnd && subscriptionOf(draft).status === 'paused' && pause?.unusedTime !== 'extend' && end <= draft.asOf) {
    throw new Refusal(
      'date_out_of_range',
      'The period ended while the subscription was paused. Cancel it now or at a date.',
      'cancel_at_period_end',
    );
  }
  if (!atPeriodEnd) checkCancelAt(end, draft.asOf);
  const isNew = end !== cancelAt || atPeriodEnd !== cancelAtPeriodEnd;
  changeSubscription(draft, {
    cancelAtPeriodEnd: atPeriodEnd,
    cancelAt: end,
    canceledAt: isNew ? draft.asOf : canceledAt,
    cancellationDetails: { ...cancellationDetails, ...details, reason: 'cancellation_requested' },
  });
}

/**
 * What a new end of the subscription or of its current period means for items that are otherwise unchanged. `prorate`: what is billed beyond it is given back, and what comes back is
 * charged. Else time that comes back is covered for nothing, and what is billed beyond the end stays covered (`keep`) or, where another period begins there, is lost (`cut`).
 */
export function settleNewEnd(draft: DecisionDraft, items: readonly SubscriptionItem[], manner: 'prorate' | 'keep' | 'cut'): Settlement {
  const subscription = subscriptionOf(draft);
  const period = { start: subscription.currentPeriodStart, end: subscription.currentPeriodEnd };
  const ids = new Set(items.map((item) => item.id));
  return settleItems(draft, {
    due: dueItems(draft, items, draft.asOf, fullCycleOf(subscription, period)),
    billed: draft.snapshot.billed.filter((row) => ids.has(row.subscriptionItemId)),
    at: draft.asOf,
    unused: ({ prorate: 'credit', keep: 'keep', cut: 'forfeit' } as const)[manner],
    charge: manner === 'prorate' ? 'bill' : 'carry',
    carryUntil: period.end,
    onlyEndMoves: true,
  });
}
