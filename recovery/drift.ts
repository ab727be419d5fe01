import { setTimeout as wait } from 'node:timers/promises';
import { listAccountIds } from '../db/accounts.ts';
import { withAccount } from '../db/client.ts';
import { listUnfinishedMigrations } from '../db/price-migrations.ts';
import { findQuote } from '../db/quotes.ts';
import { listUnfinishedSubscriptions } from '../db/subscription-records.ts';
import { listAdvancingClocks } from '../db/test-clocks.ts';
import { dunningWorkflowId, priceMigrationWorkflowId, quoteWorkflowId, testClockWorkflowId } from '../workflows/messages.ts';
import { chased, examineDueDate, examineDunning, examineMigration, examineSubscription, type Finding, needsWorkflow } from './examine.ts';
import { inParallel } from './in-parallel.ts';
import { listRunning, type Run, wrongAttributes } from './list-running.ts';
import { mend } from './mend.ts';
import { awaitedAlone, isRunning, listAwaited, listQuotes, type Recovery, restored, WIDTH } from './restart.ts';

export interface DriftReport {
  /** What was compared. */
  subscriptions: number;
  workflows: number;
  findings: (Finding & { mended: boolean })[];
}

const PAGE = 500;
/** Something under way looks like a difference for a moment; only what is seen twice, this far apart, is one. */
const AGAIN_AFTER_MS = 2000;

/**
 * Compares the workflows that run with those that the books say there should be, in both directions. Lists find the suspects; each of them is then asked itself, twice.
 * `repair` mends what can be mended from the books alone. Doing it again finds what is left.
 */
export async function drift(recovery: Recovery, { repair = false, againAfterMs = AGAIN_AFTER_MS } = {}): Promise<DriftReport> {
  const running = await listRunning(recovery);
  const workflows = running.size;
  const report: DriftReport = { subscriptions: 0, workflows, findings: [] };
  const suspects: Suspect[] = [];
  for (const accountId of await listAccountIds(recovery.db)) {
    report.subscriptions += await comparePages(recovery, accountId, running, suspects);
    for (const { invoiceId: id } of await awaitedAlone(recovery, accountId)) {
      if (!running.delete(dunningWorkflowId(id))) suspects.push({ what: 'due date', accountId, id });
    }
    report.subscriptions += await compareWaiting(recovery, accountId, running, suspects);
    await compareQuotes(recovery, accountId, running, suspects);
    for (const clock of await withAccount(recovery.db, accountId, listAdvancingClocks)) {
      if (!running.delete(testClockWorkflowId(clock.id, clock.to))) suspects.push({ what: 'clock', accountId, ...clock });
    }
    for (const id of await withAccount(recovery.db, accountId, listUnfinishedMigrations)) {
      if (!running.delete(priceMigrationWorkflowId(id))) suspects.push({ what: 'migration', accountId, id });
    }
  }
  // Nobody in the books claims these.
  for (const { type, accountId, id } of running.values()) {
    if (type === 'subscription' || type === 'dunning') suspects.push({ what: type, accountId, id });
  }

  const examineAll = async (): Promise<Finding[]> => (await inParallel(suspects, WIDTH, (suspect) => examine(recovery, suspect))).flat();
  const first = await examineAll();
  if (first.length === 0) return report;
  await wait(againAfterMs);
  const seen = new Set(first.map(nameOf));
  const findings = (await examineAll()).filter((finding) => seen.has(nameOf(finding)));
  for (const finding of findings) report.findings.push({ ...finding, mended: repair && (await mend(recovery, finding)) });
  return report;
}

type Suspect =
  | { what: 'subscription' | 'dunning' | 'due date' | 'quote' | 'migration'; accountId: string; id: string }
  | { what: 'clock'; accountId: string; id: string; to: number };

const nameOf = ({ kind, accountId, id }: Finding): string => `${kind} ${accountId} ${id}`;

/** Goes through the books page by page, and takes from `running` whom they account for. @returns how many subscriptions should have a workflow */
async function comparePages(recovery: Recovery, accountId: string, running: Map<string, Run>, suspects: Suspect[]): Promise<number> {
  let count = 0;
  for (let after = ''; ; ) {
    const ids = await withAccount(recovery.db, accountId, (t) => listUnfinishedSubscriptions(t, after, PAGE));
    const last = ids.at(-1);
    if (last === undefined) return count;
    for (const one of (await restored(recovery, accountId, ids)).filter(needsWorkflow)) {
      count += 1;
      const { subscriptionId: id, parked } = one.state;
      const run = running.get(id);
      running.delete(id);
      const dunningsRun = chased(one).map((workflowId) => running.delete(workflowId));
      const isFine = run !== undefined && wrongAttributes(run, one.state) === null && parked.length === 0 && dunningsRun.every(Boolean);
      if (!isFine) suspects.push({ what: 'subscription', accountId, id });
    }
    after = last;
  }
}

/** Subscriptions that a schedule has still to create wait in a workflow of their own. */
async function compareWaiting(recovery: Recovery, accountId: string, running: Map<string, Run>, suspects: Suspect[]): Promise<number> {
  let count = 0;
  for await (const awaited of listAwaited(recovery, accountId)) {
    count += awaited.length;
    for (const { subscriptionId: id } of awaited) if (!running.delete(id)) suspects.push({ what: 'subscription', accountId, id });
  }
  return count;
}

/** Quotes that may still expire are waited for. */
async function compareQuotes(recovery: Recovery, accountId: string, running: Map<string, Run>, suspects: Suspect[]): Promise<void> {
  for await (const quotes of listQuotes(recovery, accountId)) {
    for (const { quoteId: id } of quotes) if (!running.delete(quoteWorkflowId(id))) suspects.push({ what: 'quote', accountId, id });
  }
}

async function examine(recovery: Recovery, suspect: Suspect): Promise<Finding[]> {
  const { accountId, id } = suspect;
  switch (suspect.what) {
    case 'subscription':
      return examineSubscription(recovery, accountId, id);
    case 'dunning':
      return examineDunning(recovery, accountId, id);
    case 'due date':
      return examineDueDate(recovery, accountId, id);
    case 'quote': {
      const quote = await withAccount(recovery.db, accountId, (t) => findQuote(t, id));
      if (quote?.status !== 'draft' && quote?.status !== 'open') return [];
      if (await isRunning(recovery, quoteWorkflowId(id))) return [];
      return [{ kind: 'quote_without_workflow', accountId, id, detail: 'it may expire, and nothing waits for that' }];
    }
    case 'migration':
      return examineMigration(recovery, accountId, id);
    case 'clock': {
      const clocks = await withAccount(recovery.db, accountId, listAdvancingClocks);
      const isOnItsWay = clocks.some((clock) => clock.id === id && clock.to === suspect.to);
      if (!isOnItsWay || (await isRunning(recovery, testClockWorkflowId(id, suspect.to)))) return [];
      return [{ kind: 'clock_left_advancing', accountId, id, detail: `to ${suspect.to}, and nothing moves it`, to: suspect.to }];
    }
  }
}
