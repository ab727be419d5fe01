import type { BillingSnapshot } from '../billing-snapshot.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { terminalAction } from '../dunning/policy.ts';
import { Refusal } from '../errors.ts';
import { composeInvoice, keepPending } from '../invoicing/compose-invoice.ts';
import {
  beginDecision,
  changeSubscription,
  type DecisionContext,
  type DecisionDraft,
  emit,
  finishDecision,
} from '../invoicing/draft-decision.ts';
import type { Period } from '../invoicing/invoice.ts';
import { isOwed } from '../invoicing/owed.ts';
import type { Settlement } from '../invoicing/settle.ts';
import { compareDecimals } from '../money.ts';
import { boundary, type Instant, periodContaining } from '../time.ts';
import { billLateUsage } from '../usage/bill-usage.ts';
import { fullCycleOf } from './anchor.ts';
import { dueItems, recordCoverage, settleItems, subscriptionOf } from './bill-items.ts';
import type { ResumeSubscription } from './commands.ts';
import { stillPending } from './end-subscription.ts';
import { moveCoverage } from './move-coverage.ts';
import { pausedSince } from './paused-time.ts';
import { isOnTrial } from './start-trial.ts';
import type { BilledPeriod, ProrationBehavior, Subscription, SubscriptionStatus } from './subscription.ts';
import { commandAllowed, nextStatus } from './transitions.ts';

/**
 * Resumes a paused subscription at `asOf`, or takes a pause back that has not begun. What is billed is what is due from now on less what is still covered:
 * - `now` (Stripe's default, and that of a pause with credit): a new period begins, billed whole and at once; time that was to be given back is credited instead.
 * - `unchanged` after a pause with credit: the boundaries stay, the rest of the period is charged from `prorationDate` (default `asOf`) as `prorationBehavior` says. Exactly on a
 *   boundary that is a whole period, billed at once.
 * - after a pause that extends, without an anchor: the interrupted period goes on. It is moved by the length of the pause, its coverage and the anchor with it, and nothing is billed but
 *   what was changed during the pause.
 * What was reported late of usage from before comes along. A trial goes on with what was left of it, unless it is resumed `now`. It is active afterwards; past due or unpaid where an invoice from before is still owed.
 * @throws Refusal transition_not_allowed where nothing is paused, parameter_invalid, date_out_of_range, subscription_canceled, subscription_incomplete
 */
export function decideResumption(snapshot: BillingSnapshot, command: ResumeSubscription, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, context);
  const { id, status, pause } = subscriptionOf(draft);
  const refused = commandAllowed(status, 'resume');
  if (refused) throw new Refusal(refused, `A subscription that is ${status} cannot be resumed.`);
  if (status === 'paused') return resume(draft, command);
  if (!pause) throw new Refusal('transition_not_allowed', `The subscription ${id} is not paused.`);
  changeSubscription(draft, { pause: null });
  return finishDecision(draft);
}

/** A pause ends by itself at `asOf`, in the way it was told when it was asked for; what it bills has the draft window. Empty where it was ended or moved meanwhile. */
export function decideScheduledResumption(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, { ...context, graceSeconds: snapshot.account.invoiceGraceSeconds });
  const { status, pause } = subscriptionOf(draft);
  if (status !== 'paused' || !pause || pause.resumesAt === null || context.asOf < pause.resumesAt) return emptyDecision();
  return resume(draft, pause.resume);
}

function resume(draft: DecisionDraft, command: ResumeSubscription): Decision {
  const { asOf } = draft;
  const before = subscriptionOf(draft);
  const givesBack = before.pause?.unusedTime === 'extend';
  const anchor = command.billingCycleAnchor ?? (givesBack ? 'moved' : 'now');
  if (command.prorationDate !== undefined && anchor !== 'unchanged') {
    throw new Refusal('parameter_invalid', 'A proration date counts only where the billing cycle anchor is unchanged.', 'proration_date');
  }
  if (givesBack && anchor === 'unchanged') {
    throw new Refusal(
      'parameter_invalid',
      'The anchor cannot stay unchanged: this pause moves the end of its period, and with it the periods that follow.',
      'billing_cycle_anchor',
    );
  }
  const trialIsLeft = anchor === 'moved' && isOnTrial(before);
  changeSubscription(draft, { status: statusAfter(draft, trialIsLeft ? 'resumed_trialing' : 'resumed'), pause: null, resumedAt: asOf });
  if (anchor === 'now') startPeriod(draft, before);
  else if (anchor === 'unchanged') rejoinPeriod(draft, before, command);
  else movePeriod(draft, before, command.prorationBehavior);
  emit(draft, 'customer.subscription.resumed', 'subscription', before.id);
  return finishDecision(draft);
}

/** It comes back as what it was: whoever still owes an invoice that was tried or is overdue is past due, or unpaid where dunning has given up. */
export function statusAfter(draft: DecisionDraft, event: 'resumed' | 'resumed_trialing' | 'reactivated'): SubscriptionStatus {
  const status = nextStatus(subscriptionOf(draft).status, event);
  const owed = draft.openInvoices.filter((invoice) => isOwed(invoice, draft.asOf));
  if (owed.length === 0) return status;
  const { dunningPolicy } = draft.snapshot.account;
  const givenUp = owed.every((invoice) => !invoice.autoAdvance && terminalAction(dunningPolicy, invoice) === 'unpaid');
  return nextStatus(status, givenUp ? 'dunning_gave_up_unpaid' : 'payment_failed');
}

/** The current period while it lasts, also where it is no period of the anchor; afterwards the anchor's. */
export function periodAt(subscription: Subscription, at: Instant): Period {
  const { currentPeriodStart: start, currentPeriodEnd: end, billingCycleAnchor, cycle, billingTimezone } = subscription;
  if (at < end) return { start, end };
  const next = periodContaining(billingCycleAnchor, cycle, billingTimezone, at);
  return { start: next.start, end: next.end };
}

function startPeriod(draft: DecisionDraft, before: Subscription): void {
  const { asOf } = draft;
  const period = { start: asOf, end: boundary(asOf, before.cycle, before.billingTimezone, 1) };
  enterPeriod(draft, period, { billingCycleAnchor: asOf, movedCycle: null });
  // A trial that was interrupted is over.
  if (isOnTrial(before))
    changeSubscription(draft, { trialEnd: Math.min(before.trialEnd ?? asOf, pausedSince(before) ?? asOf), trialReminderAt: null });
  const settlement = settleItems(draft, {
    due: dueItems(draft, before.items, asOf, period),
    billed: draft.snapshot.billed,
    at: pausedSince(before) ?? asOf,
    unused: 'credit',
    charge: 'bill',
  });
  bill(draft, withLateUsage(draft, settlement), 'always_invoice');
}

function rejoinPeriod(draft: DecisionDraft, before: Subscription, { prorationBehavior, prorationDate }: ResumeSubscription): void {
  const { asOf } = draft;
  const period = periodAt(before, asOf);
  const at = prorationDate ?? asOf;
  if (at < Math.max(period.start, pausedSince(before) ?? period.start) || at >= period.end) {
    throw new Refusal(
      'date_out_of_range',
      'The proration date must lie in the current period of the subscription, and not before its pause.',
      'proration_date',
    );
  }
  enterPeriod(draft, period, {});
  const cycle = fullCycleOf(before, period);
  const isWhole = at === cycle.start;
  const settlement = settleItems(draft, {
    due: dueItems(draft, before.items, at, cycle),
    billed: draft.snapshot.billed,
    at,
    unused: 'credit',
    charge: prorationBehavior === 'none' && !isWhole ? 'carry' : 'bill',
  });
  bill(draft, withLateUsage(draft, settlement), isWhole ? 'always_invoice' : prorationBehavior);
}

/** What was changed during the pause, and what lies beyond an end of the subscription, is settled over the time that is given back; else nothing is billed. */
function movePeriod(draft: DecisionDraft, before: Subscription, prorationBehavior: ProrationBehavior): void {
  const { asOf, snapshot } = draft;
  const since = pausedSince(before) ?? asOf;
  const by = asOf - since;
  const moved = ({ start, end }: Period): Period => ({ start: start + by, end: end + by });
  const current = { start: before.currentPeriodStart, end: before.currentPeriodEnd };
  const cycle = moved(fullCycleOf(before, current));
  const period = moved(current);
  // Paused and resumed within a second: nothing has to move.
  const { trialEnd, trialReminderAt, billingCycleAnchor } = before;
  // A trial may lead to an anchor of its own, which stays where it is.
  const anchorMoves = !isOnTrial(before) || billingCycleAnchor === current.end;
  if (by > 0) enterPeriod(draft, period, { ...(anchorMoves ? { billingCycleAnchor: period.end } : {}), movedCycle: cycle });
  if (isOnTrial(before) && trialEnd !== null) {
    changeSubscription(draft, { trialEnd: trialEnd + by, trialReminderAt: trialReminderAt === null ? null : trialReminderAt + by });
  }
  const terms = { basis: snapshot.account.prorationBasis, zone: before.billingTimezone };
  const { shrinks, rows } = moveCoverage(snapshot.billed, since, by, terms, draft.newId);
  const kept = by === 0 ? snapshot.billed : rows;
  const isAsBilled = ({ subscriptionItemId, priceId, quantity }: BilledPeriod): boolean =>
    before.items.some(
      (item) => item.id === subscriptionItemId && item.priceId === priceId && compareDecimals(item.quantity, quantity) === 0,
    );
  const changed = new Set(kept.filter((row) => !isAsBilled(row)).map((row) => row.subscriptionItemId));
  const none = prorationBehavior === 'none';
  const settle = (isMeant: (itemId: string) => boolean, onlyEndMoves: boolean): Settlement =>
    settleItems(draft, {
      due: dueItems(
        draft,
        before.items.filter((item) => isMeant(item.id)),
        asOf,
        cycle,
      ),
      billed: kept.filter((row) => isMeant(row.subscriptionItemId)),
      at: asOf,
      unused: !none ? 'credit' : onlyEndMoves ? 'keep' : 'forfeit',
      charge: none ? 'carry' : 'bill',
      onlyEndMoves,
    });
  const parts = [settle((id) => changed.has(id), false), settle((id) => !changed.has(id), true)];
  const settledShrinks = parts.flatMap((part) => part.shrinks);
  const settled = new Map(settledShrinks.map((shrink) => [shrink.id, shrink]));
  draft.decision.billed.insert.push(
    ...rows.map((row) => ({ ...row, end: settled.get(row.id)?.end ?? row.end, credited: settled.get(row.id)?.credited ?? row.credited })),
  );
  const settlement = withLateUsage(draft, {
    lines: parts.flatMap((part) => part.lines),
    shrinks: by === 0 ? settledShrinks : shrinks,
    carried: parts.flatMap((part) => part.carried),
  });
  bill(draft, settlement, settlement.lines.length > 0 ? prorationBehavior : 'none');
}

/** What came late before and during the pause is looked for now: what began before the new period is not looked at for long. */
const withLateUsage = (draft: DecisionDraft, settlement: Settlement): Settlement => ({
  ...settlement,
  lines: [...billLateUsage(draft), ...settlement.lines],
});

function enterPeriod(draft: DecisionDraft, period: Period, anchor: Partial<Pick<Subscription, 'billingCycleAnchor' | 'movedCycle'>>): void {
  const { cancelAtPeriodEnd, cancelAt } = subscriptionOf(draft);
  changeSubscription(draft, {
    ...anchor,
    ...(anchor.billingCycleAnchor === undefined ? {} : { billingCycleAnchorConfig: null }),
    currentPeriodStart: period.start,
    currentPeriodEnd: period.end,
    cancelAt: cancelAtPeriodEnd ? period.end : cancelAt,
  });
}

/** Puts the lines on an invoice of now, with all pending items, or keeps them for the next one. */
export function bill(draft: DecisionDraft, settlement: Settlement, behavior: ProrationBehavior): void {
  const { asOf } = draft;
  const { status } = subscriptionOf(draft);
  const pending = stillPending(draft);
  if (behavior !== 'always_invoice' || settlement.lines.length + pending.length === 0) {
    recordCoverage(draft, settlement, keepPending(draft, settlement.lines, asOf));
    return;
  }
  const { covered } = composeInvoice(draft, {
    billingReason: 'subscription_update',
    period: { start: asOf, end: asOf },
    lines: settlement.lines,
    pending,
    autoAdvance: status !== 'unpaid',
    leaveDraft: status === 'unpaid',
  });
  recordCoverage(draft, settlement, covered);
}
