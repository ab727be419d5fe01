import type { Invoice } from '../domain/invoicing/invoice.ts';
import type { AccountTransaction } from './client.ts';
import { INVOICES, lineToRow } from './invoices.ts';
import { insertRows, toRow } from './table.ts';

/**
 * Writes invoices whole: new ones with their lines; a draft's lines anew; of a finalised one only what may still change (the database refuses the rest).
 */
export async function writeInvoices(t: AccountTransaction, invoices: readonly Invoice[]): Promise<void> {
  if (invoices.length === 0) return;
  const ids = invoices.map((invoice) => invoice.id);
  const { rows } = await t.trx.raw('select id, finalized_at is not null as finalised from invoices where account_id = ? and id = any(?)', [t.accountId, ids]);
  const known = new Map((rows as { id: string; finalised: boolean }[]).map((row) => [row.id, row.finalised]));
  const relined = invoices.filter((invoice) => known.get(invoice.id) !== true);
  // While the stored invoice is still a draft its lines may go; after the next statement they may not.
  const drafts = relined.filter((invoice) => known.has(invoice.id)).map((invoice) => invoice.id);
  if (drafts.length > 0) await t.trx.raw('delete from invoice_lines where account_id = ? and invoice_id = any(?)', [t.accountId, drafts]);
  const written = invoices.map((invoice) => toRow(INVOICES, t.accountId, invoice));
  const columns = Object.keys(written[0] ?? {}).filter((column) => column !== 'account_id' && column !== 'id' && column !== 'metadata');
  await insertRows(t, 'invoices', written, `on conflict (account_id, id) do update set ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`);
  await insertRows(
    t,
    'invoice_lines',
    relined.flatMap((invoice) => invoice.lines.map((line, position) => lineToRow(t.accountId, invoice.id, line, position))),
  );
}
