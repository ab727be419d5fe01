import { Decimal } from 'decimal.js';
import * as iso from 'dinero.js/currencies';
import { Refusal } from './errors.ts';

/**
 * Money is an integer of the currency's minor unit (cents, yen, fils) in a safe integer; prices, quantities and rates are decimal
 * strings. Arithmetic is exact until a line's amount is made, then rounded once, half away from zero, so that credits mirror charges.
 */
const Exact = Decimal.clone({ precision: 60, rounding: Decimal.ROUND_HALF_UP, toExpNeg: -40, toExpPos: 40 });

/**
 * A fraction of safe integers, not reduced, its denominator from 1 to MAX_DENOMINATOR: what nearly every amount is, at a small part of the cost of 60 digits. Nothing is ever lost
 * in it, as what does not fit is carried as a Decimal, and both round alike (docs/decisions/0009).
 */
class Ratio {
  readonly numerator: number;
  readonly denominator: number;
  constructor(numerator: number, denominator: number) {
    this.numerator = numerator;
    this.denominator = denominator;
  }
  toString(): string {
    return exactToString(this);
  }
}

/** Two fractions below it that differ, differ by more than a Decimal's 30th decimal. */
const MAX_DENOMINATOR = 1e14;
const POWERS_OF_TEN: readonly number[] = Array.from({ length: 16 }, (_, n) => 10 ** n);

/** An exact amount that has not been rounded yet. Opaque outside this file; make it with `exact`. */
export type ExactAmount = Ratio | Decimal;

/** The largest amount of one line, in minor units. A thousand of them still make a safe integer, so sums have room. */
export const MAX_AMOUNT = 999_999_999_999;

export function exact(value: string | number | ExactAmount): ExactAmount {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? new Ratio(value, 1) : new Exact(value);
  if (typeof value !== 'string') return value;
  return readDigits(value) ?? new Exact(value);
}

/** A plain decimal of at most 15 digits; null for all else, which may still be a number. */
function readDigits(text: string): Ratio | null {
  const first = text.charCodeAt(0) === 45 ? 1 : 0;
  if (text.length - first > 16) return null;
  let numerator = 0;
  let digits = 0;
  let point = -1;
  for (let at = first; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit >= 0 && digit <= 9) {
      numerator = numerator * 10 + digit;
      digits += 1;
    } else if (digit === -2 && point < 0 && digits > 0) point = digits;
    else return null;
  }
  const decimals = point < 0 ? 0 : digits - point;
  if (digits === 0 || digits > 15 || decimals > 14 || point === digits) return null;
  return new Ratio(first === 1 && numerator !== 0 ? -numerator : numerator, POWERS_OF_TEN[decimals] ?? 1);
}

const big = (a: ExactAmount): Decimal => {
  if (!(a instanceof Ratio)) return a;
  return a.denominator === 1 ? new Exact(a.numerator) : new Exact(a.numerator).dividedBy(a.denominator);
};

/** An integer that is not safe has lost digits, and its float is beyond the safe ones too; so is a sum or a product that was none. */
const fits = (numerator: number, denominator: number): boolean =>
  numerator <= Number.MAX_SAFE_INTEGER && numerator >= -Number.MAX_SAFE_INTEGER && denominator <= MAX_DENOMINATOR;

function divisor(a: number, b: number): number {
  let x = Math.abs(a);
  let y = b;
  while (y !== 0) {
    const rest = x % y;
    x = y;
    y = rest;
  }
  return x;
}

export function plus(a: ExactAmount, b: ExactAmount): ExactAmount {
  if (a instanceof Ratio && b instanceof Ratio) {
    if (a.denominator === b.denominator) {
      const numerator = a.numerator + b.numerator;
      if (fits(numerator, a.denominator)) return new Ratio(numerator, a.denominator);
    } else {
      const left = a.numerator * b.denominator;
      const right = b.numerator * a.denominator;
      const denominator = a.denominator * b.denominator;
      if (fits(left, denominator) && fits(right, denominator) && fits(left + right, denominator))
        return new Ratio(left + right, denominator);
    }
  }
  return big(a).plus(big(b));
}

export const negated = (a: ExactAmount): ExactAmount => (a instanceof Ratio ? new Ratio(0 - a.numerator, a.denominator) : a.negated());
export const minus = (a: ExactAmount, b: ExactAmount): ExactAmount => plus(a, negated(b));

function multiplied(a: Ratio, numerator: number, denominator: number): Ratio | null {
  const top = a.numerator * numerator;
  const bottom = a.denominator * denominator;
  if (fits(top, bottom)) return new Ratio(top, bottom);
  const across = divisor(a.numerator, denominator);
  const down = divisor(numerator, a.denominator);
  const reducedTop = (a.numerator / across) * (numerator / down);
  const reducedBottom = (a.denominator / down) * (denominator / across);
  return fits(reducedTop, reducedBottom) ? new Ratio(reducedTop, reducedBottom) : null;
}

export function times(a: ExactAmount, b: string | number | ExactAmount): ExactAmount {
  const factor = exact(b);
  const small = a instanceof Ratio && factor instanceof Ratio ? multiplied(a, factor.numerator, factor.denominator) : null;
  return small ?? big(a).times(big(factor));
}

export function dividedBy(a: ExactAmount, b: string | number | ExactAmount): ExactAmount {
  const by = exact(b);
  const isSmall = a instanceof Ratio && by instanceof Ratio && by.numerator !== 0;
  const small = isSmall ? multiplied(a, Math.sign(by.numerator) * by.denominator, Math.abs(by.numerator)) : null;
  return small ?? big(a).dividedBy(big(by));
}

const signOf = (a: ExactAmount): number => (a instanceof Ratio ? Math.sign(a.numerator) : a.isZero() ? 0 : a.isNegative() ? -1 : 1);
export const isZero = (a: ExactAmount): boolean => signOf(a) === 0;
export const isNegative = (a: ExactAmount): boolean => signOf(a) < 0;

/** Less than 0, 0 or more than 0, as a is below, at or above b. */
function compare(a: ExactAmount, b: ExactAmount): number {
  if (a instanceof Ratio && b instanceof Ratio) {
    if (a.denominator === b.denominator) return Math.sign(a.numerator - b.numerator);
    const left = a.numerator * b.denominator;
    const right = b.numerator * a.denominator;
    if (fits(left, 1) && fits(right, 1)) return Math.sign(left - right);
  }
  return big(a).comparedTo(big(b));
}

/** The whole number at or below. The remainder of safe integers is exact, and so is what it leaves to divide. */
function floorOf(a: ExactAmount): number {
  if (!(a instanceof Ratio)) return settleDigits(a).floor().toNumber();
  const rest = a.numerator % a.denominator;
  return (a.numerator - rest) / a.denominator - (rest < 0 ? 1 : 0);
}

/** The next whole number up or down; a whole number stays. */
export function wholeNumber(a: ExactAmount, round: 'up' | 'down'): ExactAmount {
  if (a instanceof Ratio) return exact(round === 'down' ? floorOf(a) : 0 - floorOf(negated(a)));
  return settleDigits(a).toDecimalPlaces(0, round === 'up' ? Decimal.ROUND_CEIL : Decimal.ROUND_FLOOR);
}

/** Every digit that it has, up to 60 where it has no end. */
export function exactToString(a: ExactAmount): string {
  if (!(a instanceof Ratio)) return a.toFixed();
  if (a.denominator === 1) return String(a.numerator);
  const common = divisor(a.numerator, a.denominator);
  const numerator = a.numerator / common;
  const denominator = a.denominator / common;
  if (denominator === 1) return String(numerator);
  const decimals = POWERS_OF_TEN.findIndex((power) => power % denominator === 0);
  const scaled = decimals < 0 ? Number.NaN : Math.abs(numerator) * ((POWERS_OF_TEN[decimals] ?? 1) / denominator);
  const sign = numerator < 0 ? '-' : '';
  if (!fits(scaled, 1)) return `${sign}${sixtyDigits(Math.abs(numerator), denominator)}`;
  const digits = String(scaled).padStart(decimals + 1, '0');
  return `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** Sixty digits from the first that is not zero, rounded as a Decimal has them. */
function sixtyDigits(numerator: number, denominator: number): string {
  let decimals = 60 - (numerator < denominator ? 0 : String(Math.floor(numerator / denominator)).length);
  for (let ahead = numerator * 10; ahead < denominator; ahead *= 10) decimals += 1;
  const twice = 2n * BigInt(denominator);
  const scaled = (2n * BigInt(numerator) * 10n ** BigInt(decimals) + BigInt(denominator)) / twice;
  const digits = scaled.toString().padStart(decimals + 1, '0');
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`.replace(/0+$/, '');
}

/** Rounded half up to so many decimals, as a decimal string: for quantities that come out of a division. */
export const roundDecimals = (a: ExactAmount, decimals: number): string =>
  a instanceof Ratio && a.denominator === 1 ? String(a.numerator) : big(a).toDecimalPlaces(decimals, Decimal.ROUND_HALF_UP).toFixed();

/** The one rounding of a line: half away from zero. @throws Refusal amount_out_of_range beyond MAX_AMOUNT. */
export function roundToMinor(value: ExactAmount): number {
  return safe(wholeUnits(value), MAX_AMOUNT);
}

function wholeUnits(value: ExactAmount): number {
  if (!(value instanceof Ratio)) return settleDigits(value).toDecimalPlaces(0, Decimal.ROUND_HALF_UP).toNumber();
  const rest = value.numerator % value.denominator;
  const whole = (value.numerator - rest) / value.denominator;
  return 2 * Math.abs(rest) < value.denominator ? whole : whole + Math.sign(rest);
}

/**
 * Rounds a set of exact amounts so that the parts sum to the rounding of their exact sum (largest remainder, ties to the earlier
 * part). Amounts may have either sign; each part is within one minor unit of its amount, an integral amount stays as it is,
 * and the negated set gives the negated parts. @throws Refusal amount_out_of_range
 */
export function roundTogether(amounts: readonly ExactAmount[]): number[] {
  const isSmall = amounts.every((amount) => amount instanceof Ratio);
  const settled = isSmall ? amounts : amounts.map((amount) => settleDigits(big(amount)));
  // Summed before the digits are dropped: what each third lacks would add up to a half that is none.
  const total = exactSum(amounts);
  const whole = total instanceof Ratio ? total : settleDigits(total);
  // A set and its mirror must round alike, so both are rounded with the leading sign made positive.
  const leading = isZero(whole) ? settled.find((amount) => !isZero(amount)) : whole;
  const sign = leading !== undefined && isNegative(leading) ? -1 : 1;
  const mirrored = sign === 1 ? settled : settled.map(negated);
  const parts = mirrored.map((amount) => safe(floorOf(amount)));
  const left = wholeUnits(sign === 1 ? whole : negated(whole)) - sum(parts);
  if (left > 0) {
    const order = mirrored
      .map((amount, index) => ({ index, remainder: minus(amount, exact(parts[index] ?? 0)) }))
      .sort((a, b) => compare(b.remainder, a.remainder) || a.index - b.index);
    for (const { index } of order.slice(0, left)) parts[index] = (parts[index] ?? 0) + 1;
  }
  return parts.map((part) => (part === 0 ? 0 : sign * part));
}

/** Drops the digits that a division left beyond any real precision, so that x / 1.2 x 1.2 is x again and a half is a half. */
const settleDigits = (value: Decimal): Decimal => value.toDecimalPlaces(30, Decimal.ROUND_HALF_UP);

/** `value` x numerator / denominator, exact. @throws RangeError when the denominator is not positive. */
export function fractionOf(value: ExactAmount | number | string, numerator: number, denominator: number): ExactAmount {
  if (!(denominator > 0)) throw new RangeError(`a fraction needs a positive denominator, not ${denominator}`);
  const whole = exact(value);
  const isSmall = whole instanceof Ratio && Number.isSafeInteger(numerator) && Number.isSafeInteger(denominator);
  const small = isSmall ? multiplied(whole, numerator, denominator) : null;
  return small ?? big(whole).times(numerator).dividedBy(denominator);
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
  const exactWeights = weights.map(exact);
  if (exactWeights.some(isNegative)) throw new RangeError('a weight is negative');
  const whole = exactSum(exactWeights);
  if (isZero(whole)) return weights.map((_, index) => (index === 0 ? total : 0));
  return roundTogether(exactWeights.map((weight) => dividedBy(times(weight, safe(total)), whole)));
}

/** Exact sum. */
export const exactSum = (values: readonly ExactAmount[]): ExactAmount => values.reduce(plus, exact(0));

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
  return `${amount < 0 ? '-' : ''}${currency.toUpperCase()} ${fixed(Math.abs(amount), exponent)}`;
}

function fixed(amount: number, exponent: number): string {
  if (!Number.isSafeInteger(amount)) return new Exact(amount).dividedBy(10 ** exponent).toFixed(exponent);
  if (exponent === 0) return String(amount);
  const digits = String(amount).padStart(exponent + 1, '0');
  return `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}

/** Checks and normalises a decimal string ("010.50" -> "10.5"). Returns null where it is none or has more than `decimals` places. */
export function parseDecimal(text: string, decimals = 12): string | null {
  if (!/^-?\d{1,15}(\.\d+)?$/.test(text)) return null;
  const value = exactToString(exact(text));
  const point = value.indexOf('.');
  return point >= 0 && value.length - point - 1 > decimals ? null : value;
}

export const compareDecimals = (a: string, b: string): number => compare(exact(a), exact(b));
