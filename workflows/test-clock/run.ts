import {
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { Instant } from '../../domain/time.ts';
import { insist } from '../call-activities.ts';
import { Clock } from '../clock.ts';
import { advanceClockSignal, type ClockParticipant, type ClockReached, clockReachedSignal, type StartTestClock } from '../messages.ts';
import { moment } from '../write-summary.ts';
import { byCustomer, nextStep, takeReport } from './next-step.ts';

/** Customers that are moved at once: as many as a worker runs activities. */
const AT_ONCE = 20;
/** A run goes on for about this many events; then it lets what is under way arrive, and hands all that it knows to the next. */
const EVENTS_PER_RUN = 6000;
/** Whoever has not reported for as long as this is asked again: it is the same step, and a workflow that is gone is noticed. */
const PATIENCE = '60s';

/** A step that was asked for and is not reported yet. */
interface Flight {
  customerId: string;
  workflowId: string;
  to: Instant;
  /** Since before the last time that patience ran out. */
  isLate: boolean;
}

/** What has come in since the loop looked last; a null report: the workflow is gone. */
type Arrival = { step: number; workflowId: string; report: ClockReached | null };

/**
 * One advance of a test clock. Customers do not touch each other, so many are moved at once; of one customer's workflows one is moved at a time, always the one whose next
 * wake-up is earliest, for as long as no other's comes before. So what happens to a customer happens in the order of its time. At the target all stand at the same instant.
 */
export async function testClock(start: StartTestClock): Promise<void> {
  return CancellationScope.nonCancellable(() => advance(start));
}

async function advance({ accountId, clockId, to, ...rest }: StartTestClock): Promise<void> {
  const arrivals: Arrival[] = [];
  setHandler(clockReachedSignal, (report) => void arrivals.push({ step: report.step, workflowId: report.workflowId, report }), {
    description: 'A workflow on this clock has done all that was due.',
  });

  let steps = rest.steps ?? 0;
  const groups = byCustomer(rest.participants ?? (await findParticipants(accountId, clockId)));
  const waiting = [...groups.keys()];
  const flights = new Map<number, Flight>();
  const ask = async (step: number, { workflowId, to: until }: Flight): Promise<void> => {
    if (!(await send(workflowId, until, step))) arrivals.push({ step, workflowId, report: null });
  };
  void askAgain(flights, ask);

  for (;;) {
    while (flights.size < AT_ONCE && !isRunOver()) {
      const customerId = waiting.shift();
      if (customerId === undefined) break;
      const next = nextStep(groups.get(customerId) ?? [], to);
      if (next === null) {
        groups.delete(customerId);
        continue;
      }
      const flight = { ...next, customerId, isLate: false };
      flights.set(steps, flight);
      void ask(steps, flight);
      steps += 1;
    }
    announce(to, groups.size, flights);
    if (flights.size === 0) break;
    await condition(() => arrivals.length > 0);
    for (const { step, workflowId, report } of arrivals.splice(0)) {
      const flight = flights.get(step);
      if (flight?.workflowId !== workflowId) continue;
      flights.delete(step);
      groups.set(flight.customerId, takeReport(groups.get(flight.customerId) ?? [], workflowId, report));
      waiting.push(flight.customerId);
    }
  }
  if (waiting.length > 0) {
    return continueAsNew<typeof testClock>({ accountId, clockId, to, participants: [...groups.values()].flat(), steps });
  }
  // The event of the clock itself is of the real time, as are its creation and its deletion.
  await insist.finishClockAdvance.executeWithOptions({ summary: `ready at ${moment(to)}` }, [
    { accountId, clockId, to, asOf: new Clock({ kind: 'real' }).now() },
  ]);
}

const isRunOver = (): boolean => workflowInfo().historyLength > EVENTS_PER_RUN || workflowInfo().continueAsNewSuggested;

async function findParticipants(accountId: string, clockId: string): Promise<ClockParticipant[]> {
  const found = await insist.findClockParticipants.executeWithOptions({ summary: 'looks who is on the clock' }, [{ accountId, clockId }]);
  return found.map((participant) => ({ ...participant, at: null, nextWakeAt: null }));
}

/** Returns whether there is anybody to ask. */
async function send(workflowId: string, to: Instant, step: number): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(advanceClockSignal, { to, from: workflowInfo().workflowId, step });
    return true;
  } catch {
    // The server knows two reasons, not found and already closed.
    return false;
  }
}

async function askAgain(flights: ReadonlyMap<number, Flight>, ask: (step: number, flight: Flight) => Promise<void>): Promise<never> {
  for (;;) {
    await sleep(PATIENCE, { summary: 'asks again whoever has not reported' });
    for (const [step, flight] of flights) {
      if (flight.isLate) void ask(step, flight);
      flight.isLate = true;
    }
  }
}

function announce(to: Instant, left: number, flights: ReadonlyMap<number, Flight>): void {
  const moving = [...flights.values()].map(({ workflowId, to: until }) => `- \`${workflowId}\`${until > 0 ? ` to ${moment(until)}` : ''}`);
  setCurrentDetails([`Advances to ${moment(to)}, ${left} customers are not there yet`, '', ...moving].join('\n'));
}
