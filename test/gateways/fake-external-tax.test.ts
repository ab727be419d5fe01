import { describe, expect, it } from 'vitest';
import { type FakeTaxCalculator, fakeTaxCalculator, REFUSED_COUNTRY } from '../../gateways/tax/fake-external.ts';
import { taxCalculator, taxCalculatorRegistry } from '../../gateways/tax/registry.ts';
import { describeTaxContract, taxRequest } from './tax-contract.ts';

describeTaxContract('fake external', {
  make: () => fakeTaxCalculator(),
  takeDown: (calculator, times) => (calculator as FakeTaxCalculator).down(times),
  taxedCountry: 'DE',
});

describe('fake external tax calculator', () => {
  it('rounds each line half away from zero', async () => {
    const line = { id: 'il_1', taxBehavior: 'exclusive', productId: null, period: { start: 0, end: 1 } } as const;
    const request = taxRequest('AT', {
      lines: [
        { ...line, amount: 1002 },
        { ...line, amount: -1003 },
        { ...line, amount: 2 },
      ],
    });
    const taxes = await fakeTaxCalculator().calculate(request);
    // 200.4, -200.6 and 0.4
    expect(taxes.map(([tax]) => tax?.amount)).toEqual([200, -201, 0]);
  });

  it('knows 190 of 1190 as the German tax contained in it', async () => {
    const taxes = await fakeTaxCalculator().calculate(taxRequest('DE'));
    expect(taxes[3]).toEqual([
      { taxRateId: null, displayName: 'USt', percentage: '19', inclusive: true, taxableAmount: 1000, amount: 190 },
    ]);
  });

  it('taxes nobody abroad, and refuses an address it does not accept', async () => {
    expect((await fakeTaxCalculator().calculate(taxRequest('US'))).flat()).toEqual([]);
    await expect(fakeTaxCalculator().calculate(taxRequest(REFUSED_COUNTRY))).rejects.toMatchObject({ code: 'parameter_invalid' });
  });

  it('stays down until it is told to be up, and counts the calls', async () => {
    const calculator = fakeTaxCalculator();
    calculator.down();
    await expect(calculator.calculate(taxRequest('DE'))).rejects.toThrow('503');
    await expect(calculator.calculate(taxRequest('DE'))).rejects.toThrow('503');
    calculator.up();
    await calculator.calculate(taxRequest('DE', { invoiceId: 'in_2' }));
    expect([calculator.calls(), calculator.calls('in_1'), calculator.calls('in_2')]).toEqual([3, 2, 1]);
  });

  it('is found by name and may not take the name of the built-in one', () => {
    const calculator = fakeTaxCalculator();
    expect(taxCalculator(taxCalculatorRegistry([calculator]), 'fake_external')).toBe(calculator);
    expect(() => taxCalculator({}, 'fake_external')).toThrow('knows no tax calculator');
    expect(() => taxCalculatorRegistry([calculator, calculator])).toThrow('two tax calculators');
    expect(() => taxCalculatorRegistry([fakeTaxCalculator('manual')])).toThrow('built-in');
  });
});
