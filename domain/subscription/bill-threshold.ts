import type { BillingSnapshot } from '../billing-snapshot.ts';
import { lookAhead } from '../credits/top-up.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { composeInvoice } from '../invoicing/compose-invoice.ts';
import { beginDecision, changeSubscription, type DecisionContext, finishDecision } from '../invoicing/draft-decision.ts';
import type { SettledLine } from '../invoicing/settle.ts';
import { compareDecimals, exact, exactToString, minus, sum } from '../money.ts';
import { boundary, type Instant } from '../time.ts';
import { billLastUsage, billLateUsage, billUsageSoFar } from '../usage/bill-usage.ts';
import { fullCycleOf } from './anchor.ts';
import { dueItems, recordCoverage, settleItems, subscriptionOf } from './bill-items.ts';
import { hasThresholds } from './has-thresholds.ts';
import { pauseStart, scheduledEnd } from './paused-time.ts';
import type { Subscription } from './subscription.ts';
import { isServed } from './transitions.ts';

/**
 * Where a threshold is reached, all that was used and is not billed yet is billed at once, and the period goes on: its rest is billed at its end, rated together with what was billed now (see
 * `billUsageSoFar`). With `resetBillingCycleAnchor` a new period begins instead: what is billed of the old one beyond now is given back, and the new one is billed in full. What waits for the next invoice of
 * the period goes on waiting, unless a new one begins. Where the account re-rates, what late events have changed of usage that is billed is invoiced at once too, and by itself; else it comes along.
 * Where nothing is billed, it is told whether so little credit would be left after what was used that more is to be bought.
 * Only what is active or past due bills early. Nothing to bill early, or what is used is worth nothing: an empty decision, so that asking twice bills once.
 */
export function decideThreshold(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, context);
  const before = subscriptionOf(draft);
  const { asOf } = context;
  if (!billsEarly(before, asOf)) return emptyDecision();
  const late = billLateUsage(draft);
  const soFar = hasThresholds(before) ? billUsageSoFar(draft, before.items, asOf) : [];
  const reached = isReached(before, soFar);
  if (!reached && (snapshot.account.lateUsage !== 'rerate' || late.length === 0)) {
    const lowCredit = lookAhead(snapshot, context);
    return lowCredit === null ? emptyDecision() : { ...emptyDecision(), lowCredit };
  }
  const invoice = {
    billingReason: reached ? 'subscription_threshold' : 'subscription_update',
    period: { start: before.currentPeriodStart, end: asOf },
    autoAdvance: true,
    graceSeconds: snapshot.account.invoiceGraceSeconds,
  } as const;
  if (!reached || !before.billingThresholds?.resetBillingCycleAnchor || before.pendingUpdate) {
    composeInvoice(draft, { ...invoice, lines: reached ? [...late, ...soFar] : late, pending: [] });
    return finishDecision(draft);
  }
  const used = billLastUsage(draft, before.items, asOf);
  const period = { start: asOf, end: boundary(asOf, before.cycle, before.billingTimezone, 1) };
  changeSubscription(draft, {
    billingCycleAnchor: asOf,
    billingCycleAnchorConfig: null,
    currentPeriodStart: period.start,
    currentPeriodEnd: period.end,
    cancelAt: before.cancelAtPeriodEnd ? period.end : before.cancelAt,
  });
  const due = dueItems(draft, before.items, asOf, fullCycleOf(subscriptionOf(draft), period));
  const settlement = settleItems(draft, { due, billed: snapshot.billed, at: asOf, unused: 'credit', charge: 'bill' });
  const { covered } = composeInvoice(draft, {
    ...invoice,
    lines: [...late, ...used, ...settlement.lines],
    pending: snapshot.pendingItems,
  });
  recordCoverage(draft, settlement, covered);
  return finishDecision(draft);
}

/** Whether nothing else is due first, which bills by itself. */
function billsEarly(subscription: Subscription, asOf: Instant): boolean {
  const { status, currentPeriodStart, currentPeriodEnd } = subscription;
  const until = Math.min(currentPeriodEnd, scheduledEnd(subscription) ?? currentPeriodEnd, pauseStart(subscription) ?? currentPeriodEnd);
  return isServed(status) && asOf >= currentPeriodStart && asOf < until;
}

function isReached({ billingThresholds, items }: Subscription, soFar: readonly SettledLine[]): boolean {
  const worth = sum(soFar.map(({ line }) => line.amount));
  if (worth <= 0) return false;
  if (billingThresholds != null && worth >= billingThresholds.amountGte) return true;
  return items.some(({ id, usageGte }) => {
    const usage = soFar.find(({ line }) => line.subscriptionItemId === id)?.line.explanation.usage;
    if (usageGte == null || !usage) return false;
    const unbilled = exactToString(minus(exact(usage.quantity), exact(usage.corrects?.quantity ?? '0')));
    return compareDecimals(unbilled, String(usageGte)) >= 0;
  });
}
