import type { Customer } from '../customer.ts';
import { Refusal } from '../errors.ts';
import { dividedBy, exact, plus, roundTogether, sum, times } from '../money.ts';
import type { TaxAmount, TaxRate } from './tax-rate.ts';

export interface TaxableLine {
  /** Minor units after discounts, negative for a credit. Contains its inclusive taxes. */
  amount: number;
  taxRateIds: readonly string[];
}

/**
 * Taxes of each line, in the order of its rates. The tax of a rate is computed once on the invoice (sum over its lines, rounded
 * half away from zero) and spread back over the lines by largest remainder, so that lines always sum to the invoice; credits
 * mirror charges.
 *
 * Inclusive rates are extracted from the amount: net = amount / (1 + sum of the line's inclusive rates). Exclusive rates are added
 * on top of that net amount, as Stripe does. Exempt and reverse-charge customers get the entries with tax 0, so that the invoice
 * shows the rate and its base; an inclusive price then stays what it is, all of it net.
 *
 * @throws Refusal resource_missing for a rate that is not in `rates`.
 */
export function applyTaxRates(
  lines: readonly TaxableLine[],
  rates: Record<string, TaxRate>,
  options: { taxExempt: Customer['taxExempt'] },
): TaxAmount[][] {
  const rated = lines.map((line) => ({ amount: line.amount, rates: [...new Set(line.taxRateIds)].map((id) => rateOf(rates, id)) }));
  const exempt = options.taxExempt !== 'none';
  const taxOf = new Map<string, number[]>();

  for (const rate of distinct(rated.flatMap((line) => line.rates)).filter((each) => each.inclusive)) {
    taxOf.set(rate.id, exempt ? lines.map(() => 0) : roundTogether(rated.map((line) => inclusiveTax(line, rate))));
  }
  const bases = rated.map((line, index) => line.amount - sum(line.rates.map((rate) => taxOf.get(rate.id)?.[index] ?? 0)));
  for (const rate of distinct(rated.flatMap((line) => line.rates)).filter((each) => !each.inclusive)) {
    const shares = rated.map((line, index) => (line.rates.includes(rate) ? percentOf(bases[index] ?? 0, rate.percentage) : exact(0)));
    taxOf.set(rate.id, exempt ? lines.map(() => 0) : roundTogether(shares));
  }

  return rated.map((line, index) =>
    line.rates.map((rate) => ({
      taxRateId: rate.id,
      displayName: rate.displayName,
      percentage: rate.percentage,
      inclusive: rate.inclusive,
      taxableAmount: bases[index] ?? 0,
      amount: taxOf.get(rate.id)?.[index] ?? 0,
    })),
  );
}

/** The invoice's taxes, one entry per rate in order of first appearance; amounts are the sums over its lines. */
export function sumTaxes(perLine: readonly (readonly TaxAmount[])[]): TaxAmount[] {
  const totals: TaxAmount[] = [];
  for (const tax of perLine.flat()) {
    const total = totals.find((known) => isOneRate(known, tax));
    if (total === undefined) totals.push({ ...tax, taxableAmount: sum([tax.taxableAmount]), amount: sum([tax.amount]) });
    else {
      total.taxableAmount = sum([total.taxableAmount, tax.taxableAmount]);
      total.amount = sum([total.amount, tax.amount]);
    }
  }
  return totals;
}

const isOneRate = (a: TaxAmount, b: TaxAmount): boolean =>
  a.taxRateId === b.taxRateId && a.displayName === b.displayName && a.percentage === b.percentage && a.inclusive === b.inclusive;

/** Which rates tax a line: those of the item, else of the subscription, else of the customer, else of the account; never mixed. */
export function taxRatesFor(
  itemRateIds: readonly string[],
  subscriptionDefaultIds: readonly string[],
  customerDefaultIds: readonly string[],
  accountDefaultIds: readonly string[],
): string[] {
  return [...([itemRateIds, subscriptionDefaultIds, customerDefaultIds, accountDefaultIds].find((ids) => ids.length > 0) ?? [])];
}

interface RatedLine {
  amount: number;
  rates: TaxRate[];
}

function rateOf(rates: Record<string, TaxRate>, id: string): TaxRate {
  const rate = rates[id];
  if (rate === undefined) throw new Refusal('resource_missing', `No such tax rate: ${id}`, 'tax_rates');
  return rate;
}

const distinct = (rates: readonly TaxRate[]): TaxRate[] => [...new Set(rates)];

const percentOf = (amount: number, percentage: string) => dividedBy(times(exact(amount), percentage), 100);

/** amount x p / (100 + all inclusive percentages of the line); exact. */
function inclusiveTax(line: RatedLine, rate: TaxRate) {
  if (!line.rates.includes(rate)) return exact(0);
  const percentages = line.rates.filter((each) => each.inclusive).map((each) => exact(each.percentage));
  return dividedBy(times(exact(line.amount), rate.percentage), percentages.reduce(plus, exact(100)));
}
