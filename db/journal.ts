import type { JournalTransaction } from '../domain/ledger/journal.ts';
import type { AccountTransaction } from './client.ts';
import { insertRows, toTimestamp } from './table.ts';

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

/** The database refuses a transaction that does not sum to zero. */
export async function writeJournal(t: AccountTransaction, journal: readonly JournalTransaction[]): Promise<void> {
  await Promise.all([
    insertRows(
      t,
      'journal_transactions',
      journal.map((transaction) => ({
        account_id: t.accountId,
        id: transaction.id,
        kind: transaction.kind,
        currency: transaction.currency,
        invoice_id: transaction.invoiceId,
        payment_attempt_id: transaction.paymentAttemptId,
        customer_id: transaction.customerId,
        effective_at: toTimestamp(transaction.effectiveAt),
      })),
    ),
    insertRows(
      t,
      'journal_entries',
      journal.flatMap((transaction) =>
        transaction.entries.map((entry, position) => ({
          account_id: t.accountId,
          journal_transaction_id: transaction.id,
          position,
          ledger_account: entry.ledgerAccount,
          amount: entry.amount,
        })),
      ),
    ),
  ]);
}
