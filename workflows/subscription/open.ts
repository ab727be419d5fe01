import type { ApplicationFailure } from '@temporalio/workflow';
import type { SubscriptionFacts } from '../../activities/index.ts';
import type { Clock } from '../clock.ts';
import type { Inbox } from '../inbox.ts';
import type { CommandResult, RestartSubscription, StartSubscription } from '../messages.ts';
import { answerFor } from '../read-failure.ts';
import * as act from './act.ts';
import { type Answer, adopt, asOfNow, type Desk, type Fact, type Order } from './desk.ts';
import { followInvoice, wasDeclined } from './follow-invoice.ts';
import { mannerOf, paymentFailed, remember } from './obey.ts';
import { stall } from './park.ts';
import { restoreState } from './restore-state.ts';

export type Opening = { value: CommandResult } | { failure: ApplicationFailure };

/** Goes on with a subscription that has no workflow, from what Postgres knows of it. @throws ActivityFailure where there is none */
export async function reopen(restart: RestartSubscription, clock: Clock, inbox: Inbox<Order, Answer>, facts: Fact[]): Promise<Desk> {
  const { facts: known, record } = await act.loadSubscription(restart);
  const state = { ...restoreState(restart.accountId, known, record), clock: clock.setting };
  return { state, clock, inbox, facts, errands: new Map(), lastRefusal: null, repeating: false, superseded: false };
}

/** Creates the subscription. A refusal means that there is none, and nothing to live on. */
export async function create(
  start: StartSubscription,
  clock: Clock,
  inbox: Inbox<Order, Answer>,
  facts: Fact[],
): Promise<{ desk: Desk; created: CommandResult } | { failure: ApplicationFailure }> {
  try {
    const { subscription, invoice } = await act.createSubscription(start, clock.now());
    const { accountId, command } = start;
    const desk = newDesk({ accountId, ...command }, subscription, clock, inbox, facts);
    return { desk, created: { subscription, invoice, payment: null } };
  } catch (error) {
    return { failure: answerFor(error) };
  }
}

/** The desk of a subscription that has just been created. */
export function newDesk(
  { accountId, subscriptionId, customerId }: { accountId: string; subscriptionId: string; customerId: string },
  subscription: SubscriptionFacts,
  clock: Clock,
  inbox: Inbox<Order, Answer>,
  facts: Fact[],
): Desk {
  return {
    state: {
      v: 1,
      generation: 1,
      accountId,
      subscriptionId,
      customerId,
      clock: clock.setting,
      facts: subscription,
      dunning: [],
      answered: [],
      parked: [],
      drafts: [],
      stalled: null,
    },
    clock,
    inbox,
    facts,
    errands: new Map(),
    lastRefusal: null,
    repeating: false,
    superseded: false,
  };
}

/** Collects the first invoice as the payment behaviour says, and answers whoever subscribed. */
export async function collectFirst(desk: Desk, { command }: StartSubscription, created: CommandResult): Promise<Opening> {
  const manner = mannerOf(command.paymentBehavior);
  const { invoice, payment } = await followInvoice(desk, created.invoice, { ...manner, dropIfDeclined: false });
  remember(desk, command.operationId);
  if (!manner.dropIfDeclined || !wasDeclined(payment)) {
    return { value: { subscription: desk.state.facts, invoice: invoice ?? created.invoice, payment } };
  }
  try {
    adopt(desk, (await act.expireSubscription(desk, asOfNow(desk))).subscription);
  } catch (error) {
    // It then expires when every incomplete one does.
    stall(desk, 'expire', error);
  }
  return { failure: paymentFailed(payment) };
}
