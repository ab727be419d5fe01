import type { Product } from '../domain/catalog/price.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertOne, type TableShape, updateOne } from './table.ts';

export const PRODUCTS: TableShape<Product> = {
  table: 'products',
  keys: [
    'id',
    'name',
    'description',
    'active',
    'defaultPriceId',
    'unitLabel',
    'externalId',
    'requiresOneOf',
    'metadata',
    'createdAt',
    'updatedAt',
  ],
  instants: ['createdAt', 'updatedAt'],
};

export const insertProduct = (t: AccountTransaction, given: Product): Promise<void> => insertOne(t, PRODUCTS, given);
export const findProduct = (t: AccountTransaction, id: string): Promise<Product | null> => findOne(t, PRODUCTS, id);
export const updateProduct = (t: AccountTransaction, id: string, patch: Partial<Product>): Promise<Product | null> =>
  updateOne(t, PRODUCTS, id, patch);

export async function listProducts(
  t: AccountTransaction,
  query: Page & { created?: InstantRange; active?: boolean; ids?: readonly string[]; externalId?: string },
): Promise<List<Product>> {
  const filter = new Filter()
    .within('created_at', query.created)
    .equal('active', query.active)
    .equal('external_id', query.externalId)
    .anyOf('id', query.ids);
  const { rows, hasMore } = await listRows(t, { table: 'products' }, query, filter);
  return { items: rows.map((row) => fromRow(PRODUCTS, row)), hasMore };
}
