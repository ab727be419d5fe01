import type { BillingSnapshot } from '../billing-snapshot.ts';
import { isSameCycle } from '../catalog/mix-cycles.ts';
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
import { billChangedUsage } from '../usage/bill-usage.ts';
import { fullCycleOf } from './anchor.ts';
import { dueItems, recordCoverage, settleItems, subscriptionOf } from './bill-items.ts';
import { billOnce } from './bill-once.ts';
import { changeItems } from './change-items.ts';
import { changeSettings } from './change-settings.ts';
import { planTrial, writeTrial } from './change-trial.ts';
import { type ChangePlan, isAboutDefaults, movesAnchor } from './commands.ts';
import { changeDiscounts, endThoseOfRemovedItems } from './discount-subscription.ts';
import { endTrial } from './end-trial.ts';
import { invoiceChange, waitsForPayment } from './invoice-change.ts';
import { checkMoves } from './pause.ts';
import { type Plan, planChange } from './plan-change.ts';
import { pendingUpdateExists, setEnd, settleNewEnd } from './schedule-cancellation.ts';
import type { Subscription } from './subscription.ts';
import { commandAllowed } from './transitions.ts';

/**
 * While a subscription is paused its plan is changed without billing: what it then is counts from the moment it is resumed. The interval can only be changed where no time of an
 * interrupted period is kept for it.
 */
function changeWhilePaused(draft: DecisionDraft, command: ChangePlan): Decision {
  const { snapshot, asOf } = draft;
  const before = subscriptionOf(draft);
  const { id, cycle, pause } = before;
  for (const [param, given] of Object.entries({
    billing_cycle_anchor: movesAnchor(command),
    proration_date: command.prorationDate !== undefined,
  })) {
    if (given)
      throw new Refusal(
        'parameter_invalid',
        `The subscription ${id} is paused and bills nothing: give ${param} when it is resumed.`,
        param,
      );
  }
  planTrial(subscriptionOf(draft), command, asOf);
  if (command.items?.length) {
    const changed = changeItems(snapshot, subscriptionOf(draft), command.items, asOf);
    if (!isSameCycle(changed.cycle, cycle) && pause?.unusedTime === 'extend') {
      throw new Refusal(
        'interval_mismatch',
        `The rest of a period is kept for the subscription ${id}: its interval can be changed once it is resumed.`,
        'items',
      );
    }
    changeSubscription(draft, { items: changed.items, cycle: changed.cycle });
    checkMoves(draft, pause, 'items');
  }
  changeDiscounts(draft, command);
  billOnce(draft, command.addInvoiceItems ?? []);
  endThoseOfRemovedItems(draft, before.items);
  if (command.cancellation) setEnd(draft, command.cancellation);
  return finishDecision(draft);
}

/**
 * Changes items, cycle, settings and end of a subscription in one decision. What is credited and charged is what is due less what is billed, from `prorationDate` (default `asOf`) on.
 * - `create_prorations` keeps the lines for the next invoice, `always_invoice` bills them now with all pending items, `none` makes no lines: the new price counts from the next period.
 * - A new cycle, `billingCycleAnchor: now`, or a free plan becoming paid starts a new period at the change, billed in full and at once (as Stripe); its anchor is the proration date
 *   where one is given, so that a preview with that date is the invoice.
 * - A date as `billingCycleAnchor` ends the current period there, at most one cycle later than now, and the next one begins there: what is billed beyond it is given back, what is not
 *   billed until then charged at the rate of the cycle that ends with it.
 * - On trial nothing is due, so a change makes no lines, and a new cycle is that of the first paid period. Where the trial is ended, that begins at once; where one begins, the
 *   unused rest of what was billed is given back as any change gives it back, and the anchor is its end.
 * - With `error_if_incomplete` or `pending_if_incomplete` an invoice with something to pay leaves everything as it is until it is paid (`pendingUpdate`, at most 23 h). It
 *   bills only the change itself, so that dropping it loses nothing else.
 * Nothing changed: an empty decision.
 * @throws Refusal about the parameter at fault, in Stripe's notation
 */
export function decideChange(snapshot: BillingSnapshot, command: ChangePlan, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, context);
  const before = subscriptionOf(draft);
  const refused = commandAllowed(before.status, isAboutDefaults(command) ? 'changeDefaults' : 'changePlan');
  if (refused) throw new Refusal(refused, `A subscription that is ${before.status} cannot be changed.`);
  if (before.pendingUpdate && (command.items?.length || command.trialEnd !== undefined || movesAnchor(command)))
    throw pendingUpdateExists(before.id);
  changeSettings(draft, command);
  if (before.status === 'paused') return changeWhilePaused(draft, command);

  const plan = planChange(draft, command);
  changeSubscription(draft, { items: plan.items, cycle: plan.cycle });
  checkMoves(draft, before.pause, 'items');
  changeDiscounts(draft, command);
  if (plan.trial?.do === 'end') {
    const ended = endTrial(draft, plan.at, 'subscription_update');
    if (ended === 'canceled') return finishDecision(draft, 'customer.subscription.deleted');
    if (ended === 'paused') {
      if (command.cancellation) setEnd(draft, command.cancellation);
      return finishDecision(draft);
    }
  } else if (plan.trial) writeTrial(draft, plan.trial, plan.at);
  changeSubscription(draft, {
    billingCycleAnchor: plan.anchor,
    billingCycleAnchorConfig: plan.anchor === before.billingCycleAnchor ? before.billingCycleAnchorConfig : null,
    currentPeriodStart: plan.period.start,
    currentPeriodEnd: plan.period.end,
    cancelAt: before.cancelAtPeriodEnd ? plan.period.end : before.cancelAt,
  });
  if (command.cancellation) setEnd(draft, command.cancellation);

  const settlement = settleChange(draft, plan, before, command);
  if (settlement.lines.length > 0 && before.pendingUpdate) throw pendingUpdateExists(before.id);
  const once = billOnce(draft, command.addInvoiceItems ?? []);
  const startsPaid = plan.restarts && plan.trial?.do !== 'start';
  const changes = plan.touched.size > 0 && before.status !== 'trialing';
  const wantsInvoice =
    startsPaid || (command.prorationBehavior === 'always_invoice' && (changes || settlement.lines.length + once.length > 0));
  // Of a change that waits for its payment, what was used until then is billed when it is applied.
  const waits = wantsInvoice && waitsForPayment(draft, before, command);
  const used = waits
    ? []
    : billChangedUsage(draft, { before: before.items, after: plan.items, all: plan.restarts && plan.trial?.do !== 'end' });
  const settled = { ...settlement, lines: [...used, ...settlement.lines] };
  // What was pending is billed with it; where there is nothing to show there is no invoice.
  if (!wantsInvoice || settled.lines.length + (waits ? 0 : snapshot.pendingItems.length + once.length) === 0) {
    recordCoverage(draft, settled, keepPending(draft, settled.lines, context.asOf));
    endThoseOfRemovedItems(draft, before.items);
  } else invoiceChange(draft, before, { ...settled, once }, command, context.asOf);
  return finishDecision(draft);
}

/** Credits and charges of the touched items (of all the subscription has or had until now, where a new period begins), and what another end means for the others. */
function settleChange(draft: DecisionDraft, plan: Plan, before: Subscription, command: ChangePlan): Settlement {
  const { billed } = draft.snapshot;
  const none = command.prorationBehavior === 'none';
  const all = new Set([...before.items, ...plan.items].map((item) => item.id));
  const isTouched = (itemId: string) => (plan.restarts ? all : plan.touched).has(itemId);
  const touched = settleItems(draft, {
    due: dueItems(
      draft,
      plan.items.filter((item) => isTouched(item.id)),
      plan.at,
      fullCycleOf(subscriptionOf(draft), plan.period),
    ),
    billed: billed.filter((row) => isTouched(row.subscriptionItemId)),
    at: plan.at,
    unused: none ? 'forfeit' : 'credit',
    charge: none && !plan.restarts ? 'carry' : 'bill',
    carryUntil: plan.period.end,
  });
  const movesPeriodEnd = plan.period.end !== before.currentPeriodEnd;
  if (plan.restarts || (!command.cancellation && !movesPeriodEnd)) return touched;
  const others = plan.items.filter((item) => !isTouched(item.id));
  const moved = settleNewEnd(draft, others, none ? (movesPeriodEnd ? 'cut' : 'keep') : 'prorate');
  return {
    lines: [...touched.lines, ...moved.lines],
    shrinks: [...touched.shrinks, ...moved.shrinks],
    carried: [...touched.carried, ...moved.carried],
  };
}
