import type { BillingSnapshot } from '../billing-snapshot.ts';
import { type Decision, emptyDecision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { keepPending } from '../invoicing/compose-invoice.ts';
import { beginDecision, changeSubscription, type DecisionContext, finishDecision } from '../invoicing/draft-decision.ts';
import { changeIntoPhase, passPhase } from '../schedule/enter-phase.ts';
import { type Instant, periodContaining } from '../time.ts';
import { billChangedUsage } from '../usage/bill-usage.ts';
import { subscriptionOf } from './bill-items.ts';
import { billOnce } from './bill-once.ts';
import { changeItems } from './change-items.ts';
import { decideChange } from './change-plan.ts';
import { changeSettings } from './change-settings.ts';
import { type ChangePlan, isAboutDefaults } from './commands.ts';
import { changeDiscounts, endThoseOfRemovedItems } from './discount-subscription.ts';
import { pendingUpdateExists } from './schedule-cancellation.ts';
import { type ScheduledChange, withScheduled } from './scheduled-change.ts';
import { commandAllowed, hasEnded } from './transitions.ts';

/**
 * Carries out a scheduled change at its instant (`asOf`), as if it were asked for then. At the end of the period it changes what the coming one is billed for, and the renewal,
 * which is decided next for the same instant, bills that. An invoice of its own has the draft window, as all that the engine makes by itself. What has become impossible is recorded as failed, with the reason, and the subscription goes on as it is. A change
 * that is not scheduled any more: an empty decision.
 */
export function decideScheduledApplication(
  snapshot: BillingSnapshot,
  { changeId }: { changeId: string },
  context: DecisionContext,
): Decision {
  const subscription = subscriptionOf(snapshot);
  const scheduled = subscription.scheduledChanges.find(({ id }) => id === changeId);
  if (!scheduled || hasEnded(subscription.status)) return emptyDecision();
  const closed = { ...scheduled, closedAt: context.asOf };
  if (scheduled.change.phase?.expiring)
    return withScheduled(snapshot, passed(snapshot, emptyDecision(), scheduled, context), [{ ...closed, status: 'applied' }]);
  try {
    const atBoundary = context.asOf >= subscription.currentPeriodEnd;
    const decision = (atBoundary ? changeAtBoundary : decideChange)(snapshot, changeOf(snapshot, scheduled.change, context), {
      ...context,
      graceSeconds: snapshot.account.invoiceGraceSeconds,
    });
    return withScheduled(snapshot, passed(snapshot, decision, scheduled, context), [{ ...closed, status: 'applied' }]);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const failure = { code: error.code, message: error.message, param: error.param ?? null };
    return withScheduled(snapshot, passed(snapshot, emptyDecision(), scheduled, context), [{ ...closed, status: 'failed', failure }]);
  }
}

/** What a phase of a schedule changes is found now, by what the subscription has become. */
function changeOf(snapshot: BillingSnapshot, { phase, ...change }: ScheduledChange['change'], { newId }: DecisionContext): ChangePlan {
  if (phase === undefined || phase.index === null || snapshot.schedule?.id !== phase.scheduleId) return change;
  return changeIntoPhase(subscriptionOf(snapshot), snapshot.schedule, phase.index, newId);
}

/** A phase has begun, or the schedule is over, also where the change itself had become impossible. */
const passed = (
  snapshot: BillingSnapshot,
  decision: Decision,
  { change: { phase } }: ScheduledChange,
  { asOf }: DecisionContext,
): Decision => (phase === undefined ? decision : passPhase(snapshot, decision, phase, asOf));

/** Nothing is credited or charged: the old period has just ended, and the new one is billed by its renewal. */
function changeAtBoundary(snapshot: BillingSnapshot, change: ChangePlan, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, context);
  const before = subscriptionOf(draft);
  const refused = commandAllowed(before.status, isAboutDefaults(change) ? 'changeDefaults' : 'changePlan');
  if (refused) throw new Refusal(refused, `A subscription that is ${before.status} cannot be changed.`);
  if (before.pendingUpdate && change.items?.length) throw pendingUpdateExists(before.id);
  changeSettings(draft, change);
  const { items, cycle, movesCycle } = change.items?.length
    ? changeItems(snapshot, before, change.items, context.asOf)
    : { ...before, movesCycle: false };
  const start = before.currentPeriodEnd;
  // Usage is billed at the price of its time: by the renewal that follows, as what waits for it.
  keepPending(draft, billChangedUsage(draft, { before: before.items, after: items, all: false }), start);
  const keeps = !movesCycle || isBoundary(before.billingCycleAnchor, cycle, before.billingTimezone, start);
  if (!keeps && change.billingCycleAnchor === 'unchanged') {
    throw new Refusal(
      'parameter_invalid',
      'The billing cycle anchor cannot stay unchanged when the billing interval changes.',
      'billing_cycle_anchor',
    );
  }
  changeSubscription(draft, {
    items,
    cycle,
    ...(keeps && change.billingCycleAnchor !== 'now' ? {} : { billingCycleAnchor: start, billingCycleAnchorConfig: null }),
  });
  changeDiscounts(draft, change);
  billOnce(draft, change.addInvoiceItems ?? []);
  endThoseOfRemovedItems(draft, before.items);
  return finishDecision(draft);
}

const isBoundary = (anchor: Instant, cycle: Parameters<typeof periodContaining>[1], zone: string, at: Instant): boolean =>
  periodContaining(anchor, cycle, zone, at).start === at;
