import type { Invoice } from '../domain/invoicing/invoice.ts';
import type { AccountTransaction } from './client.ts';
import { invoiceToRow, lineToRow } from './invoices.ts';
import { insertRows } from './table.ts';

/**
 * Writes the lines of invoices that are not stored as finalised: a draft's anew, a new one's for the first time. Goes before `writeInvoices`: once an invoice is
 * stored as finalised the database lets no line come or go.
 */
export async function writeLines(t: AccountTransaction, invoices: readonly Invoice[]): Promise<void> {
  if (invoices.length === 0) return;
  const lines = invoices.flatMap((invoice) => invoice.lines.map((line, position) => lineToRow(t.accountId, invoice.id, line, position)));
  await Promise.all([
    // The ids as JSON, of which Postgres guesses the same number every time and so keeps its plan.
    t.run(
      `delete from invoice_lines where account_id = $1 and invoice_id = any(array(
         select id from invoices where account_id = $1 and id = any(array(select jsonb_array_elements_text($2::jsonb))) and finalized_at is null))`,
      [t.accountId, JSON.stringify(invoices.map((invoice) => invoice.id))],
    ),
    insertRows(
      t,
      'invoice_lines',
      lines,
      'where not exists (select from invoices i where i.account_id = given.account_id and i.id = given.invoice_id and i.finalized_at is not null)',
    ),
  ]);
}

/** Writes invoices whole, lines apart; of a finalised one only what may still change (the database refuses the rest). */
export async function writeInvoices(t: AccountTransaction, invoices: readonly Invoice[]): Promise<void> {
  const rows = invoices.map((invoice) => invoiceToRow(t.accountId, invoice));
  const columns = Object.keys(rows[0] ?? {}).filter((column) => column !== 'account_id' && column !== 'id' && column !== 'metadata');
  await insertRows(
    t,
    'invoices',
    rows,
    `on conflict (account_id, id) do update set ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`,
  );
}
