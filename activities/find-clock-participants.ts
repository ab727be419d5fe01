import { withAccount } from '../db/client.ts';
import { listClockInvoices, listClockQuotes, listClockSchedules, listClockSubscriptions } from '../db/test-clocks.ts';
import { dunningWorkflowId, quoteWorkflowId } from '../workflows/messages.ts';
import type { Deps } from './deps.ts';
import type { Activities } from './index.ts';

/** The workflows of a test clock's customers that may have something to do. One of them may have ended meanwhile; whoever asks it finds out. */
export const findClockParticipants =
  (deps: Deps): Activities['findClockParticipants'] =>
  ({ accountId, clockId }) =>
    withAccount(deps.db, accountId, async (t) => {
      const subscriptions = await listClockSubscriptions(t, clockId);
      const scheduled = await listClockSchedules(t, clockId);
      const quotes = await listClockQuotes(t, clockId);
      const unpaid = await listClockInvoices(t, clockId);
      return [
        ...[...subscriptions, ...scheduled].map(({ id, customerId }) => ({ workflowId: id, customerId })),
        ...quotes.map(({ id, customerId }) => ({ workflowId: quoteWorkflowId(id), customerId })),
        ...unpaid.map(({ id, customerId }) => ({ workflowId: dunningWorkflowId(id), customerId })),
      ];
    });
