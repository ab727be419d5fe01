import { describe, expect, it } from 'vitest';
import { type TaxCalculationRequest, type TaxCalculator, TaxCalculatorUnavailable } from '../../gateways/tax/tax-calculator.ts';

export interface TaxContractSetup {
  make(): TaxCalculator;
  /** Takes the engine behind a calculator of `make` away, for its next `times` calls. */
  takeDown(calculator: TaxCalculator, times: number): void;
  /** A country where the engine knows a tax on top of every amount used here. */
  taxedCountry: string;
}

const address = (country: string) => ({ line1: null, line2: null, city: null, state: null, postalCode: null, country });
const period = { start: 1_798_761_600, end: 1_801_440_000 };

export const taxRequest = (country: string, overrides: Partial<TaxCalculationRequest> = {}): TaxCalculationRequest => ({
  invoiceId: 'in_1',
  currency: 'eur',
  sellerAddress: address('DE'),
  customerAddress: address(country),
  taxExempt: 'none',
  taxIds: [],
  lines: [
    { id: 'il_1', amount: 1000, taxBehavior: 'exclusive', productId: 'prod_1', period },
    { id: 'il_2', amount: -250, taxBehavior: 'exclusive', productId: 'prod_1', period },
    { id: 'il_3', amount: 0, taxBehavior: 'exclusive', productId: null, period },
    { id: 'il_4', amount: 1190, taxBehavior: 'inclusive', productId: 'prod_2', period },
  ],
  asOf: 1_798_761_600,
  ...overrides,
});

/** What every TaxCalculator must do. */
export function describeTaxContract(name: string, setup: TaxContractSetup): void {
  describe(`tax calculator contract: ${name}`, () => {
    it('answers one list per line, in the order of the lines', async () => {
      const taxes = await setup.make().calculate(taxRequest(setup.taxedCountry));
      expect(taxes).toHaveLength(4);
      expect(taxes[0]?.length).toBeGreaterThan(0);
      expect(taxes[2]?.reduce((total, tax) => total + tax.amount, 0)).toBe(0);
    });

    it('answers in whole minor units with the sign of the line', async () => {
      const [charge, credit] = await setup.make().calculate(taxRequest(setup.taxedCountry));
      for (const tax of [...(charge ?? []), ...(credit ?? [])]) expect(Number.isSafeInteger(tax.amount)).toBe(true);
      expect(charge?.every((tax) => tax.amount > 0 && tax.taxableAmount === 1000)).toBe(true);
      expect(credit?.every((tax) => tax.amount < 0 && tax.taxableAmount === -250)).toBe(true);
    });

    it('takes an inclusive tax out of the amount', async () => {
      const inclusive = (await setup.make().calculate(taxRequest(setup.taxedCountry)))[3] ?? [];
      expect(inclusive.length).toBeGreaterThan(0);
      const tax = inclusive.reduce((total, part) => total + part.amount, 0);
      for (const part of inclusive) {
        expect(part.inclusive).toBe(true);
        expect(part.taxableAmount).toBe(1190 - tax);
      }
    });

    it('gives the same answer to the same request', async () => {
      const calculator = setup.make();
      const request = taxRequest(setup.taxedCountry);
      expect(await calculator.calculate(request)).toEqual(await calculator.calculate(request));
    });

    it('estimates what it would be now, and leaves what it has said of the invoice as it was', async () => {
      const calculator = setup.make();
      const request = taxRequest(setup.taxedCountry);
      const said = await calculator.calculate(request);
      const exempt = await calculator.calculate({ ...request, taxExempt: 'exempt', estimate: true });
      expect(exempt.flat().reduce((total, tax) => total + tax.amount, 0)).toBe(0);
      expect(await calculator.calculate({ ...request, estimate: true })).toEqual(said);
      expect(await calculator.calculate(request)).toEqual(said);
    });

    it('charges an exempt customer nothing', async () => {
      const taxes = await setup.make().calculate(taxRequest(setup.taxedCountry, { taxExempt: 'exempt' }));
      expect(taxes.flat().reduce((total, tax) => total + tax.amount, 0)).toBe(0);
    });

    it('says that it is unavailable, and answers when it is back', async () => {
      const calculator = setup.make();
      setup.takeDown(calculator, 2);
      const request = taxRequest(setup.taxedCountry);
      await expect(calculator.calculate(request)).rejects.toBeInstanceOf(TaxCalculatorUnavailable);
      await expect(calculator.calculate(request)).rejects.toBeInstanceOf(TaxCalculatorUnavailable);
      expect(await calculator.calculate(request)).toHaveLength(4);
    });

    it('does not outlive the deadline of its caller', async () => {
      const calculator = setup.make();
      await expect(calculator.calculate(taxRequest(setup.taxedCountry), { signal: AbortSignal.abort() })).rejects.toBeInstanceOf(
        TaxCalculatorUnavailable,
      );
    });
  });
}
