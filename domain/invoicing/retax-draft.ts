import { netOf } from '../discounts/apply-discounts.ts';
import { applyTaxRates } from '../tax/apply-tax-rates.ts';
import type { DecisionDraft } from './draft-decision.ts';
import type { Invoice } from './invoice.ts';
import { withTaxes } from './record-taxes.ts';
import { withTotals } from './total-invoice.ts';

/**
 * The draft with its taxes and totals anew, over the lines as they are and for the customer as he is now. Each line keeps its rates; the tax of a rate is rounded once
 * on the invoice (see `applyTaxRates`). An external engine has to be asked again: until then its taxes are pending.
 * @param rates of lines whose taxes do not name them yet, by line id
 * @throws Refusal amount_out_of_range
 */
export function retaxDraft({ snapshot }: Pick<DecisionDraft, 'snapshot'>, invoice: Invoice, rates: Record<string, string[]> = {}): Invoice {
  if (invoice.taxCalculator !== 'manual') {
    return withTotals({ ...invoice, lines: invoice.lines.map((line) => ({ ...line, taxes: [] })), taxStatus: 'pending' });
  }
  const lines = invoice.lines.map(({ id, taxes, ...line }) => ({
    amount: netOf(line),
    taxRateIds: rates[id] ?? taxes.flatMap(({ taxRateId }) => taxRateId ?? []),
  }));
  return withTaxes(invoice, applyTaxRates(lines, snapshot.taxRates, { taxExempt: snapshot.customer.taxExempt }));
}
