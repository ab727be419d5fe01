import type { Database } from '../../db/client.ts';
import { withAccount } from '../../db/client.ts';
import type { SandboxGateway } from '../../gateways/payment/sandbox/sandbox-gateway.ts';

/** Everything a subscription has come to, without ids and with times relative to its start, so that two runs of the same story can be compared. */
export interface EndState {
  subscription: { status: string; periodStart: number; periodEnd: number; items: { quantity: string }[] };
  invoices: {
    reason: string;
    status: string;
    total: number;
    paid: number;
    paidOutOfBand: number;
    lines: { amount: number; start: number; end: number }[];
    attempts: { number: number; status: string; amount: number }[];
    captures: number[];
  }[];
  journal: { kind: string; ledgerAccount: string; amount: number }[];
  events: { type: string; sequence: number }[];
  /** What each price migration has come to with it, as it was told. */
  migrated: string[];
  covered: { start: number; end: number; amount: number; credited: number }[];
}

/** Reads the end state and checks on the way what holds for every run: nothing captured twice, everything paid captured, the books balanced. */
export async function endState(
  { db, sandbox, accountId }: { db: Database; sandbox: SandboxGateway; accountId: string },
  subscriptionId: string,
): Promise<EndState> {
  const state = await withAccount(db, accountId, async ({ trx }) => {
    const read = async <T>(sql: string): Promise<T> => (await trx.raw(sql, { sub: subscriptionId })).rows[0].read as T;
    return {
      subscription: await read<EndState['subscription']>(`
        select json_build_object('status', s.status, 'periodStart', extract(epoch from s.current_period_start - s.start_date)::int,
          'periodEnd', extract(epoch from s.current_period_end - s.start_date)::int,
          'items', (select json_agg(json_build_object('quantity', i.quantity::text) order by i.position) from subscription_items i where i.subscription_id = s.id and not i.removed)) as read
        from subscriptions s where id = :sub`),
      invoices: await read<(EndState['invoices'][number] & { id: string })[]>(`
        select coalesce(json_agg(json_build_object('id', v.id, 'reason', v.billing_reason, 'status', v.status, 'total', v.total, 'paid', v.amount_paid,
          'paidOutOfBand', (select coalesce(sum(e.amount), 0)::int from journal_entries e join journal_transactions t on t.id = e.journal_transaction_id
            where t.invoice_id = v.id and e.ledger_account = 'cash:out_of_band'),
          'lines', (select coalesce(json_agg(json_build_object('amount', l.amount, 'start', extract(epoch from l.period_start - s.start_date)::int,
            'end', extract(epoch from l.period_end - s.start_date)::int) order by l.position), '[]') from invoice_lines l where l.invoice_id = v.id),
          'attempts', (select coalesce(json_agg(json_build_object('number', a.number, 'status', a.status, 'amount', a.amount) order by a.number), '[]')
            from payment_attempts a where a.invoice_id = v.id)) order by v.created_at, v.number), '[]') as read
        from invoices v join subscriptions s on s.id = :sub where v.subscription_id = s.id or s.id = any(v.subscription_ids)`),
      journal: await read<EndState['journal']>(`
        select coalesce(json_agg(row_to_json(j) order by j.kind, j."ledgerAccount"), '[]') as read from (
          select t.kind, e.ledger_account as "ledgerAccount", sum(e.amount)::int as amount from journal_entries e
          join journal_transactions t on t.id = e.journal_transaction_id join invoices v on v.id = t.invoice_id
          where v.subscription_id = :sub or :sub = any(v.subscription_ids) group by 1, 2) j`),
      events: await read<EndState['events']>(`
        select coalesce(json_agg(json_build_object('type', e.type, 'sequence', e.sequence) order by e.type, e.sequence), '[]') as read from events e
        where e.object_id = :sub or e.object_id in (select id from invoices where subscription_id = :sub or :sub = any(subscription_ids))`),
      migrated: await read<EndState['migrated']>(`
        select coalesce(json_agg(e.type order by e.position), '[]') as read from events e
        where e.subscription_id = :sub and e.object_type = 'price_migration_subscription'`),
      covered: await read<EndState['covered']>(`
        select coalesce(json_agg(json_build_object('start', extract(epoch from b.start - s.start_date)::int, 'end', extract(epoch from b."end" - s.start_date)::int,
          'amount', b.amount, 'credited', b.credited) order by b.original_start, b.amount), '[]') as read
        from billed_periods b join subscription_items i on i.id = b.subscription_item_id join subscriptions s on s.id = i.subscription_id where s.id = :sub`),
    };
  });
  const invoices = await Promise.all(
    state.invoices.map(async ({ id, ...invoice }) => ({
      ...invoice,
      captures: (await sandbox.capturesOf(id)).map(({ amount }) => amount),
    })),
  );
  for (const invoice of invoices) {
    const captured = invoice.captures.reduce((sum, amount) => sum + amount, 0);
    if (invoice.captures.length > 1) throw new Error(`charged ${invoice.captures.length} times: ${JSON.stringify(invoice)}`);
    if (captured + invoice.paidOutOfBand !== invoice.paid)
      throw new Error(`captured ${captured}, booked ${invoice.paid}: ${JSON.stringify(invoice)}`);
  }
  const sum = state.journal.reduce((total, entry) => total + entry.amount, 0);
  if (sum !== 0) throw new Error(`the journal sums to ${sum}`);
  return { ...state, invoices };
}
