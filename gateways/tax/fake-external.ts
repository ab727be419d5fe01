import { Refusal } from '../../domain/errors.ts';
import { dividedBy, exact, roundToMinor, times } from '../../domain/money.ts';
import type { TaxAmount } from '../../domain/tax/tax-rate.ts';
import { type TaxCalculationRequest, type TaxCalculator, TaxCalculatorUnavailable, type TaxLine } from './tax-calculator.ts';

/** Standard rates of 2026 in percent, and what they make of 100; a country that is not here has no tax. */
const RATES: Readonly<Record<string, { name: string; percentage: string; gross: string }>> = {
  AT: { name: 'USt', percentage: '20', gross: '120' },
  CH: { name: 'MWST', percentage: '8.1', gross: '108.1' },
  DE: { name: 'USt', percentage: '19', gross: '119' },
  FR: { name: 'TVA', percentage: '20', gross: '120' },
  GB: { name: 'VAT', percentage: '20', gross: '120' },
  IE: { name: 'VAT', percentage: '23', gross: '123' },
  NL: { name: 'BTW', percentage: '21', gross: '121' },
};

/** An address in this country is what the fake engine does not accept. */
export const REFUSED_COUNTRY = 'ZZ';

/** A tax engine somewhere else, as far as the billing engine can tell; it can be down. For tests and demonstrations, never a basis for real taxes. */
export interface FakeTaxCalculator extends TaxCalculator {
  /** The next `times` calls get no answer; without a number, all calls until `up`. */
  down(times?: number): void;
  up(): void;
  /** Calls so far, those without an answer too; for one invoice where given. */
  calls(invoiceId?: string): number;
  /** The invoices of which it keeps a record for its tax return, each once. */
  recorded(): string[];
}

export function fakeTaxCalculator(name = 'fake_external'): FakeTaxCalculator {
  let failing = 0;
  const asked: string[] = [];
  const records = new Set<string>();
  return {
    name,
    down: (count = Number.POSITIVE_INFINITY) => {
      failing = count;
    },
    up: () => {
      failing = 0;
    },
    recorded: () => [...records],
    calls: (invoiceId) => (invoiceId === undefined ? asked.length : asked.filter((id) => id === invoiceId).length),

    async calculate(request, { signal } = {}) {
      asked.push(request.invoiceId);
      if (signal?.aborted) throw new TaxCalculatorUnavailable(name, 'the deadline had passed before the request was sent');
      if (failing > 0) {
        failing -= 1;
        throw new TaxCalculatorUnavailable(name, '503 Service Unavailable');
      }
      const country = request.customerAddress?.country ?? null;
      if (country === REFUSED_COUNTRY) {
        throw new Refusal('parameter_invalid', `The tax calculator ${name} does not accept the country ${country}.`, 'address[country]');
      }
      if (!request.estimate) records.add(request.invoiceId);
      return request.lines.map((line) => taxesOf(line, request, country));
    },
  };
}

function taxesOf(line: TaxLine, request: TaxCalculationRequest, country: string | null): TaxAmount[] {
  const rate = country === null || !Object.hasOwn(RATES, country) ? undefined : RATES[country];
  if (!rate || request.taxExempt !== 'none' || line.amount === 0) return [];
  const inclusive = line.taxBehavior === 'inclusive';
  // Contained in the amount: amount x rate / (100 + rate); on top of it: amount x rate / 100.
  const amount = roundToMinor(dividedBy(times(exact(line.amount), rate.percentage), inclusive ? rate.gross : '100'));
  return [
    {
      taxRateId: null,
      displayName: rate.name,
      percentage: rate.percentage,
      inclusive,
      taxableAmount: inclusive ? line.amount - amount : line.amount,
      amount,
    },
  ];
}
