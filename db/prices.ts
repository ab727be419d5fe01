import type { Price } from '../domain/catalog/price.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertOne, insertRows, type TableShape, toRow, updateOne } from './table.ts';

export const PRICES: TableShape<Price> = {
  table: 'prices',
  keys: [
    'id',
    'productId',
    'currency',
    'billingScheme',
    'unitAmountDecimal',
    'tiersMode',
    'tiers',
    'transformQuantity',
    'currencyOptions',
    'recurring',
    'bundle',
    'creditGrant',
    'taxBehavior',
    'active',
    'madeFor',
    'nickname',
    'lookupKey',
    'externalId',
    'metadata',
    'createdAt',
  ],
  instants: ['createdAt'],
};

export const insertPrice = (t: AccountTransaction, given: Price): Promise<void> => insertOne(t, PRICES, given);
/** @returns whether it is new */
export const insertNewPrice = async (t: AccountTransaction, given: Price): Promise<boolean> =>
  (await insertRows(t, PRICES.table, [toRow(PRICES, t.accountId, given)], 'on conflict (account_id, id) do nothing')) === 1;
export const findPrice = (t: AccountTransaction, id: string, forUpdate = false): Promise<Price | null> => findOne(t, PRICES, id, forUpdate);
export const updatePrice = (t: AccountTransaction, id: string, patch: Partial<Price>): Promise<Price | null> =>
  updateOne(t, PRICES, id, patch);

export async function listPrices(
  t: AccountTransaction,
  query: Page & {
    created?: InstantRange;
    active?: boolean;
    productId?: string;
    currency?: string;
    type?: 'recurring' | 'one_time';
    lookupKeys?: readonly string[];
    externalId?: string;
  },
): Promise<List<Price>> {
  const filter = new Filter()
    .within('created_at', query.created)
    .equal('active', query.active)
    .equal('product_id', query.productId)
    .equal('currency', query.currency)
    .equal('external_id', query.externalId)
    .anyOf('lookup_key', query.lookupKeys);
  if (query.type !== undefined) filter.add(`kept.recurring is ${query.type === 'recurring' ? 'not ' : ''}null`);
  const { rows, hasMore } = await listRows(t, { table: 'prices' }, query, filter);
  return { items: rows.map((row) => fromRow(PRICES, row)), hasMore };
}
