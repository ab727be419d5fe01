import { Refusal } from '../errors.ts';
import { type Cycle, isMetered, type MeteredPrice, type Price, type Product } from './price.ts';

type Prices = Readonly<Record<string, Price>>;

/** A price with its product. @throws Refusal resource_missing about `param` where one of them is not known */
export function findPrice(
  { prices, products }: { prices: Prices; products: Readonly<Record<string, Product>> },
  priceId: string,
  param?: string,
): { price: Price; product: Product } {
  const price = prices[priceId];
  const product = price && products[price.productId];
  if (!price || !product) throw new Refusal('resource_missing', `No such price: '${priceId}'`, param);
  return { price, product };
}

/** The price where it bills what a meter has measured; null where it does not, or is not known. */
export function findMetered(prices: Prices, priceId: string | undefined): MeteredPrice | null {
  const price = prices[priceId ?? ''];
  return price !== undefined && isMetered(price) ? price : null;
}

/** The cycle that an item bills by: its price's; `usual`, that of its subscription, where the price is not known. */
export const cycleOf = (prices: Prices, { priceId }: { priceId: string }, usual: Cycle): Cycle => prices[priceId]?.recurring ?? usual;
