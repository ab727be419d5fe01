import { loadSnapshot } from '../db/billing-snapshot.ts';
import { withAccount } from '../db/client.ts';
import { listCoverageOf } from '../db/coverage.ts';
import { findInvoice } from '../db/invoices.ts';
import { recomputeInvoice } from '../domain/invoicing/recompute.ts';
import type { RequestContext } from './context.ts';
import { inTimeOf } from './customer-clock.ts';
import { ApiError, notFound } from './errors.ts';
import { presentRecomputation } from './presenters/recomputations.ts';
import { readRelated } from './read-objects.ts';

/**
 * What a finalised invoice would be with today's inputs, explained line by line, and the credit note or the invoice items that would make up for the difference. Only reads.
 * @throws ApiError 404; 400 where an external engine calculated its taxes, which would have to be asked again; Refusal for a draft or void invoice
 */
export async function recompute(asked: RequestContext, id: string) {
  const context = await inTimeOf(asked, { invoiceId: id });
  return withAccount(context.db, context.account.id, async (t) => {
    const invoice = await findInvoice(t, id);
    if (invoice === null) throw notFound('invoice', id);
    if (invoice.taxCalculator !== 'manual') {
      throw new ApiError(
        `The taxes of this invoice were calculated by ${invoice.taxCalculator}; only those of tax rates can be recomputed.`,
        {
          status: 400,
          code: 'invoice_not_recomputable',
        },
      );
    }
    const coverage = await listCoverageOf(t, id);
    const taxRateIds = invoice.lines.flatMap(({ taxes }) => taxes.flatMap(({ taxRateId }) => taxRateId ?? []));
    const snapshot = await loadSnapshot(t, { invoiceId: id, priceIds: coverage.map(({ priceId }) => priceId), taxRateIds, lock: false });
    const recomputed = recomputeInvoice(snapshot, coverage);
    const shown = recomputed.lines.flatMap(({ now, billed }) =>
      [...now.taxes, ...billed.taxes].flatMap(({ taxRateId }) => taxRateId ?? []),
    );
    const related = await readRelated(t, context.account, { priceIds: [], taxRateIds: shown, customerIds: [invoice.customerId] });
    return presentRecomputation(recomputed, related, context.now());
  });
}
