import type { AccountTransaction } from './client.ts';

/** What stands on each ledger account per currency, debit positive, minor units. */
export async function readLedgerBalances(t: AccountTransaction): Promise<{ ledgerAccount: string; currency: string; amount: number }[]> {
  const { rows } = await t.trx.raw(
    `select e.ledger_account as "ledgerAccount", j.currency, sum(e.amount)::bigint as amount
     from journal_entries e join journal_transactions j on j.account_id = e.account_id and j.id = e.journal_transaction_id
     where e.account_id = ? group by 1, 2 order by 1, 2`,
    [t.accountId],
  );
  return rows;
}
