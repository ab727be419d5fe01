import { Decimal } from 'decimal.js';
import * as iso from 'dinero.js/currencies';
import { Refusal } from './errors.ts';

/**
 * Money is an integer of the currency's minor unit (cents, yen, fils) in a safe integer; prices, quantities and rates are decimal
 * strings. Arithmetic is exact until a line's amount is made, then rounded once, half away from zero, so that credits mirror charges.
 */
const Exact = Decimal.clone({ precision: 60, rounding: Decimal.ROUND_HALF_UP, toExpNeg: -40, toExpPos: 40 });

/** An exact amount that has not been rounded yet. Opaque outside this file; make it with `exact`. */
export type ExactAmount = Decimal;

/** The largest amount of one line, in minor units. A thousand of them still make a safe integer, so sums have room. */
export const MAX_AMOUNT = 999_999_999_999;

export const exact = (value: string | number | ExactAmount): ExactAmount => new Exact(value);
export const plus = (a: ExactAmount, b: ExactAmount): ExactAmount => a.plus(b);
export const minus = (a: ExactAmount, b: ExactAmount): ExactAmount => a.minus(b);
export const times = (a: ExactAmount, b: string | number): ExactAmount => a.times(b);
export const dividedBy = (a: ExactAmount, b: string | number | ExactAmount): ExactAmount => a.dividedBy(b);
/** The next whole number up or down; a whole number stays. */
export const wholeNumber = (a: ExactAmount, round: 'up' | 'down'): ExactAmount =>
  settleDigits(a).toDecimalPlaces(0, round === 'up' ? Decimal.ROUND_CEIL : Decimal.ROUND_FLOOR);
export const exactToString = (a: ExactAmount): string => a.toFixed();

/** Rounded half up to so many decimals, as a decimal string: for quantities that come out of a division. */
export const roundDecimals = (a: ExactAmount, decimals: number): string => a.toDecimalPlaces(decimals, Decimal.ROUND_HALF_UP).toFixed();

/** The one rounding of a line: half away from zero. @throws Refusal amount_out_of_range beyond MAX_AMOUNT. */
export function roundToMinor(value: ExactAmount): number {
  return safe(wholeUnits(value), MAX_AMOUNT);
}

const wholeUnits = (value: ExactAmount): number => settleDigits(value).toDecimalPlaces(0, Decimal.ROUND_HALF_UP).toNumber();

/**
 * Rounds a set of exact amounts so that the parts sum to the rounding of their exact sum (largest remainder, ties to the earlier
 * part). Amounts may have either sign; each part is within one minor unit of its amount, an integral amount stays as it is,
 * and the negated set gives the negated parts. @throws Refusal amount_out_of_range
 */
export function roundTogether(amounts: readonly ExactAmount[]): number[] {
  const settled = amounts.map(settleDigits);
  // Summed before the digits are dropped: what each third lacks would add up to a half that is none.
  const whole = settleDigits(exactSum(amounts));
  // A set and its mirror must round alike, so both are rounded with the leading sign made positive.
  const leading = whole.isZero() ? settled.find((amount) => !amount.isZero()) : whole;
  const sign = leading?.isNegative() ? -1 : 1;
  const mirrored = settled.map((amount) => amount.times(sign));
  const parts = mirrored.map((amount) => safe(amount.floor().toNumber()));
  const order = mirrored
    .map((amount, index) => ({ index, remainder: amount.minus(amount.floor()) }))
    .sort((a, b) => b.remainder.comparedTo(a.remainder) || a.index - b.index);
  const left = wholeUnits(whole.times(sign)) - sum(parts);
  for (const { index } of order.slice(0, left)) parts[index] = (parts[index] ?? 0) + 1;
  return parts.map((part) => (part === 0 ? 0 : sign * part));
}

/** Drops the digits that a division left beyond any real precision, so that x / 1.2 x 1.2 is x again and a half is a half. */
const settleDigits = (value: ExactAmount): ExactAmount => value.toDecimalPlaces(30, Decimal.ROUND_HALF_UP);

/** `value` x numerator / denominator, exact. @throws RangeError when the denominator is not positive. */
export function fractionOf(value: ExactAmount | number | string, numerator: number, denominator: number): ExactAmount {
  if (!(denominator > 0)) throw new RangeError(`a fraction needs a positive denominator, not ${denominator}`);
  return new Exact(value).times(numerator).dividedBy(denominator);
}

/** Checked integer sum. @throws Refusal amount_out_of_range beyond 1000 x MAX_AMOUNT or for what is no integer. */
export function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => safe(total + amount), 0);
}

function safe(amount: number, limit = MAX_AMOUNT * 1000): number {
  if (!Number.isSafeInteger(amount) || Math.abs(amount) > limit) {
    throw new Refusal('amount_out_of_range', `The amount ${amount} is outside what can be billed.`);
  }
  return amount === 0 ? 0 : amount;
}

/**
 * Splits `total` over `weights` by largest remainder; ties go to the earlier part. The parts always sum to `total`, and a
 * negative total mirrors the positive one. Weights must not be negative; all-zero weights give everything to the first part.
 */
export function allocate(total: number, weights: readonly (number | string)[]): number[] {
  if (weights.length === 0) {
    if (total !== 0) throw new RangeError('nothing to allocate to');
    return [];
  }
  const exactWeights = weights.map((weight) => new Exact(weight));
  if (exactWeights.some((weight) => weight.isNegative() && !weight.isZero())) throw new RangeError('a weight is negative');
  const whole = exactWeights.reduce((a, b) => a.plus(b), new Exact(0));
  if (whole.isZero()) return weights.map((_, index) => (index === 0 ? total : 0));
  return roundTogether(exactWeights.map((weight) => weight.times(safe(total)).dividedBy(whole)));
}

/** Exact sum. */
export const exactSum = (values: readonly ExactAmount[]): ExactAmount => values.reduce((a, b) => a.plus(b), new Exact(0));

/** Units of 1/5 in daily life; ISO 4217 gives both two decimals, and so do amounts on the wire. */
const TWO_DECIMALS = ['mga', 'mru'];
/** In the list, yet nothing one can be paid in: fund codes and units of account, and a currency withdrawn on 2026-01-01 (BGN, euro). */
const NOT_MONEY = ['bov', 'che', 'chw', 'cou', 'mxv', 'usn', 'uyi', 'xad', 'bgn'];
const EXPONENTS: ReadonlyMap<string, number> = new Map(
  Object.values(iso)
    .map(({ code, exponent }) => [code.toLowerCase(), TWO_DECIMALS.includes(code.toLowerCase()) ? 2 : exponent] as const)
    // Four decimals belong to units of account only (CLF, UYW).
    .filter(([code, exponent]) => [0, 2, 3].includes(exponent) && !NOT_MONEY.includes(code)),
);

/** Decimals of the currency's minor unit by ISO 4217: 0, 2 or 3. @throws Refusal parameter_invalid for what is no current currency in lower case. */
export function exponentOf(currency: string): number {
  const exponent = EXPONENTS.get(currency);
  if (exponent === undefined) {
    throw new Refusal('parameter_invalid', `Invalid currency: ${currency}. Use a three-letter ISO 4217 code in lower case.`, 'currency');
  }
  return exponent;
}

export const isCurrency = (code: string): boolean => EXPONENTS.has(code);

/** @throws Refusal currency_mismatch */
export function assertSameCurrency(expected: string, given: string, param?: string): void {
  if (expected !== given) {
    throw new Refusal('currency_mismatch', `The currency ${given} does not match ${expected}.`, param);
  }
}

/** "EUR 12.00", for explanations, summaries and logs; not localised. */
export function formatAmount(amount: number, currency: string): string {
  const exponent = exponentOf(currency);
  const digits = new Exact(amount).abs().dividedBy(new Exact(10).pow(exponent)).toFixed(exponent);
  return `${amount < 0 ? '-' : ''}${currency.toUpperCase()} ${digits}`;
}

/** Checks and normalises a decimal string ("010.50" -> "10.5"). Returns null where it is none or has more than `decimals` places. */
export function parseDecimal(text: string, decimals = 12): string | null {
  if (!/^-?\d{1,15}(\.\d+)?$/.test(text)) return null;
  const value = new Exact(text);
  return value.decimalPlaces() > decimals ? null : value.toFixed();
}

export const compareDecimals = (a: string, b: string): number => new Exact(a).comparedTo(new Exact(b));
