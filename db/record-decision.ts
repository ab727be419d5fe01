import type { Decision, Operation } from '../domain/decision.ts';
import type { Invoice } from '../domain/invoicing/invoice.ts';
import { BALANCE_TRANSACTIONS } from './balance-transactions.ts';
import { BILLED_PERIODS } from './billing-snapshot.ts';
import type { AccountTransaction } from './client.ts';
import { writeTopUps } from './credit-top-ups.ts';
import { writeCredits } from './credits.ts';
import { writeDiscounts } from './discounts.ts';
import { grantEntitlements } from './entitlements.ts';
import { appendEvents } from './events.ts';
import { invoiceItemToRow } from './invoice-items.ts';
import { writeJournal } from './journal.ts';
import { USAGE_PERIODS } from './load-metered-usage.ts';
import { PAYMENT_ATTEMPTS } from './payment-attempts.ts';
import { writeAcceptance } from './quotes.ts';
import { objectsOf, readForEvent } from './read-for-events.ts';
import { writeScheduledChanges } from './scheduled-changes.ts';
import { addMetadata, writeSchedule } from './schedules.ts';
import { shareOnTimelines } from './share-timeline.ts';
import { insertRows, toRow, toTimestamp, updateRows } from './table.ts';
import { writeInvoices, writeLines } from './write-invoices.ts';
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
  // Two trips to the database; the statements of one are sent without waiting for each other. What needs no number goes first, so that the series, which everybody
  // of the account shares, is held for the second trip and the commit only.
  const [taken, first] = await Promise.allSettled([
    isTaken(t, operation),
    Promise.all([
      writeCurrency(t, decision),
      // Before the series, as everybody who redeems the same coupon waits for its row.
      writeDiscounts(t, decision),
      writePlan(t, decision),
      writeLines(t, decision.invoices),
      writePendingItems(t, decision),
      writeCoverage(t, decision),
      writeMoney(t, decision),
      drawNumbers(t, decision.invoices),
      writeScheduledChanges(t, operation, decision.scheduledChanges),
      deleteInvoices(t, decision),
      grantEntitlements(t, decision, operation.asOf),
      writeUsage(t, decision),
      writeCredits(t, decision),
      writeTopUps(t, decision.topUps ?? []),
    ]),
  ]);
  if (taken.status === 'fulfilled' && taken.value) throw new OperationExists(operation.operationId);
  if (taken.status === 'rejected') throw taken.reason;
  if (first.status === 'rejected') throw first.reason;
  const numbers = first.value[7];
  const granted = first.value[10];

  const invoices = decision.invoices.map((invoice) => ({ ...invoice, number: invoice.number ?? numbers[invoice.id] ?? null }));
  const answer = result(numbers);
  const objects = objectsOf(decision, invoices);
  const unread = decision.events.filter(({ objectId }) => !objects.has(objectId));
  const append = (): Promise<void> =>
    appendEvents(
      t,
      [...decision.events.map((event) => ({ ...event, data: objects.get(event.objectId), occurredAt: operation.asOf })), ...granted],
      { operationId: operation.operationId, actor: null, subscriptionId: operation.subscriptionId, sharedBy: operation.sharedBy },
    );
  // The operation before its events, in the order of the timeline.
  const written = Promise.all([writeInvoices(t, invoices), recordOperation(t, operation, answer)]);
  if (unread.length === 0) {
    await Promise.all([written, append()]);
    return answer;
  }
  await written;
  for (const event of unread) objects.set(event.objectId, await readForEvent(t, event));
  await append();
  return answer;
}

/** Whether the operation was carried out, after waiting for whoever is carrying it out now. */
async function isTaken(t: AccountTransaction, { operationId }: Operation): Promise<boolean> {
  const [, { rowCount }] = await Promise.all([
    t.run('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`${t.accountId} ${operationId}`]),
    t.run('select from operations where account_id = $1 and operation_id = $2', [t.accountId, operationId]),
  ]);
  return rowCount !== 0;
}

/**
 * Gapless: the series' row stays locked until the transaction ends, so a number that is drawn is used or goes back. A customer on a test clock has a series of its own: many of
 * them live through years at once, and each one's numbers are in the order of its time.
 */
async function drawNumbers(t: AccountTransaction, invoices: readonly Invoice[]): Promise<Record<string, string>> {
  const unnumbered = invoices.filter((invoice) => invoice.number === null && invoice.finalizedAt !== null);
  if (unnumbered.length === 0) return {};
  const { rows } = await t.run<{ next: number; prefix: string }>(
    `with own as (
       update customers set next_invoice_number = next_invoice_number + $1 where account_id = $2 and id = $3 and test_clock_id is not null
       returning next_invoice_number as next, '-' || upper(right(id, 10)) as suffix
     ), shared as (
       update invoice_number_series set next_number = next_number + $1 where account_id = $2 and not exists (select from own)
       returning next_number as next, '' as suffix
     )
     select drawn.next, a.invoice_number_prefix || drawn.suffix as prefix from (select * from own union all select * from shared) drawn, accounts a where a.id = $2`,
    [unnumbered.length, t.accountId, unnumbered[0]?.customerId],
  );
  if (!rows[0]) throw new Error(`the account ${t.accountId} has no series of invoice numbers`);
  const { next, prefix } = rows[0];
  return Object.fromEntries(
    unnumbered.map((invoice, index) => [invoice.id, `${prefix}-${String(next - unnumbered.length + index).padStart(4, '0')}`]),
  );
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
        payment_behavior: operation.paymentBehavior,
        result: answer ?? null,
        parameters: operation.parameters ?? null,
        workflow_id: operation.run?.workflowId ?? null,
        run_id: operation.run?.runId ?? null,
      },
    ],
    'on conflict do nothing',
  );
  if (inserted === 0) throw new OperationExists(operation.operationId);
  await shareOnTimelines(t, 'operations', [{ id: operation.operationId, subscriptionIds: operation.sharedBy ?? [] }]);
}

/** The schedule first: its subscription refers to it. */
async function writePlan(
  t: AccountTransaction,
  { schedule, subscription, others = [], subscriptionMetadata, quote }: Decision,
): Promise<void> {
  await Promise.all([
    ...others.flatMap((other) => [other.schedule && writeSchedule(t, other.schedule), writeSubscription(t, other.subscription)]),
    schedule && writeSchedule(t, schedule),
    subscription && writeSubscription(t, subscription),
    quote && writeAcceptance(t, quote),
    subscription && subscriptionMetadata && addMetadata(t, subscription.id, subscriptionMetadata),
  ]);
}

async function writeCurrency(t: AccountTransaction, { customerCurrency, invoices, subscription }: Decision): Promise<void> {
  const customerId = invoices[0]?.customerId ?? subscription?.customerId;
  if (customerCurrency === null || customerId === undefined) return;
  await t.run('update customers set currency = $1 where account_id = $2 and id = $3 and currency is null', [
    customerCurrency,
    t.accountId,
    customerId,
  ]);
}

/** Drafts only: the database refuses to lose a final one. Their lines go with them. */
async function deleteInvoices(t: AccountTransaction, { deletedInvoices }: Decision): Promise<void> {
  if (deletedInvoices.length === 0) return;
  await t.run('delete from invoices where account_id = $1 and id = any($2::text[])', [t.accountId, deletedInvoices.map(({ id }) => id)]);
}

async function writePendingItems(t: AccountTransaction, { pendingItems }: Decision): Promise<void> {
  const { insert, change, consume, remove } = pendingItems;
  await Promise.all([
    insertRows(
      t,
      'invoice_items',
      insert.map((item) => invoiceItemToRow(t.accountId, item)),
    ),
    updateRows(
      t,
      'invoice_items',
      change.map(({ id, line, taxRateIds, discounts = [] }) => ({
        account_id: t.accountId,
        id,
        line,
        tax_rate_ids: taxRateIds,
        discounts,
      })),
    ),
    updateRows(
      t,
      'invoice_items',
      consume.map(({ id, invoiceId }) => ({ account_id: t.accountId, id, invoice_id: invoiceId })),
    ),
    updateRows(
      t,
      'invoice_items',
      remove.map((id) => ({ account_id: t.accountId, id, removed: true, invoice_id: null })),
    ),
  ]);
}

/** Shrinks first: the freed time is what the new coverage takes. */
async function writeCoverage(t: AccountTransaction, { billed }: Decision): Promise<void> {
  await Promise.all([
    updateRows(
      t,
      'billed_periods',
      billed.shrink.map(({ id, end, credited }) => ({ account_id: t.accountId, id, end: toTimestamp(end), credited })),
    ),
    insertRows(
      t,
      'billed_periods',
      billed.insert.map((row) => toRow(BILLED_PERIODS, t.accountId, row)),
    ),
    ...billed.attach.map(({ invoiceItemId, invoiceId, invoiceLineId }) =>
      t.run(
        `with used as (update usage_periods set invoice_id = $1, invoice_line_id = $2 where account_id = $3 and invoice_item_id = $4)
         update billed_periods set invoice_id = $1, invoice_line_id = $2 where account_id = $3 and invoice_item_id = $4`,
        [invoiceId, invoiceLineId, t.accountId, invoiceItemId],
      ),
    ),
  ]);
}

/** A line's own stretches are new; what late events have made of others is written over what was known of them. */
async function writeUsage(t: AccountTransaction, { usage }: Decision): Promise<void> {
  // A stretch that ran on ends before another one of its item begins.
  await updateRows(
    t,
    'usage_periods',
    usage.change.map(({ id, end, quantity, amount, net, watermark, minimum, maximum, runsOn = false }) =>
      toRow(USAGE_PERIODS, t.accountId, { id, end, quantity, amount, net, watermark, minimum, maximum, runsOn }),
    ),
  );
  await insertRows(
    t,
    'usage_periods',
    usage.insert.map((period) => toRow(USAGE_PERIODS, t.accountId, { runsOn: false, ...period })),
  );
}

async function writeMoney(t: AccountTransaction, { attempt, balance, journal }: Decision): Promise<void> {
  const last = balance.at(-1);
  await Promise.all([
    attempt &&
      insertRows(
        t,
        'payment_attempts',
        [toRow(PAYMENT_ATTEMPTS, t.accountId, attempt)],
        `on conflict (account_id, id) do update set status = excluded.status, gateway_reference = excluded.gateway_reference,
           decline_code = excluded.decline_code, decline_message = excluded.decline_message, resolved_at = excluded.resolved_at`,
      ),
    insertRows(
      t,
      'balance_transactions',
      balance.map((moved) => toRow(BALANCE_TRANSACTIONS, t.accountId, moved)),
    ),
    last &&
      t.run('update customers set balance = $1, currency = coalesce(currency, $2) where account_id = $3 and id = $4', [
        last.endingBalance,
        last.currency,
        t.accountId,
        last.customerId,
      ]),
    writeJournal(t, journal),
  ]);
}
