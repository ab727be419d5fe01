import type { Customer } from '../customer.ts';
import { allocateSigned, dividedBy, type ExactAmount, exact, exactSum, roundToMinor, times } from '../money.ts';
import type { TaxAmount, TaxRate } from './tax-rate.ts';

export interface TaxableLine {
  /** Minor units; negative for a credit. Includes inclusive taxes, excludes exclusive ones. */
  amount: number;
  taxRateIds: string[];
}

/**
 * Taxes of an invoice by its manual rates: per rate, the taxable amounts of all its lines are summed, the tax of the sum is rounded once (half up, away from
 * zero), and spread back over the lines by largest remainder, so that the lines' taxes add up to the invoice's. Inclusive rates are taken
 * out of the amount (net = gross / (1 + the sum of the line's inclusive rates)); exclusive rates are put on that net, as Stripe does. Minor units.
 * An exempt or reverse-charged customer is shown the rates with a tax of zero.
 * @returns per line, in the order of its rates
 */
export function applyTaxRates(
  lines: readonly TaxableLine[],
  rates: Readonly<Record<string, TaxRate>>,
  options: { taxExempt: Customer['taxExempt'] },
): TaxAmount[][] {
  const perLine: TaxAmount[][] = lines.map(() => []);
  const nets = lines.map((line) => netOf(line, rates));
  const ids = new Set(lines.flatMap((line) => line.taxRateIds));
  for (const id of ids) {
    const rate = rates[id];
    if (!rate) throw new Error(`the tax rate ${id} was not loaded`);
    const taxed = lines.flatMap((line, index) => (line.taxRateIds.includes(id) ? [index] : []));
    const percentage = options.taxExempt === 'none' ? rate.percentage : '0';
    const shares = taxed.map((index) => dividedBy(times(nets[index] ?? exact(0), percentage), 100));
    const amounts = allocateSigned(roundToMinor(exactSum(shares)), shares);
    taxed.forEach((index, position) => {
      perLine[index]?.push({
        taxRateId: id,
        displayName: rate.displayName,
        percentage: rate.percentage,
        inclusive: rate.inclusive,
        taxableAmount: roundToMinor(nets[index] ?? exact(0)),
        amount: amounts[position] ?? 0,
      });
    });
  }
  return perLine.map((taxes, index) => sortedBy(taxes, lines[index]?.taxRateIds ?? []));
}

function netOf(line: TaxableLine, rates: Readonly<Record<string, TaxRate>>): ExactAmount {
  const inclusive = line.taxRateIds.flatMap((id) => (rates[id]?.inclusive ? [exact(rates[id].percentage)] : []));
  if (inclusive.length === 0) return exact(line.amount);
  return dividedBy(times(exact(line.amount), 100), exactSum([exact(100), ...inclusive]).toString());
}

const sortedBy = (taxes: TaxAmount[], ids: string[]): TaxAmount[] =>
  taxes.toSorted((a, b) => ids.indexOf(a.taxRateId ?? '') - ids.indexOf(b.taxRateId ?? ''));

/** The invoice's taxes: one amount per rate (by id, or name and percentage where an external engine knows no id), in order of appearance. */
export function sumTaxes(perLine: readonly TaxAmount[][]): TaxAmount[] {
  const totals = new Map<string, TaxAmount>();
  for (const tax of perLine.flat()) {
    const key = JSON.stringify([tax.taxRateId ?? tax.displayName, tax.percentage, tax.inclusive]);
    const known = totals.get(key);
    totals.set(key, known ? { ...known, taxableAmount: known.taxableAmount + tax.taxableAmount, amount: known.amount + tax.amount } : tax);
  }
  return [...totals.values()];
}

/** The rates that apply to a line: the first level that names any, item before subscription before customer before account. */
export const taxRatesFor = (item: string[], subscription: string[], customer: string[], account: string[]): string[] =>
  [item, subscription, customer, account].find((ids) => ids.length > 0) ?? [];
