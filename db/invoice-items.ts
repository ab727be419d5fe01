import type { InvoiceItem } from '../domain/invoicing/invoice.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, type Row, type TableShape, toRow } from './table.ts';

export const INVOICE_ITEMS: TableShape<InvoiceItem> = {
  table: 'invoice_items',
  keys: ['id', 'customerId', 'subscriptionId', 'invoiceId', 'line', 'taxRateIds', 'discounts', 'date'],
  instants: ['date'],
};

export const invoiceItemToRow = (accountId: string, item: InvoiceItem): Row => toRow(INVOICE_ITEMS, accountId, { discounts: [], ...item });

export const findInvoiceItem = (t: AccountTransaction, id: string): Promise<InvoiceItem | null> => findOne(t, INVOICE_ITEMS, id);

/** One that was not taken away. */
export async function findLivingInvoiceItem(t: AccountTransaction, id: string): Promise<InvoiceItem | null> {
  const { rows } = await t.run<{ row: Row }>(
    'select to_jsonb(kept) as row from invoice_items kept where account_id = $1 and id = $2 and not removed',
    [t.accountId, id],
  );
  return rows[0] ? fromRow(INVOICE_ITEMS, rows[0].row) : null;
}

/** Newest first. `pending`: whether it still waits for an invoice. */
export async function listInvoiceItems(
  t: AccountTransaction,
  query: Page & { created?: InstantRange; customerId?: string; invoiceId?: string; pending?: boolean },
): Promise<List<InvoiceItem>> {
  const filter = new Filter()
    .within('date', query.created)
    .equal('customer_id', query.customerId)
    .equal('invoice_id', query.invoiceId)
    .equal('removed', false);
  if (query.pending !== undefined) filter.add(`kept.invoice_id is ${query.pending ? '' : 'not '}null`);
  const { rows, hasMore } = await listRows(t, { table: 'invoice_items', order: ['date', 'position'] }, query, filter);
  return { items: rows.map((row) => fromRow(INVOICE_ITEMS, row)), hasMore };
}
