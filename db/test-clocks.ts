import type { TestClock } from '../domain/test-clock.ts';
import type { Instant } from '../domain/time.ts';
import type { AccountTransaction } from './client.ts';
import { EVENTS, type StoredEvent } from './events.ts';
import { Filter, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertOne, type Row, type TableShape, updateOne } from './table.ts';

const TEST_CLOCKS: TableShape<TestClock> = {
  table: 'test_clocks',
  keys: ['id', 'name', 'status', 'frozenTime', 'targetFrozenTime', 'previousFrozenTime', 'operationId', 'deleted', 'createdAt'],
  instants: ['frozenTime', 'targetFrozenTime', 'previousFrozenTime', 'createdAt'],
};

export const insertTestClock = (t: AccountTransaction, given: TestClock): Promise<void> => insertOne(t, TEST_CLOCKS, given);
export const updateTestClock = (t: AccountTransaction, id: string, patch: Partial<TestClock>): Promise<TestClock | null> =>
  updateOne(t, TEST_CLOCKS, id, patch);

/** `lock`: nobody else changes it until the transaction ends. */
export const findTestClock = (t: AccountTransaction, id: string, { lock = false } = {}): Promise<TestClock | null> =>
  findOne(t, TEST_CLOCKS, id, lock);

export async function listTestClocks(t: AccountTransaction, query: Page): Promise<List<TestClock>> {
  const { rows, hasMore } = await listRows(t, { table: 'test_clocks' }, query, new Filter().equal('deleted', false));
  return { items: rows.map((row) => fromRow(TEST_CLOCKS, row)), hasMore };
}

export async function readTestClocks(t: AccountTransaction, ids: readonly string[]): Promise<TestClock[]> {
  const { rows } = await t.run<{ row: Row }>(
    'select to_jsonb(k) as row from test_clocks k where account_id = $1 and id = any($2::text[])',
    [t.accountId, [...ids]],
  );
  return rows.map(({ row }) => fromRow(TEST_CLOCKS, row));
}

/** An object whose customer may be on a test clock. */
export interface ClockOwner {
  customerId?: string;
  subscriptionId?: string;
  invoiceId?: string;
  paymentMethodId?: string;
}

/** The test clock of an object's customer; null where the customer lives in real time, or where there is none. */
export async function findTestClockOf(t: AccountTransaction, owner: ClockOwner): Promise<TestClock | null> {
  const { rows } = await t.run<{ row: Row }>(
    `select to_jsonb(k) as row from customers c join test_clocks k on k.account_id = c.account_id and k.id = c.test_clock_id
     where c.account_id = $1 and c.id = coalesce($2::text, (select customer_id from subscriptions where account_id = $1 and id = $3::text),
       (select customer_id from invoices where account_id = $1 and id = $4::text), (select customer_id from payment_methods where account_id = $1 and id = $5::text))`,
    [t.accountId, owner.customerId ?? null, owner.subscriptionId ?? null, owner.invoiceId ?? null, owner.paymentMethodId ?? null],
  );
  return rows[0] ? fromRow(TEST_CLOCKS, rows[0].row) : null;
}

/** Test clock ids by customer, of those customers that are on one. */
export async function testClockIdsOf(t: AccountTransaction, customerIds: readonly string[]): Promise<Map<string, string>> {
  if (customerIds.length === 0) return new Map();
  const { rows } = await t.run<{ id: string; test_clock_id: string }>(
    'select id, test_clock_id from customers where account_id = $1 and id = any($2::text[]) and test_clock_id is not null',
    [t.accountId, [...new Set(customerIds)]],
  );
  return new Map(rows.map((row) => [row.id, row.test_clock_id]));
}

/** Ids of the customers on a clock that are not deleted, oldest first. */
export const listClockCustomers = (t: AccountTransaction, clockId: string): Promise<string[]> =>
  idsBy(
    t,
    `select c.id from customers c where c.account_id = $1 and c.test_clock_id = $2 and not c.deleted order by c.created_at, c.id`,
    clockId,
  );

/** Ids of the subscriptions on a clock that have not ended, oldest first. */
export const listClockSubscriptions = (t: AccountTransaction, clockId: string): Promise<string[]> =>
  idsBy(
    t,
    `select s.id from subscriptions s join customers c on c.account_id = s.account_id and c.id = s.customer_id
     where c.account_id = $1 and c.test_clock_id = $2 and s.status not in ('canceled', 'incomplete_expired') order by s.created_at, s.id`,
    clockId,
  );

/** Ids of the invoices on a clock that may be chased: open, and tried before. Oldest first. */
export const listClockInvoices = (t: AccountTransaction, clockId: string): Promise<string[]> =>
  idsBy(
    t,
    `select v.id from invoices v join customers c on c.account_id = v.account_id and c.id = v.customer_id
     where c.account_id = $1 and c.test_clock_id = $2 and v.status = 'open' and v.attempt_count > 0 order by v.created_at, v.position`,
    clockId,
  );

/** Clocks that are on their way, and where to. */
export async function listAdvancingClocks(t: AccountTransaction): Promise<{ id: string; to: Instant }[]> {
  const { rows } = await t.run<{ row: Row }>(
    `select to_jsonb(k) as row from test_clocks k where account_id = $1 and status = 'advancing' order by created_at, id`,
    [t.accountId],
  );
  return rows.map(({ row }) => fromRow(TEST_CLOCKS, row)).flatMap(({ id, targetFrozenTime: to }) => (to === null ? [] : [{ id, to }]));
}

async function idsBy(t: AccountTransaction, sql: string, clockId: string): Promise<string[]> {
  const { rows } = await t.run<{ id: string }>(sql, [t.accountId, clockId]);
  return rows.map(({ id }) => id);
}

/** Events about a clock's customers and all that is theirs, in (after, upTo], in the order of their time. */
export async function listClockEvents(
  t: AccountTransaction,
  query: Page & { clockId: string; after: Instant; upTo: Instant },
): Promise<List<StoredEvent>> {
  const filter = new Filter().within('occurred_at', { gt: query.after, lte: query.upTo }).add(
    `coalesce(kept.data ->> 'customerId', case kept.object_type when 'customer' then kept.object_id
         when 'scheduled_change' then (select customer_id from subscriptions s where s.account_id = kept.account_id and s.id = kept.data ->> 'subscriptionId') end)
         in (select id from customers where account_id = ? and test_clock_id = ?)`,
    t.accountId,
    query.clockId,
  );
  const { rows, hasMore } = await listRows(t, { table: 'events', order: ['occurred_at', 'position'], oldestFirst: true }, query, filter);
  return { items: rows.map((row) => fromRow(EVENTS, row)), hasMore };
}
