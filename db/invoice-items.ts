import type { InvoiceItem } from '../domain/invoicing/invoice.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, type TableShape } from './table.ts';

export const INVOICE_ITEMS: TableShape<InvoiceItem> = {
  table: 'invoice_items',
  keys: ['id', 'customerId', 'subscriptionId', 'invoiceId', 'line', 'taxRateIds', 'date'],
  instants: ['date'],
};

export const findInvoiceItem = (t: AccountTransaction, id: string): Promise<InvoiceItem | null> => findOne(t, INVOICE_ITEMS, id);

export async function listInvoiceItems(
  t: AccountTransaction,
  query: Page & { created?: InstantRange; customerId?: string },
): Promise<List<InvoiceItem>> {
  const filter = new Filter().within('date', query.created).equal('customer_id', query.customerId);
  const { rows, hasMore } = await listRows(t, { table: 'invoice_items', order: ['date', 'position'] }, query, filter);
  return { items: rows.map((row) => fromRow(INVOICE_ITEMS, row)), hasMore };
}
