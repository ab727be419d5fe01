import { Refusal } from '../errors.ts';
import type { Price } from './price.ts';

/** Whether the price is sold in the currency. */
export const isSoldIn = (price: Price, currency: string): boolean => price.currency === currency || currency in price.currencyOptions;

/** The currency in which it is billed: the one that is `given`, else `usual` (the customer's, or that of what it joins) where the price is sold in it, else its own. */
export const currencyFor = (price: Price, given: string | null | undefined, usual: string | null): string =>
  given ?? (usual !== null && isSoldIn(price, usual) ? usual : price.currency);

/**
 * The price as it is in one of its currencies: amount, tiers and tax behaviour are those of the option.
 * @throws Refusal currency_mismatch where it is not sold in that currency
 */
export function priceIn(price: Price, currency: string, param?: string): Price {
  if (price.currency === currency) return price;
  const option = price.currencyOptions[currency];
  if (option === undefined) {
    const known = [price.currency, ...Object.keys(price.currencyOptions)].join(', ');
    throw new Refusal('currency_mismatch', `The price ${price.id} is not sold in ${currency}, only in ${known}.`, param);
  }
  return { ...price, currency, ...option };
}
