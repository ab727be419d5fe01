import type { AccountTransaction } from '../db/client.ts';
import { insertNewPrice } from '../db/prices.ts';
import { readProducts } from '../db/read-by-ids.ts';
import type { BillingSnapshot } from '../domain/billing-snapshot.ts';
import type { Price } from '../domain/catalog/price.ts';
import type { IdSource } from '../domain/decision.ts';
import type { RequestContext } from './context.ts';
import { badRequest, notFound } from './errors.ts';
import { newPrice } from './price-input.ts';
import type { PriceData } from './schemas/price-data.ts';
import { tell } from './tell-event.ts';

/** One thing's price, said in one of two ways. */
export interface Priced {
  price?: string | undefined;
  price_data?: PriceData | undefined;
}

/**
 * The prices that a request brings along (`price_data`). Each becomes an inactive price that only what it is made for may have; its id follows from the request, so that the
 * same request sent again names the same price.
 */
export interface InlinePrices {
  /** Which price it is; undefined where the request says nothing of it. `madeFor`: its subscription item, subscription or invoice item. @throws ApiError 400 */
  idOf(given: Priced, madeFor: string, param: string): string | undefined;
  /** The same where it must say something. @throws ApiError 400 */
  requiredId(given: Priced, madeFor: string, param: string): string;
  /** The snapshot as it is once they are written; nothing is written. @throws ApiError 400 for a product that there is not */
  suppose(t: AccountTransaction, asOf: number): Promise<(snapshot: BillingSnapshot) => BillingSnapshot>;
  /** Writes those that are not there yet. @throws ApiError 400 for a product that there is not */
  write(t: AccountTransaction, context: RequestContext): Promise<void>;
}

const within = (param: string, name: string): string => (param === '' ? name : `${param}[${name}]`);

export function inlinePrices(newId: IdSource): InlinePrices {
  const made: { price: Price; param: string }[] = [];
  const productsIn = async (t: AccountTransaction) => {
    const products = await readProducts(
      t,
      made.map(({ price }) => price.productId),
    );
    for (const { price, param } of made) {
      if (!products.some(({ id }) => id === price.productId)) throw notFound('product', price.productId, `${param}[product]`);
    }
    return products;
  };
  const idOf: InlinePrices['idOf'] = ({ price, price_data: data }, madeFor, param) => {
    if (data === undefined) return price;
    const at = within(param, 'price_data');
    if (price !== undefined)
      throw badRequest('You may only specify one of these parameters: price, price_data.', at, 'parameters_exclusive');
    const row = newPrice(data.product, { ...data, active: false, madeFor }, { newId, now: () => 0 });
    made.push({ price: row, param: at });
    return row.id;
  };
  return {
    idOf,
    requiredId(given, madeFor, param) {
      const id = idOf(given, madeFor, param);
      if (id !== undefined) return id;
      const at = within(param, 'price');
      throw badRequest(`Missing required param: ${at}.`, at, 'parameter_missing');
    },
    async suppose(t, asOf) {
      if (made.length === 0) return (snapshot) => snapshot;
      const products = Object.fromEntries((await productsIn(t)).map((product) => [product.id, product]));
      const prices = Object.fromEntries(made.map(({ price }) => [price.id, { ...price, createdAt: asOf }]));
      return (snapshot) => ({
        ...snapshot,
        prices: { ...snapshot.prices, ...prices },
        products: { ...snapshot.products, ...products },
      });
    },
    async write(t, context) {
      if (made.length > 0) await productsIn(t);
      for (const { price } of made) {
        const after = { ...price, createdAt: context.now() };
        if (await insertNewPrice(t, after)) await tell(context, t, { type: 'price.created', objectType: 'price', after });
      }
    },
  };
}
