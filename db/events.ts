import { randomBytes } from 'node:crypto';
import type { Invoice } from '../domain/invoicing/invoice.ts';
import type { Instant } from '../domain/time.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { shareOnTimelines } from './share-timeline.ts';
import { findOne, fromRow, type TableShape, toTimestamp } from './table.ts';

/** One fact of the outbox: the object as it was written then, in the domain's own form. `sequence` counts the events of the object from 1. */
export interface StoredEvent {
  id: string;
  type: string;
  objectType: string;
  objectId: string;
  sequence: number;
  data: unknown;
  previous: Record<string, unknown> | null;
  operationId: string | null;
  occurredAt: Instant;
  /** The subscription and the customer whose life it is a part of. */
  subscriptionId: string | null;
  customerId: string | null;
}

export interface NewEvent {
  type: string;
  objectType: string;
  objectId: string;
  data: unknown;
  previous: Record<string, unknown> | null;
  occurredAt: Instant;
}

/** Where an event comes from: an operation, which knows who asked for it, or else whoever wrote it. */
export interface EventSource {
  operationId: string | null;
  /** Null where the operation says it. */
  actor: string | null;
  /** The subscription whose life the event is a part of, where its object does not say it. */
  subscriptionId: string | null;
  /** Further subscriptions of whose lives what names none is a part. Absent: none. */
  sharedBy?: readonly string[] | undefined;
}

export const EVENTS: TableShape<StoredEvent> = {
  table: 'events',
  keys: [
    'id',
    'type',
    'objectType',
    'objectId',
    'sequence',
    'data',
    'previous',
    'operationId',
    'occurredAt',
    'subscriptionId',
    'customerId',
  ],
  instants: ['occurredAt'],
};

/** Writes events in the transaction of what they tell of. The caller holds a lock on each object (it has just written it), which keeps the sequence whole. */
export async function appendEvents(t: AccountTransaction, events: readonly NewEvent[], source: EventSource): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map((event) => ({
    id: `evt_${randomBytes(12).toString('hex')}`,
    type: event.type,
    object_type: event.objectType,
    object_id: event.objectId,
    data: event.data,
    previous: event.previous,
    occurred_at: toTimestamp(event.occurredAt),
  }));
  await t.run(
    `insert into events (account_id, id, type, object_type, object_id, sequence, data, previous, operation_id, occurred_at, actor, subscription_id, customer_id)
     select $1, given.id, given.type, given.object_type, given.object_id,
       coalesce((select max(e.sequence) from events e where e.account_id = $1 and e.object_id = given.object_id), 0)
         + row_number() over (partition by given.object_id order by given.place),
       given.data, case when jsonb_typeof(given.previous) = 'null' then null else given.previous end, $2, given.occurred_at, $4,
       case when given.object_type = 'subscription' then given.object_id else coalesce(given.data ->> 'subscriptionId', $5) end,
       case when given.object_type = 'customer' then given.object_id else coalesce(given.data ->> 'customerId',
         (select s.customer_id from subscriptions s where s.account_id = $1 and s.id = given.data ->> 'subscriptionId')) end
     from (
       select r.*, place from jsonb_array_elements($3::jsonb) with ordinality as e (row, place),
         jsonb_to_record(e.row) as r (id text, type text, object_type text, object_id text, data jsonb, previous jsonb, occurred_at timestamptz)
     ) given order by given.place`,
    [t.accountId, source.operationId, JSON.stringify(rows), source.actor, source.subscriptionId],
  );
  await shareOnTimelines(
    t,
    'events',
    rows.map((row) => ({ id: row.id, subscriptionIds: sharersOf(row, source) })),
  );
}

/** A consolidated invoice says whose it is; of what else happens with it, the operation does. */
function sharersOf(event: { object_type: string; data: unknown }, { subscriptionId, sharedBy = [] }: EventSource): readonly string[] {
  const { subscriptionId: own, subscriptionIds } = (event.data ?? {}) as Partial<Invoice>;
  if (subscriptionIds) return subscriptionIds;
  return event.object_type === 'subscription' || own != null || subscriptionId !== null ? [] : sharedBy;
}

/** An event of no operation. */
export const appendEvent = (t: AccountTransaction, event: NewEvent, actor: string | null = null): Promise<void> =>
  appendEvents(t, [event], { operationId: null, actor, subscriptionId: null });

export const findEvent = (t: AccountTransaction, id: string): Promise<StoredEvent | null> => findOne(t, EVENTS, id);

/** In the order in which they were written, newest first. */
export async function listEvents(
  t: AccountTransaction,
  query: Page & { created?: InstantRange; types?: readonly string[]; objectId?: string },
): Promise<List<StoredEvent>> {
  const filter = new Filter().within('occurred_at', query.created).anyOf('type', query.types).equal('object_id', query.objectId);
  const { rows, hasMore } = await listRows(t, { table: 'events', order: ['position'] }, query, filter);
  return { items: rows.map((row) => fromRow(EVENTS, row)), hasMore };
}
