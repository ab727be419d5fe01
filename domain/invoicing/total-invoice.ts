import { discountOf } from '../discounts/apply-discounts.ts';
import { Refusal } from '../errors.ts';
import { MAX_AMOUNT, sum } from '../money.ts';
import { sumTaxes } from '../tax/apply-tax-rates.ts';
import type { Invoice } from './invoice.ts';

/** The sums of an invoice out of its lines and their taxes; provisional `amountDue` while it is a draft. @throws Refusal amount_out_of_range */
export function withTotals(invoice: Invoice): Invoice {
  const taxes = sumTaxes(invoice.lines.map((line) => line.taxes));
  const subtotal = sum(invoice.lines.map((line) => line.amount));
  const inclusive = sum(taxes.filter((tax) => tax.inclusive).map((tax) => tax.amount));
  const exclusive = sum(taxes.filter((tax) => !tax.inclusive).map((tax) => tax.amount));
  const discount = sum(invoice.lines.map(discountOf));
  const total = sum([subtotal, -discount, exclusive]);
  if (Math.abs(total) > MAX_AMOUNT) throw new Refusal('amount_out_of_range', `A total of ${total} is more than an invoice can hold.`);
  const amountDue = Math.max(0, total);
  const amountCredited = Math.min(invoice.amountCredited, amountDue);
  return {
    ...invoice,
    taxes,
    subtotal,
    subtotalExcludingTax: sum([subtotal, -inclusive]),
    tax: sum([inclusive, exclusive]),
    total,
    totalExcludingTax: sum([subtotal, -discount, -inclusive]),
    amountDue,
    amountCredited,
    amountRemaining: sum([amountDue, -amountCredited]),
  };
}
