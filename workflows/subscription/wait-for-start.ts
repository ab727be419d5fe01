import { setCurrentDetails } from '@temporalio/workflow';
import type { ScheduleFacts } from '../../activities/index.ts';
import { isScheduleOver } from '../../domain/schedule/transitions.ts';
import type { Clock } from '../clock.ts';
import type { Inbox, Letter } from '../inbox.ts';
import type { AwaitSchedule, NotStarted } from '../messages.ts';
import { answerFor, refuse } from '../read-failure.ts';
import { publishAttributes, waitingAttributes } from '../search-attributes.ts';
import { day, moment } from '../write-summary.ts';
import * as act from './act.ts';
import type { Answer, Desk, Fact, Order } from './desk.ts';
import { followInvoice } from './follow-invoice.ts';
import { mannerOf, remember } from './obey.ts';
import { newDesk } from './open.ts';

type Mail = Letter<Order, Answer>;

/**
 * The life of a subscription before it begins: its schedule is made, changed, released or canceled as somebody commands, and when its time has come, by whichever clock, the
 * subscription is created. Who commanded a start that is due at once is answered with it. Null: there will be no subscription.
 */
export async function waitForStart(given: AwaitSchedule, clock: Clock, inbox: Inbox<Order, Answer>, facts: Fact[]): Promise<Desk | null> {
  let schedule: ScheduleFacts | null = given.schedule ?? null;
  const due: Mail[] = [];
  const answered: string[] = [];
  for (;;) {
    const fact = facts.shift();
    if (fact !== undefined) {
      if (fact.name === 'joinClock') clock.join(fact);
      continue;
    }
    if (schedule !== null && isScheduleOver(schedule.status)) {
      for (const letter of due) inbox.answer(letter, { value: NOTHING });
      return null;
    }
    if (schedule !== null && schedule.startsAt <= clock.now()) {
      const outcome = await act.startSchedule(given, schedule);
      schedule = outcome.schedule;
      if (outcome.subscription === null) continue;
      const desk = newDesk(given, outcome.subscription, clock, inbox, facts);
      const { invoice, payment } = await followInvoice(desk, outcome.invoice, mannerOf('allow_incomplete'));
      for (const operationId of answered) remember(desk, operationId);
      for (const letter of due)
        inbox.answer(letter, { value: { subscription: desk.state.facts, invoice: invoice ?? outcome.invoice, payment } });
      return desk;
    }
    const letter = inbox.take();
    if (letter !== undefined) {
      const edited = await edit(given, letter, clock, inbox);
      if (edited === null && schedule === null) return null;
      if (edited === null) continue;
      schedule = edited;
      answered.push(letter.operationId);
      if (edited.startsAt <= clock.now()) due.push(letter);
      else inbox.answer(letter, { value: NOTHING });
      continue;
    }
    if (schedule !== null) {
      publishAttributes(waitingAttributes(given, schedule.startsAt, clock.setting));
      setCurrentDetails(`**not started**, ${schedule.id} creates the subscription ${moment(schedule.startsAt)}`);
    }
    const news = (): boolean => !inbox.isEmpty || facts.length > 0;
    await clock.waitUntil(schedule?.startsAt ?? null, news, schedule === null ? '' : `starts ${day(schedule.startsAt)}`);
  }
}

const NOTHING: NotStarted = { subscription: null, invoice: null, payment: null };

/** Null: refused, and answered so. */
async function edit(given: AwaitSchedule, letter: Mail, clock: Clock, inbox: Inbox<Order, Answer>): Promise<ScheduleFacts | null> {
  const { order } = letter;
  try {
    if (order.name === 'editSchedule') return (await act.editWaitingSchedule(given, order.command, clock.now())).schedule;
    throw refuse('transition_not_allowed', 'The subscription has not started yet: change its schedule.');
  } catch (error) {
    inbox.answer(letter, { failure: answerFor(error) });
    return null;
  }
}
