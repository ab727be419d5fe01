import { Refusal } from '../domain/errors.ts';
import type { MigratedStatus, MigrationReason, PriceMigration } from '../domain/subscription/migrate-price.ts';
import type { Instant } from '../domain/time.ts';
import type { Ending, EventType } from '../domain/timeline/event-types.ts';
import type { AccountTransaction } from './client.ts';
import { appendEvent } from './events.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertRows, type TableShape, toRow, updateOne } from './table.ts';

const PRICE_MIGRATIONS: TableShape<PriceMigration> = {
  table: 'price_migrations',
  keys: [
    'id',
    'fromPriceId',
    'toPriceId',
    'effectiveAt',
    'prorationBehavior',
    'filters',
    'status',
    'actor',
    'createdAt',
    'completedAt',
    'canceledAt',
  ],
  // Of `effectiveAt` the column is JSON.
  instants: ['createdAt', 'completedAt', 'canceledAt'],
};

/** Writing the same one again changes nothing, and tells nothing. */
export async function insertPriceMigration(t: AccountTransaction, given: PriceMigration): Promise<void> {
  const row = toRow(PRICE_MIGRATIONS, t.accountId, given);
  if ((await insertRows(t, PRICE_MIGRATIONS.table, [row], 'on conflict (account_id, id) do nothing')) > 0)
    await tellMigration(t, 'created', given, given.createdAt);
}

/** A migration as a whole goes on: what it has come to, and how far its subscriptions have. `at` is on the wall clock. */
export async function advancePriceMigration(
  t: AccountTransaction,
  id: string,
  { to, at }: { to: 'started' | 'completed' | 'canceled'; at: Instant },
): Promise<void> {
  const patch = {
    started: { status: 'running' },
    completed: { status: 'completed', completedAt: at },
    canceled: { status: 'canceled', canceledAt: at },
  } as const;
  const after = await updatePriceMigration(t, id, patch[to]);
  if (after !== null) await tellMigration(t, to, after, at);
}

async function tellMigration(t: AccountTransaction, ending: Ending<'price_migration'>, after: PriceMigration, at: Instant): Promise<void> {
  const data: ToldMigration = { ...after, counted: await countMigrated(t, after.id) };
  const type: EventType = `price_migration.${ending}`;
  await appendEvent(t, { type, objectType: 'price_migration', objectId: after.id, data, previous: null, occurredAt: at }, after.actor);
}

/** A migration as its events tell of it. */
export type ToldMigration = PriceMigration & { counted: Awaited<ReturnType<typeof countMigrated>> };

/** Those that have still somebody to ask, in the order of their ids. */
export async function listUnfinishedMigrations(t: AccountTransaction): Promise<string[]> {
  const { rows } = await t.run<{ id: string }>(
    `select id from price_migrations where account_id = $1 and status in ('pending', 'running', 'canceling') order by id`,
    [t.accountId],
  );
  return rows.map(({ id }) => id);
}
export const updatePriceMigration = (t: AccountTransaction, id: string, patch: Partial<PriceMigration>): Promise<PriceMigration | null> =>
  updateOne(t, PRICE_MIGRATIONS, id, patch);
/** `lock`: nobody else changes it until the transaction ends. */
export const findPriceMigration = (t: AccountTransaction, id: string, { lock = false } = {}): Promise<PriceMigration | null> =>
  findOne(t, PRICE_MIGRATIONS, id, lock);

export async function listPriceMigrations(
  t: AccountTransaction,
  query: Page & { created?: InstantRange; status?: PriceMigration['status'] },
): Promise<List<PriceMigration>> {
  const filter = new Filter().within('created_at', query.created).equal('status', query.status);
  const { rows, hasMore } = await listRows(t, { table: 'price_migrations' }, query, filter);
  return { items: rows.map((row) => fromRow(PRICE_MIGRATIONS, row)), hasMore };
}

/** One subscription of a migration, as it now is. */
export interface MigratedSubscription {
  migrationId: string;
  subscriptionId: string;
  status: MigratedStatus;
  reason: MigrationReason | null;
  /** Once there is one. */
  scheduledChangeId: string | null;
  invoiceId: string | null;
}

/** The operation under which a migration asks a subscription for the change: `operationId` of `workflows/messages.ts` in SQL. */
const OPERATION = `'price-migration:' || m.migration_id || ':' || m.subscription_id`;

/** A change that was made outlives whatever the asking of it was told. */
const STATUS = `case c.status when 'scheduled' then 'scheduled' when 'applied' then 'applied' when 'failed' then 'failed' when 'replaced' then 'skipped'
  when 'canceled' then case c.cancellation_reason when 'requested' then 'canceled' else 'skipped' end
  else case when o.operation_id is not null then 'applied' else m.outcome end end`;
const REASON = `case when c.status = 'failed' then jsonb_build_object('code', c.failure -> 'code', 'message', c.failure -> 'message')
  when c.status = 'replaced' then jsonb_build_object('code', 'replaced', 'message', 'Another change of the same item has taken its place.')
  when c.status = 'canceled' and c.cancellation_reason <> 'requested' then jsonb_build_object('code', 'subscription_canceled', 'message', 'The subscription ended before the change took effect.')
  when c.status is not null then case when c.status = 'scheduled' then m.undo_reason end
  when o.operation_id is null then m.reason end`;
const JOINED = `price_migration_subscriptions m
  left join scheduled_changes c on c.account_id = m.account_id and c.id = m.scheduled_change_id
  left join operations o on o.account_id = m.account_id and o.operation_id = ${OPERATION} and m.outcome in ('pending', 'failed')`;

/** How many of a migration's subscriptions have come how far, and why some went another way. */
export async function countMigrated(
  t: AccountTransaction,
  migrationId: string,
): Promise<{ status: MigratedStatus; code: MigrationReason['code'] | null; count: number }[]> {
  const { rows } = await t.run<{ status: MigratedStatus; code: MigrationReason['code'] | null; count: number }>(
    `select ${STATUS} as status, ${REASON} ->> 'code' as code, count(*)::integer as count from ${JOINED}
     where m.account_id = $1 and m.migration_id = $2 group by 1, 2 order by 1, 2`,
    [t.accountId, migrationId],
  );
  return rows;
}

/** A page in the order of the subscriptions' ids, which are the cursors. @throws Refusal resource_missing where a cursor is none of them */
export async function listMigrated(
  t: AccountTransaction,
  { migrationId, status, ...page }: Page & { migrationId: string; status?: MigratedStatus },
): Promise<List<MigratedSubscription>> {
  const backwards = page.endingBefore !== undefined;
  const cursor = page.endingBefore ?? page.startingAfter ?? null;
  if (cursor !== null && (await findMember(t, migrationId, cursor)) === null)
    throw new Refusal('resource_missing', `No such object: '${cursor}'`, backwards ? 'ending_before' : 'starting_after');
  const { rows } = await t.run<MigratedSubscription>(
    `select * from (
       select m.migration_id as "migrationId", m.subscription_id as "subscriptionId", ${STATUS} as status, ${REASON} as reason, c.id as "scheduledChangeId", m.invoice_id as "invoiceId" from ${JOINED}
       where m.account_id = $1 and m.migration_id = $2 and ($3::text is null or m.subscription_id ${backwards ? '<' : '>'} $3::text)
     ) migrated where $4::text is null or status = $4::text order by "subscriptionId" ${backwards ? 'desc' : 'asc'} limit $5::integer`,
    [t.accountId, migrationId, cursor, status ?? null, page.limit + 1],
  );
  const items = rows.slice(0, page.limit);
  return { items: backwards ? items.reverse() : items, hasMore: rows.length > page.limit };
}

/** What was written of asking one subscription; null where it is none of the migration's. */
export async function findMember(
  t: AccountTransaction,
  migrationId: string,
  subscriptionId: string,
): Promise<{ outcome: MigratedStatus; scheduledChangeId: string | null } | null> {
  const { rows } = await t.run<{ outcome: MigratedStatus; scheduledChangeId: string | null }>(
    `select outcome, scheduled_change_id as "scheduledChangeId" from price_migration_subscriptions
     where account_id = $1 and migration_id = $2 and subscription_id = $3`,
    [t.accountId, migrationId, subscriptionId],
  );
  return rows[0] ?? null;
}

interface Member {
  migrationId: string;
  subscriptionId: string;
  /** The time of the customer: the wall clock's, or that of his test clock. */
  at: Instant;
}

/** Tells in the life of a subscription what a migration has come to with it. */
async function tellMigrated(
  t: AccountTransaction,
  { migrationId, subscriptionId, at }: Member,
  status: Exclude<MigratedStatus, 'pending'>,
  {
    reason = null,
    invoiceId = null,
    scheduledChangeId,
  }: { reason?: MigrationReason | null; invoiceId?: string | null; scheduledChangeId: string | null },
): Promise<void> {
  const migration = await findPriceMigration(t, migrationId);
  if (migration === null) return;
  const { fromPriceId, toPriceId, actor } = migration;
  const type: EventType = `price_migration.subscription.${status}`;
  const data = { migrationId, subscriptionId, fromPriceId, toPriceId, status, reason, scheduledChangeId, invoiceId };
  // Many migrations may tell of one subscription, each in an order of its own.
  const objectId = `${migrationId}:${subscriptionId}`;
  await appendEvent(t, { type, objectType: 'price_migration_subscription', objectId, data, previous: null, occurredAt: at }, actor);
}

/** Remembers under which id the change will be known, before anybody is asked for it. */
export async function markAsked(
  t: AccountTransaction,
  { migrationId, subscriptionId }: Omit<Member, 'at'>,
  scheduledChangeId: string,
): Promise<void> {
  await t.run(
    `update price_migration_subscriptions set scheduled_change_id = $4 where account_id = $1 and migration_id = $2 and subscription_id = $3`,
    [t.accountId, migrationId, subscriptionId, scheduledChangeId],
  );
}

/** The first outcome stays, and is told. */
export async function recordMigrated(
  t: AccountTransaction,
  about: Member,
  given: { outcome: Exclude<MigratedStatus, 'pending'>; reason?: MigrationReason; invoiceId?: string | null },
): Promise<void> {
  const { rows } = await t.run<{ scheduledChangeId: string | null }>(
    `update price_migration_subscriptions set outcome = $4, reason = $5::jsonb, invoice_id = $6
     where account_id = $1 and migration_id = $2 and subscription_id = $3 and outcome = 'pending' returning scheduled_change_id as "scheduledChangeId"`,
    [
      t.accountId,
      about.migrationId,
      about.subscriptionId,
      given.outcome,
      given.reason === undefined ? null : JSON.stringify(given.reason),
      given.invoiceId ?? null,
    ],
  );
  if (rows[0] !== undefined) await tellMigrated(t, about, given.outcome, { ...given, ...rows[0] });
}

/** `reason`: why it could not be taken back; null where it was, or nothing was left of it. The first answer stays; what was taken back is told. */
export async function recordUndone(t: AccountTransaction, about: Member, reason: MigrationReason | null): Promise<void> {
  const { rows } = await t.run<{ scheduledChangeId: string | null; isBack: boolean }>(
    `update price_migration_subscriptions m set undo = $4, undo_reason = $5::jsonb
     where account_id = $1 and migration_id = $2 and subscription_id = $3 and undo is null returning scheduled_change_id as "scheduledChangeId",
       exists (select from scheduled_changes c where c.account_id = m.account_id and c.id = m.scheduled_change_id and c.cancellation_reason = 'requested') as "isBack"`,
    [t.accountId, about.migrationId, about.subscriptionId, reason === null ? 'done' : 'refused', reason && JSON.stringify(reason)],
  );
  if (rows[0]?.isBack === true) await tellMigrated(t, about, 'canceled', rows[0]);
}

/** The next ones to be asked for the change. */
export async function readToMigrate(t: AccountTransaction, migrationId: string, limit: number): Promise<string[]> {
  const { rows } = await t.run<{ id: string }>(
    `select subscription_id as id from price_migration_subscriptions where account_id = $1 and migration_id = $2 and outcome = 'pending'
     order by subscription_id limit $3::integer`,
    [t.accountId, migrationId, limit],
  );
  return rows.map(({ id }) => id);
}

/** The next ones whose change is to be taken back: what is scheduled, and what was asked for without an answer, as it may still come to be. */
export async function readToUndo(t: AccountTransaction, migrationId: string, limit: number): Promise<string[]> {
  const { rows } = await t.run<{ id: string }>(
    `select m.subscription_id as id from ${JOINED}
     where m.account_id = $1 and m.migration_id = $2 and m.undo is null and m.scheduled_change_id is not null
       and (c.status = 'scheduled' or (c.id is null and o.operation_id is null and (m.outcome = 'pending' or m.reason ->> 'code' = 'unavailable')))
     order by m.subscription_id limit $3::integer`,
    [t.accountId, migrationId, limit],
  );
  return rows.map(({ id }) => id);
}

/** Those that were not asked are not asked any more. */
export async function cancelUnasked(t: AccountTransaction, migrationId: string): Promise<void> {
  await t.run(
    `update price_migration_subscriptions set outcome = 'canceled' where account_id = $1 and migration_id = $2 and outcome = 'pending' and scheduled_change_id is null`,
    [t.accountId, migrationId],
  );
}

/** What gave no answer when it was to be taken back is asked again. */
export async function forgetUnanswered(t: AccountTransaction, migrationId: string): Promise<void> {
  await t.run(
    `update price_migration_subscriptions set undo = null, undo_reason = null
     where account_id = $1 and migration_id = $2 and undo = 'refused' and undo_reason ->> 'code' = 'unavailable'`,
    [t.accountId, migrationId],
  );
}
