import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import { beginDecision, changeSubscription, type DecisionContext, finishDecision } from '../invoicing/draft-decision.ts';
import { fullCycleOf } from './anchor.ts';
import { dueItems, recordCoverage, settleItems, subscriptionOf } from './bill-items.ts';
import { bill, periodAt, statusAfter } from './resume.ts';
import { isOnTrial } from './start-trial.ts';
import type { BilledPeriod } from './subscription.ts';
import { commandAllowed, nextStatus } from './transitions.ts';

/**
 * A canceled subscription lives again from `asOf` on, with its items and its anchor. What is billed is the rest of the period less what is still paid for: where it ended without
 * credit inside a period, that time is covered again and nothing is billed before the boundary; a trial that would not be over yet goes on. An invoice that was still owed is owed on, and makes it past due.
 * @throws Refusal transition_not_allowed, customer_deleted
 */
export function decideReactivation(snapshot: BillingSnapshot, context: DecisionContext): Decision {
  const draft = beginDecision(snapshot, context);
  const { asOf } = context;
  const before = subscriptionOf(draft);
  const refused = commandAllowed(before.status, 'reactivate');
  if (refused) throw new Refusal(refused, `A subscription that is ${before.status} cannot be reactivated.`);
  if (snapshot.customer.deleted) throw new Refusal('customer_deleted', `The customer ${snapshot.customer.id} is deleted.`, 'customer');
  const period = periodAt(before, asOf);
  changeSubscription(draft, {
    status: statusAfter(draft, 'reactivated'),
    currentPeriodStart: period.start,
    currentPeriodEnd: period.end,
    cancelAtPeriodEnd: false,
    cancelAt: null,
    canceledAt: null,
    endedAt: null,
    cancellationDetails: { ...before.cancellationDetails, reason: null },
    pauseCollection: null,
    resumedAt: asOf,
    forfeited: [],
  });
  const { status, trialEnd } = subscriptionOf(draft);
  if (status === 'active' && isOnTrial(before) && (trialEnd ?? 0) > asOf)
    changeSubscription(draft, { status: nextStatus(status, 'trial_started') });
  const restored = stillPaidFor(snapshot, before.forfeited, asOf);
  draft.decision.billed.shrink.push(...restored.map(({ id, end, credited }) => ({ id, end, credited })));
  const settlement = settleItems(draft, {
    due: dueItems(draft, before.items, asOf, fullCycleOf(before, period)),
    billed: restored,
    at: asOf,
    unused: 'keep',
    charge: 'bill',
  });
  if (settlement.lines.length > 0) bill(draft, settlement, 'always_invoice');
  else recordCoverage(draft, settlement, []);
  return finishDecision(draft);
}

/** Rows as they were before the end took their time away, less what was credited of them since. */
function stillPaidFor({ billed }: BillingSnapshot, forfeited: readonly BilledPeriod[], asOf: number): BilledPeriod[] {
  const now = new Map(billed.map((row) => [row.id, row]));
  return forfeited.filter((row) => row.end > asOf).map((row) => ({ ...row, credited: now.get(row.id)?.credited ?? row.credited }));
}
