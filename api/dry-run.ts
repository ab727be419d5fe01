import { loadSnapshot, type SnapshotQuery } from '../db/billing-snapshot.ts';
import type { AccountTransaction } from '../db/client.ts';
import { digest } from '../db/digest.ts';
import { scheduleQuery } from '../db/schedule-query.ts';
import type { BillingSnapshot } from '../domain/billing-snapshot.ts';
import { type Decision, emptyDecision } from '../domain/decision.ts';
import type { DecisionContext } from '../domain/invoicing/draft-decision.ts';
import { decideScheduleEdit } from '../domain/schedule/edit-schedule.ts';
import type { ScheduleEdit, SubscriptionSchedule } from '../domain/schedule/schedule.ts';
import { decideCancellation } from '../domain/subscription/cancel.ts';
import type {
  CancelSubscription,
  ChangePlan,
  CreateSubscription,
  PauseSubscription,
  ReactivateSubscription,
  ResumeSubscription,
  ScheduleCancellation,
} from '../domain/subscription/commands.ts';
import { decideCreation } from '../domain/subscription/create-subscription.ts';
import { redeemedBy } from '../domain/subscription/discount-subscription.ts';
import { catchUp } from '../domain/subscription/foresee.ts';
import { decideAsPreviewed, type PreviewPins } from '../domain/subscription/keep-preview.ts';
import { decidePause } from '../domain/subscription/pause.ts';
import { decideReactivation } from '../domain/subscription/reactivate.ts';
import { decideResumption } from '../domain/subscription/resume.ts';
import { decideScheduledCancellation } from '../domain/subscription/schedule-cancellation.ts';
import { decideCommandedChange, decideUnscheduling } from '../domain/subscription/schedule-change.ts';
import type { Instant } from '../domain/time.ts';
import { randomId } from './new-id.ts';

/** A decision that was made and not written: the first two beats of load -> decide -> record. */
export interface DryRun {
  snapshot: BillingSnapshot;
  decision: Decision;
}

/** When it is tried, and what a preview supposes beyond the facts. */
export interface Trial {
  asOf: Instant;
  /** Prices and tax rates of what is supposed. */
  mentioned?: { priceIds: string[]; taxRateIds: string[] };
  suppose?: (snapshot: BillingSnapshot) => BillingSnapshot;
  /** Stands for the customer of a creation who is none yet. */
  standIn?: SnapshotQuery['standIn'];
}

export const contextAt = (asOf: Instant) => ({ asOf, newId: randomId, digest });

const mentioning = (query: Omit<SnapshotQuery, 'lock'>, mentioned: Trial['mentioned']): Omit<SnapshotQuery, 'lock'> =>
  mentioned === undefined
    ? query
    : {
        ...query,
        priceIds: [...(query.priceIds ?? []), ...mentioned.priceIds],
        taxRateIds: [...(query.taxRateIds ?? []), ...mentioned.taxRateIds],
      };

/** A renewal that is due and not written yet comes first, as it will in the workflow. */
async function tryOut<C extends object>(
  t: AccountTransaction,
  query: Omit<SnapshotQuery, 'lock'>,
  command: C & { preview?: PreviewPins },
  { asOf, mentioned, suppose = (snapshot) => snapshot }: Trial,
  decide: (snapshot: BillingSnapshot, command: C, context: DecisionContext) => Decision,
): Promise<DryRun> {
  const about = { ...mentioning(query, mentioned), asOf: command.preview?.asOf ?? asOf, lock: false };
  const snapshot = catchUp(suppose(await loadSnapshot(t, about)), asOf, randomId);
  const decision = decideAsPreviewed(command.preview, snapshot, contextAt(asOf), (given, context) => decide(given, command, context));
  return { snapshot, decision };
}

/** @throws Refusal what the creation would be refused with */
export const tryCreation = (t: AccountTransaction, command: CreateSubscription, trial: Trial): Promise<DryRun> =>
  tryOut(
    t,
    {
      ...(trial.standIn === undefined ? { customerId: command.customerId } : { standIn: trial.standIn }),
      priceIds: [...command.items, ...(command.addInvoiceItems ?? [])].map((item) => item.priceId),
      taxRateIds: [
        ...command.defaultTaxRateIds,
        ...[...command.items, ...(command.addInvoiceItems ?? [])].flatMap((item) => item.taxRateIds),
      ],
      paymentMethodIds: command.defaultPaymentMethodId === null ? [] : [command.defaultPaymentMethodId],
      ...redeemedBy(command),
      trialHistory: command.trialReuse !== undefined,
    },
    command,
    trial,
    decideCreation,
  );

/** @throws Refusal what the change would be refused with */
export function tryChange(t: AccountTransaction, subscriptionId: string, command: ChangePlan, trial: Trial): Promise<DryRun> {
  const mentioned = (command.items ?? []).flatMap((change) => (change.do === 'remove' ? [] : [change.do === 'add' ? change.item : change]));
  const query = {
    subscriptionId,
    priceIds: mentioned.flatMap((item) => item.priceId ?? []),
    taxRateIds: [...(command.defaultTaxRateIds ?? []), ...mentioned.flatMap((item) => item.taxRateIds ?? [])],
    paymentMethodIds: typeof command.defaultPaymentMethodId === 'string' ? [command.defaultPaymentMethodId] : [],
    ...redeemedBy(command),
  };
  return tryOut(t, query, command, trial, decideCommandedChange);
}

/** @throws Refusal what the cancellation would be refused with */
export const tryCancellation = (
  t: AccountTransaction,
  subscriptionId: string,
  command: CancelSubscription,
  trial: Trial,
): Promise<DryRun> => tryOut(t, { subscriptionId }, command, trial, decideCancellation);

/** @throws Refusal what the scheduling would be refused with */
export const tryScheduling = (
  t: AccountTransaction,
  subscriptionId: string,
  command: ScheduleCancellation,
  trial: Trial,
): Promise<DryRun> => tryOut(t, { subscriptionId }, command, trial, decideScheduledCancellation);

/** @throws Refusal what taking it off the list would be refused with */
export const tryUnscheduling = (
  t: AccountTransaction,
  subscriptionId: string,
  command: { changeId: string },
  trial: Trial,
): Promise<DryRun> => tryOut(t, { subscriptionId }, command, trial, decideUnscheduling);

/** The subscription as it is, with nothing asked of it. */
export const tryNothing = async (
  t: AccountTransaction,
  subscriptionId: string,
  { asOf, mentioned, suppose = (snapshot) => snapshot }: Trial,
): Promise<DryRun> => ({
  snapshot: suppose(await loadSnapshot(t, { ...mentioning({ subscriptionId }, mentioned), asOf, lock: false })),
  decision: emptyDecision(),
});

/** `schedule` null: the edit makes it. `edit` null: the schedule as it is. @throws Refusal what the edit would be refused with */
export const tryScheduleEdit = (
  t: AccountTransaction,
  schedule: SubscriptionSchedule | null,
  edit: ScheduleEdit | null,
  trial: Trial,
): Promise<DryRun> =>
  tryOut(t, scheduleQuery(schedule, edit), {}, trial, (snapshot, _, context) =>
    edit === null ? emptyDecision() : decideScheduleEdit(snapshot, edit, context),
  );

/** @throws Refusal what the pause would be refused with */
export const tryPause = (t: AccountTransaction, subscriptionId: string, command: PauseSubscription, trial: Trial): Promise<DryRun> =>
  tryOut(t, { subscriptionId }, command, trial, decidePause);

/** @throws Refusal what resuming would be refused with */
export const tryResumption = (t: AccountTransaction, subscriptionId: string, command: ResumeSubscription, trial: Trial): Promise<DryRun> =>
  tryOut(t, { subscriptionId }, command, trial, decideResumption);

/** @throws Refusal what the reactivation would be refused with */
export const tryReactivation = (
  t: AccountTransaction,
  subscriptionId: string,
  command: ReactivateSubscription,
  trial: Trial,
): Promise<DryRun> => tryOut(t, { subscriptionId }, command, trial, (snapshot, _, context) => decideReactivation(snapshot, context));
