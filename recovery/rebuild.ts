import { listAccountIds } from '../db/accounts.ts';
import { alone, withAccount } from '../db/client.ts';
import { listUnfinishedMigrations } from '../db/price-migrations.ts';
import { listUnfinishedSubscriptions } from '../db/subscription-records.ts';
import { listAdvancingClocks } from '../db/test-clocks.ts';
import { dunningWorkflowId, priceMigrationWorkflowId, type StartDunning, testClockWorkflowId } from '../workflows/messages.ts';
import { needsWorkflow } from './examine.ts';
import { inParallel } from './in-parallel.ts';
import {
  awaitedAlone,
  isRunning,
  listAwaited,
  listQuotes,
  type Recovery,
  type Restored,
  restored,
  startAdvance,
  startDunning,
  startMigration,
  startQuote,
  startSubscription,
  startWaiting,
  takenOver,
  WIDTH,
} from './restart.ts';

export interface RebuildReport {
  /** Subscriptions that should have a workflow. */
  found: number;
  /** Those whose workflow was running already; left alone. */
  running: number;
  restarted: number;
  dunnings: number;
  /** Steps that were under way when the workflows were lost, taken up again. */
  takenUp: number;
  clocks: number;
  /** Price migrations in flight. */
  migrations: number;
}

const PAGE = 500;

/**
 * Starts every workflow that the books say there should be and that is not running: subscriptions at their next boundary, a generation later; dunnings; advances of test clocks; price migrations. What
 * runs is left alone, so doing it again, or on a cluster that has lost only a part, is harmless.
 * @throws Error where another rebuild is under way
 */
export const rebuild = (recovery: Recovery, onProgress: (report: RebuildReport) => void = () => {}): Promise<RebuildReport> =>
  alone(recovery.db, 'rebuild', async () => {
    const report: RebuildReport = { found: 0, running: 0, restarted: 0, dunnings: 0, takenUp: 0, clocks: 0, migrations: 0 };
    for (const accountId of await listAccountIds(recovery.db)) {
      for (let after = ''; ; ) {
        const ids = await withAccount(recovery.db, accountId, (t) => listUnfinishedSubscriptions(t, after, PAGE));
        const last = ids.at(-1);
        if (last === undefined) break;
        await rebuildPage(recovery, accountId, ids, report);
        onProgress(report);
        after = last;
      }
      await restartDunnings(recovery, await awaitedAlone(recovery, accountId), report);
      await restartWaiting(recovery, accountId, report);
      await restartQuotes(recovery, accountId);
      await restartClocks(recovery, accountId, report);
      await restartMigrations(recovery, accountId, report);
    }
    return report;
  });

async function rebuildPage(recovery: Recovery, accountId: string, ids: readonly string[], report: RebuildReport): Promise<void> {
  const runs = await inParallel(ids, WIDTH, (id) => isRunning(recovery, id));
  const [there, gone] = [ids.filter((_, index) => runs[index]), ids.filter((_, index) => !runs[index])];
  report.found += ids.length;
  report.running += there.length;
  if (gone.length > 0) {
    // An ended one with nothing left to do needs no workflow, and no new generation.
    const wanted = (await restored(recovery, accountId, gone)).filter(needsWorkflow).map(({ state }) => state.subscriptionId);
    report.found -= gone.length - wanted.length;
    const taken = await takenOver(recovery, accountId, wanted);
    await inParallel(taken, WIDTH, async (one) => restart(recovery, one, report));
  }
  // A part of a cluster may be gone: the dunnings of the others are looked at one by one, and there are few.
  const dunnings = (await restored(recovery, accountId, there)).flatMap((one) => one.dunnings);
  await restartDunnings(recovery, dunnings, report);
}

/** Those that do not run. */
const restartDunnings = (recovery: Recovery, dunnings: readonly StartDunning[], report: RebuildReport) =>
  inParallel(dunnings, WIDTH, async (given) => {
    if (await isRunning(recovery, dunningWorkflowId(given.invoiceId))) return;
    if (await startDunning(recovery, given)) report.dunnings += 1;
  });

/** A dunning that outlived its subscription's workflow is of the older generation, and gives way. */
async function restart(recovery: Recovery, { state, dunnings }: Restored, report: RebuildReport): Promise<void> {
  if (!(await startSubscription(recovery, state))) {
    report.running += 1;
    return;
  }
  report.restarted += 1;
  report.takenUp += state.parked.length;
  for (const given of dunnings) if (await startDunning(recovery, given, { replace: true })) report.dunnings += 1;
}

/** Subscriptions that a schedule has still to create are waited for again; nothing was decided for them, so they have no generation. */
async function restartWaiting(recovery: Recovery, accountId: string, report: RebuildReport): Promise<void> {
  for await (const awaited of listAwaited(recovery, accountId)) {
    await inParallel(awaited, WIDTH, async (wait) => {
      report.found += 1;
      const gone = !(await isRunning(recovery, wait.subscriptionId));
      if (gone && (await startWaiting(recovery, wait))) report.restarted += 1;
      else report.running += 1;
    });
  }
}

/** What waits for quotes to expire; nothing is decided by it but their end. */
async function restartQuotes(recovery: Recovery, accountId: string): Promise<void> {
  for await (const quotes of listQuotes(recovery, accountId)) await inParallel(quotes, WIDTH, (given) => startQuote(recovery, given));
}

async function restartClocks(recovery: Recovery, accountId: string, report: RebuildReport): Promise<void> {
  const clocks = await withAccount(recovery.db, accountId, listAdvancingClocks);
  for (const { id, to } of clocks) {
    if (await isRunning(recovery, testClockWorkflowId(id, to))) continue;
    if (await startAdvance(recovery, { accountId, clockId: id, to })) report.clocks += 1;
  }
}

/** Price migrations that have still somebody to ask go on where the books say they are. */
async function restartMigrations(recovery: Recovery, accountId: string, report: RebuildReport): Promise<void> {
  for (const migrationId of await withAccount(recovery.db, accountId, listUnfinishedMigrations)) {
    if (await isRunning(recovery, priceMigrationWorkflowId(migrationId))) continue;
    if (await startMigration(recovery, { accountId, migrationId })) report.migrations += 1;
  }
}
