import type { AccountTransaction } from '../db/client.ts';
import { findPrice } from '../db/prices.ts';
import type { Price } from '../domain/catalog/price.ts';
import type { CreditScope } from '../domain/credits/grant.ts';
import { notFound } from './errors.ts';

/** The prices that a scope of credit names; `param` is where it was given. @throws ApiError 404 naming the parameter */
export async function findScopePrices(t: AccountTransaction, scope: CreditScope, param: string): Promise<Price[]> {
  const prices: Price[] = [];
  for (const [index, id] of ('priceIds' in scope ? scope.priceIds : []).entries()) {
    const price = await findPrice(t, id);
    if (price === null) throw notFound('price', id, `${param}[prices][${index}][id]`);
    prices.push(price);
  }
  return prices;
}
