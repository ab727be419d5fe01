import type { Operation } from '../domain/decision.ts';
import type { ScheduledChange } from '../domain/subscription/scheduled-change.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertRows, type Row, type TableShape, toRow } from './table.ts';

const SCHEDULED_CHANGES: TableShape<ScheduledChange> = {
  table: 'scheduled_changes',
  keys: [
    'id',
    'subscriptionId',
    'status',
    'effectiveAt',
    'atPeriodEnd',
    'change',
    'replacedBy',
    'cancellationReason',
    'failure',
    'createdAt',
    'closedAt',
  ],
  instants: ['effectiveAt', 'createdAt', 'closedAt'],
};

/** Writes new and changed ones; one that is closed remembers by which operation. */
export async function writeScheduledChanges(
  t: AccountTransaction,
  { operationId }: Pick<Operation, 'operationId'>,
  changes: readonly ScheduledChange[],
): Promise<void> {
  await insertRows(
    t,
    'scheduled_changes',
    changes.map((change) => toRow(SCHEDULED_CHANGES, t.accountId, change, { closed_by: change.closedAt === null ? null : operationId })),
    `on conflict (account_id, id) do update set status = excluded.status, effective_at = excluded.effective_at, replaced_by = excluded.replaced_by,
       cancellation_reason = excluded.cancellation_reason, failure = excluded.failure, closed_at = excluded.closed_at, closed_by = excluded.closed_by`,
  );
}

export const findScheduledChange = (t: AccountTransaction, id: string): Promise<ScheduledChange | null> =>
  findOne(t, SCHEDULED_CHANGES, id);

/** Of one subscription, the earliest to take effect first, whatever became of them. */
export async function listScheduledChanges(
  t: AccountTransaction,
  query: Page & { subscriptionId: string; status?: ScheduledChange['status'] },
): Promise<List<ScheduledChange>> {
  const { rows, hasMore } = await listRows(
    t,
    { table: 'scheduled_changes', order: ['effective_at', 'position'], oldestFirst: true },
    query,
    new Filter().equal('subscription_id', query.subscriptionId).equal('status', query.status),
  );
  return { items: rows.map((row) => fromRow(SCHEDULED_CHANGES, row)), hasMore };
}

/** What one operation replaced. */
export async function readReplacedBy(t: AccountTransaction, operationId: string): Promise<ScheduledChange[]> {
  const { rows } = await t.run<{ row: Row }>(
    `select to_jsonb(c) as row from scheduled_changes c where account_id = $1 and closed_by = $2 and status = 'replaced' order by effective_at, id`,
    [t.accountId, operationId],
  );
  return rows.map(({ row }) => fromRow(SCHEDULED_CHANGES, row));
}
