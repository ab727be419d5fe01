import type { WorkflowExecutionDescription } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { withAccount } from '../db/client.ts';
import { findInvoice } from '../db/invoices.ts';
import { findPriceMigration } from '../db/price-migrations.ts';
import { findWaitingFor } from '../db/schedules.ts';
import { findSubscription } from '../db/subscriptions.ts';
import { hasEnded } from '../domain/subscription/transitions.ts';
import { dunningWorkflowId, priceMigrationWorkflowId, stateQuery } from '../workflows/messages.ts';
import type { ParkedStep } from '../workflows/subscription/state.ts';
import { wrongAttributes } from './list-running.ts';
import { awaitedAlone, isRunning, type Recovery, type Restored, restored } from './restart.ts';

/** One difference between Temporal and the books. */
export type Finding = { accountId: string; id: string; detail: string } & (
  | {
      kind:
        | 'subscription_without_workflow'
        | 'schedule_without_workflow'
        | 'wrong_search_attributes'
        | 'invoice_without_dunning'
        | 'due_date_without_dunning'
        | 'quote_without_workflow'
        | 'step_left_undone'
        | 'workflow_of_ended_subscription'
        | 'workflow_without_subscription'
        | 'dunning_without_open_invoice'
        | 'migration_left_running';
    }
  | { kind: 'clock_left_advancing'; to: number }
);

/** An ended subscription has one only as long as there is something left to do, such as a payment to look up. */
export const needsWorkflow = ({ state }: Restored): boolean => !hasEnded(state.facts.status) || state.parked.length > 0;

/** Ids of the dunning workflows that there should be. */
export const chased = ({ dunnings }: Restored): string[] => dunnings.map(({ invoiceId }) => dunningWorkflowId(invoiceId));

const QUERY_DEADLINE_MS = 10_000;

export async function examineSubscription(recovery: Recovery, accountId: string, id: string): Promise<Finding[]> {
  const workflow = await describe(recovery, id);
  const [one] = accountId === '' ? [] : await restored(recovery, accountId, [id]);
  const found = { accountId, id };
  const waiting = one === undefined && accountId !== '' ? await withAccount(recovery.db, accountId, (t) => findWaitingFor(t, id)) : null;
  if (waiting !== null) {
    if (workflow !== null) return [];
    return [{ ...found, kind: 'schedule_without_workflow', detail: `${waiting.id} is to create it, and nothing waits for the start` }];
  }
  if (one === undefined) {
    if (workflow === null || isBusy(workflow)) return [];
    return [{ ...found, kind: 'workflow_without_subscription', detail: 'it runs, and the books do not know its subscription' }];
  }
  const { status } = one.state.facts;
  if (!needsWorkflow(one)) {
    if (workflow === null || isBusy(workflow)) return [];
    return [{ ...found, kind: 'workflow_of_ended_subscription', detail: `it runs, and the subscription is ${status}` }];
  }
  if (workflow === null) return [{ ...found, kind: 'subscription_without_workflow', detail: `it is ${status}, and nothing bills it` }];
  // What is being done is not written everywhere yet.
  if (isBusy(workflow)) return [];
  const findings: Finding[] = [];
  const wrong = wrongAttributes({ attributes: workflow.typedSearchAttributes }, one.state);
  if (wrong !== null) findings.push({ ...found, kind: 'wrong_search_attributes', detail: wrong });
  for (const workflowId of chased(one)) {
    if (await isRunning(recovery, workflowId)) continue;
    findings.push({ ...found, kind: 'invoice_without_dunning', detail: `${workflowId} does not run` });
  }
  for (const { invoiceId, step } of await leftUndone(recovery, one)) {
    findings.push({ ...found, kind: 'step_left_undone', detail: `nothing does ${step.replace('_', ' ')} of ${invoiceId}` });
  }
  return findings;
}

/** Of an invoice of no subscription: whether its due date is waited for. */
export async function examineDueDate(recovery: Recovery, accountId: string, id: string): Promise<Finding[]> {
  const isAwaited = (await awaitedAlone(recovery, accountId)).some(({ invoiceId }) => invoiceId === id);
  if (!isAwaited || (await isRunning(recovery, dunningWorkflowId(id)))) return [];
  return [{ accountId, id, kind: 'due_date_without_dunning', detail: `${dunningWorkflowId(id)} does not run` }];
}

/** A price migration that has still somebody to ask, and nobody asks. */
export async function examineMigration(recovery: Recovery, accountId: string, id: string): Promise<Finding[]> {
  const migration = await withAccount(recovery.db, accountId, (t) => findPriceMigration(t, id));
  const isInFlight = migration !== null && !['completed', 'canceled'].includes(migration.status);
  if (!isInFlight || (await isRunning(recovery, priceMigrationWorkflowId(id)))) return [];
  return [{ accountId, id, kind: 'migration_left_running', detail: `it is ${migration.status}, and nothing carries it out` }];
}

export async function examineDunning(recovery: Recovery, accountId: string, workflowId: string): Promise<Finding[]> {
  const invoiceId = workflowId.slice(dunningWorkflowId('').length);
  const workflow = await describe(recovery, workflowId);
  if (workflow === null || isBusy(workflow)) return [];
  const { invoice, subscription } = await withAccount(recovery.db, accountId, async (t) => {
    const found = await findInvoice(t, invoiceId);
    return { invoice: found, subscription: found?.subscriptionId ? await findSubscription(t, found.subscriptionId) : null };
  });
  const ended = subscription !== null && hasEnded(subscription.status);
  if (invoice?.status === 'open' && !ended) return [];
  const detail =
    invoice === null
      ? 'the books do not know the invoice'
      : ended
        ? `its subscription is ${subscription.status}`
        : `the invoice is ${invoice.status}`;
  return [{ accountId, id: invoiceId, kind: 'dunning_without_open_invoice', detail }];
}

/** Payments without a known outcome and the like, which the workflow does not know of. Without a worker to answer, nothing is said. */
async function leftUndone({ client }: Recovery, { state }: Restored): Promise<ParkedStep[]> {
  if (state.parked.length === 0) return [];
  try {
    const known = await client.withDeadline(Date.now() + QUERY_DEADLINE_MS, () =>
      client.workflow.getHandle(state.subscriptionId).query(stateQuery),
    );
    const looksAfter = new Set([...known.parked.map(({ invoiceId }) => invoiceId), ...known.dunning]);
    return state.parked.filter(({ invoiceId }) => !looksAfter.has(invoiceId));
  } catch {
    return [];
  }
}

/** null: it does not run. */
async function describe({ client }: Recovery, workflowId: string): Promise<WorkflowExecutionDescription | null> {
  try {
    const workflow = await client.workflow.getHandle(workflowId).describe();
    return workflow.status.name === 'RUNNING' ? workflow : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

const isBusy = ({ raw }: WorkflowExecutionDescription): boolean =>
  Boolean(raw.pendingWorkflowTask) || (raw.pendingActivities ?? []).length > 0;
