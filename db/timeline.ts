import { Refusal } from '../domain/errors.ts';
import type { PaymentAttempt } from '../domain/payments/payment.ts';
import type { Instant } from '../domain/time.ts';
import { ENGINE_ACTORS, type EntryType, type EventFact, NOTICES, PAYMENT_VERBS, type TimelineEntry } from '../domain/timeline/entry.ts';
import type { AccountTransaction } from './client.ts';
import { EVENTS, type StoredEvent } from './events.ts';
import type { List, Page } from './list.ts';
import { PAYMENT_ATTEMPTS } from './payment-attempts.ts';
import { fromRow, fromTimestamp, type Row, toTimestamp } from './table.ts';

export interface TimelineQuery extends Page {
  subscriptionId: string;
  types?: readonly EntryType[] | undefined;
  /** Bounds on the time of the decisions: from `since` on, before `until`. */
  since?: Instant | undefined;
  until?: Instant | undefined;
  newestFirst: boolean;
}

const RANK = { operation: 0, refusal: 1, event: 2 } as const;
type Source = keyof typeof RANK;

/** The entry's place in the order of all: `tle_` and source and position. It says where to go on, so a page needs no look-up. */
export const entryId = ({ source, position }: { source: Source; position: number }): string =>
  `tle_${RANK[source]}${position.toString(36)}`;

/** @throws Refusal resource_missing for what is no entry's id */
function placeOf(id: string, param: string): [position: number, rank: number] {
  const [, rank, position] = /^tle_([012])([0-9a-z]{1,12})$/.exec(id) ?? [];
  if (rank === undefined || position === undefined) throw new Refusal('resource_missing', `No such object: '${id}'`, param);
  return [Number.parseInt(position, 36), Number(rank)];
}

/**
 * What of each source is on the page; the parameters are the same in all. What the subscription shares with others is found by `timeline_shares`. Each is read off its index (account, subscription, position) and stops when the page is
 * full, so that a page of a long life costs as much as one of a short. The attempt's id is taken out here: under row-level security a join by an expression meets no index.
 */
interface Place {
  rank: number;
  /** Rows of `x`, whose place is that of `placed`. */
  from: string;
  placed: 'x' | 's';
  time: string;
  type: string;
  attempt?: string;
}

const source = ({ rank, from, placed, time, type, attempt = 'null::text' }: Place, ascending: boolean): string => `(
  select ${rank} as rank, x.position, ${type} as type, x.account_id, x.operation_id, to_jsonb(x) as row, ${attempt} as attempt_id from ${from}
  where ${placed}.account_id = $1 and ${placed}.subscription_id = $2
    and ${placed}.position ${ascending ? '>=' : '<='} $3::bigint and (${placed}.position ${ascending ? '>' : '<'} $3::bigint or ${rank} ${ascending ? '>' : '<'} $4::integer)
    and ($5::text[] is null or ${type} = any($5::text[]))
    and ($6::timestamptz is null or x.${time} >= $6::timestamptz) and ($7::timestamptz is null or x.${time} < $7::timestamptz)
  order by ${placed}.position ${ascending ? 'asc' : 'desc'} limit $8::integer)`;

const shared = (table: string, key: string, id: string): Pick<Place, 'from' | 'placed'> => ({
  from: `timeline_shares s join ${table} x on x.account_id = s.account_id and x.${id} = s.${key}`,
  placed: 's',
});

const list = (names: readonly string[]): string => names.map((name) => `'${name}'`).join(', ');
const OPERATION_TYPE = `case when x.kind in (${list(PAYMENT_VERBS)}) then 'payment' when x.actor in (${list(ENGINE_ACTORS)}) then 'decision' else 'command' end`;
const ATTEMPT = `coalesce(x.result ->> 'attemptId', x.result -> 'attempt' ->> 'id')`;
const EVENT_TYPE = `case when x.type in (${list(NOTICES)}) then 'notice' else 'state_change' end`;

const OPERATION = { rank: RANK.operation, time: 'as_of', type: OPERATION_TYPE, attempt: ATTEMPT };
const EVENT = { rank: RANK.event, time: 'occurred_at', type: EVENT_TYPE };
const PLACES: readonly Place[] = [
  { ...OPERATION, from: 'operations x', placed: 'x' },
  { ...OPERATION, ...shared('operations', 'operation_id', 'operation_id') },
  { rank: RANK.refusal, from: 'refused_commands x', placed: 'x', time: 'as_of', type: `'refusal'::text` },
  { ...EVENT, from: 'events x', placed: 'x' },
  { ...EVENT, ...shared('events', 'event_id', 'id') },
];

const statement = (ascending: boolean): string => `
  with page as (
    select * from (
      ${PLACES.map((place) => source(place, ascending)).join(' union all ')}
    ) entries order by position ${ascending ? 'asc' : 'desc'}, rank ${ascending ? 'asc' : 'desc'} limit $8::integer
  )
  select p.rank, p.row, coalesce(p.row ->> 'actor', o.actor) as actor, coalesce(p.row ->> 'workflow_id', o.workflow_id) as workflow_id,
    coalesce(p.row ->> 'run_id', o.run_id) as run_id, a.attempt
  from page p
  left join lateral (
    select x.actor, x.workflow_id, x.run_id from operations x where p.rank = ${RANK.event} and x.account_id = p.account_id and x.operation_id = p.operation_id limit 1
  ) o on true
  left join lateral (
    select to_jsonb(x) as attempt from payment_attempts x where p.type = 'payment' and x.account_id = p.account_id and x.id = p.attempt_id limit 1
  ) a on true
  order by p.position ${ascending ? 'asc' : 'desc'}, p.rank ${ascending ? 'asc' : 'desc'}`;
const FORWARD = statement(true);
const BACKWARD = statement(false);

interface Found {
  rank: number;
  row: Row;
  actor: string | null;
  workflow_id: string | null;
  run_id: string | null;
  attempt: Row | null;
}

/** All that was asked for, decided, refused and told of a subscription, its invoices and their dunning, in the order in which it was written. One statement. */
export async function listTimeline(t: AccountTransaction, query: TimelineQuery): Promise<List<TimelineEntry & { event?: StoredEvent }>> {
  const isBackwards = query.endingBefore !== undefined;
  const ascending = isBackwards === query.newestFirst;
  const cursor = query.endingBefore ?? query.startingAfter;
  const [position, rank] =
    cursor === undefined
      ? ascending
        ? [0, -1]
        : [Number.MAX_SAFE_INTEGER, 9]
      : placeOf(cursor, isBackwards ? 'ending_before' : 'starting_after');
  const { rows } = await t.run<Found>(ascending ? FORWARD : BACKWARD, [
    t.accountId,
    query.subscriptionId,
    position,
    rank,
    query.types ?? null,
    query.since === undefined ? null : toTimestamp(query.since),
    query.until === undefined ? null : toTimestamp(query.until),
    query.limit + 1,
  ]);
  const found = rows.slice(0, query.limit).map(entryOf);
  return { items: isBackwards ? found.reverse() : found, hasMore: rows.length > query.limit };
}

export const factOf = ({ type: name, objectType, objectId, data, previous }: StoredEvent): EventFact => ({
  source: 'event',
  name,
  objectType,
  objectId,
  data: data as Record<string, unknown>,
  previous,
});

function entryOf({ rank, row, actor, workflow_id: workflowId, run_id: runId, attempt }: Found): TimelineEntry & { event?: StoredEvent } {
  const recorded = {
    position: Number(row['position']),
    recordedAt: fromTimestamp(String(row['recorded_at'])),
    operationId: row['operation_id'] as string | null,
    actor,
    run: workflowId === null || runId === null ? null : { workflowId, runId },
  };
  if (rank === RANK.event) {
    const event = fromRow(EVENTS, row);
    return { ...recorded, ...factOf(event), at: event.occurredAt, event };
  }
  const asked = {
    ...recorded,
    name: String(row['kind']),
    at: fromTimestamp(String(row['as_of'])),
    actor: String(row['actor']),
    invoiceId: row['invoice_id'] as string | null,
    parameters: row['parameters'] as Record<string, unknown> | null,
  };
  if (rank === RANK.refusal) {
    const refusal = { code: String(row['code']), message: String(row['message']), param: row['param'] as string | null };
    return { ...asked, source: 'refusal', refusal };
  }
  return {
    ...asked,
    source: 'operation',
    result: row['result'] as Record<string, unknown> | null,
    attempt: attempt === null ? null : fromRow<PaymentAttempt>(PAYMENT_ATTEMPTS, attempt),
  };
}
