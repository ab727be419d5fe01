import { Refusal } from '../domain/errors.ts';
import type { TestClock } from '../domain/test-clock.ts';
import type { Instant } from '../domain/time.ts';
import type { AccountTransaction } from './client.ts';
import { EVENTS, type StoredEvent } from './events.ts';
import { Filter, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertOne, type Row, type TableShape, toTimestamp, updateOne } from './table.ts';

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
       (select customer_id from subscription_schedules where account_id = $1 and subscription_id = $3::text limit 1),
       (select customer_id from invoices where account_id = $1 and id = $4::text), (select customer_id from payment_methods where account_id = $1 and id = $5::text))`,
    [t.accountId, owner.customerId ?? null, owner.subscriptionId ?? null, owner.invoiceId ?? null, owner.paymentMethodId ?? null],
  );
  return rows[0] ? fromRow(TEST_CLOCKS, rows[0].row) : null;
}

/** The time of a subscription's customer: that of a test clock, or else `now`. */
export const timeOfCustomer = async (t: AccountTransaction, subscriptionId: string, now: Instant): Promise<Instant> =>
  (await findTestClockOf(t, { subscriptionId }))?.frozenTime ?? now;

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
export async function listClockCustomers(t: AccountTransaction, clockId: string): Promise<string[]> {
  const { rows } = await t.run<{ id: string }>(
    'select c.id from customers c where c.account_id = $1 and c.test_clock_id = $2 and not c.deleted order by c.created_at, c.position',
    [t.accountId, clockId],
  );
  return rows.map(({ id }) => id);
}

/** Ids of a customer's subscriptions that have not ended, oldest first. */
export async function listCustomerSubscriptions(t: AccountTransaction, customerId: string): Promise<string[]> {
  const { rows } = await t.run<{ id: string }>(
    `select id from subscriptions where account_id = $1 and customer_id = $2 and status not in ('canceled', 'incomplete_expired') order by created_at, position`,
    [t.accountId, customerId],
  );
  return rows.map(({ id }) => id);
}

/** The latest instant as of which anything was decided for a customer's subscriptions, invoices and balance; null where nothing was. Locks the customer, so that nothing is meanwhile. */
export async function lastDecisionAbout(t: AccountTransaction, customerId: string): Promise<Instant | null> {
  await t.run('select from customers where account_id = $1 and id = $2 for update', [t.accountId, customerId]);
  const { rows } = await t.run<{ at: Instant | null }>(
    `select greatest(
       (select max(o.as_of) from subscriptions s join operations o on o.account_id = s.account_id and o.subscription_id = s.id where s.account_id = $1 and s.customer_id = $2),
       (select max(greatest(v.created_at, v.finalized_at, v.paid_at, v.voided_at, v.marked_uncollectible_at)) from invoices v where v.account_id = $1 and v.customer_id = $2),
       (select max(b.created_at) from balance_transactions b where b.account_id = $1 and b.customer_id = $2)) as at`,
    [t.accountId, customerId],
  );
  return rows[0]?.at ?? null;
}

/** What of a clock's customers has a workflow. */
export interface ClockOwned {
  id: string;
  customerId: string;
}

/** The subscriptions on a clock that have not ended, oldest first. */
export const listClockSubscriptions = (t: AccountTransaction, clockId: string): Promise<ClockOwned[]> =>
  listOwned(
    t,
    `select o.id, o.customer_id as "customerId" from subscriptions o join customers c on c.account_id = o.account_id and c.id = o.customer_id
     where c.account_id = $1 and c.test_clock_id = $2 and o.status not in ('canceled', 'incomplete_expired') order by o.created_at, o.position`,
    clockId,
  );

/** The quotes on a clock that may still expire. */
export const listClockQuotes = (t: AccountTransaction, clockId: string): Promise<ClockOwned[]> =>
  listOwned(
    t,
    `select o.id, o.customer_id as "customerId" from quotes o join customers c on c.account_id = o.account_id and c.id = o.customer_id
     where c.account_id = $1 and c.test_clock_id = $2 and o.status in ('draft', 'open') order by o.created_at, o.position`,
    clockId,
  );

/** The subscriptions that schedules on a clock have still to create. */
export const listClockSchedules = (t: AccountTransaction, clockId: string): Promise<ClockOwned[]> =>
  listOwned(
    t,
    `select o.subscription_id as id, o.customer_id as "customerId" from subscription_schedules o join customers c on c.account_id = o.account_id and c.id = o.customer_id
     where c.account_id = $1 and c.test_clock_id = $2 and o.status = 'not_started' order by o.created_at, o.position`,
    clockId,
  );

/** The invoices on a clock that may be chased: open, and tried before or with a due date. Oldest first. */
export const listClockInvoices = (t: AccountTransaction, clockId: string): Promise<ClockOwned[]> =>
  listOwned(
    t,
    `select o.id, o.customer_id as "customerId" from invoices o join customers c on c.account_id = o.account_id and c.id = o.customer_id
     where c.account_id = $1 and c.test_clock_id = $2 and o.status = 'open' and (o.attempted or o.due_date is not null) order by o.created_at, o.position`,
    clockId,
  );

async function listOwned(t: AccountTransaction, sql: string, clockId: string): Promise<ClockOwned[]> {
  return (await t.run<ClockOwned>(sql, [t.accountId, clockId])).rows;
}

/** Clocks that are on their way, and where to. */
export async function listAdvancingClocks(t: AccountTransaction): Promise<{ id: string; to: Instant }[]> {
  const { rows } = await t.run<{ row: Row }>(
    `select to_jsonb(k) as row from test_clocks k where account_id = $1 and status = 'advancing' order by created_at, position`,
    [t.accountId],
  );
  return rows.map(({ row }) => fromRow(TEST_CLOCKS, row)).flatMap(({ id, targetFrozenTime: to }) => (to === null ? [] : [{ id, to }]));
}

/**
 * Events about a clock's customers and all that is theirs, in (after, upTo], in the order of their time. What happened at one instant stands customer by customer, in the
 * order in which the customers came, and each one's in the order in which it was written: however many were moved at once, the list is the same.
 */
export async function listClockEvents(
  t: AccountTransaction,
  query: Page & { clockId: string; after: Instant; upTo: Instant; types?: readonly string[] | undefined },
): Promise<List<StoredEvent>> {
  const isBackwards = query.endingBefore !== undefined;
  const cursor = query.endingBefore ?? query.startingAfter;
  const place = cursor === undefined ? null : await placeOf(t, cursor);
  if (cursor !== undefined && place === null)
    throw new Refusal('resource_missing', `No such object: '${cursor}'`, isBackwards ? 'ending_before' : 'starting_after');
  const { rows } = await t.run<{ row: Row }>(isBackwards ? EVENTS_BEFORE : EVENTS_AFTER, [
    t.accountId,
    query.clockId,
    toTimestamp(query.after),
    toTimestamp(query.upTo),
    place && toTimestamp(place.at),
    place?.customer ?? null,
    place?.position ?? null,
    query.limit + 1,
    query.types ?? null,
  ]);
  const items = rows.slice(0, query.limit).map(({ row }) => fromRow(EVENTS, row));
  return { items: isBackwards ? items.reverse() : items, hasMore: rows.length > query.limit };
}

/** The cursor's instant narrows what is read off the index; the rest of its place sorts among what happened then. */
const clockEvents = (after: boolean): string => `
  select to_jsonb(e) as row from events e join customers c on c.account_id = e.account_id and c.id = e.customer_id
  where e.account_id = $1 and c.test_clock_id = $2 and e.occurred_at > $3::timestamptz and e.occurred_at <= $4::timestamptz
    and ($9::text[] is null or e.type = any($9::text[]))
    and ($5::timestamptz is null or (e.occurred_at ${after ? '>=' : '<='} $5::timestamptz
      and (e.occurred_at, c.position, e.position) ${after ? '>' : '<'} ($5::timestamptz, $6::bigint, $7::bigint)))
  order by e.occurred_at ${after ? '' : 'desc'}, c.position ${after ? '' : 'desc'}, e.position ${after ? '' : 'desc'} limit $8::integer`;
const EVENTS_AFTER = clockEvents(true);
const EVENTS_BEFORE = clockEvents(false);

async function placeOf(t: AccountTransaction, eventId: string): Promise<{ at: Instant; customer: number; position: number } | null> {
  const { rows } = await t.run<{ at: Instant; customer: number; position: number }>(
    `select e.occurred_at as at, c.position as customer, e.position from events e join customers c on c.account_id = e.account_id and c.id = e.customer_id
     where e.account_id = $1 and e.id = $2`,
    [t.accountId, eventId],
  );
  return rows[0] ?? null;
}
