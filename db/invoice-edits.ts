import type { DraftEdit } from '../domain/invoicing/edit-draft.ts';
import type { Instant } from '../domain/time.ts';
import type { AccountTransaction } from './client.ts';
import { insertRows, toTimestamp } from './table.ts';

/** What is to be done to a draft; its workflow is told the id. The first edit of an id stays. */
export async function insertInvoiceEdit(
  t: AccountTransaction,
  { id, invoiceId, edit, createdAt }: { id: string; invoiceId: string; edit: DraftEdit; createdAt: Instant },
): Promise<void> {
  const row = { account_id: t.accountId, id, invoice_id: invoiceId, edit, created_at: toTimestamp(createdAt) };
  await insertRows(t, 'invoice_edits', [row], 'on conflict do nothing');
}

export async function findInvoiceEdit(t: AccountTransaction, invoiceId: string, id: string): Promise<DraftEdit | null> {
  const { rows } = await t.run<{ edit: DraftEdit }>(
    'select edit from invoice_edits where account_id = $1 and invoice_id = $2 and id = $3',
    [t.accountId, invoiceId, id],
  );
  return rows[0]?.edit ?? null;
}
