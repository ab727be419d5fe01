import type { BilledPeriod } from '../domain/subscription/subscription.ts';
import { BILLED_PERIODS } from './billing-snapshot.ts';
import type { AccountTransaction } from './client.ts';
import { fromRow, type Row } from './table.ts';

/** All that the lines of an invoice ever paid for, as it stands today, whenever it ended. */
export async function listCoverageOf(t: AccountTransaction, invoiceId: string): Promise<BilledPeriod[]> {
  const { rows } = await t.run<{ row: Row }>(
    `select to_jsonb(b) as row from billed_periods b where account_id = $1 and invoice_line_id = any(array(
       select id from invoice_lines where account_id = $1 and invoice_id = $2)) order by "start", id`,
    [t.accountId, invoiceId],
  );
  return rows.map(({ row }) => fromRow(BILLED_PERIODS, row));
}
