import { askedFor } from '../domain/discounts/discount.ts';
import type { DraftEdit } from '../domain/invoicing/edit-draft.ts';
import type { SnapshotQuery } from './billing-snapshot.ts';

/** What an edit of an invoice, or of an item that waits for one, has to look at. */
export function editQuery(about: { customerId: string } | { invoiceId: string }, edit: DraftEdit): Omit<SnapshotQuery, 'lock'> {
  if (edit.do === 'create') return { customerId: edit.invoice.customerId };
  if (edit.do === 'delete') return about;
  const terms = edit.do === 'add_item' ? edit.item : edit.do === 'change_item' ? edit.terms : {};
  return {
    ...about,
    ...(edit.do === 'add_item' ? { subscriptionId: edit.item.subscriptionId ?? undefined } : { invoiceItemId: edit.itemId }),
    priceIds: terms.priceId === undefined ? [] : [terms.priceId],
    taxRateIds: terms.taxRateIds ?? [],
    ...askedFor(terms.discounts ?? []),
  };
}
