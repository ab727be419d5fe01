import { ActivityFailure, CancellationScope, continueAsNew, setCurrentDetails, setHandler } from '@temporalio/workflow';
import { command, insist } from '../call-activities.ts';
import { Clock } from '../clock.ts';
import { priceMigrationAskedSignal, type StartPriceMigration } from '../messages.ts';

/** Subscriptions that are asked at once: a fifth of what a worker runs, as they need some of it to answer. */
const AT_ONCE = 4;

/**
 * Takes all subscriptions of a price to another one, or back as long as the change has not taken effect. What is to be done, and what was, stands in Postgres; a run is one page of it. A
 * subscription that gives no answer is told as such and holds up nobody but its page.
 */
export async function priceMigration(start: StartPriceMigration): Promise<void> {
  return CancellationScope.nonCancellable(() => goOn(start));
}

async function goOn(start: StartPriceMigration): Promise<void> {
  let isAsked = false;
  setHandler(priceMigrationAskedSignal, () => void (isAsked = true), { description: 'Looks again what is to be done.' });
  for (;;) {
    isAsked = false;
    const page = await insist.takePriceMigrationPage.executeWithOptions({ summary: 'looks who is next' }, [
      { ...start, asOf: new Clock({ kind: 'real' }).now() },
    ]);
    if (page.do !== 'nothing') {
      const undo = page.do === 'undo';
      setCurrentDetails(`${undo ? 'Takes back' : 'Asks'} ${page.subscriptionIds.length} subscriptions from ${page.subscriptionIds[0]}`);
      const waiting = [...page.subscriptionIds];
      await Promise.all(Array.from({ length: AT_ONCE }, () => work(start, waiting, undo)));
      return continueAsNew<typeof priceMigration>(start);
    }
    // Asked after it looked: the migration may have been turned round since.
    if (!isAsked) return;
  }
}

async function work(start: StartPriceMigration, waiting: string[], undo: boolean): Promise<void> {
  for (let subscriptionId = waiting.shift(); subscriptionId !== undefined; subscriptionId = waiting.shift()) {
    const about = { ...start, subscriptionId, asOf: new Clock({ kind: 'real' }).now() };
    try {
      await (undo
        ? command.undoMigration.executeWithOptions({ summary: `takes back ${subscriptionId}` }, [about])
        : command.migrateSubscription.executeWithOptions({ summary: `migrates ${subscriptionId}` }, [about]));
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      await insist.giveUpMigration.executeWithOptions({ summary: `no answer from ${subscriptionId}` }, [{ ...about, undo }]);
    }
  }
}
