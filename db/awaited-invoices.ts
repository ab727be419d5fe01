import type { Instant } from '../domain/time.ts';
import type { AccountTransaction } from './client.ts';
import { fromTimestamp, type Row } from './table.ts';

/** A sent invoice of no subscription whose due date is still to be told of. */
export interface AwaitedInvoice {
  id: string;
  customerId: string;
  currency: string;
  /** The test clock of its customer, and where it stands; null: real time. */
  clock: { id: string; at: Instant } | null;
}

/** In the order of their ids; those of one customer where that is given. There are few: every one waits for its due date and for nothing after it. */
export async function listAwaitedInvoices(t: AccountTransaction, customerId: string | null = null): Promise<AwaitedInvoice[]> {
  const { rows } = await t.run<{ id: string; customerId: string; currency: string; clock: Row | null }>(
    `select v.id, v.customer_id as "customerId", v.currency, (
       select jsonb_build_object('id', k.id, 'at', k.frozen_time) from customers c join test_clocks k on k.account_id = c.account_id and k.id = c.test_clock_id
       where c.account_id = v.account_id and c.id = v.customer_id) as clock
     from invoices v where v.account_id = $1 and v.subscription_id is null and v.consolidation_key is null and v.status = 'open' and v.due_date is not null and v.overdue_at is null
       and ($2::text is null or v.customer_id = $2) order by v.id`,
    [t.accountId, customerId],
  );
  return rows.map(({ clock, ...row }) => ({ ...row, clock: clock && { id: String(clock['id']), at: fromTimestamp(String(clock['at'])) } }));
}
