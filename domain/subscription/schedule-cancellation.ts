import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { keepPending } from '../invoicing/compose-invoice.ts';
import {
  beginDecision,
  changeSubscription,
  type DecisionContext,
  type DecisionDraft,
  finishDecision,
} from '../invoicing/draft-decision.ts';
import type { Settlement } from '../invoicing/settle.ts';
import { dueItems, recordCoverage, settleItems, subscriptionOf } from './bill-items.ts';
import type { ScheduleCancellation } from './commands.ts';
import { checkCancelAt } from './create-subscription.ts';
import type { SubscriptionItem } from './subscription.ts';
import { commandAllowed } from './transitions.ts';

/**
 * Sets, moves or takes back the end of a subscription. An end inside the current period gives nothing back: what is billed stays billed. Where the current period was billed only until an
 * earlier end, the time that comes back is charged with the next invoice. A later period in which it ends is billed only until then (see `decideRenewal`).
 * @throws Refusal date_out_of_range for a date that is not in the future, subscription_canceled, pending_update_exists
 */
export function decideScheduledCancellation(snapshot: BillingSnapshot, command: ScheduleCancellation, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, context);
  const subscription = subscriptionOf(draft);
  const refused = commandAllowed(subscription.status, 'scheduleCancellation');
  if (refused) throw new Refusal(refused, `The subscription ${subscription.id} has ended already.`);
  setEnd(draft, command);
  const settlement = settleReturnedTime(draft, subscription.items, 'bill');
  if (settlement.lines.length > 0 && subscription.pendingUpdate) throw pendingUpdateExists(subscription.id);
  recordCoverage(draft, settlement, keepPending(draft, settlement.lines, context.asOf));
  return finishDecision(draft);
}

export const pendingUpdateExists = (subscriptionId: string): Refusal =>
  new Refusal(
    'pending_update_exists',
    `The subscription ${subscriptionId} has an update that waits for its payment. Pay or void its invoice first.`,
  );

/** Writes when the subscription ends, and since when that is known. @throws Refusal date_out_of_range */
export function setEnd(draft: DecisionDraft, { at, details }: ScheduleCancellation): void {
  const { cancelAt, cancelAtPeriodEnd, canceledAt, currentPeriodEnd, cancellationDetails } = subscriptionOf(draft);
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
  const end = atPeriodEnd ? currentPeriodEnd : at;
  if (!atPeriodEnd) checkCancelAt(end, draft.asOf);
  const isNew = end !== cancelAt || atPeriodEnd !== cancelAtPeriodEnd;
  changeSubscription(draft, {
    cancelAtPeriodEnd: atPeriodEnd,
    cancelAt: end,
    canceledAt: isNew ? draft.asOf : canceledAt,
    cancellationDetails: { ...cancellationDetails, ...details, reason: 'cancellation_requested' },
  });
}

/** Charges the rest of the current period that is not covered because an earlier end was to come before it; takes nothing back. */
export function settleReturnedTime(draft: DecisionDraft, items: readonly SubscriptionItem[], charge: 'bill' | 'carry'): Settlement {
  const { currentPeriodStart, currentPeriodEnd } = subscriptionOf(draft);
  const ids = new Set(items.map((item) => item.id));
  return settleItems(draft, {
    due: dueItems(draft, items, draft.asOf, { start: currentPeriodStart, end: currentPeriodEnd }),
    billed: draft.snapshot.billed.filter((row) => ids.has(row.subscriptionItemId)),
    at: draft.asOf,
    unused: 'keep',
    charge,
  });
}
