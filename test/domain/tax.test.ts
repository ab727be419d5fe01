import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dividedBy, exact, fractionOf, roundToMinor, sum, times } from '../../domain/money.ts';
import { applyTaxRates, sumTaxes, taxRatesFor } from '../../domain/tax/apply-tax-rates.ts';
import type { TaxRate } from '../../domain/tax/tax-rate.ts';

const rate = (id: string, percentage: string, inclusive = false): TaxRate => ({
  id,
  displayName: id,
  description: null,
  percentage,
  inclusive,
  active: true,
  country: null,
  state: null,
  jurisdiction: null,
  taxType: null,
  metadata: {},
  createdAt: 0,
});
const RATES = Object.fromEntries(
  [
    rate('vat', '20'),
    rate('sales', '8.25'),
    rate('county', '1.5'),
    rate('zero', '0'),
    rate('in20', '20', true),
    rate('in5', '5', true),
  ].map((each) => [each.id, each]),
);
const line = (amount: number, ...taxRateIds: string[]) => ({ amount, taxRateIds });
const NONE = { taxExempt: 'none' } as const;
const taxesOf = (lines: ReturnType<typeof line>[], taxExempt: 'none' | 'exempt' | 'reverse' = 'none') =>
  applyTaxRates(lines, RATES, { taxExempt });
const amountsOf = (lines: ReturnType<typeof line>[]) => taxesOf(lines).map((taxes) => taxes.map((tax) => tax.amount));

describe('exclusive rates', () => {
  test('N02: 6833 twice at 20 % is 2733 on the invoice, 1367 and 1366 on the lines', () => {
    const perLine = taxesOf([line(6833, 'vat'), line(6833, 'vat')]);
    expect(perLine.map(([tax]) => tax?.amount)).toEqual([1367, 1366]);
    expect(sumTaxes(perLine)).toMatchObject([{ taxRateId: 'vat', taxableAmount: 13666, amount: 2733 }]);
  });

  test.each([
    [20000, '25', 29, 30, 19333, 4833],
    [16000, '25', 29, 30, 15467, 3867],
    [2999, '23.33', 6, 7, 2571, 600],
  ])('N01: the credit of %i at %s %%, %i of %i unused, is %i net and %i tax, negative', (fee, percentage, unused, of, net, tax) => {
    const credit = roundToMinor(fractionOf(-fee, unused, of));
    expect(credit).toBe(-net);
    expect(applyTaxRates([line(credit, 'r')], { r: rate('r', percentage) }, NONE)[0]?.[0]?.amount).toBe(-tax);
  });

  test('C04: 3500 less 10 % at 8.25 % is 260 tax; at 20 % undiscounted 4200 in all; nothing when reverse-charged', () => {
    expect(amountsOf([line(3500 - 350, 'sales')])).toEqual([[260]]);
    expect(3500 + sum(amountsOf([line(3500, 'vat')]).flat())).toBe(4200);
    expect(taxesOf([line(3500, 'vat')], 'reverse')[0]?.[0]?.amount).toBe(0);
  });

  test('C02: discounted lines 9500, 4750, 2850, 1900 at 10, 0, 20, 20 % are taxed 950, 0, 570, 380', () => {
    const rates = { ten: rate('ten', '10'), ...RATES };
    const lines = [line(9500, 'ten'), line(4750, 'zero'), line(2850, 'vat'), line(1900, 'vat')];
    expect(applyTaxRates(lines, rates, NONE).map(([tax]) => tax?.amount)).toEqual([950, 0, 570, 380]);
  });

  test('two rates on a line are each computed on the net, in the order of the line', () => {
    expect(taxesOf([line(1000, 'county', 'vat')])[0]?.map(({ taxRateId, amount }) => [taxRateId, amount])).toEqual([
      ['county', 15],
      ['vat', 200],
    ]);
  });

  test('a rate named twice is applied once, and a line without rates is not taxed', () => {
    expect(amountsOf([line(1000, 'vat', 'vat'), line(500)])).toEqual([[200], []]);
  });

  test('a credit with a charge: the tax of the invoice is that of the difference', () => {
    const perLine = taxesOf([line(-1613, 'sales'), line(4839, 'sales'), line(7, 'sales')]);
    expect(sumTaxes(perLine)[0]?.amount).toBe(roundToMinor(fractionOf(3233, 825, 10_000)));
    expect(perLine[0]?.[0]?.amount).toBeLessThan(0);
  });

  test('P21: credits of 1161.29 gross as net 968 and its tax: rounded per rate on the invoice', () => {
    expect(applyTaxRates([line(-968, 'q')], { q: rate('q', '25') }, NONE)[0]?.[0]?.amount).toBe(-242);
  });
});

describe('inclusive rates', () => {
  test('are taken out of the amount', () => {
    expect(taxesOf([line(1200, 'in20')])).toEqual([
      [{ taxRateId: 'in20', displayName: 'in20', percentage: '20', inclusive: true, taxableAmount: 1000, amount: 200 }],
    ]);
    expect(amountsOf([line(-1200, 'in20')])).toEqual([[-200]]);
  });

  test('several on a line share the base: 125 with 20 % and 5 % is 100 and 20 and 5', () => {
    expect(taxesOf([line(125, 'in20', 'in5')])[0]).toMatchObject([
      { amount: 20, taxableAmount: 100 },
      { amount: 5, taxableAmount: 100 },
    ]);
  });

  test('exclusive rates are put on the amount net of them', () => {
    expect(taxesOf([line(1200, 'in20', 'county')])[0]).toMatchObject([{ amount: 200 }, { amount: 15, taxableAmount: 1000 }]);
  });

  test('an exempt customer pays the price as it is, with the rates shown at nothing', () => {
    expect(taxesOf([line(1200, 'in20', 'county')], 'exempt')[0]).toMatchObject([
      { percentage: '20', amount: 0, taxableAmount: 1200 },
      { percentage: '1.5', amount: 0, taxableAmount: 1200 },
    ]);
  });
});

test('an unknown rate is refused', () => {
  expect(() => taxesOf([line(1, 'gone')])).toThrow(expect.objectContaining({ code: 'resource_missing' }));
});

test('the first level that names rates decides', () => {
  expect(taxRatesFor(['a'], ['b'], ['c'], ['d'])).toEqual(['a']);
  expect(taxRatesFor([], ['b'], ['c'], ['d'])).toEqual(['b']);
  expect(taxRatesFor([], [], ['c'], ['d'])).toEqual(['c']);
  expect(taxRatesFor([], [], [], ['d'])).toEqual(['d']);
  expect(taxRatesFor([], [], [], [])).toEqual([]);
});

test('taxes of an external engine without rate ids are summed by name and percentage', () => {
  const tax = (displayName: string, amount: number) => ({
    taxRateId: null,
    displayName,
    percentage: '7',
    inclusive: false,
    taxableAmount: 100,
    amount,
  });
  expect(sumTaxes([[tax('State', 7), tax('City', 1)], [tax('State', 7)]]).map(({ displayName, amount }) => [displayName, amount])).toEqual([
    ['State', 14],
    ['City', 1],
  ]);
});

const lines = fc.array(
  fc.record({
    amount: fc.integer({ min: -1_000_000, max: 1_000_000 }),
    taxRateIds: fc.uniqueArray(fc.constantFrom(...Object.keys(RATES)), { maxLength: 4 }),
  }),
  { maxLength: 10 },
);

test('property: each rate on the invoice is its base times its percentage rounded once, and lines sum to it', () => {
  fc.assert(
    fc.property(lines, (given) => {
      const perLine = applyTaxRates(given, RATES, NONE);
      for (const total of sumTaxes(perLine).filter((each) => !each.inclusive)) {
        expect(total.amount).toBe(roundToMinor(dividedBy(times(exact(total.taxableAmount), total.percentage), 100)));
      }
      perLine.forEach((taxes, index) => {
        const inclusive = sum(taxes.filter((tax) => tax.inclusive).map((tax) => tax.amount));
        for (const tax of taxes) expect(tax.taxableAmount + inclusive).toBe(given[index]?.amount);
      });
    }),
  );
});

test('property: an invoice and its whole reversal have opposite taxes, line by line', () => {
  fc.assert(
    fc.property(lines, (given) => {
      const mirrored = given.map((each) => ({ ...each, amount: -each.amount }));
      expect(
        applyTaxRates(mirrored, RATES, NONE)
          .flat()
          .map((tax) => -tax.amount + 0),
      ).toEqual(
        applyTaxRates(given, RATES, NONE)
          .flat()
          .map((tax) => tax.amount),
      );
    }),
  );
});

test('property: with a single inclusive rate the invoice extracts the tax of the sum', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -100_000, max: 100_000 }), { maxLength: 10 }), (amounts) => {
      const perLine = applyTaxRates(
        amounts.map((amount) => line(amount, 'in20')),
        RATES,
        NONE,
      );
      expect(sum(perLine.flat().map((tax) => tax.amount))).toBe(roundToMinor(fractionOf(sum(amounts), 20, 120)));
    }),
  );
});
