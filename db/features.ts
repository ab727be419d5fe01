import type { Feature, ProductFeature } from '../domain/entitlements/feature.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertRows, type Row, type TableShape, toRow, updateOne } from './table.ts';

const FEATURES: TableShape<Feature> = {
  table: 'features',
  keys: ['id', 'lookupKey', 'name', 'active', 'metadata', 'createdAt'],
  instants: ['createdAt'],
};
const PRODUCT_FEATURES: TableShape<ProductFeature> = {
  table: 'product_features',
  keys: ['id', 'productId', 'featureId', 'limit', 'createdAt'],
  instants: ['createdAt'],
};

/** @returns false where the lookup key is taken */
export const insertFeature = async (t: AccountTransaction, given: Feature): Promise<boolean> =>
  (await insertRows(t, 'features', [toRow(FEATURES, t.accountId, given)], 'on conflict (account_id, lookup_key) do nothing')) === 1;
export const findFeature = (t: AccountTransaction, id: string): Promise<Feature | null> => findOne(t, FEATURES, id);
export const updateFeature = (t: AccountTransaction, id: string, patch: Partial<Feature>): Promise<Feature | null> =>
  updateOne(t, FEATURES, id, patch);

export async function listFeatures(
  t: AccountTransaction,
  query: Page & { archived?: boolean; lookupKey?: string },
): Promise<List<Feature>> {
  const { archived, lookupKey } = query;
  const filter = new Filter().equal('active', archived === undefined ? undefined : !archived).equal('lookup_key', lookupKey);
  const { rows, hasMore } = await listRows(t, { table: 'features' }, query, filter);
  return { items: rows.map((row) => fromRow(FEATURES, row)), hasMore };
}

export async function readFeatures(t: AccountTransaction, ids: readonly string[]): Promise<Map<string, Feature>> {
  if (ids.length === 0) return new Map();
  const { rows } = await t.run<{ row: Row }>('select to_jsonb(f) as row from features f where account_id = $1 and id = any($2::text[])', [
    t.accountId,
    ids,
  ]);
  return new Map(rows.map(({ row }) => fromRow(FEATURES, row)).map((feature) => [feature.id, feature]));
}

/** @returns false where the product has the feature already */
export const insertProductFeature = async (t: AccountTransaction, given: ProductFeature): Promise<boolean> =>
  (await insertRows(
    t,
    'product_features',
    [toRow(PRODUCT_FEATURES, t.accountId, given)],
    'on conflict (account_id, product_id, feature_id) do nothing',
  )) === 1;

export async function findProductFeature(t: AccountTransaction, productId: string, id: string): Promise<ProductFeature | null> {
  const found = await findOne(t, PRODUCT_FEATURES, id);
  return found?.productId === productId ? found : null;
}

export const deleteProductFeature = async (t: AccountTransaction, id: string): Promise<void> =>
  void (await t.run('delete from product_features where account_id = $1 and id = $2', [t.accountId, id]));

export async function listProductFeatures(t: AccountTransaction, query: Page & { productId: string }): Promise<List<ProductFeature>> {
  const { rows, hasMore } = await listRows(t, { table: 'product_features' }, query, new Filter().equal('product_id', query.productId));
  return { items: rows.map((row) => fromRow(PRODUCT_FEATURES, row)), hasMore };
}
