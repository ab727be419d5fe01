import { CancellationScope, condition, makeContinueAsNewFunc, workflowInfo } from '@temporalio/workflow';
import { hasEnded } from '../../domain/subscription/transitions.ts';
import { Clock } from '../clock.ts';
import { Inbox } from '../inbox.ts';
import type { SubscriptionInput } from '../messages.ts';
import { refusalIn, refuse } from '../read-failure.ts';
import { subscriptionAttributes } from '../search-attributes.ts';
import * as act from './act.ts';
import { agenda, describeStep, type Step } from './agenda.ts';
import { announce } from './announce.ts';
import { stopDunning } from './chase.ts';
import { type Answer, adopt, type Desk, type Fact, type Order } from './desk.ts';
import { finalizeDraft, finishedErrand, followInvoice, resolveUpdate, restartErrands, retry, takeUp } from './follow-invoice.ts';
import { type Counter, listen } from './listen.ts';
import { lookAtUsage } from './look-at-usage.ts';
import { migrateState } from './migrate-state.ts';
import { mannerOf, obey } from './obey.ts';
import { collectFirst, create, type Opening, reopen } from './open.ts';
import { stall } from './park.ts';
import { tellOthers } from './share-news.ts';
import type { ClockSetting } from './state.ts';
import { takeFact } from './take-fact.ts';
import { waitForStart } from './wait-for-start.ts';

/**
 * One subscription; one run is one billing period. It sleeps until its next boundary, obeys the commands that come meanwhile, bills the next
 * period at the boundary and continues as new with it. Cancelling the Temporal workflow does nothing: a subscription ends by the command
 * `cancel`, which also keeps the books.
 */
export async function subscription(input: SubscriptionInput): Promise<void> {
  return CancellationScope.nonCancellable(() => live(input));
}

async function live(input: SubscriptionInput): Promise<void> {
  const inbox = new Inbox<Order, Answer>();
  const facts: Fact[] = [];
  const counter: Counter = { desk: null, opening: null };
  if (!('start' in input) && !('restart' in input) && !('wait' in input)) counter.desk = resume(input, inbox, facts);
  const clock = counter.desk?.clock ?? new Clock(clockOf(input));
  clock.listen();
  listen(counter, inbox, facts, 'start' in input);

  if ('restart' in input) counter.desk = await reopen(input.restart, clock, inbox, facts);

  if ('wait' in input) {
    counter.desk = await waitForStart(input.wait, clock, inbox, facts);
    if (counter.desk === null) {
      await turnAway(inbox, {
        failure: refuse('transition_not_allowed', 'The schedule of this subscription is over, and it never started.'),
      });
      await clock.takeLeave();
      return;
    }
    inbox.noteAnswer();
  }

  if ('start' in input) {
    const creation = await create(input.start, clock, inbox, facts);
    if ('failure' in creation) {
      counter.opening = creation;
      await turnAway(inbox, creation);
      await clock.takeLeave();
      return;
    }
    counter.desk = creation.desk;
    counter.opening = await collectFirst(creation.desk, input.start, creation.created);
    inbox.noteAnswer();
  }
  if (counter.desk !== null) await bill(counter.desk);
}

function clockOf(input: SubscriptionInput): ClockSetting {
  const given =
    'start' in input ? input.start.clock : 'wait' in input ? input.wait.clock : 'restart' in input ? input.restart.clock : input.clock;
  return given ?? { kind: 'real' };
}

/** The life of one period. The loop is the only hand that acts; everything else only puts something before it. */
async function bill(desk: Desk): Promise<void> {
  const { state, clock, inbox, facts } = desk;
  let renewed = false;
  restartErrands(desk);
  while (!isOver(desk)) {
    const fact = facts.shift();
    if (fact !== undefined) {
      await takeFact(desk, fact);
      continue;
    }
    const errand = finishedErrand(desk);
    if (errand !== undefined) {
      await takeUp(desk, errand);
      continue;
    }
    // Boundaries come before commands: whatever is asked for at or after the period's end is asked of the next period.
    const step = agenda(state)[0];
    if (step !== undefined && step.at <= clock.now()) {
      renewed = (await perform(desk, step)) || renewed;
      continue;
    }
    const letter = inbox.take();
    if (letter !== undefined) {
      await obey(desk, letter);
      continue;
    }
    if ((renewed && isRunOver(desk)) || workflowInfo().continueAsNewSuggested) {
      if ((await inbox.fellSilent()) && !hasNews(desk)) await continueWith(desk);
      continue;
    }
    // On a test clock, time stands still while a tax engine is being waited for.
    if (clock.isFrozen && desk.errands.size > 0) {
      announce(desk);
      await condition(() => hasNews(desk));
      continue;
    }
    if (clock.goOnTo(step?.at ?? null)) continue;
    announce(desk);
    await clock.waitUntil(step?.at ?? null, () => hasNews(desk), step === undefined ? '' : describeStep(step, state));
  }
  await leave(desk);
  if (!isOver(desk)) await bill(desk);
}

/**
 * A run is one period. Where a test clock lets years pass in seconds it is as many as fit into this history: the server keeps the runs of one workflow a second apart.
 */
const isRunOver = ({ clock }: Desk): boolean => !clock.isFrozen || workflowInfo().historyLength > EVENTS_ON_TEST_CLOCK;
const EVENTS_ON_TEST_CLOCK = 500;

const hasNews = (desk: Desk): boolean => !desk.inbox.isEmpty || desk.facts.length > 0 || finishedErrand(desk) !== undefined;

const isOver = ({ state, errands, superseded }: Desk): boolean =>
  superseded || (hasEnded(state.facts.status) && state.parked.length === 0 && errands.size === 0);

/** Does what is due. Returns whether a new period has begun. */
async function perform(desk: Desk, step: Step): Promise<boolean> {
  switch (step.do) {
    case 'renew':
      return renew(desk, step.asOf);
    case 'remind':
      await remind(desk, step.asOf);
      return false;
    case 'apply_change':
      await applyChange(desk, step);
      return false;
    case 'expire':
    case 'begin_pause':
    case 'end_pause':
    case 'resume_collection':
      await doDated(desk, step.do, step.asOf);
      return false;
    case 'drop_update':
      await resolveUpdate(desk, step.invoiceId, false, step.asOf);
      return false;
    case 'finalize':
      await finalizeDraft(desk, step.invoiceId);
      return false;
    case 'retry':
      await retry(desk, step.invoiceId);
      return false;
    case 'look_at_usage':
      await lookAtUsage(desk);
      return false;
  }
}

/** What happens to the subscription at a date, other than a renewal; a pause that begins or ends may bill. */
async function doDated(desk: Desk, step: keyof typeof DATED, asOf: number): Promise<void> {
  const { pendingUpdate } = desk.state.facts;
  if (step === 'begin_pause' && pendingUpdate !== null) await resolveUpdate(desk, pendingUpdate.invoiceId, false, asOf);
  try {
    const outcome = await DATED[step](desk, asOf);
    adopt(desk, outcome.subscription);
    desk.state.stalled = null;
    await tellOthers(desk, null, outcome.others);
    if (step !== 'expire') await followInvoice(desk, outcome.invoice, { collect: true, dropIfDeclined: false });
  } catch (error) {
    stall(desk, step, error);
  }
}
const DATED = {
  expire: act.expireSubscription,
  begin_pause: act.beginPause,
  end_pause: act.endPause,
  resume_collection: act.resumeCollection,
};

/** Bills the period that begins at the boundary, however late it is; several missed boundaries are worked off one by one. */
async function renew(desk: Desk, boundary: number): Promise<boolean> {
  const { state } = desk;
  try {
    const outcome = await act.issueInvoice(desk, boundary);
    adopt(desk, outcome.subscription);
    if (!hasEnded(state.facts.status) && state.facts.status !== 'paused' && state.facts.periodEnd <= boundary)
      throw new Error(`the renewal at ${boundary} led to no new period`);
    state.stalled = null;
    await tellOthers(desk, null, outcome.others);
    await followInvoice(desk, outcome.invoice, { collect: true, dropIfDeclined: false });
  } catch (error) {
    // Ended behind the workflow's back: nothing is left to bill, and trying for ever would only hide it.
    if (refusalIn(error)?.type === 'subscription_canceled') state.facts = { ...state.facts, status: 'canceled' };
    else stall(desk, 'renew', error);
  }
  if (!hasEnded(state.facts.status)) return state.stalled === null;
  await stopDunning(desk);
  return false;
}

/** Tells that the trial will end; where nobody is told now, it is tried again until the trial is over. */
async function remind(desk: Desk, asOf: number): Promise<void> {
  const { state } = desk;
  try {
    const outcome = await act.remindOfTrialEnd(desk, state.facts.trial?.end ?? asOf, asOf);
    state.stalled = null;
    adopt(desk, outcome.subscription);
    if (state.facts.trial?.remindAt === asOf) state.facts.trial.remindAt = null;
  } catch (error) {
    stall(desk, 'remind', error);
  }
}

/** Carries out a scheduled change; one that has become impossible is an outcome like any other. */
async function applyChange(desk: Desk, step: Extract<Step, { do: 'apply_change' }>): Promise<void> {
  const { state } = desk;
  try {
    const outcome = await act.applyScheduledChange(desk, step);
    adopt(desk, outcome.subscription);
    if (state.facts.scheduledChange?.id === step.changeId) throw new Error(`the scheduled change ${step.changeId} is still to come`);
    state.stalled = null;
    await tellOthers(desk, null, outcome.others);
    await followInvoice(desk, outcome.invoice, mannerOf(step.paymentBehavior));
  } catch (error) {
    stall(desk, 'apply_change', error);
  }
}

/** The next run gets the state and the search attributes, which saves it an event. */
async function continueWith({ state }: Desk): Promise<void> {
  await makeContinueAsNewFunc<typeof subscription>({ typedSearchAttributes: subscriptionAttributes(state) })(state);
}

/** Answers what still comes in and closes, unless a letter has brought the subscription back to life. */
async function leave(desk: Desk): Promise<void> {
  announce(desk);
  do {
    for (let letter = desk.inbox.take(); letter !== undefined; letter = desk.inbox.take()) {
      await obey(desk, letter);
      if (!isOver(desk)) return;
    }
  } while (!(await desk.inbox.fellSilent()));
  await desk.clock.takeLeave();
}

async function turnAway(inbox: Inbox<Order, Answer>, refused: { failure: Exclude<Opening, { value: unknown }>['failure'] }): Promise<void> {
  inbox.noteAnswer();
  do {
    for (let letter = inbox.take(); letter !== undefined; letter = inbox.take()) inbox.answer(letter, refused);
  } while (!(await inbox.fellSilent()));
}

function resume(written: unknown, inbox: Inbox<Order, Answer>, facts: Fact[]): Desk {
  const state = migrateState(written);
  return { state, clock: new Clock(state.clock), inbox, facts, errands: new Map(), lastRefusal: null, repeating: false, superseded: false };
}
