import { CancellationScope, setHandler } from '@temporalio/workflow';
import type { Instant } from '../../domain/time.ts';
import { insist } from '../call-activities.ts';
import { Clock } from '../clock.ts';
import { type JoinClock, joinClockSignal, quoteChangedSignal, type StartQuote } from '../messages.ts';
import { day } from '../write-summary.ts';

/** Waits until a quote expires, and cancels it then; nothing else about a quote needs a workflow. Ends as soon as the quote is accepted or canceled. */
export async function quote(start: StartQuote): Promise<void> {
  return CancellationScope.nonCancellable(async () => {
    const clock = new Clock(start.clock ?? { kind: 'real' });
    const { accountId, quoteId } = start;
    let joined: JoinClock | null = null;
    let changed = false;
    clock.listen();
    setHandler(joinClockSignal, (fact) => void (joined = fact), { description: "The customer's time is a test clock's from now on." });
    setHandler(quoteChangedSignal, () => void (changed = true), { description: 'The quote was settled, or expires at another time.' });
    for (let expiresAt: Instant | null = start.expiresAt; expiresAt !== null; ) {
      if (joined !== null) clock.join(joined);
      joined = null;
      if (changed || expiresAt <= clock.now()) {
        changed = false;
        const summary = `looks whether ${quoteId} has expired`;
        ({ expiresAt } = await insist.expireQuote.executeWithOptions({ summary }, [{ accountId, quoteId, asOf: clock.now() }]));
        continue;
      }
      await clock.waitUntil(expiresAt, () => changed || joined !== null, `expires ${day(expiresAt)}`);
    }
    await clock.takeLeave();
  });
}
