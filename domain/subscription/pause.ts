import type { BillingSnapshot } from '../billing-snapshot.ts';
import { cycleOf } from '../catalog/find-price.ts';
import { isSameCycle } from '../catalog/mix-cycles.ts';
import { type Decision, emptyDecision } from '../decision.ts';
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
import { type Instant, MAX_INSTANT } from '../time.ts';
import { billLastUsage } from '../usage/bill-usage.ts';
import { recordCoverage, settleItems, subscriptionOf } from './bill-items.ts';
import type { PauseSubscription } from './commands.ts';
import { stillPending } from './end-subscription.ts';
import { pauseStart } from './paused-time.ts';
import { pendingUpdateExists } from './schedule-cancellation.ts';
import type { Pause } from './subscription.ts';
import { commandAllowed, nextStatus } from './transitions.ts';

/**
 * Pauses a subscription now, at its period's end or at a date; a pause that waits for its begin is replaced. Of one that is paused already only `resumesAt` can be moved.
 * See `beginPause` for what a pause does.
 * @throws Refusal date_out_of_range, transition_not_allowed, pending_update_exists, subscription_canceled, subscription_incomplete
 */
export function decidePause(snapshot: BillingSnapshot, command: PauseSubscription, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, context);
  const subscription = subscriptionOf(draft);
  const { status, currentPeriodEnd, cancelAt } = subscription;
  const refused = commandAllowed(status, 'pause');
  if (refused) throw new Refusal(refused, `A subscription that is ${status} cannot be paused.`);
  const begins = command.at === 'now' ? context.asOf : command.at === 'period_end' ? currentPeriodEnd : command.at;
  if (command.resumesAt !== null && (command.resumesAt <= begins || command.resumesAt <= context.asOf || command.resumesAt > MAX_INSTANT)) {
    throw new Refusal('date_out_of_range', 'A pause can only end after it has begun, and in the future.', 'resumes_at');
  }
  if (status === 'paused') return prolong(draft, command);
  if (subscription.pendingUpdate) throw pendingUpdateExists(subscription.id);
  if (command.at !== 'now' && (begins <= context.asOf || begins > MAX_INSTANT)) {
    throw new Refusal('date_out_of_range', 'A pause can only begin now or in the future.', 'effective_at');
  }
  if (cancelAt !== null && begins >= cancelAt) {
    throw new Refusal('date_out_of_range', `The subscription ${subscription.id} ends before the pause would begin.`, 'effective_at');
  }
  const { resumesAt, unusedTime, resume } = command;
  checkMoves(draft, command, 'unused_time');
  const pause: Pause = { at: begins, atPeriodEnd: command.at === 'period_end', resumesAt, unusedTime, resume };
  changeSubscription(draft, { pause });
  if (command.at === 'now') beginPause(draft, begins);
  return finishDecision(draft);
}

/**
 * A period can be moved behind a pause only where all items share it: the boundaries of several intervals would not meet again.
 * @throws Refusal interval_mismatch
 */
export function checkMoves(draft: DecisionDraft, pause: Pick<Pause, 'unusedTime'> | null, param: string): void {
  if (pause?.unusedTime !== 'extend') return;
  const { id, items, cycle } = subscriptionOf(draft);
  if (items.every((item) => isSameCycle(cycleOf(draft.snapshot.prices, item, cycle), cycle))) return;
  throw new Refusal(
    'interval_mismatch',
    `The items of the subscription ${id} bill by several intervals: unused time can only be credited.`,
    param,
  );
}

function prolong(draft: DecisionDraft, command: PauseSubscription): Decision {
  const { pause, id } = subscriptionOf(draft);
  if (command.at !== 'now' || (pause && command.unusedTime !== pause.unusedTime)) {
    throw new Refusal('transition_not_allowed', `The subscription ${id} is paused already; only resumes_at can be changed.`);
  }
  const begun = pause ?? { at: draft.asOf, atPeriodEnd: false, unusedTime: command.unusedTime };
  changeSubscription(draft, { pause: { ...begun, resumesAt: command.resumesAt, resume: command.resume } });
  return finishDecision(draft);
}

/**
 * A scheduled pause begins at `asOf`; what it bills or gives back has the draft window. Empty where it was taken back or moved, or the subscription ended meanwhile.
 * @throws Refusal pending_update_exists
 */
export function decideScheduledPause(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, { ...context, graceSeconds: snapshot.account.invoiceGraceSeconds });
  const begins = pauseStart(subscriptionOf(draft));
  if (begins === null || context.asOf < begins) return emptyDecision();
  const { id, pendingUpdate } = subscriptionOf(draft);
  if (pendingUpdate) throw pendingUpdateExists(id);
  beginPause(draft, begins);
  return finishDecision(draft);
}

/**
 * From `at` on nothing is billed, and nothing that is used; what was used before is billed with what is given back, else with the next invoice. With `credit`, billed time after `at` is given back at once by an invoice of its own together with all pending items (an open invoice first, then
 * the balance); with `extend` it stays billed and is moved behind the pause by `resume`. A trial's rest is always kept.
 */
function beginPause(draft: DecisionDraft, at: Instant): void {
  const { id, status, pause, currentPeriodStart, items } = subscriptionOf(draft);
  if (!pause) throw new Error(`${id} has no pause to begin`);
  const used = billLastUsage(draft, items, at);
  if (pause.unusedTime !== 'credit') keepPending(draft, used, at);
  if (pause.unusedTime === 'credit' && status !== 'trialing') {
    const settlement = settleItems(draft, { due: [], billed: draft.snapshot.billed, at, unused: 'credit', charge: 'bill' });
    recordCoverage(draft, settlement, []);
    // What an unpaid subscription owes besides waits for a person, as all its invoices do.
    const pending = status === 'unpaid' ? [] : stillPending(draft);
    if (settlement.lines.length + used.length + pending.length > 0) {
      composeInvoice(draft, {
        billingReason: 'subscription_update',
        period: { start: Math.min(currentPeriodStart, at), end: at },
        lines: [...used, ...settlement.lines],
        pending,
        autoAdvance: true,
      });
    }
  }
  const resumesAt = pause.resumesAt !== null && pause.resumesAt > at ? pause.resumesAt : null;
  const unusedTime = status === 'trialing' ? 'extend' : pause.unusedTime;
  changeSubscription(draft, { status: nextStatus(subscriptionOf(draft).status, 'paused'), pause: { ...pause, at, resumesAt, unusedTime } });
  emit(draft, 'customer.subscription.paused', 'subscription', id);
}
