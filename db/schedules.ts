import type { Metadata } from '../domain/catalog/price.ts';
import type { ScheduleEdit, SubscriptionSchedule } from '../domain/schedule/schedule.ts';
import type { Instant } from '../domain/time.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertRows, type Row, type TableShape, toRow, toTimestamp, updateOne } from './table.ts';

export const SCHEDULES: TableShape<SubscriptionSchedule> = {
  table: 'subscription_schedules',
  keys: [
    'id',
    'customerId',
    'subscriptionId',
    'status',
    'currency',
    'phases',
    'currentPhase',
    'startsAt',
    'endBehavior',
    'settings',
    'metadata',
    'failure',
    'createdAt',
    'completedAt',
    'releasedAt',
    'canceledAt',
  ],
  instants: ['startsAt', 'createdAt', 'completedAt', 'releasedAt', 'canceledAt'],
};

/** What never changes, and what the API writes beside the decisions. */
const BESIDES = new Set(['account_id', 'id', 'created_at', 'metadata']);

/** Writes a schedule as it will be. */
export async function writeSchedule(t: AccountTransaction, schedule: SubscriptionSchedule): Promise<void> {
  const row = toRow(SCHEDULES, t.accountId, schedule);
  const changed = Object.keys(row).filter((column) => !BESIDES.has(column));
  const sets = changed.map((column) => `${column} = excluded.${column}`).join(', ');
  await insertRows(t, 'subscription_schedules', [row], `on conflict (account_id, id) do update set ${sets}`);
}

/** Adds to a subscription's metadata; a key with an empty value is taken away. */
export async function addMetadata(t: AccountTransaction, subscriptionId: string, metadata: Metadata): Promise<void> {
  const emptied = Object.keys(metadata).filter((key) => metadata[key] === '');
  await t.run('update subscriptions set metadata = (metadata || $3::jsonb) - $4::text[] where account_id = $1 and id = $2', [
    t.accountId,
    subscriptionId,
    JSON.stringify(metadata),
    emptied,
  ]);
}

export const findSchedule = (t: AccountTransaction, id: string): Promise<SubscriptionSchedule | null> => findOne(t, SCHEDULES, id);

/** Replaces the metadata, which decide nothing. */
export const describeSchedule = (t: AccountTransaction, id: string, metadata: Metadata): Promise<SubscriptionSchedule | null> =>
  updateOne(t, SCHEDULES, id, { metadata });

export async function readSchedules(t: AccountTransaction, ids: readonly string[]): Promise<SubscriptionSchedule[]> {
  const { rows } = await t.run<{ row: Row }>(
    'select to_jsonb(s) as row from subscription_schedules s where account_id = $1 and id = any($2::text[])',
    [t.accountId, [...ids]],
  );
  return rows.map(({ row }) => fromRow(SCHEDULES, row));
}

/** `scheduled`: those that have not started. */
export async function listSchedules(
  t: AccountTransaction,
  query: Page & {
    customerId?: string | undefined;
    subscriptionId?: string | undefined;
    scheduled?: boolean | undefined;
    created?: InstantRange | undefined;
    canceled?: InstantRange | undefined;
    completed?: InstantRange | undefined;
    released?: InstantRange | undefined;
  },
): Promise<List<SubscriptionSchedule>> {
  const filter = new Filter()
    .equal('customer_id', query.customerId)
    .equal('subscription_id', query.subscriptionId)
    .within('created_at', query.created)
    .within('canceled_at', query.canceled)
    .within('completed_at', query.completed)
    .within('released_at', query.released);
  if (query.scheduled === true) filter.equal('status', 'not_started');
  const { rows, hasMore } = await listRows(t, { table: 'subscription_schedules' }, query, filter);
  return { items: rows.map((row) => fromRow(SCHEDULES, row)), hasMore };
}

/** The schedule that has still to create this subscription; null: none. */
export async function findWaitingFor(t: AccountTransaction, subscriptionId: string): Promise<SubscriptionSchedule | null> {
  const { rows } = await t.run<{ row: Row }>(
    `select to_jsonb(s) as row from subscription_schedules s where account_id = $1 and subscription_id = $2 and status = 'not_started'`,
    [t.accountId, subscriptionId],
  );
  return rows[0] ? fromRow(SCHEDULES, rows[0].row) : null;
}

/** A customer's schedules whose subscription is still to be created. */
export async function listWaitingOf(t: AccountTransaction, customerId: string): Promise<SubscriptionSchedule[]> {
  const { rows } = await t.run<{ row: Row }>(
    `select to_jsonb(s) as row from subscription_schedules s where account_id = $1 and customer_id = $2 and status = 'not_started' order by created_at, position`,
    [t.accountId, customerId],
  );
  return rows.map(({ row }) => fromRow(SCHEDULES, row));
}

/** Those whose subscription is still to be created, with the test clock of their customer; by id, from the one after `after` on. */
export async function listWaitingSchedules(
  t: AccountTransaction,
  after: string,
  limit: number,
): Promise<{ schedule: SubscriptionSchedule; clock: { id: string; at: Instant } | null }[]> {
  const { rows } = await t.run<{ row: Row; clock_id: string | null; at: string | null }>(
    `select to_jsonb(s) as row, k.id as clock_id, extract(epoch from k.frozen_time)::bigint::text as at
     from subscription_schedules s join customers c on c.account_id = s.account_id and c.id = s.customer_id
       left join test_clocks k on k.account_id = c.account_id and k.id = c.test_clock_id
     where s.account_id = $1 and s.status = 'not_started' and s.id > $2 order by s.id limit $3`,
    [t.accountId, after, limit],
  );
  return rows.map(({ row, clock_id: id, at }) => ({
    schedule: fromRow(SCHEDULES, row),
    clock: id === null ? null : { id, at: Number(at) },
  }));
}

/** What is asked of a schedule; its workflow is told the id. The first edit of an id stays. */
export async function insertScheduleEdit(
  t: AccountTransaction,
  { id, scheduleId, edit, createdAt }: { id: string; scheduleId: string; edit: ScheduleEdit; createdAt: Instant },
): Promise<void> {
  const row = { account_id: t.accountId, id, schedule_id: scheduleId, edit, created_at: toTimestamp(createdAt) };
  await insertRows(t, 'schedule_edits', [row], 'on conflict do nothing');
}

export async function findScheduleEdit(t: AccountTransaction, scheduleId: string, id: string): Promise<ScheduleEdit | null> {
  const { rows } = await t.run<{ edit: ScheduleEdit }>(
    'select edit from schedule_edits where account_id = $1 and schedule_id = $2 and id = $3',
    [t.accountId, scheduleId, id],
  );
  return rows[0]?.edit ?? null;
}
