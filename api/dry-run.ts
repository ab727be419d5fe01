import { loadSnapshot } from '../db/billing-snapshot.ts';
import type { AccountTransaction } from '../db/client.ts';
import type { BillingSnapshot } from '../domain/billing-snapshot.ts';
import type { Decision } from '../domain/decision.ts';
import { decideCancellation } from '../domain/subscription/cancel.ts';
import { decideChange } from '../domain/subscription/change-plan.ts';
import type { CancelSubscription, ChangePlan, CreateSubscription, ScheduleCancellation } from '../domain/subscription/commands.ts';
import { decideCreation } from '../domain/subscription/create-subscription.ts';
import { decideRenewal } from '../domain/subscription/renew.ts';
import { decideScheduledCancellation } from '../domain/subscription/schedule-cancellation.ts';
import type { Instant } from '../domain/time.ts';
import { randomId } from './new-id.ts';

/** A decision that was made and not written: the first two beats of load -> decide -> record. */
export interface DryRun {
  snapshot: BillingSnapshot;
  decision: Decision;
}

const contextAt = (asOf: Instant) => ({ asOf, newId: randomId });

/** @throws Refusal what the creation would be refused with */
export async function tryCreation(t: AccountTransaction, command: CreateSubscription, asOf: Instant): Promise<DryRun> {
  const snapshot = await loadSnapshot(t, {
    customerId: command.customerId,
    priceIds: command.items.map((item) => item.priceId),
    taxRateIds: [...command.defaultTaxRateIds, ...command.items.flatMap((item) => item.taxRateIds)],
    paymentMethodIds: command.defaultPaymentMethodId === null ? [] : [command.defaultPaymentMethodId],
    lock: false,
  });
  return { snapshot, decision: decideCreation(snapshot, command, contextAt(asOf)) };
}

/** @throws Refusal what the change would be refused with */
export async function tryChange(t: AccountTransaction, subscriptionId: string, command: ChangePlan, asOf: Instant): Promise<DryRun> {
  const mentioned = (command.items ?? []).flatMap((change) => (change.do === 'remove' ? [] : [change.do === 'add' ? change.item : change]));
  const snapshot = await loadSnapshot(t, {
    subscriptionId,
    priceIds: mentioned.flatMap((item) => item.priceId ?? []),
    taxRateIds: [...(command.defaultTaxRateIds ?? []), ...mentioned.flatMap((item) => item.taxRateIds ?? [])],
    paymentMethodIds: typeof command.defaultPaymentMethodId === 'string' ? [command.defaultPaymentMethodId] : [],
    lock: false,
  });
  const periodEnd = snapshot.subscription?.currentPeriodEnd ?? Number.POSITIVE_INFINITY;
  if (asOf < periodEnd) return { snapshot, decision: decideChange(snapshot, command, contextAt(asOf)) };
  // The renewal is due and not written yet; the workflow does it first and decides the command in the next period. Tried here at the period's last second, which
  // finds every fault but that of a date.
  const { prorationDate: _, ...undated } = command;
  return { snapshot, decision: decideChange(snapshot, undated, contextAt(periodEnd - 1)) };
}

/** @throws Refusal what the cancellation would be refused with */
export async function tryCancellation(
  t: AccountTransaction,
  subscriptionId: string,
  command: CancelSubscription,
  asOf: Instant,
): Promise<DryRun> {
  const snapshot = await loadSnapshot(t, { subscriptionId, lock: false });
  return { snapshot, decision: decideCancellation(snapshot, command, contextAt(asOf)) };
}

/** @throws Refusal what the scheduling would be refused with */
export async function tryScheduling(
  t: AccountTransaction,
  subscriptionId: string,
  command: ScheduleCancellation,
  asOf: Instant,
): Promise<DryRun> {
  const snapshot = await loadSnapshot(t, { subscriptionId, lock: false });
  return { snapshot, decision: decideScheduledCancellation(snapshot, command, contextAt(asOf)) };
}

/** The next renewal as it would be made at the boundary, from a snapshot that may already hold a change. */
export const tryRenewal = (snapshot: BillingSnapshot, boundary: Instant): Decision => decideRenewal(snapshot, contextAt(boundary));
