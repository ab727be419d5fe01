import {
  CancellationScope,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Instant } from '../../domain/time.ts';
import { insist } from '../call-activities.ts';
import { Clock } from '../clock.ts';
import { advanceClockSignal, type ClockParticipant, type ClockReached, clockReachedSignal, type StartTestClock } from '../messages.ts';
import { moment } from '../write-summary.ts';
import { nextStep, takeReport } from './next-step.ts';

/** A step is eleven events here; each run hands all that it knows to the next. */
const STEPS_PER_RUN = 200;
/** After this long without a report the step is asked for again: it is the same step, and a workflow that is gone is noticed. */
const PATIENCE = '60s';

/**
 * One advance of a test clock. It moves the workflows on the clock one at a time, always the one whose next wake-up is earliest, and waits until that one has done all
 * that was due; so what happens, happens in the order of its time, across subscriptions and dunning. At the target all of them stand at the same instant.
 */
export async function testClock(start: StartTestClock): Promise<void> {
  return CancellationScope.nonCancellable(() => advance(start));
}

async function advance({ accountId, clockId, to, ...rest }: StartTestClock): Promise<void> {
  const desk: { report: ClockReached | null } = { report: null };
  setHandler(clockReachedSignal, (reached) => void (desk.report = reached), {
    description: 'A workflow on this clock has done all that was due.',
  });

  const steps = rest.steps ?? 0;
  let participants = rest.participants ?? (await findParticipants(accountId, clockId));
  for (let taken = 0; ; taken += 1) {
    const next = nextStep(participants, to);
    if (next === null) break;
    if (taken === STEPS_PER_RUN) return continueAsNew<typeof testClock>({ accountId, clockId, to, participants, steps: steps + taken });
    const step = steps + taken;
    announce(next, to, participants.length);
    desk.report = null;
    const isReported = (): boolean => desk.report?.workflowId === next.workflowId && desk.report.step === step;
    let isThere = await ask(next, step);
    while (isThere && !(await condition(isReported, PATIENCE, { summary: `waits for ${next.workflowId}` })))
      isThere = await ask(next, step);
    participants = takeReport(participants, next.workflowId, isReported() ? desk.report : null);
  }
  // The event of the clock itself is of the real time, as are its creation and its deletion.
  await insist.finishClockAdvance.executeWithOptions({ summary: `ready at ${moment(to)}` }, [
    { accountId, clockId, to, asOf: new Clock({ kind: 'real' }).now() },
  ]);
}

async function findParticipants(accountId: string, clockId: string): Promise<ClockParticipant[]> {
  const ids = await insist.findClockParticipants.executeWithOptions({ summary: 'looks who is on the clock' }, [{ accountId, clockId }]);
  return ids.map((workflowId) => ({ workflowId, at: null, nextWakeAt: null }));
}

/** Returns whether there is anybody to ask. */
async function ask({ workflowId, to }: { workflowId: string; to: Instant }, step: number): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(advanceClockSignal, { to, from: workflowInfo().workflowId, step });
    return true;
  } catch {
    // The server knows two reasons, not found and already closed.
    return false;
  }
}

const announce = (next: { workflowId: string; to: Instant }, to: Instant, count: number): void =>
  setCurrentDetails(`Advances ${count} workflows to ${moment(to)}\n\n**Now** ${moment(next.to)}: \`${next.workflowId}\``);
