import type { Decision, Operation } from '../domain/decision.ts';
import type { Invoice } from '../domain/invoicing/invoice.ts';
import { BALANCE_TRANSACTIONS } from './balance-transactions.ts';
import { BILLED_PERIODS } from './billing-snapshot.ts';
import type { AccountTransaction } from './client.ts';
import { appendEvents } from './events.ts';
import { INVOICE_ITEMS } from './invoice-items.ts';
import { PAYMENT_ATTEMPTS } from './payment-attempts.ts';
import { insertRows, toRow, toTimestamp, updateRows } from './table.ts';
import { readForEvents } from './read-for-events.ts';
import { writeInvoices } from './write-invoices.ts';
import { writeSubscription } from './write-subscription.ts';

/** The operation id is taken: another transaction has carried the operation out since this one looked. */
export class OperationExists extends Error {
  constructor(operationId: string) {
    super(`the operation ${operationId} was carried out already`);
    this.name = 'OperationExists';
  }
}

/**
 * Writes a decision, its operation and its events in the caller's transaction, a statement per table. Draws the number of every invoice that is finalised by it.
 * `result` makes the operation's answer out of the drawn numbers; the answer is stored with the operation and returned.
 * @throws OperationExists
 */
export async function recordDecision(
  t: AccountTransaction,
  operation: Operation,
  decision: Decision,
  result: (numbers: Record<string, string>) => unknown,
): Promise<unknown> {
  const numbers = await drawNumbers(t, decision.invoices);
  const invoices = decision.invoices.map((invoice) => ({ ...invoice, number: invoice.number ?? numbers[invoice.id] ?? null }));
  const answer = result(numbers);
  await recordOperation(t, operation, answer);

  if (decision.customerCurrency !== null) {
    const customerId = decision.invoices[0]?.customerId ?? decision.subscription?.customerId ?? null;
    await t.trx.raw('update customers set currency = ? where account_id = ? and id = ? and currency is null', [decision.customerCurrency, t.accountId, customerId]);
  }
  if (decision.subscription) await writeSubscription(t, decision.subscription);
  await writeInvoices(t, invoices);
  const items = decision.pendingItems;
  await insertRows(
    t,
    'invoice_items',
    items.insert.map((item) => toRow(INVOICE_ITEMS, t.accountId, item)),
  );
  await updateRows(
    t,
    'invoice_items',
    items.consume.map(({ id, invoiceId }) => ({ account_id: t.accountId, id, invoice_id: invoiceId })),
  );
  await writeCoverage(t, decision);
  if (items.remove.length > 0) await t.trx.raw('delete from invoice_items where account_id = ? and id = any(?) and invoice_id is null', [t.accountId, items.remove]);
  await writeMoney(t, decision);
  const objects = await readForEvents(t, { decision, invoices });
  await appendEvents(
    t,
    decision.events.map((event) => ({ ...event, data: objects(event), occurredAt: operation.asOf })),
    operation.operationId,
  );
  return answer;
}

/** Gapless: the series' row stays locked until the transaction ends, so a number that is drawn is used or goes back. */
async function drawNumbers(t: AccountTransaction, invoices: readonly Invoice[]): Promise<Record<string, string>> {
  const unnumbered = invoices.filter((invoice) => invoice.number === null && invoice.finalizedAt !== null);
  if (unnumbered.length === 0) return {};
  const { rows } = await t.trx.raw(
    `update invoice_number_series s set next_number = next_number + ? from accounts a where s.account_id = ? and a.id = s.account_id
     returning next_number, a.invoice_number_prefix as prefix`,
    [unnumbered.length, t.accountId],
  );
  const { next_number: next, prefix } = rows[0] as { next_number: number; prefix: string };
  return Object.fromEntries(unnumbered.map((invoice, index) => [invoice.id, `${prefix}-${String(next - unnumbered.length + index).padStart(4, '0')}`]));
}

async function recordOperation(t: AccountTransaction, operation: Operation, answer: unknown): Promise<void> {
  const inserted = await insertRows(
    t,
    'operations',
    [
      {
        account_id: t.accountId,
        operation_id: operation.operationId,
        kind: operation.kind,
        as_of: toTimestamp(operation.asOf),
        request_hash: operation.requestHash,
        subscription_id: operation.subscriptionId,
        invoice_id: operation.invoiceId,
        actor: operation.actor,
        result: answer ?? null,
      },
    ],
    'on conflict do nothing',
  );
  if (inserted === 0) throw new OperationExists(operation.operationId);
}

/** Shrinks first: the freed time is what the new coverage takes. */
async function writeCoverage(t: AccountTransaction, { billed }: Decision): Promise<void> {
  await updateRows(
    t,
    'billed_periods',
    billed.shrink.map(({ id, end, credited }) => ({ account_id: t.accountId, id, end: toTimestamp(end), credited })),
  );
  await insertRows(
    t,
    'billed_periods',
    billed.insert.map((row) => toRow(BILLED_PERIODS, t.accountId, row)),
  );
  for (const { invoiceItemId, invoiceId, invoiceLineId } of billed.attach) {
    await t.trx.raw('update billed_periods set invoice_id = ?, invoice_line_id = ? where account_id = ? and invoice_item_id = ?', [
      invoiceId,
      invoiceLineId,
      t.accountId,
      invoiceItemId,
    ]);
  }
}

async function writeMoney(t: AccountTransaction, { attempt, balance, journal }: Decision): Promise<void> {
  if (attempt) {
    const row = toRow(PAYMENT_ATTEMPTS, t.accountId, attempt);
    await insertRows(
      t,
      'payment_attempts',
      [row],
      `on conflict (account_id, id) do update set status = excluded.status, gateway_reference = excluded.gateway_reference,
        decline_code = excluded.decline_code, decline_message = excluded.decline_message, resolved_at = excluded.resolved_at`,
    );
  }
  const last = balance.at(-1);
  if (last) {
    await insertRows(
      t,
      'balance_transactions',
      balance.map((moved) => toRow(BALANCE_TRANSACTIONS, t.accountId, moved)),
    );
    await t.trx.raw('update customers set balance = ?, currency = coalesce(currency, ?) where account_id = ? and id = ?', [
      last.endingBalance,
      last.currency,
      t.accountId,
      last.customerId,
    ]);
  }
  await insertRows(
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
  );
  await insertRows(
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
  );
}
