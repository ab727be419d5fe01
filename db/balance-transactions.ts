import type { BalanceTransaction } from '../domain/customer.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { fromRow, type TableShape } from './table.ts';

export const BALANCE_TRANSACTIONS: TableShape<BalanceTransaction> = {
  table: 'balance_transactions',
  keys: ['id', 'customerId', 'type', 'amount', 'endingBalance', 'currency', 'invoiceId', 'createdAt'],
  instants: ['createdAt'],
};

export async function listBalanceTransactions(
  t: AccountTransaction,
  query: Page & { created?: InstantRange; customerId?: string; invoiceId?: string },
): Promise<List<BalanceTransaction>> {
  const filter = new Filter()
    .within('created_at', query.created)
    .equal('customer_id', query.customerId)
    .equal('invoice_id', query.invoiceId);
  const { rows, hasMore } = await listRows(t, { table: 'balance_transactions', order: ['position'] }, query, filter);
  return { items: rows.map((row) => fromRow(BALANCE_TRANSACTIONS, row)), hasMore };
}
