import { Refusal } from '../errors.ts';
import { dividedBy, type ExactAmount, exact, exactToString, exponentOf, formatAmount, MAX_AMOUNT, roundToMinor } from '../money.ts';

/** Seats and the like are whole numbers below this; keeps price x quantity inside exact arithmetic and a bigint column. */
export const MAX_QUANTITY = 999_999_999;

/** The one rounding of a line (half up, away from zero). @throws Refusal amount_out_of_range where a single line is beyond MAX_AMOUNT. */
export function roundLine(value: ExactAmount): number {
  const amount = roundToMinor(value);
  if (Math.abs(amount) > MAX_AMOUNT) throw new Refusal('amount_out_of_range', `A line of ${amount} is more than an invoice can hold.`);
  return amount;
}

/** @returns whether `text` is a quantity of a per-seat price: a whole number, 0 to MAX_QUANTITY. */
export const isQuantity = (text: string): boolean => /^\d{1,9}$/.test(text);

/** "EUR 20.00", with more decimals only where the price has them ("EUR 0.0125"). `unitAmountDecimal` is in minor units. */
export function formatUnitAmount(unitAmountDecimal: string, currency: string): string {
  if (/^\d{1,15}$/.test(unitAmountDecimal)) return formatAmount(Number(unitAmountDecimal), currency);
  const exponent = exponentOf(currency);
  const [whole = '0', decimals = ''] = exactToString(dividedBy(exact(unitAmountDecimal), 10 ** exponent)).split('.');
  const shown = decimals.padEnd(exponent, '0');
  return `${currency.toUpperCase()} ${whole}${shown === '' ? '' : `.${shown}`}`;
}
