import { type AccountTransaction, withAccount } from '../db/client.ts';
import { findOperation } from '../db/operations.ts';
import { readReplacedBy } from '../db/scheduled-changes.ts';
import { findSubscription, updateSubscription, updateSubscriptionItem } from '../db/subscriptions.ts';
import type { Metadata } from '../domain/catalog/price.ts';
import { Refusal } from '../domain/errors.ts';
import type { CancelSubscription, ChangePlan, CreateSubscription } from '../domain/subscription/commands.ts';
import type { Subscription } from '../domain/subscription/subscription.ts';
import { hasEnded } from '../domain/subscription/transitions.ts';
import type { Command } from '../workflows/messages.ts';
import { WorkflowGone } from './commands.ts';
import type { RequestContext } from './context.ts';
import { inRestingTimeOf, inTimeOf } from './customer-clock.ts';
import { tryCancellation, tryChange, tryCreation, tryScheduling, tryUnscheduling } from './dry-run.ts';
import { noAnswerInTime, notFound } from './errors.ts';
import type { InlinePrices } from './inline-prices.ts';
import { presentScheduledChange } from './presenters/scheduled-changes.ts';
import { presentSubscriptions } from './read-objects.ts';
import { type Asked, sendOrTell, tryOrTell } from './remember-refusal.ts';
import { isSchedulingOnly, schedulingOf } from './subscription-input.ts';
import { tell } from './tell-event.ts';

export const commandOf = (context: RequestContext): Command => ({ operationId: context.operationId, actor: context.actor });

/** Whether this very operation was decided before: then it is not tried again, only its answer fetched. */
export const isRepeat = async (context: RequestContext, t: AccountTransaction): Promise<boolean> =>
  (await findOperation(t, context.operationId)) !== null;

/** @throws ApiError 404 */
export async function subscriptionOf(t: AccountTransaction, id: string): Promise<Subscription> {
  const subscription = await findSubscription(t, id);
  if (subscription === null) throw notFound('subscription', id);
  return subscription;
}

/** Dry run, then the workflow. @throws Refusal | ApiError */
export async function createSubscription(asked: RequestContext, command: CreateSubscription, inline: InlinePrices): Promise<void> {
  const context = await inRestingTimeOf(asked, { customerId: command.customerId });
  const { testClock } = context;
  const frozen = testClock === undefined ? [] : ([{ id: testClock.id, at: testClock.frozenTime }] as const);
  await withAccount(context.db, context.account.id, async (t) => {
    if (await isRepeat(context, t)) return;
    const asOf = context.now();
    await tryCreation(t, command, { asOf, suppose: await inline.suppose(t, asOf) });
    await inline.write(t, context);
  });
  context.log.info({ workflowId: command.subscriptionId, operationId: context.operationId }, 'subscribe');
  await reach(context, command.subscriptionId, () =>
    context.commands.subscribe(context.account.id, { ...commandOf(context), ...command }, ...frozen),
  );
}

/**
 * The walk of a command to a subscription that lives: at the time of its clock, which rests meanwhile, it is tried on what is known, told on the timeline where it is refused, and sent.
 * @returns with what `tryOut` read
 */
export async function commandSubscription<T>(
  given: RequestContext,
  asked: Asked & { subscriptionId: string },
  name: string,
  {
    tryOut,
    send,
  }: {
    tryOut(t: AccountTransaction, context: RequestContext): Promise<T>;
    send(context: RequestContext, command: Command): Promise<unknown>;
  },
): Promise<{ context: RequestContext; tried: T }> {
  const { subscriptionId } = asked;
  const context = await inRestingTimeOf(given, { subscriptionId });
  const tried = await tryOrTell(context, asked, () => withAccount(context.db, context.account.id, (t) => tryOut(t, context)));
  context.log.info({ workflowId: subscriptionId, operationId: context.operationId }, name);
  await reach(context, asked, () => send(context, commandOf(context)));
  return { context, tried };
}

export async function changeSubscription(given: RequestContext, id: string, change: ChangePlan, inline: InlinePrices): Promise<void> {
  const asked = isSchedulingOnly(change)
    ? ({ subscriptionId: id, verb: 'schedule-cancellation', parameters: schedulingOf(change) } as const)
    : ({ subscriptionId: id, verb: 'change-plan', parameters: change } as const);
  const { context, tried: before } = await commandSubscription(
    given,
    asked,
    isSchedulingOnly(change) ? 'scheduleCancellation' : 'changePlan',
    {
      tryOut: async (t, context) => {
        const subscription = await subscriptionOf(t, id);
        if (await isRepeat(context, t)) return subscription;
        const asOf = context.now();
        const trial = { asOf, suppose: await inline.suppose(t, asOf) };
        await (isSchedulingOnly(change) ? tryScheduling(t, id, schedulingOf(change), trial) : tryChange(t, id, change, trial));
        await inline.write(t, context);
        return subscription;
      },
      send: ({ commands }, command) =>
        isSchedulingOnly(change)
          ? commands.scheduleCancellation(id, { ...command, ...schedulingOf(change) })
          : commands.changePlan(id, { ...command, ...change }),
    },
  );
  if (typeof change.defaultPaymentMethodId === 'string' && change.effectiveAt === undefined && isDelinquent(before)) {
    await context.commands.paymentMethodChanged(id, {
      paymentMethodId: change.defaultPaymentMethodId,
      operationId: context.operationId,
    });
  }
}

export async function cancelSubscription(given: RequestContext, id: string, cancellation: CancelSubscription): Promise<void> {
  const asked = { subscriptionId: id, verb: 'cancel-subscription', parameters: cancellation } as const;
  await commandSubscription(given, asked, 'cancel', {
    tryOut: async (t, context) => {
      const subscription = await subscriptionOf(t, id);
      if (await isRepeat(context, t)) return;
      // As with Stripe, what has ended is not there to be cancelled.
      if (hasEnded(subscription.status)) throw notFound('subscription', id);
      await tryCancellation(t, id, cancellation, { asOf: context.now() });
    },
    send: ({ commands }, command) => commands.cancel(id, { ...command, ...cancellation }),
  });
}

/** Takes a change off the list of what is scheduled. @throws Refusal | ApiError */
export async function cancelScheduledChange(given: RequestContext, id: string, changeId: string): Promise<void> {
  const asked = { subscriptionId: id, verb: 'cancel-scheduled-change', parameters: { changeId } } as const;
  await commandSubscription(given, asked, 'cancelScheduledChange', {
    tryOut: async (t, context) => {
      if (!(await isRepeat(context, t))) await tryUnscheduling(t, id, { changeId }, { asOf: context.now() });
    },
    send: ({ commands }, command) => commands.cancelScheduledChange(id, { ...command, changeId }),
  });
}

/** What was scheduled, and this request has taken the place of; nothing where that is nothing. */
export const replacedByRequest = (context: RequestContext) =>
  withAccount(context.db, context.account.id, async (t) => {
    const replaced = await readReplacedBy(t, context.operationId);
    return replaced.length === 0 ? {} : { replaced: replaced.map((change) => presentScheduledChange(change, context.account.livemode)) };
  });

export const isDelinquent = (subscription: Subscription): boolean => subscription.status === 'past_due' || subscription.status === 'unpaid';

/**
 * Sends a command. A workflow that ended between the dry run and the command leaves its answer in Postgres: where this operation is recorded there,
 * all is well; where not, what stands there says why not.
 */
export async function reach(
  context: RequestContext,
  to: string | (Asked & { subscriptionId: string }),
  send: () => Promise<unknown>,
): Promise<void> {
  const id = typeof to === 'string' ? to : to.subscriptionId;
  try {
    await (typeof to === 'string' ? send() : sendOrTell(context, to, send));
  } catch (error) {
    if (!(error instanceof WorkflowGone)) throw error;
    await withAccount(context.db, context.account.id, async (t) => {
      if (await isRepeat(context, t)) return;
      const subscription = await findSubscription(t, id);
      if (subscription === null)
        throw new Refusal('operation_conflict', 'The first try under this Idempotency-Key was refused. Use a new key.');
      if (hasEnded(subscription.status)) throw new Refusal('subscription_canceled', `The subscription ${id} has ended.`);
      throw noAnswerInTime();
    });
  }
}

/** Fields that decide nothing and so are written here, in one transaction with their event. */
export interface Description {
  fields?: Partial<Pick<Subscription, 'metadata' | 'description' | 'externalId' | 'cancellationDetails'>>;
  /** By item. */
  itemMetadata?: Record<string, Metadata>;
}

/** Writes what of the description is new, and presents the subscription as it now stands. @throws ApiError 404 */
export async function describeAndPresent(asked: RequestContext, id: string, describe: (present: Subscription) => Description) {
  const context = await inTimeOf(asked, { subscriptionId: id });
  return withAccount(context.db, context.account.id, async (t) => {
    const before = await subscriptionOf(t, id);
    const { fields = {}, itemMetadata = {} } = describe(before);
    if (Object.keys(fields).length > 0) await updateSubscription(t, id, fields);
    for (const [itemId, metadata] of Object.entries(itemMetadata)) {
      if (before.items.some((item) => item.id === itemId)) await updateSubscriptionItem(t, itemId, { metadata });
    }
    const after = await subscriptionOf(t, id);
    await tell(context, t, { type: 'customer.subscription.updated', objectType: 'subscription', before, after });
    const [answer] = await presentSubscriptions(t, context.account, [after]);
    if (answer === undefined) throw new Error(`subscription ${id} was not presented`);
    return answer;
  });
}
