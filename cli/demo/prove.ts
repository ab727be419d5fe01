import { type Database, withAccount } from '../../db/client.ts';
import type { SandboxGateway } from '../../gateways/payment/sandbox/sandbox-gateway.ts';
import type { Ledger } from './closing.ts';

/** Three records that are kept apart and must agree: what the gateway captured, what the invoices say was paid, what the journal booked. */
export interface Proof {
  captures: number;
  /** Invoices that were captured more than once, or for another amount than they say was paid. */
  wrongInvoices: string[];
  stretches: number;
  /** Stretches of time that overlap another one billed for the same item. */
  billedTwice: number;
  transactions: number;
  unbalanced: number;
  cash: Record<string, { booked: number; captured: number }>;
  holds: boolean;
}

export async function prove(ledger: Ledger, sandbox: SandboxGateway, db: Database, accountId: string): Promise<Proof> {
  const wrongInvoices: string[] = [];
  const cash: Proof['cash'] = {};
  let captures = 0;
  for (const { id, currency, amount_paid: paid } of ledger.flatMap(({ invoices }) => invoices)) {
    const captured = await sandbox.capturesOf(id);
    const amount = captured.reduce((all, capture) => all + capture.amount, 0);
    captures += captured.length;
    if (captured.length > 1 || amount !== paid) wrongInvoices.push(id);
    const known = cash[currency] ?? { booked: 0, captured: 0 };
    cash[currency] = { ...known, captured: known.captured + amount };
  }
  const books = await withAccount(db, accountId, async ({ trx }) => {
    const { rows } = await trx.raw(BOOKS);
    return rows[0] as Pick<Proof, 'stretches' | 'billedTwice' | 'transactions' | 'unbalanced'> & { cash: Record<string, number> };
  });
  for (const [currency, booked] of Object.entries(books.cash)) cash[currency] = { captured: cash[currency]?.captured ?? 0, booked };
  const { stretches, billedTwice, transactions, unbalanced } = books;
  const agree = Object.values(cash).every(({ booked, captured }) => booked === captured);
  const holds = wrongInvoices.length === 0 && billedTwice === 0 && unbalanced === 0 && agree;
  return { captures, wrongInvoices, stretches, billedTwice, transactions, unbalanced, cash, holds };
}

const BOOKS = `
  select
    (select count(*)::int from billed_periods where "start" < "end") as stretches,
    (select count(*)::int from billed_periods a join billed_periods b
      on a.account_id = b.account_id and a.subscription_item_id = b.subscription_item_id and a.id < b.id
      and tstzrange(a."start", a."end") && tstzrange(b."start", b."end")) as "billedTwice",
    (select count(*)::int from journal_transactions) as transactions,
    (select count(*)::int from (select 1 from journal_entries group by journal_transaction_id having sum(amount) <> 0) t) as unbalanced,
    (select coalesce(json_object_agg(currency, amount), '{}') from (
      select t.currency, sum(e.amount) as amount from journal_entries e
      join journal_transactions t on t.account_id = e.account_id and t.id = e.journal_transaction_id
      where e.ledger_account = 'cash:sandbox' group by 1) c) as cash
`;
