import type { Client, WorkflowStartOptions } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/common';
import { subscriptionFacts } from '../activities/facts.ts';
import { listAwaitedInvoices } from '../db/awaited-invoices.ts';
import { type Database, withAccount } from '../db/client.ts';
import { nextGeneration } from '../db/generations.ts';
import { listUnsettledQuotes } from '../db/quotes.ts';
import { listWaitingSchedules } from '../db/schedules.ts';
import { readSubscriptionRecords } from '../db/subscription-records.ts';
import {
  type AwaitSchedule,
  dunningWorkflowId,
  priceMigrationWorkflowId,
  quoteWorkflowId,
  type StartDunning,
  type StartPriceMigration,
  type StartQuote,
  type StartTestClock,
  testClockWorkflowId,
  WORKFLOW_TYPES,
} from '../workflows/messages.ts';
import { accountAttributes, dunningAttributes, subscriptionAttributes, waitingAttributes } from '../workflows/search-attributes.ts';
import { restoreDunning, restoreState } from '../workflows/subscription/restore-state.ts';
import type { SubscriptionState } from '../workflows/subscription/state.ts';

export interface Recovery {
  db: Database;
  client: Client;
  taskQueue: string;
}

/** A subscription's workflow and its dunnings as they would be, were they started from the books now. */
export interface Restored {
  state: SubscriptionState;
  dunnings: StartDunning[];
}

/** Requests to Temporal at once. */
export const WIDTH = 32;

/** Reads what the books know of these subscriptions, and changes nothing. */
export const restored = ({ db }: Recovery, accountId: string, ids: readonly string[]): Promise<Restored[]> =>
  withAccount(db, accountId, async (t) => (await readSubscriptionRecords(t, ids)).map((record) => restore(accountId, record)));

/**
 * The same for workflows that are to decide from now on: older generations are shut out in the transaction that reads, so nothing they decide can come after it.
 */
export const takenOver = ({ db }: Recovery, accountId: string, ids: readonly string[]): Promise<Restored[]> =>
  withAccount(db, accountId, async (t) => {
    await nextGeneration(t, ids);
    return (await readSubscriptionRecords(t, ids)).map((record) => restore(accountId, record));
  });

function restore(accountId: string, record: Awaited<ReturnType<typeof readSubscriptionRecords>>[number]): Restored {
  const state = restoreState(accountId, subscriptionFacts(record.subscription), record);
  return { state, dunnings: restoreDunning(state, record) };
}

/** The waits for the due dates of invoices of no subscription, as they would be started now. */
export const awaitedAlone = ({ db }: Recovery, accountId: string): Promise<StartDunning[]> =>
  withAccount(db, accountId, async (t) =>
    (await listAwaitedInvoices(t)).map(({ id, customerId, currency, clock }) => ({
      accountId,
      subscriptionId: null,
      customerId,
      invoiceId: id,
      currency,
      planId: '',
      clock: clock === null ? { kind: 'real' } : { kind: 'frozen', ...clock },
      generation: 1,
    })),
  );

/** Whether a workflow of this id is running, as the server itself knows; its list of workflows may lag behind. */
export async function isRunning({ client }: Recovery, workflowId: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

/** `replace`: one that runs is terminated. Otherwise it is left alone, and the answer is false. */
export const startSubscription = (recovery: Recovery, state: SubscriptionState, { replace = false } = {}): Promise<boolean> =>
  start(recovery, WORKFLOW_TYPES.subscription, {
    workflowId: state.subscriptionId,
    args: [state],
    typedSearchAttributes: subscriptionAttributes(state),
    staticSummary: `Subscription of ${state.customerId}, generation ${state.generation}`,
    workflowIdConflictPolicy: replace ? 'TERMINATE_EXISTING' : 'FAIL',
  });

/** The workflow of a subscription that a schedule has still to create. */
export const startWaiting = (recovery: Recovery, wait: AwaitSchedule): Promise<boolean> =>
  start(recovery, WORKFLOW_TYPES.subscription, {
    workflowId: wait.subscriptionId,
    args: [{ wait }],
    typedSearchAttributes: waitingAttributes(wait, wait.schedule?.startsAt ?? 0, wait.clock ?? { kind: 'real' }),
    staticSummary: `Subscription of ${wait.customerId}, by ${wait.schedule?.id ?? 'a schedule'}`,
    workflowIdConflictPolicy: 'FAIL',
  });

/** What the books know of the schedules that have still to create their subscription, page by page. */
export async function* listAwaited({ db }: Recovery, accountId: string): AsyncGenerator<AwaitSchedule[]> {
  for await (const page of pages((after) => withAccount(db, accountId, (t) => listWaitingSchedules(t, after, PAGE)), idOfSchedule)) {
    yield page.map(({ schedule: { id, status, startsAt, subscriptionId, customerId }, clock }) => ({
      ...{ accountId, subscriptionId, customerId, schedule: { id, status, startsAt } },
      ...frozen(clock),
    }));
  }
}

/** The quotes that may still expire, page by page. */
export async function* listQuotes({ db }: Recovery, accountId: string): AsyncGenerator<StartQuote[]> {
  for await (const page of pages(
    (after) => withAccount(db, accountId, (t) => listUnsettledQuotes(t, after, PAGE)),
    ({ id }) => id,
  ))
    yield page.map(({ id: quoteId, expiresAt, clock }) => ({ accountId, quoteId, expiresAt, ...frozen(clock) }));
}

const PAGE = 500;
const idOfSchedule = ({ schedule }: { schedule: { id: string } }): string => schedule.id;
const frozen = (clock: { id: string; at: number } | null) => (clock === null ? {} : { clock: { kind: 'frozen' as const, ...clock } });

/** One page after the other, until there is none. */
async function* pages<T>(read: (after: string) => Promise<T[]>, idOf: (one: T) => string): AsyncGenerator<T[]> {
  for (let after = ''; ; ) {
    const page = await read(after);
    const last = page.at(-1);
    if (last === undefined) return;
    yield page;
    after = idOf(last);
  }
}

/** The workflow that waits for a quote to expire. */
export const startQuote = (recovery: Recovery, given: StartQuote): Promise<boolean> =>
  start(recovery, WORKFLOW_TYPES.quote, {
    workflowId: quoteWorkflowId(given.quoteId),
    args: [given],
    typedSearchAttributes: accountAttributes(given),
    staticSummary: `Waits for ${given.quoteId} to expire`,
    workflowIdConflictPolicy: 'FAIL',
  });

export const startMigration = (recovery: Recovery, given: StartPriceMigration): Promise<boolean> =>
  start(recovery, WORKFLOW_TYPES.priceMigration, {
    workflowId: priceMigrationWorkflowId(given.migrationId),
    args: [given],
    typedSearchAttributes: accountAttributes(given),
    staticSummary: `Price migration ${given.migrationId}`,
    workflowIdConflictPolicy: 'FAIL',
  });

export const startDunning = (recovery: Recovery, given: StartDunning, { replace = false } = {}): Promise<boolean> =>
  start(recovery, WORKFLOW_TYPES.dunning, {
    workflowId: dunningWorkflowId(given.invoiceId),
    args: [given],
    typedSearchAttributes: dunningAttributes(given, 'retrying'),
    staticSummary: `chases ${given.invoiceId}, generation ${given.generation}`,
    workflowIdConflictPolicy: replace ? 'TERMINATE_EXISTING' : 'FAIL',
  });

export const startAdvance = (recovery: Recovery, given: StartTestClock): Promise<boolean> =>
  start(recovery, WORKFLOW_TYPES.testClock, {
    workflowId: testClockWorkflowId(given.clockId, given.to),
    args: [given],
    staticSummary: `Advances ${given.clockId}`,
    workflowIdConflictPolicy: 'FAIL',
  });

type StartOptions = Omit<WorkflowStartOptions, 'taskQueue' | 'args'> & { args: unknown[] };

async function start({ client, taskQueue }: Recovery, type: string, options: StartOptions): Promise<boolean> {
  try {
    await client.workflow.start(type, { ...options, taskQueue, workflowIdReusePolicy: 'ALLOW_DUPLICATE' });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
