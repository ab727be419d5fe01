import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { Decision } from '../decision.ts';
import { Refusal } from '../errors.ts';
import type { TaxAmount } from '../tax/tax-rate.ts';
import { beginDecision, type DecisionContext, emit, finishDecision, putInvoice } from './draft-decision.ts';
import type { Invoice } from './invoice.ts';
import { withTotals } from './total-invoice.ts';

/**
 * Stores what an external engine calculated on the draft of the snapshot, per line in the order of the lines, minor units.
 * @throws Refusal invoice_not_draft; parameter_invalid where there are not as many entries as lines
 */
export function decideTaxes(snapshot: BillingSnapshot, command: { taxes: TaxAmount[][] }, context: DecisionContext): Decision {
  const invoice = snapshot.invoice;
  if (!invoice) throw new Refusal('resource_missing', 'There is no invoice to tax.', 'invoice');
  if (invoice.status !== 'draft') throw new Refusal('invoice_not_draft', `Taxes belong on a draft; this invoice is ${invoice.status}.`);
  const draft = beginDecision(snapshot, context);
  putInvoice(draft, withTaxes(invoice, command.taxes));
  emit(draft, 'invoice.updated', 'invoice', invoice.id, { taxStatus: invoice.taxStatus, tax: invoice.tax, total: invoice.total });
  return finishDecision(draft);
}

/** The draft with these taxes and the totals that follow. @throws Refusal parameter_invalid where there are not as many entries as lines */
export function withTaxes(invoice: Invoice, taxes: TaxAmount[][]): Invoice {
  if (taxes.length !== invoice.lines.length) {
    throw new Refusal('parameter_invalid', `Taxes of ${taxes.length} lines do not fit an invoice of ${invoice.lines.length}.`, 'taxes');
  }
  const lines = invoice.lines.map((line, index) => ({ ...line, taxes: taxes[index] ?? [] }));
  return withTotals({ ...invoice, lines, taxStatus: 'complete' });
}
