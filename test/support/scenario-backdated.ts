import type { Client } from '@temporalio/client';
import type { Activities } from '../../activities/index.ts';
import type { Instant } from '../../domain/time.ts';
import { type SubscriptionInput, WORKFLOW_TYPES } from '../../workflows/messages.ts';

export interface PastSubscription {
  accountId: string;
  /** `sub_…`; its only item is `si_…` of the same name. */
  subscriptionId: string;
  customerId: string;
  priceId: string;
  quantity?: string;
  /** When it was created and first paid. Renewals that fall between then and now are worked off as soon as the workflow runs. */
  startedAt: Instant;
  /** Where it begins on trial. */
  trial?: { end: Instant };
}

export const itemOf = (subscriptionId: string): string => subscriptionId.replace(/^sub_/, 'si_');

/**
 * A subscription created and paid in the past: the activities ran then (`asOf`), as its workflow would have run them, and the workflow goes on from there. It lets a
 * renewal fall due in a second on the wall clock, with no clock turned.
 */
export async function subscribeInThePast(
  { activities, client, taskQueue }: { activities: Activities; client: Client; taskQueue: string },
  past: PastSubscription,
): Promise<void> {
  const { accountId, subscriptionId, customerId, startedAt } = past;
  const envelope = { accountId, asOf: startedAt, actor: 'workflow' };
  const created = await activities.createSubscription({
    ...envelope,
    operationId: `create:${subscriptionId}`,
    subscriptionId,
    customerId,
    currency: null,
    items: [{ id: itemOf(subscriptionId), priceId: past.priceId, quantity: past.quantity ?? '1', taxRateIds: [] }],
    paymentBehavior: 'allow_incomplete',
    billingTimezone: null,
    defaultPaymentMethodId: null,
    defaultTaxRateIds: [],
    cancelAtPeriodEnd: false,
    cancelAt: null,
    ...(past.trial === undefined ? {} : { trial: past.trial }),
  });
  const { invoice } = created;
  if (!invoice) throw new Error('the creation made no invoice');
  const payment = { ...envelope, operationId: `collect:${invoice.id}`, invoiceId: invoice.id, paymentMethodId: null };
  // That of a trial is paid as it is made.
  const paid = invoice.status === 'paid' ? { ...created, outcome: 'paid' } : await activities.collectPayment(payment);
  if (!paid.subscription || paid.outcome !== 'paid') throw new Error(`the first invoice was not paid: ${paid.outcome}`);

  const state: SubscriptionInput = {
    v: 1,
    generation: 1,
    accountId,
    subscriptionId,
    customerId,
    clock: { kind: 'real' },
    facts: paid.subscription,
    dunning: [],
    answered: [],
    parked: [],
    drafts: [],
    stalled: null,
  };
  await client.workflow.start(WORKFLOW_TYPES.subscription, {
    workflowId: subscriptionId,
    taskQueue,
    args: [state],
    // A worker that dies in the middle of a task is noticed after this long instead of ten seconds.
    workflowTaskTimeout: '2s',
  });
}
