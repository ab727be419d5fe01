import type { Invoice } from '../domain/invoicing/invoice.ts';
import type { AccountTransaction } from './client.ts';
import { INVOICES, lineToRow } from './invoices.ts';
import { insertRows, toRow } from './table.ts';

/**
 * Writes invoices whole: new ones with their lines; a draft's lines anew; of a finalised one only what may still change (the database refuses the rest).
 */
export async function writeInvoices(t: AccountTransaction, invoices: readonly Invoice[]): Promise<void> {
  if (invoices.length === 0) return;
  const written = invoices.map((invoice) => toRow(INVOICES, t.accountId, invoice));
  const columns = Object.keys(written[0] ?? {}).filter((column) => column !== 'account_id' && column !== 'id' && column !== 'metadata');
  const lines = invoices.flatMap((invoice) => invoice.lines.map((line, position) => lineToRow(t.accountId, invoice.id, line, position)));
  // Lines come before their invoice: while it is not stored as finalised they may go and come, afterwards never.
  await Promise.all([
    t.run(
      `delete from invoice_lines l using invoices i
       where i.account_id = $1 and i.id = any($2) and i.finalized_at is null and l.account_id = i.account_id and l.invoice_id = i.id`,
      [t.accountId, invoices.map((invoice) => invoice.id)],
    ),
    insertRows(
      t,
      'invoice_lines',
      lines,
      'where not exists (select from invoices i where i.account_id = given.account_id and i.id = given.invoice_id and i.finalized_at is not null)',
    ),
    insertRows(t, 'invoices', written, `on conflict (account_id, id) do update set ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`),
  ]);
}
