import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../domain/errors.ts';
import * as money from '../../domain/money.ts';

const { allocate, exact, exponentOf, formatAmount, fractionOf, isCurrency, MAX_AMOUNT, parseDecimal, roundToMinor, roundTogether, sum } =
  money;

const code = (act: () => unknown): string | undefined => {
  try {
    act();
  } catch (error) {
    return error instanceof Refusal ? error.code : String(error);
  }
  return undefined;
};

const weights = fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 12 });
const amounts = fc.integer({ min: -10_000_000, max: 10_000_000 });
/** Amounts with up to six decimals, either sign. */
const exacts = fc
  .array(fc.integer({ min: -5_000_000_000, max: 5_000_000_000 }), { maxLength: 12 })
  .map((list) => list.map((n) => money.dividedBy(exact(n), 1_000_000)));

describe('rounding', () => {
  test.each([
    ['0.5', 1],
    ['-0.5', -1],
    ['2.5', 3],
    ['-2.5', -3],
    ['0.4999999999', 0],
    ['-0.2', 0],
  ])('%s is rounded half away from zero to %i', (given, expected) => {
    expect(roundToMinor(exact(given))).toBe(expected);
  });

  test('a division and its inverse leave no trace in the rounding', () => {
    expect(roundToMinor(money.times(money.dividedBy(exact('1.5'), 3), 3))).toBe(2);
    expect(roundToMinor(money.times(fractionOf('10.5', 1, 7), 7))).toBe(11);
  });

  test('an amount beyond the limit is refused, never rounded to something near it', () => {
    expect(roundToMinor(exact(MAX_AMOUNT))).toBe(MAX_AMOUNT);
    expect(code(() => roundToMinor(money.plus(exact(MAX_AMOUNT), exact(1))))).toBe('amount_out_of_range');
    expect(code(() => roundToMinor(exact('1e300')))).toBe('amount_out_of_range');
    expect(code(() => sum([0.5]))).toBe('amount_out_of_range');
    expect(code(() => fractionOf(1, 1, 0))).toMatch(/denominator/);
  });

  test('credits mirror charges', () => {
    fc.assert(
      fc.property(amounts, fc.integer({ min: 1, max: 400 }), (amount, days) => {
        const charge = roundToMinor(fractionOf(amount, 7, days));
        expect(roundToMinor(fractionOf(-amount, 7, days))).toBe(charge === 0 ? 0 : -charge);
      }),
    );
  });
});

describe('allocation', () => {
  test('parts sum to the whole, are near their share, and mirror', () => {
    fc.assert(
      fc.property(amounts, weights, (total, parts) => {
        const given = allocate(total, parts);
        expect(sum(given)).toBe(total);
        expect(allocate(-total, parts)).toEqual(given.map((part) => (part === 0 ? 0 : -part)));
        const whole = sum(parts);
        if (whole > 0)
          for (const [index, part] of given.entries()) expect(Math.abs(part - (total * (parts[index] ?? 0)) / whole)).toBeLessThan(1);
      }),
    );
  });

  test('ties go to the earlier part', () => {
    expect(allocate(100, [1, 1, 1])).toEqual([34, 33, 33]);
    expect(allocate(-100, [1, 1, 1])).toEqual([-34, -33, -33]);
    expect(allocate(2, [1, 1, 1])).toEqual([1, 1, 0]);
  });

  test('nothing to weigh by gives all to the first part, nothing to give to is a bug', () => {
    expect(allocate(7, [0, 0])).toEqual([7, 0]);
    expect(allocate(0, [])).toEqual([]);
    expect(() => allocate(1, [])).toThrow(RangeError);
    expect(() => allocate(1, [1, -1])).toThrow(RangeError);
  });

  test('C02: a coupon of 1000 over lines of 10000, 5000, 3000, 2000', () => {
    expect(allocate(1000, [10000, 5000, 3000, 2000])).toEqual([500, 250, 150, 100]);
  });

  test('P19: 500 off over 1000 and 2000 by largest remainder', () => {
    expect(allocate(500, [1000, 2000])).toEqual([167, 333]);
  });
});

describe('rounding together', () => {
  test('parts of either sign sum to the rounded exact sum, stay within one unit, keep whole amounts, and mirror', () => {
    fc.assert(
      fc.property(exacts, (list) => {
        const parts = roundTogether(list);
        expect(sum(parts)).toBe(roundToMinor(money.exactSum(list)));
        parts.forEach((part, index) => {
          const given = list[index] ?? exact(0);
          const apart = Number(money.exactToString(money.minus(given, exact(part))));
          expect(Math.abs(apart)).toBeLessThan(1);
          if (!money.exactToString(given).includes('.')) expect(apart).toBe(0);
        });
        expect(roundTogether(list.map(money.negated))).toEqual(parts.map((part) => (part === 0 ? 0 : -part)));
      }),
    );
  });

  test('a charge and its credit cancel out part by part', () => {
    expect(roundTogether([exact('10.5'), exact('-10.5')])).toEqual([11, -11]);
    expect(roundTogether([exact('-10.5'), exact('10.5')])).toEqual([-11, 11]);
  });
});

describe('currencies', () => {
  test.each([
    ['jpy', 0],
    ['krw', 0],
    ['clp', 0],
    ['isk', 0],
    ['eur', 2],
    ['usd', 2],
    ['huf', 2],
    ['mga', 2],
    ['mru', 2],
    ['bhd', 3],
    ['kwd', 3],
    ['tnd', 3],
  ])('%s has %i decimals', (currency, exponent) => {
    expect(exponentOf(currency)).toBe(exponent);
  });

  test.each([
    'clf',
    'uyw',
    'che',
    'chw',
    'bov',
    'cou',
    'mxv',
    'usn',
    'uyi',
    'xad',
    'hrk',
    'dem',
    'ltl',
    'zwl',
    'ang',
    'bgn',
    'xau',
    'xxx',
    'EUR',
    'euro',
    '',
    'constructor',
  ])('refuses %j', (currency) => {
    expect(isCurrency(currency)).toBe(false);
    expect(code(() => exponentOf(currency))).toBe('parameter_invalid');
  });

  test('an amount is written with its currency and its decimals', () => {
    expect(formatAmount(1200, 'eur')).toBe('EUR 12.00');
    expect(formatAmount(-5, 'eur')).toBe('-EUR 0.05');
    expect(formatAmount(1200, 'jpy')).toBe('JPY 1200');
    expect(formatAmount(1200, 'kwd')).toBe('KWD 1.200');
  });

  test('mixing currencies is refused', () => {
    expect(code(() => money.assertSameCurrency('eur', 'usd'))).toBe('currency_mismatch');
    expect(code(() => money.assertSameCurrency('eur', 'eur'))).toBeUndefined();
  });
});

test.each([
  ['010.50', '10.5'],
  ['-0', '0'],
  ['0.000000000001', '0.000000000001'],
  ['0.0000000000001', null],
  ['1e5', null],
  ['', null],
  ['1.', null],
  ['.5', null],
  ['NaN', null],
  ['1234567890123456', null],
])('the decimal %j is read as %j', (text, expected) => {
  expect(parseDecimal(text)).toBe(expected);
});
