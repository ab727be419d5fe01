import { CancellationScope, condition, type defineSignal, type defineUpdate, setHandler } from '@temporalio/workflow';
import type { Inbox } from '../inbox.ts';
import type { CommandResult } from '../messages.ts';
import * as messages from '../messages.ts';
import type { Answer, Desk, Fact, Order } from './desk.ts';
import { admit } from './obey.ts';
import type { Opening } from './open.ts';

/** What the handlers see of the run; they are registered before there is a desk. */
export interface Counter {
  desk: Desk | null;
  opening: Opening | null;
}

type Name = Order['name'];
type OrderOf<N extends Name> = Extract<Order, { name: N }>;
type AnswerTo<N extends Name> = N extends 'editSchedule' ? Answer : CommandResult;
type Commanded<N extends Name> = {
  update: ReturnType<typeof defineUpdate<AnswerTo<N>, [OrderOf<N>['command']]>>;
  /** null: only ever sent as an update. */
  signal: ReturnType<typeof defineSignal<[OrderOf<N>['command']]>> | null;
  description: string;
};

const COMMANDS: { [N in Name]: Commanded<N> } = {
  changePlan: {
    update: messages.changePlanUpdate,
    signal: messages.changePlanSignal,
    description: 'Changes items, quantities, payment method or cancellation.',
  },
  cancel: { update: messages.cancelUpdate, signal: messages.cancelSignal, description: 'Ends the subscription now.' },
  scheduleCancellation: {
    update: messages.scheduleCancellationUpdate,
    signal: messages.scheduleCancellationSignal,
    description: "Ends the subscription at the period's end or a date, or takes that back.",
  },
  pause: {
    update: messages.pauseUpdate,
    signal: messages.pauseSignal,
    description: 'Stops billing, now or later, for a time or until it is resumed.',
  },
  resume: {
    update: messages.resumeUpdate,
    signal: messages.resumeSignal,
    description: 'Bills again, or takes back a pause that has not begun.',
  },
  reactivate: { update: messages.reactivateUpdate, signal: null, description: 'Brings a canceled subscription back.' },
  editSchedule: { update: messages.editScheduleUpdate, signal: null, description: 'Makes, changes, releases or cancels its schedule.' },
  cancelScheduledChange: {
    update: messages.cancelScheduledChangeUpdate,
    signal: messages.cancelScheduledChangeSignal,
    description: 'Takes a change off the list of what is scheduled.',
  },
};

/** Handlers post and wait. All are registered before the first await: an update that finds no handler is rejected. */
export function listen(counter: Counter, inbox: Inbox<Order, Answer>, facts: Fact[], isFirstRun: boolean): void {
  setHandler(
    messages.subscribeUpdate,
    async () => {
      await CancellationScope.nonCancellable(() => condition(() => counter.opening !== null || !isFirstRun));
      if (counter.opening !== null && 'failure' in counter.opening) throw counter.opening.failure;
      if (counter.opening !== null) return counter.opening.value;
      if (counter.desk === null) throw new Error('unreachable: a later run has its desk from the start');
      return { subscription: counter.desk.state.facts, invoice: null, payment: null };
    },
    { description: 'Answers with the first invoice and its payment.' },
  );
  for (const name of Object.keys(COMMANDS) as Name[]) listenTo(name, counter, inbox);
  setHandler(messages.invoiceSettledSignal, (fact) => void facts.push({ name: 'invoiceSettled', ...fact }));
  setHandler(messages.sharedInvoiceSignal, (fact) => void facts.push({ name: 'sharedInvoice', ...fact }), {
    description: 'What became of an invoice that it shares with others.',
  });
  setHandler(messages.draftChangedSignal, (invoice) => void facts.push({ name: 'draftChanged', invoice }));
  setHandler(messages.invoiceOverdueSignal, (fact) => void facts.push({ name: 'invoiceOverdue', ...fact }));
  setHandler(messages.dunningEndedSignal, (fact) => void facts.push({ name: 'dunningEnded', ...fact }));
  setHandler(messages.paymentMethodChangedSignal, (fact) => void facts.push({ name: 'paymentMethodChanged', ...fact }));
  setHandler(messages.usageReportedSignal, () => void facts.push({ name: 'usageReported' }), {
    description: 'Something may have been used: looks whether a threshold is reached.',
  });
  setHandler(messages.joinClockSignal, (fact) => void facts.push({ name: 'joinClock', ...fact }), {
    description: "The customer's time is a test clock's from now on.",
  });
  setHandler(messages.stateQuery, () => {
    if (counter.desk === null) throw new Error('the subscription is being created');
    return counter.desk.state;
  });
}

function listenTo<N extends Name>(name: N, counter: Counter, inbox: Inbox<Order, Answer>): void {
  const { update, signal, description } = COMMANDS[name];
  const order = (command: OrderOf<N>['command']): Order => ({ name, command }) as OrderOf<N>;
  setHandler(
    update, // Before there is a subscription nothing but its schedule is commanded with success.
    (command: OrderOf<N>['command']) => inbox.ask(command.operationId, order(command)) as Promise<AnswerTo<N>>,
    {
      validator: (command) => admit(counter.desk, order(command)),
      description,
    },
  );
  if (signal === null) return;
  setHandler(signal, (command) => void inbox.post(command.operationId, order(command)), { description: 'As the update, unanswered.' });
}
