import { type AccountTransaction, withAccount } from '../db/client.ts';
import { findCustomer } from '../db/customers.ts';
import { describeSchedule, findSchedule, insertScheduleEdit } from '../db/schedules.ts';
import { Refusal } from '../domain/errors.ts';
import type { ScheduleEdit, SubscriptionSchedule } from '../domain/schedule/schedule.ts';
import { isScheduleOver } from '../domain/schedule/transitions.ts';
import { WorkflowGone } from './commands.ts';
import type { RequestContext } from './context.ts';
import { inRestingTimeOf, inTimeOf } from './customer-clock.ts';
import { tryScheduleEdit } from './dry-run.ts';
import { noAnswerInTime, notFound } from './errors.ts';
import { presentSchedules } from './read-objects.ts';
import { sendOrTell, tryOrTell } from './remember-refusal.ts';
import { mergeMetadata } from './schemas/fields.ts';
import { commandOf, isRepeat, subscriptionOf } from './subscription-commands.ts';
import { tell } from './tell-event.ts';

type Opening = Extract<ScheduleEdit, { do: 'create' | 'adopt' }>;

/** @throws ApiError 404 */
export async function scheduleOf(t: AccountTransaction, id: string): Promise<SubscriptionSchedule> {
  const schedule = await findSchedule(t, id);
  if (schedule === null) throw notFound('subscription_schedule', id);
  return schedule;
}

/** Makes a schedule: with the workflow of the subscription that it will create, or through that of the one it takes over. @throws Refusal | ApiError */
export async function openSchedule(asked: RequestContext, edit: Opening): Promise<void> {
  const owner = await withAccount(asked.db, asked.account.id, async (t) => {
    if (edit.do === 'create') {
      const customer = await findCustomer(t, edit.customerId);
      if (customer === null || customer.deleted) throw notFound('customer', edit.customerId, 'customer');
      return customer.id;
    }
    const subscription = await subscriptionOf(t, edit.subscriptionId).catch(() => {
      throw notFound('subscription', edit.subscriptionId, 'from_subscription');
    });
    return subscription.customerId;
  });
  const context = await inRestingTimeOf(asked, { customerId: owner });
  const { testClock, account } = context;
  await send(context, edit, null, () => {
    const command = { ...commandOf(context), scheduleId: edit.scheduleId, editId: context.operationId };
    if (edit.do === 'adopt') return context.commands.editSchedule(edit.subscriptionId, command);
    const clock = testClock === undefined ? {} : { clock: { kind: 'frozen' as const, id: testClock.id, at: testClock.frozenTime } };
    return context.commands.openSchedule(
      { accountId: account.id, subscriptionId: edit.subscriptionId, customerId: owner, ...clock },
      command,
    );
  });
}

/** @throws Refusal | ApiError */
export async function editSchedule(asked: RequestContext, id: string, edit: Exclude<ScheduleEdit, Opening>): Promise<void> {
  const schedule = await withAccount(asked.db, asked.account.id, (t) => scheduleOf(t, id));
  const context = await inRestingTimeOf(asked, { customerId: schedule.customerId });
  await send(context, edit, schedule, () =>
    context.commands.editSchedule(schedule.subscriptionId, { ...commandOf(context), scheduleId: id, editId: context.operationId }),
  );
}

/** Dry run, what is asked into Postgres, then the workflow; one that has gone leaves its answer there. */
async function send(
  context: RequestContext,
  edit: ScheduleEdit,
  schedule: SubscriptionSchedule | null,
  work: () => Promise<unknown>,
): Promise<void> {
  const scheduleId = schedule?.id ?? (edit as Opening).scheduleId;
  const subscriptionId = schedule?.subscriptionId ?? (edit as Opening).subscriptionId;
  const asked = { subscriptionId, verb: 'edit-schedule', parameters: edit } as const;
  const createdAt = context.now();
  await tryOrTell(context, asked, () =>
    withAccount(context.db, context.account.id, async (t) => {
      if (!(await isRepeat(context, t))) await tryScheduleEdit(t, schedule, edit, { asOf: createdAt });
      await insertScheduleEdit(t, { id: context.operationId, scheduleId, edit, createdAt });
    }),
  );
  context.log.info({ scheduleId, operationId: context.operationId }, `editSchedule ${edit.do}`);
  try {
    await sendOrTell(context, asked, work);
  } catch (error) {
    if (!(error instanceof WorkflowGone)) throw error;
    await withAccount(context.db, context.account.id, async (t) => {
      if (await isRepeat(context, t)) return;
      const now = await findSchedule(t, scheduleId);
      if (now === null) throw new Refusal('operation_conflict', 'The first try under this Idempotency-Key was refused. Use a new key.');
      if (isScheduleOver(now.status))
        throw new Refusal('transition_not_allowed', `The subscription schedule ${scheduleId} is ${now.status}.`);
      throw noAnswerInTime();
    });
  }
}

/** Writes what of the metadata is new, and presents the schedule as it now stands. @throws ApiError 404 */
export async function describeAndPresentSchedule(
  asked: RequestContext,
  id: string,
  metadata?: Record<string, string | null> | null | undefined,
) {
  const { customerId } = await withAccount(asked.db, asked.account.id, (t) => scheduleOf(t, id));
  const context = await inTimeOf(asked, { customerId });
  return withAccount(context.db, context.account.id, async (t) => {
    const before = await scheduleOf(t, id);
    if (metadata !== undefined) {
      const after = (await describeSchedule(t, id, mergeMetadata(before.metadata, metadata))) ?? before;
      await tell(context, t, { type: 'subscription_schedule.updated', objectType: 'subscription_schedule', before, after });
    }
    const [answer] = await presentSchedules(t, context.account, [await scheduleOf(t, id)]);
    if (answer === undefined) throw new Error(`the schedule ${id} was not presented`);
    return answer;
  });
}
