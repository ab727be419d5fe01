import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import * as money from '../../domain/money.ts';

/** The same arithmetic with 60 digits throughout, each rounding after the digits that a division left are dropped at the 30th decimal. */
const Digits = Decimal.clone({ precision: 60, rounding: Decimal.ROUND_HALF_UP, toExpNeg: -40, toExpPos: 40 });
const settled = (value: Decimal): Decimal => value.toDecimalPlaces(30, Decimal.ROUND_HALF_UP);
const rounded = (value: Decimal): number => settled(value).toDecimalPlaces(0, Decimal.ROUND_HALF_UP).toNumber() + 0;

function roundedTogether(amounts: readonly Decimal[]): number[] {
  const exacts = amounts.map(settled);
  const whole = settled(amounts.reduce((a, b) => a.plus(b), new Digits(0)));
  const leading = whole.isZero() ? exacts.find((amount) => !amount.isZero()) : whole;
  const sign = leading?.isNegative() ? -1 : 1;
  const mirrored = exacts.map((amount) => amount.times(sign));
  const parts = mirrored.map((amount) => amount.floor().toNumber());
  const order = mirrored
    .map((amount, index) => ({ index, rest: amount.minus(amount.floor()) }))
    .sort((a, b) => b.rest.comparedTo(a.rest) || a.index - b.index);
  const left = rounded(whole.times(sign)) - parts.reduce((a, b) => a + b, 0);
  for (const { index } of order.slice(0, left)) parts[index] = (parts[index] ?? 0) + 1;
  return parts.map((part) => sign * part + 0);
}

const decimal = (digits: number, decimals: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.bigInt({ min: -(10n ** BigInt(digits)), max: 10n ** BigInt(digits) }), fc.integer({ min: 0, max: decimals }))
    .map(([value, places]) => {
      const text = String(value < 0n ? -value : value).padStart(places + 1, '0');
      return `${value < 0n ? '-' : ''}${places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`}`;
    });
/** From what a daily price has to what is far beyond any price: 27 digits, of which up to 12 are decimals. */
const numbers = fc.oneof(
  decimal(3, 2),
  decimal(9, 4),
  decimal(15, 12),
  decimal(27, 12),
  fc.constantFrom('0', '0.5', '-0.5', '1.5', '2.50', '-2.5', '010.50', '-0', '0.000000000001', '999999999999999', '9007199254740993'),
);
const positive = fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 40_000_000 }), fc.integer({ min: 1, max: 2 ** 52 }));
/** Halves, thirds and shares of a period. */
const shares = fc.tuple(numbers, fc.oneof(fc.nat(400), fc.nat(40_000_000)), positive);
const runs = { numRuns: 1000 };
const inRange = (value: Decimal): boolean => value.abs().lessThanOrEqualTo(money.MAX_AMOUNT);

test('a share of price x quantity is rounded and written as with 60 digits', () => {
  fc.assert(
    fc.property(numbers, shares, (price, [quantity, numerator, denominator]) => {
      const given = money.fractionOf(money.times(money.exact(price), quantity), numerator, denominator);
      const wanted = new Digits(price).times(quantity).times(numerator).dividedBy(denominator);
      expect(money.exactToString(given)).toBe(wanted.toFixed());
      expect(money.roundDecimals(given, 12)).toBe(wanted.toDecimalPlaces(12).toFixed());
      for (const round of ['up', 'down'] as const) {
        const whole = settled(wanted).toDecimalPlaces(0, round === 'up' ? Decimal.ROUND_CEIL : Decimal.ROUND_FLOOR);
        expect(money.exactToString(money.wholeNumber(given, round))).toBe(whole.toFixed());
      }
      if (inRange(wanted)) expect(money.roundToMinor(given)).toBe(rounded(wanted));
    }),
    runs,
  );
});

test('sums, differences and comparisons are those of 60 digits', () => {
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      expect(money.exactToString(money.plus(money.exact(a), money.exact(b)))).toBe(new Digits(a).plus(b).toFixed());
      expect(money.exactToString(money.minus(money.exact(a), money.exact(b)))).toBe(new Digits(a).minus(b).toFixed());
      expect(money.exactToString(money.negated(money.exact(a)))).toBe(new Digits(a).negated().toFixed());
      expect(money.compareDecimals(a, b) + 0).toBe(new Digits(a).comparedTo(b) + 0);
      expect(money.isZero(money.exact(a))).toBe(new Digits(a).isZero());
      expect(money.exactToString(money.exact(a))).toBe(new Digits(a).toFixed());
    }),
    runs,
  );
});

test('shares are rounded together as with 60 digits', () => {
  fc.assert(
    fc.property(fc.array(shares, { maxLength: 8 }), (list) => {
      const wanted = list.map(([value, numerator, denominator]) => new Digits(value).times(numerator).dividedBy(denominator));
      fc.pre(wanted.every(inRange));
      const given = list.map(([value, numerator, denominator]) => money.fractionOf(value, numerator, denominator));
      expect(money.roundTogether(given)).toEqual(roundedTogether(wanted));
    }),
    runs,
  );
});

test('a percentage of an amount that contains it is rounded as with 60 digits', () => {
  const percentages = fc.array(
    decimal(7, 4).map((text) => text.replace('-', '')),
    { minLength: 1, maxLength: 3 },
  );
  fc.assert(
    fc.property(fc.integer({ min: -money.MAX_AMOUNT, max: money.MAX_AMOUNT }), percentages, (amount, all) => {
      const [own = '0'] = all;
      const given = money.dividedBy(money.times(money.exact(amount), own), all.map(money.exact).reduce(money.plus, money.exact(100)));
      const wanted = new Digits(amount).times(own).dividedBy(all.reduce((sum, each) => sum.plus(each), new Digits(100)));
      expect(money.roundToMinor(given)).toBe(rounded(wanted));
    }),
    runs,
  );
});

test('amounts are spread over weights as with 60 digits', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -money.MAX_AMOUNT, max: money.MAX_AMOUNT }),
      fc.array(
        fc.oneof(
          fc.nat(1000),
          fc.nat(2 ** 50),
          decimal(9, 6).map((text) => text.replace('-', '')),
        ),
        { minLength: 1, maxLength: 8 },
      ),
      (total, weights) => {
        const whole = weights.reduce<Decimal>((sum, weight) => sum.plus(weight), new Digits(0));
        fc.pre(!whole.isZero());
        const wanted = roundedTogether(weights.map((weight) => new Digits(weight).times(total).dividedBy(whole)));
        expect(money.allocate(total, weights)).toEqual(wanted);
      },
    ),
    runs,
  );
});
