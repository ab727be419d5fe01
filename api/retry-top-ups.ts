import { withAccount } from '../db/client.ts';
import { readCreditTopUpsOf } from '../db/credit-top-ups.ts';
import type { RequestContext } from './context.ts';
import { payAgain } from './invoice-commands.ts';

/** Charges what was declined of the customer's top-ups, as there is something new to charge. Whatever comes of it is told by events; the request that brought it is not refused for it. */
export async function retryTopUps(context: RequestContext, customerId: string): Promise<void> {
  const topUps = await withAccount(context.db, context.account.id, (t) => readCreditTopUpsOf(t, customerId));
  for (const { pendingInvoiceId, suspendedAt } of topUps)
    if (pendingInvoiceId !== null && suspendedAt !== null)
      await payAgain(context, { invoiceId: pendingInvoiceId, customerId }).catch((error: unknown) =>
        context.log.warn({ invoiceId: pendingInvoiceId, error }, 'a credit top-up could not be charged again'),
      );
}
