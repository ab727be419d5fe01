import type { InvoiceItem } from '../domain/invoicing/invoice.ts';
import type { AccountTransaction } from './client.ts';
import { findOne, type TableShape } from './table.ts';

export const INVOICE_ITEMS: TableShape<InvoiceItem> = {
  table: 'invoice_items',
  keys: ['id', 'customerId', 'subscriptionId', 'invoiceId', 'line', 'taxRateIds', 'date'],
  instants: ['date'],
};

export const findInvoiceItem = (t: AccountTransaction, id: string): Promise<InvoiceItem | null> => findOne(t, INVOICE_ITEMS, id);
