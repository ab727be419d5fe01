import type { BillingSnapshot } from '../billing-snapshot.ts';
import { isSameCycle } from '../catalog/mix-cycles.ts';
import type { Decision } from '../decision.ts';
import { retireUsed, usedUpBy } from '../discounts/discount-invoice.ts';
import { Refusal } from '../errors.ts';
import { composeInvoice, keepPending } from '../invoicing/compose-invoice.ts';
import {
  beginDecision,
  changeSubscription,
  type DecisionContext,
  type DecisionDraft,
  finishDecision,
} from '../invoicing/draft-decision.ts';
import { collectionTerms } from '../invoicing/due-date.ts';
import { collectionHold } from '../invoicing/hold-invoice.ts';
import type { Period } from '../invoicing/invoice.ts';
import type { Settlement } from '../invoicing/settle.ts';
import { boundary, type Instant, periodContaining } from '../time.ts';
import { billChangedUsage } from '../usage/bill-usage.ts';
import { checkAnchor, fullCycleOf } from './anchor.ts';
import { dueItems, recordCoverage, settleItems, subscriptionOf } from './bill-items.ts';
import { type ChangedItems, changeItems, isFree } from './change-items.ts';
import { planTrial, type TrialMove, writeTrial } from './change-trial.ts';
import { checkPaymentMethod, checkTaxRates } from './check-items.ts';
import { type ChangePlan, isAboutDefaults, movesAnchor } from './commands.ts';
import { PAYMENT_PATIENCE } from './create-subscription.ts';
import { changeDiscounts, endThoseOfRemovedItems, mayWait } from './discount-subscription.ts';
import { endTrial } from './end-trial.ts';
import { checkMoves } from './pause.ts';
import { collectionPause } from './pause-collection.ts';
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
  endThoseOfRemovedItems(draft, before.items);
  if (command.cancellation) setEnd(draft, command.cancellation);
  return finishDecision(draft);
}

/** The items and the period a change leads to, and the instant from which it is priced. */
interface Plan extends ChangedItems {
  at: Instant;
  period: Period;
  anchor: Instant;
  /** A new period begins at `at`. */
  restarts: boolean;
  trial: TrialMove | null;
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
  const startsPaid = plan.restarts && plan.trial?.do !== 'start';
  const changes = plan.touched.size > 0 && before.status !== 'trialing';
  const wantsInvoice = startsPaid || (command.prorationBehavior === 'always_invoice' && (changes || settlement.lines.length > 0));
  // Of a change that waits for its payment, what was used until then is billed when it is applied.
  const waits = wantsInvoice && waitsForPayment(draft, before, command);
  const used = waits
    ? []
    : billChangedUsage(draft, { before: before.items, after: plan.items, all: plan.restarts && plan.trial?.do !== 'end' });
  const settled = { ...settlement, lines: [...used, ...settlement.lines] };
  // What was pending is billed with it; where there is nothing to show there is no invoice.
  if (!wantsInvoice || settled.lines.length + (waits ? 0 : snapshot.pendingItems.length) === 0) {
    recordCoverage(draft, settled, keepPending(draft, settled.lines, context.asOf));
    endThoseOfRemovedItems(draft, before.items);
  } else invoiceChange(draft, before, settled, command, context.asOf);
  return finishDecision(draft);
}

/** Nobody waits for a payment that has a due date. */
const waitsForPayment = (draft: DecisionDraft, before: Subscription, command: ChangePlan): boolean =>
  before.status !== 'unpaid' && subscriptionOf(draft).collectionMethod !== 'send_invoice' && mayWait(command);

/** What is not billed by itself. @throws Refusal resource_missing, payment_method_detached, parameter_invalid */
export function changeSettings(
  draft: DecisionDraft,
  { defaultPaymentMethodId, defaultTaxRateIds, trialMissingPaymentMethod, pauseCollection, ...terms }: ChangePlan,
): void {
  if (defaultPaymentMethodId !== undefined) {
    checkPaymentMethod(draft.snapshot, defaultPaymentMethodId);
    changeSubscription(draft, { defaultPaymentMethodId });
  }
  if (defaultTaxRateIds !== undefined) {
    checkTaxRates(draft.snapshot, defaultTaxRateIds, 'default_tax_rates');
    changeSubscription(draft, { defaultTaxRateIds });
  }
  if (terms.collectionMethod !== undefined || terms.daysUntilDue !== undefined) {
    changeSubscription(draft, collectionTerms(subscriptionOf(draft), terms));
  }
  if (trialMissingPaymentMethod !== undefined) changeSubscription(draft, { trialMissingPaymentMethod });
  if (pauseCollection !== undefined) changeSubscription(draft, { pauseCollection: collectionPause(draft, pauseCollection) });
}

function planChange(draft: DecisionDraft, command: ChangePlan): Plan {
  const { snapshot, asOf } = draft;
  const subscription = subscriptionOf(draft);
  const changed: ChangedItems = command.items?.length
    ? changeItems(snapshot, subscription, command.items, asOf)
    : { items: subscription.items, cycle: subscription.cycle, movesCycle: false, touched: new Set() };
  const newCycle = changed.movesCycle;
  const trial = planTrial(subscription, command, asOf);
  const isTrialing = subscription.status === 'trialing';
  if (newCycle && !isTrialing && command.billingCycleAnchor === 'unchanged') {
    throw new Refusal(
      'parameter_invalid',
      'The billing cycle anchor cannot stay unchanged when the billing interval changes.',
      'billing_cycle_anchor',
    );
  }
  const { currency } = subscription;
  const becomesPaid =
    changed.touched.size > 0 && isFree(snapshot, subscription.items, currency) && !isFree(snapshot, changed.items, currency);
  const wantsNew = newCycle || command.billingCycleAnchor === 'now' || (becomesPaid && command.billingCycleAnchor !== 'unchanged');
  const restarts = trial === null ? wantsNew && !isTrialing : trial.do !== 'move';
  const at = command.prorationDate ?? asOf;
  if (
    at < Math.max(subscription.currentPeriodStart, subscription.resumedAt ?? subscription.currentPeriodStart) ||
    at >= subscription.currentPeriodEnd
  ) {
    throw new Refusal(
      'date_out_of_range',
      'The proration date must lie in the current period of the subscription, and not before it was last resumed.',
      'proration_date',
    );
  }
  const until = trial === null || trial.do === 'end' ? null : trial.end;
  const { billingCycleAnchor: anchor, billingTimezone: zone } = subscription;
  const current = { start: subscription.currentPeriodStart, end: until ?? subscription.currentPeriodEnd };
  if (until === null && !isTrialing && !isSameCycle(changed.cycle, subscription.cycle)) {
    // Another interval is the shortest now, beside others that bill as they did: the periods of the same anchor become shorter or longer.
    const { start, end } = periodContaining(anchor, changed.cycle, zone, at);
    Object.assign(current, { start: Math.max(start, subscription.startDate, subscription.trialEnd ?? start), end });
  }
  if (typeof command.billingCycleAnchor === 'number') {
    if (newCycle) {
      throw new Refusal(
        'parameter_invalid',
        'A change of the billing interval starts a new period at once; move the anchor in a change of its own.',
        'billing_cycle_anchor',
      );
    }
    const end = command.billingCycleAnchor;
    checkAnchor(end, asOf, periodContaining(anchor, subscription.cycle, zone, current.end).end);
    if (command.cancellation || at >= end) {
      throw new Refusal(
        'parameter_invalid',
        'A date for the billing cycle anchor cannot be combined with a cancellation or a later proration date.',
        'billing_cycle_anchor',
      );
    }
    return { ...changed, at, period: { start: current.start, end }, anchor: end === current.end ? anchor : end, restarts: false, trial };
  }
  if (!restarts) return { ...changed, at, period: current, anchor: until ?? anchor, restarts, trial };
  const period = { start: at, end: until ?? boundary(at, changed.cycle, zone, 1) };
  if (asOf < period.start || asOf >= period.end) {
    throw new Refusal(
      'date_out_of_range',
      'A change that starts a new period needs a proration date by which that period has begun and not ended.',
      'proration_date',
    );
  }
  return { ...changed, at, period, anchor: until ?? at, restarts, trial };
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

function invoiceChange(draft: DecisionDraft, before: Subscription, settlement: Settlement, command: ChangePlan, asOf: Instant): void {
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
    pending: waits ? [] : draft.snapshot.pendingItems,
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
