import type { TaxRate } from '../domain/tax/tax-rate.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertOne, type TableShape, updateOne } from './table.ts';

export const TAX_RATES: TableShape<TaxRate> = {
  table: 'tax_rates',
  keys: [
    'id',
    'displayName',
    'description',
    'percentage',
    'inclusive',
    'active',
    'country',
    'state',
    'jurisdiction',
    'taxType',
    'metadata',
    'createdAt',
  ],
  instants: ['createdAt'],
};

export const insertTaxRate = (t: AccountTransaction, given: TaxRate): Promise<void> => insertOne(t, TAX_RATES, given);
export const findTaxRate = (t: AccountTransaction, id: string): Promise<TaxRate | null> => findOne(t, TAX_RATES, id);
export const updateTaxRate = (t: AccountTransaction, id: string, patch: Partial<TaxRate>): Promise<TaxRate | null> =>
  updateOne(t, TAX_RATES, id, patch);

export async function listTaxRates(
  t: AccountTransaction,
  query: Page & { created?: InstantRange; active?: boolean; inclusive?: boolean },
): Promise<List<TaxRate>> {
  const filter = new Filter().within('created_at', query.created).equal('active', query.active).equal('inclusive', query.inclusive);
  const { rows, hasMore } = await listRows(t, { table: 'tax_rates' }, query, filter);
  return { items: rows.map((row) => fromRow(TAX_RATES, row)), hasMore };
}
