import { loadSnapshot } from '../db/billing-snapshot.ts';
import { withAccount } from '../db/client.ts';
import { listCoverageOf } from '../db/coverage.ts';
import { findInvoice } from '../db/invoices.ts';
import { readPrices } from '../db/read-by-ids.ts';
import type { BillingSnapshot } from '../domain/billing-snapshot.ts';
import type { Price } from '../domain/catalog/price.ts';
import type { Invoice } from '../domain/invoicing/invoice.ts';
import { linesToday, recomputeInvoice } from '../domain/invoicing/recompute.ts';
import type { BilledPeriod } from '../domain/subscription/subscription.ts';
import type { TaxAmount } from '../domain/tax/tax-rate.ts';
import { TaxCalculatorUnavailable } from '../gateways/tax/tax-calculator.ts';
import { taxRequestOf } from '../gateways/tax/tax-request.ts';
import type { RequestContext } from './context.ts';
import { inTimeOf } from './customer-clock.ts';
import { ApiError, notFound, taxesNotCalculated } from './errors.ts';
import { presentRecomputation } from './presenters/recomputations.ts';
import { readRelated } from './read-objects.ts';

/**
 * What a finalised invoice would be with today's inputs, explained line by line, and the credit note or the invoice items that would make up for the difference. Only reads; an
 * external engine is asked what its taxes would be, with no transaction open.
 * @throws ApiError 404; 400 where this process has no such engine; 503 where it gives no answer; Refusal for a draft or void invoice, and what the engine refuses
 */
export async function recompute(asked: RequestContext, id: string) {
  const context = await inTimeOf(asked, { invoiceId: id });
  const { snapshot, invoice, coverage, prices } = await withAccount(context.db, context.account.id, async (t) => {
    const invoice = await findInvoice(t, id);
    if (invoice === null) throw notFound('invoice', id);
    const coverage = await listCoverageOf(t, id);
    const taxRateIds = invoice.lines.flatMap(({ taxes }) => taxes.flatMap(({ taxRateId }) => taxRateId ?? []));
    const snapshot = await loadSnapshot(t, { invoiceId: id, priceIds: coverage.map(({ priceId }) => priceId), taxRateIds, lock: false });
    const priceIds = invoice.lines.flatMap(({ priceId }) => priceId ?? []);
    return { snapshot, invoice, coverage, prices: invoice.taxCalculator === 'manual' ? [] : await readPrices(t, priceIds) };
  });
  const taxes = invoice.taxCalculator === 'manual' ? undefined : await taxesToday(context, { snapshot, invoice, coverage, prices });
  const recomputed = recomputeInvoice(snapshot, coverage, taxes);
  return withAccount(context.db, context.account.id, async (t) => {
    const shown = recomputed.lines.flatMap(({ now, billed }) =>
      [...now.taxes, ...billed.taxes].flatMap(({ taxRateId }) => taxRateId ?? []),
    );
    const related = await readRelated(t, context.account, { priceIds: [], taxRateIds: shown, customerIds: [invoice.customerId] });
    return presentRecomputation(recomputed, related, context.now());
  });
}

interface Facts {
  snapshot: BillingSnapshot;
  invoice: Invoice;
  coverage: BilledPeriod[];
  prices: Price[];
}

/** Asks the engine that taxed the invoice, at the rates of now and for the customer as he is now. */
async function taxesToday(context: RequestContext, { snapshot, invoice, coverage, prices }: Facts): Promise<TaxAmount[][]> {
  const { taxCalculator: name } = invoice;
  const lines = linesToday(snapshot, coverage);
  const calculator = context.taxCalculators[name];
  if (calculator === undefined) {
    const message = `The taxes of this invoice were calculated by ${name}, which this server cannot ask.`;
    throw new ApiError(message, { status: 400, code: 'invoice_not_recomputable' });
  }
  const request = taxRequestOf(snapshot, { ...invoice, lines }, prices, context.now());
  const signal = AbortSignal.timeout(context.deadlineMs);
  try {
    return await inTime(calculator.calculate({ ...request, estimate: true }, { signal }), signal);
  } catch (error) {
    if (!(error instanceof TaxCalculatorUnavailable) && !signal.aborted) throw error;
    context.log.warn({ err: error, invoiceId: invoice.id, taxCalculator: name }, 'the tax calculator gives no answer');
    throw taxesNotCalculated(name);
  }
}

/** Also where an engine does not care about its deadline. */
function inTime<R>(answer: Promise<R>, signal: AbortSignal): Promise<R> {
  return Promise.race([
    answer,
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })),
  ]);
}
