import { retireUsed, usedUpBy } from '../discounts/discount-invoice.ts';
import { Refusal } from '../errors.ts';
import { composeInvoice, keepPending } from '../invoicing/compose-invoice.ts';
import { changeSubscription, type DecisionDraft } from '../invoicing/draft-decision.ts';
import { collectionHold } from '../invoicing/hold-invoice.ts';
import type { InvoiceItem } from '../invoicing/invoice.ts';
import type { Settlement } from '../invoicing/settle.ts';
import type { Instant } from '../time.ts';
import { billChangedUsage } from '../usage/bill-usage.ts';
import { recordCoverage, subscriptionOf } from './bill-items.ts';
import type { ChangePlan } from './commands.ts';
import { PAYMENT_PATIENCE } from './create-subscription.ts';
import { endThoseOfRemovedItems, mayWait } from './discount-subscription.ts';
import type { Subscription } from './subscription.ts';

/** Nobody waits for a payment that has a due date. */
export const waitsForPayment = (draft: DecisionDraft, before: Subscription, command: ChangePlan): boolean =>
  before.status !== 'unpaid' && subscriptionOf(draft).collectionMethod !== 'send_invoice' && mayWait(command);

/**
 * Bills a change with what is pending. Where it waits for its payment, the subscription stays as it was, and what it becomes is kept as its pending update.
 * @throws Refusal parameter_invalid about `payment_behavior`
 */
export function invoiceChange(
  draft: DecisionDraft,
  before: Subscription,
  settlement: Settlement & { once: InvoiceItem[] },
  command: ChangePlan,
  asOf: Instant,
): void {
  const after = subscriptionOf(draft);
  const leaveDraft = before.status === 'unpaid';
  const waits = waitsForPayment(draft, before, command);
  if (waits && collectionHold(before, asOf) !== null) {
    throw new Refusal(
      'parameter_invalid',
      `The collection of the subscription ${before.id} is paused, so nothing can wait for a payment of it.`,
      'payment_behavior',
    );
  }
  const { invoice, covered } = composeInvoice(draft, {
    billingReason: 'subscription_update',
    period: { start: Math.min(before.currentPeriodStart, asOf), end: asOf },
    lines: settlement.lines,
    pending: waits ? [] : [...draft.snapshot.pendingItems, ...settlement.once],
    autoAdvance: !leaveDraft,
    leaveDraft,
    mayBeDropped: waits,
    // Who says how the payment is to be waited for wants it asked for at once.
    ...(command.paymentBehavior === 'allow_incomplete' ? {} : { graceSeconds: 0 }),
  });
  const usedDiscountIds = usedUpBy(draft, invoice);
  if (!waits || invoice.amountRemaining === 0) {
    if (waits) keepPending(draft, billChangedUsage(draft, { before: before.items, after: after.items, all: false }), asOf);
    retireUsed(draft, usedDiscountIds);
    endThoseOfRemovedItems(draft, before.items);
    recordCoverage(draft, settlement, covered);
    return;
  }
  if (command.cancellation) {
    throw new Refusal(
      'parameter_invalid',
      `A cancellation cannot be changed together with payment_behavior ${command.paymentBehavior}.`,
      'payment_behavior',
    );
  }
  const { items, cycle, billingCycleAnchor, billingCycleAnchorConfig, currentPeriodStart, currentPeriodEnd, cancelAt } = before;
  const { trialEnd, trialReminderAt } = before;
  const endsTrial = before.status === 'trialing';
  changeSubscription(draft, {
    ...(endsTrial ? { status: before.status, trialEnd, trialReminderAt } : {}),
    items,
    cycle,
    billingCycleAnchor,
    billingCycleAnchorConfig,
    currentPeriodStart,
    currentPeriodEnd,
    cancelAt,
    pendingUpdate: {
      operationId: invoice.id,
      invoiceId: invoice.id,
      expiresAt: Math.min(asOf + PAYMENT_PATIENCE, currentPeriodEnd, cancelAt ?? currentPeriodEnd),
      next: {
        items: after.items,
        cycle: after.cycle,
        billingCycleAnchor: after.billingCycleAnchor,
        currentPeriodStart: after.currentPeriodStart,
        currentPeriodEnd: after.currentPeriodEnd,
        ...(endsTrial && after.trialEnd !== null ? { trialEnd: after.trialEnd } : {}),
        billedShrinks: settlement.shrinks,
        billedInserts: [...settlement.carried, ...covered],
        ...(usedDiscountIds.length === 0 ? {} : { usedDiscountIds }),
      },
    },
  });
}
