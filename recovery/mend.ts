import { WorkflowNotFoundError } from '@temporalio/common';
import { withAccount } from '../db/client.ts';
import { findInvoice } from '../db/invoices.ts';
import { findWaitingFor } from '../db/schedules.ts';
import { dunningWorkflowId, invoiceSettledSignal } from '../workflows/messages.ts';
import type { Finding } from './examine.ts';
import {
  awaitedAlone,
  listAwaited,
  listQuotes,
  type Recovery,
  startAdvance,
  startDunning,
  startMigration,
  startQuote,
  startSubscription,
  startWaiting,
  takenOver,
} from './restart.ts';

/**
 * Mends what follows from the books alone: starts anew, a generation later, or ends what has nothing left to do. What the books do not know is left to a person: it may be the
 * books that lack something.
 * @returns whether it was mended
 */
export async function mend(recovery: Recovery, finding: Finding): Promise<boolean> {
  const { accountId, id } = finding;
  switch (finding.kind) {
    case 'subscription_without_workflow':
    case 'wrong_search_attributes':
    case 'invoice_without_dunning':
    case 'step_left_undone':
      return restart(recovery, accountId, id);
    case 'due_date_without_dunning': {
      const given = (await awaitedAlone(recovery, accountId)).find(({ invoiceId }) => invoiceId === id);
      return given !== undefined && startDunning(recovery, given);
    }
    case 'quote_without_workflow': {
      for await (const quotes of listQuotes(recovery, accountId)) {
        const given = quotes.find(({ quoteId }) => quoteId === id);
        if (given !== undefined) return startQuote(recovery, given);
      }
      return false;
    }
    case 'schedule_without_workflow': {
      const schedule = await withAccount(recovery.db, accountId, (t) => findWaitingFor(t, id));
      if (schedule === null) return false;
      for await (const awaited of listAwaited(recovery, accountId)) {
        const wait = awaited.find(({ subscriptionId }) => subscriptionId === id);
        if (wait !== undefined) return startWaiting(recovery, wait);
      }
      return false;
    }
    case 'workflow_of_ended_subscription':
      return unlessGone(() => recovery.client.workflow.getHandle(id).terminate('the subscription has ended, and nothing is left to do'));
    case 'dunning_without_open_invoice': {
      const invoice = await withAccount(recovery.db, accountId, (t) => findInvoice(t, id));
      if (invoice === null) return false;
      // Told, it looks at the invoice and ends; where it is open, and only its subscription has ended, it has to be stopped.
      const handle = recovery.client.workflow.getHandle(dunningWorkflowId(id));
      const fact = { invoiceId: id, status: invoice.status, subscription: null };
      return unlessGone(() => (invoice.status === 'open' ? handle.signal('stopDunning') : handle.signal(invoiceSettledSignal, fact)));
    }
    case 'clock_left_advancing':
      await startAdvance(recovery, { accountId, clockId: id, to: finding.to });
      return true;
    case 'migration_left_running':
      await startMigration(recovery, { accountId, migrationId: id });
      return true;
    case 'workflow_without_subscription':
      return false;
  }
}

/** Also where it runs: what it holds that the books do not have is what is wrong with it. */
async function restart(recovery: Recovery, accountId: string, id: string): Promise<boolean> {
  const [one] = await takenOver(recovery, accountId, [id]);
  if (one === undefined) return false;
  await startSubscription(recovery, one.state, { replace: true });
  for (const given of one.dunnings) await startDunning(recovery, given, { replace: true });
  return true;
}

async function unlessGone(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
  return true;
}
