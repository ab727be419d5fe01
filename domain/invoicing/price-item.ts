import type { BillingSnapshot } from '../billing-snapshot.ts';
import { findPrice } from '../catalog/find-price.ts';
import type { Price } from '../catalog/price.ts';
import { currencyFor, priceIn } from '../catalog/price-in.ts';
import { Refusal } from '../errors.ts';
import { exact, exactToString, formatAmount, times } from '../money.ts';
import { chargeOnce } from '../rating/prorate.ts';
import { formatUnitAmount, isQuantity, MAX_QUANTITY, roundLine } from '../rating/round-line.ts';
import { explainOneTime } from './describe-line.ts';
import type { Explanation, InvoiceItem } from './invoice.ts';

/** What an item costs, in one of three ways: an amount as given, a one-time price, or an amount per unit; the last two times a quantity. */
export interface ItemPrice {
  /** Minor units of `currency`; negative for a credit. */
  amount?: number;
  priceId?: string;
  /** Minor units with at most 12 decimals, as a decimal string; negative for a credit. */
  unitAmountDecimal?: string;
  quantity?: string;
  currency?: string;
}

type Priced = Pick<InvoiceItem['line'], 'priceId' | 'productId' | 'quantity' | 'unitAmountDecimal' | 'currency' | 'amount' | 'explanation'>;

/** The params of Stripe's by which a price is told; each excludes the others. */
const WAYS = [
  ['amount', 'amount'],
  ['priceId', 'pricing[price]'],
  ['unitAmountDecimal', 'unit_amount_decimal'],
] as const;

/**
 * The money of an item, rounded once, half up. `name`: what Stripe calls an item that has no description of its own. A price that is sold in several currencies is taken in
 * the one that is given, else in `usual` (that of the invoice, the subscription or the customer), else in its own.
 * @throws Refusal parameter_missing, parameter_invalid, resource_missing, price_inactive, currency_mismatch, amount_out_of_range
 */
export function priceItem(
  snapshot: BillingSnapshot,
  given: ItemPrice,
  { itemId, usual }: { itemId: string; usual: string | null },
): { priced: Priced; name: string } {
  const ways = WAYS.filter(([key]) => given[key] !== undefined);
  const second = ways[1];
  if (second)
    throw new Refusal(
      'parameter_invalid',
      `You may only specify one of these parameters: ${ways.map(([, param]) => param).join(', ')}.`,
      second[1],
    );
  if (ways.length === 0)
    throw new Refusal('parameter_missing', 'Missing required param: amount, pricing[price] or unit_amount_decimal.', 'amount');
  if (given.amount !== undefined) {
    if (given.quantity !== undefined)
      throw new Refusal('parameter_invalid', 'An amount is not multiplied: send unit_amount_decimal with a quantity.', 'quantity');
    const currency = required(given.currency);
    return { priced: asGiven(roundLine(exact(given.amount)), currency), name: '' };
  }
  const quantity = given.quantity ?? '1';
  if (!isQuantity(quantity))
    throw new Refusal(
      'parameter_invalid',
      `Invalid quantity: ${quantity}. It must be a whole number from 0 to ${MAX_QUANTITY}.`,
      'quantity',
    );
  if (given.priceId === undefined) {
    return { priced: perUnit(given.unitAmountDecimal ?? '0', quantity, required(given.currency)), name: '' };
  }
  const { price, product } = findPrice(snapshot, given.priceId, 'pricing[price]');
  if (!price.active && price.madeFor !== itemId)
    throw new Refusal('price_inactive', 'The price specified is inactive. This field only accepts active prices.', 'pricing[price]');
  if (price.recurring) {
    throw new Refusal(
      'parameter_invalid',
      'The price specified is recurring, but this field only accepts one-time prices.',
      'pricing[price]',
    );
  }
  const currency = currencyFor(price, given.currency, usual);
  return { priced: atPrice(priceIn(price, currency, 'currency'), quantity), name: product.name };
}

function atPrice(price: Price, quantity: string): Priced {
  const charge = chargeOnce(price, quantity);
  const { id: priceId, productId, unitAmountDecimal, currency } = price;
  const explanation = explainOneTime(price, quantity, charge, 'quantity');
  return { priceId, productId, quantity, unitAmountDecimal, currency, amount: charge.amount, explanation };
}

/** The same unit price for another quantity. @throws Refusal parameter_invalid where the item is an amount as given */
export function requantify({ prices }: BillingSnapshot, line: InvoiceItem['line'], quantity: string): Priced {
  const price = line.priceId === null ? undefined : prices[line.priceId];
  if (line.unitAmountDecimal === null && price === undefined)
    throw new Refusal('parameter_invalid', 'This invoice item is an amount and has no quantity.', 'quantity');
  if (!isQuantity(quantity))
    throw new Refusal(
      'parameter_invalid',
      `Invalid quantity: ${quantity}. It must be a whole number from 0 to ${MAX_QUANTITY}.`,
      'quantity',
    );
  if (price !== undefined) return atPrice(priceIn(price, line.currency), quantity);
  return { ...perUnit(line.unitAmountDecimal ?? '0', quantity, line.currency), priceId: line.priceId, productId: line.productId };
}

function required(currency: string | undefined): string {
  if (currency === undefined) throw new Refusal('parameter_missing', 'Missing required param: currency.', 'currency');
  return currency;
}

const asGiven = (amount: number, currency: string): Priced => ({
  priceId: null,
  productId: null,
  quantity: '1',
  unitAmountDecimal: null,
  currency,
  amount,
  explanation: explain('one_time', `${formatAmount(amount, currency)}, as given`, String(amount)),
});

function perUnit(unitAmountDecimal: string, quantity: string, currency: string): Priced {
  const whole = times(exact(unitAmountDecimal), quantity);
  const amount = roundLine(whole);
  const sentence = `${formatUnitAmount(unitAmountDecimal, currency)} x ${quantity} = ${formatAmount(amount, currency)}`;
  return {
    priceId: null,
    productId: null,
    quantity,
    unitAmountDecimal,
    currency,
    amount,
    explanation: { ...explain('quantity', sentence, exactToString(whole)), unitAmountDecimal, quantity },
  };
}

const explain = (rule: Explanation['rule'], sentence: string, exactAmount: string): Explanation => ({
  sentence,
  rule,
  unitAmountDecimal: null,
  quantity: null,
  fraction: null,
  exact: exactAmount,
  rounding: 'half_up',
  notes: [],
});
