import type { BillingSnapshot } from '../billing-snapshot.ts';
import type { InvoiceItem } from './invoice.ts';

/** Items that wait for the customer's next invoice, whichever it is, and can be on one of this currency. */
export const customerItems = ({ customerItems: items }: BillingSnapshot, currency: string): InvoiceItem[] =>
  items.filter((item) => item.line.currency === currency);
