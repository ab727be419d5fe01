import type { BillingOutcome, PaymentResult } from '../../activities/index.ts';
import { type ChangePlan, isAboutDefaults } from '../../domain/subscription/commands.ts';
import { commandAllowed, hasEnded, type SubscriptionCommand } from '../../domain/subscription/transitions.ts';
import type { Letter } from '../inbox.ts';
import type { CommandResult } from '../messages.ts';
import { answerFor, refuse } from '../read-failure.ts';
import * as act from './act.ts';
import { stopDunning } from './chase.ts';
import { type Answer, adopt, asOfNow, type Desk, type Order } from './desk.ts';
import { followInvoice, wasDeclined } from './follow-invoice.ts';
import { noteUsage } from './look-at-usage.ts';
import { giveWay } from './park.ts';
import { tellOthers } from './share-news.ts';
import type { CollectionManner } from './state.ts';

/** How many answered operation ids one run hands to the next. */
const REMEMBERED = 20;

/**
 * What the synchronous validators ask, before anything is written to history. A command that was answered before passes whatever the status is now: its
 * first answer is in Postgres.
 * @throws ApplicationFailure with the refusal code as type
 */
export function admit(desk: Desk | null, order: Order): void {
  if (desk === null || desk.state.answered.includes(order.command.operationId)) return;
  const { status } = desk.state.facts;
  const code = commandAllowed(status, kindOf(order));
  if (code !== null) throw refuse(code, `A subscription that is ${status} cannot obey ${order.name}.`);
}

/** A change of what is charged to whom, with nothing to bill, is allowed where a change of plan is not. */
function kindOf(order: Order): SubscriptionCommand {
  if (order.name !== 'changePlan') return order.name;
  return isAboutDefaults(order.command) ? 'changeDefaults' : 'changePlan';
}

/** Carries out one command and answers it, with a refusal where need be; never throws for one. */
export async function obey(desk: Desk, letter: Letter<Order, Answer>): Promise<void> {
  const { operationId } = letter;
  desk.repeating = desk.state.answered.includes(operationId);
  try {
    const value = await perform(desk, letter.order);
    remember(desk, operationId);
    desk.inbox.answer(letter, { value });
  } catch (error) {
    giveWay(desk, error);
    const failure = answerFor(error);
    desk.lastRefusal = `${letter.order.name} ${operationId}: ${failure.type}: ${failure.message}`;
    desk.inbox.answer(letter, { failure });
  } finally {
    desk.repeating = false;
  }
}

async function perform(desk: Desk, order: Order): Promise<CommandResult> {
  const { stalled } = desk.state;
  if (stalled !== null && stalled.step !== 'expire' && stalled.step !== 'remind' && !desk.repeating) {
    throw new Error(
      `the ${stalled.step === 'renew' ? 'renewal' : stalled.step.replace('_', ' ')} has to be mended first: ${stalled.error}`,
    );
  }
  const asOf = asOfNow(desk);
  switch (order.name) {
    case 'changePlan': {
      const outcome = await act.changePlan(desk, order.command, asOf);
      adopt(desk, outcome.subscription);
      // A trial that is ended with nothing to pay with may end the subscription.
      if (hasEnded(desk.state.facts.status)) await stopDunning(desk);
      if (setsThreshold(order.command)) noteUsage(desk);
      return follow(desk, order, outcome, mannerOf(order.command.paymentBehavior));
    }
    case 'cancel': {
      const outcome = await act.cancelSubscription(desk, order.command, asOf);
      adopt(desk, outcome.subscription);
      if (hasEnded(desk.state.facts.status)) await stopDunning(desk);
      return follow(desk, order, outcome, mannerOf('allow_incomplete'));
    }
    case 'pause': {
      const outcome = await act.pauseSubscription(desk, order.command, asOf);
      adopt(desk, outcome.subscription);
      return follow(desk, order, outcome, mannerOf('allow_incomplete'));
    }
    case 'resume': {
      const outcome = await act.resumeSubscription(desk, order.command, asOf);
      adopt(desk, outcome.subscription);
      return follow(desk, order, outcome, mannerOf('allow_incomplete'));
    }
    case 'reactivate': {
      const outcome = await act.reactivateSubscription(desk, order.command, asOf);
      adopt(desk, outcome.subscription);
      return follow(desk, order, outcome, mannerOf('allow_incomplete'));
    }
    case 'cancelScheduledChange': {
      const outcome = await act.cancelScheduledChange(desk, order.command, asOf);
      adopt(desk, outcome.subscription);
      return { ...outcome, subscription: desk.state.facts, payment: null };
    }
    case 'editSchedule': {
      const outcome = await act.editSchedule(desk, order.command, asOf);
      adopt(desk, outcome.subscription);
      if (hasEnded(desk.state.facts.status)) await stopDunning(desk);
      return follow(desk, order, outcome, mannerOf('allow_incomplete'));
    }
    case 'scheduleCancellation': {
      const outcome = await act.scheduleCancellation(desk, order.command, asOf);
      adopt(desk, outcome.subscription);
      return follow(desk, order, outcome, mannerOf('allow_incomplete'));
    }
  }
}

/** It may be reached already. */
const setsThreshold = ({ billingThresholds, items = [] }: ChangePlan): boolean =>
  billingThresholds != null ||
  items.some((change) => (change.do === 'add' ? change.item.usageGte : change.do === 'update' && change.usageGte) != null);

export const mannerOf = (paymentBehavior: string): CollectionManner => ({
  collect: paymentBehavior !== 'default_incomplete',
  dropIfDeclined: paymentBehavior === 'error_if_incomplete',
});

async function follow(
  desk: Desk,
  order: Order,
  { invoice, others }: Pick<BillingOutcome, 'invoice' | 'others'>,
  manner: CollectionManner,
): Promise<CommandResult> {
  await tellOthers(desk, null, others);
  const followed = await followInvoice(desk, invoice, manner);
  if (manner.dropIfDeclined && wasDeclined(followed.payment)) {
    // Unlike other refusals this one has been recorded (the change, and that it was taken back), so it is an answer to repeat.
    remember(desk, order.command.operationId);
    throw paymentFailed(followed.payment);
  }
  return { subscription: desk.state.facts, invoice: followed.invoice ?? invoice, payment: followed.payment };
}

/** `error_if_incomplete`: the decline becomes the refusal of the command that needed the money. */
export function paymentFailed({ outcome, declineCode, invoice, attemptId }: PaymentResult): ReturnType<typeof refuse> {
  const details = { param: null, declineCode, invoiceId: invoice.id, attemptId };
  return outcome === 'no_payment_method'
    ? refuse('no_payment_method', 'There is no payment method to charge.', [details])
    : refuse('payment_failed', `The payment failed: ${declineCode ?? outcome}.`, [details]);
}

export function remember({ state }: Desk, operationId: string): void {
  if (!state.answered.includes(operationId)) state.answered = [...state.answered, operationId].slice(-REMEMBERED);
}
