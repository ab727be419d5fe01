import type { Instant } from '../domain/time.ts';
import type { Meter } from '../domain/usage/meter.ts';
import {
  contentOf,
  customerOf,
  type EventResult,
  type GivenEvent,
  isFault,
  type MeasuredEvent,
  type MeteredCustomer,
  measureEvent,
} from '../domain/usage/meter-event.ts';
import { countForAlerts } from './alerts.ts';
import type { AccountTransaction } from './client.ts';
import { digest } from './digest.ts';
import { metersByEventName } from './meters.ts';

interface Kept {
  event: MeasuredEvent;
  digest: string;
}

/**
 * Measures events and keeps those that are new, each with its part of its hour's rollup, in one statement. One answer per event, in their order; an identifier that is there already is a `duplicate` where its
 * content is the same, else a `conflict`. `now` is the time of customers on no test clock.
 */
export async function recordMeterEvents(t: AccountTransaction, given: readonly GivenEvent[], now: Instant): Promise<EventResult[]> {
  const meters = await metersByEventName(
    t,
    given.map(({ eventName }) => eventName),
  );
  const customers = await readCustomers(t, given, meters, now);
  const first = new Map<string, Kept>();
  const results = given.map((event): EventResult => {
    const meter = meters.get(event.eventName) ?? null;
    const measured = measureEvent(event, meter, meter && (customers.get(customerOf(event, meter) ?? '') ?? null));
    if (isFault(measured)) return { status: 'invalid', fault: measured };
    const kept = { event: measured, digest: digest(contentOf(event)) };
    const earlier = first.get(keyOf(measured));
    if (earlier !== undefined) return { status: earlier.digest === kept.digest ? 'duplicate' : 'conflict', event: measured };
    first.set(keyOf(measured), kept);
    return { status: 'accepted', event: measured };
  });
  const present = await insertEvents(t, [...first.values()]);
  const events = [...first].flatMap(([key, { event }]) => (present.has(key) ? [] : [event]));
  if (events.length > 0) await countForAlerts(t, { events, meters: [...meters.values()], nowOf: (id) => customers.get(id)?.now ?? now });
  if (present.size === 0) return results;
  return results.map((result, index): EventResult => {
    const there = result.status === 'invalid' ? undefined : present.get(keyOf(result.event));
    if (there === undefined || result.status === 'invalid') return result;
    return { ...result, status: there === digest(contentOf(given[index] as GivenEvent)) ? 'duplicate' : 'conflict' };
  });
}

const keyOf = ({ meterId, identifier }: { meterId: string; identifier: string }): string => `${meterId} ${identifier}`;

async function readCustomers(
  t: AccountTransaction,
  given: readonly GivenEvent[],
  meters: ReadonlyMap<string, Meter>,
  now: Instant,
): Promise<Map<string, MeteredCustomer>> {
  const ids = given.flatMap((event) => {
    const meter = meters.get(event.eventName);
    return (meter && customerOf(event, meter)) ?? [];
  });
  const { rows } = await t.run<{ id: string; deleted: boolean; frozen: Instant | null }>(
    `select c.id, c.deleted, k.frozen_time as frozen from customers c left join test_clocks k on k.account_id = c.account_id and k.id = c.test_clock_id
     where c.account_id = $1 and c.id = any($2::text[])`,
    [t.accountId, [...new Set(ids)]],
  );
  return new Map(rows.map(({ id, deleted, frozen }) => [id, { id, deleted, now: frozen ?? now }]));
}

// Nothing here is joined: a plan that was made while the tables were empty stays as good as any. The account's sequence is held before this begins, so what is there is seen, and nobody else adds to it.
const INSERT = `
with
  given as materialized (
    select g.*, (select e.digest from meter_events e where e.account_id = $1 and e.meter_id = g.meter_id and e.identifier = g.identifier and e.revision = 1) as there
    from unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::numeric[], $8::text[], $9::text[], $10::boolean[], $11::text[])
      with ordinality as g (meter_id, identifier, customer_id, at, value, unique_value, group_key, counted, digest, place)),
  fresh as (
    insert into meter_events (account_id, meter_id, identifier, revision, sequence, customer_id, at, value, unique_value, group_key, counted, digest)
    select $1, meter_id, identifier, 1, $2::bigint + place, customer_id, to_timestamp(at), value, unique_value, group_key, counted, digest
    from given where there is null
    returning sequence, meter_id, identifier, customer_id, at, value, group_key, counted, date_trunc('hour', at) as hour),
  rolled as (
    insert into usage_rollups as kept (account_id, meter_id, customer_id, hour, group_key, count, sum, max, last, last_at, last_identifier, moment, touched)
    select $1, meter_id, customer_id, hour, group_key, count(*), coalesce(sum(value), 0), max(value),
      (array_agg(value order by at desc, identifier desc))[1], max(at), (array_agg(identifier order by at desc, identifier desc))[1],
      coalesce(sum(value * extract(epoch from at - hour)), 0), max(sequence)
    from fresh where counted group by meter_id, customer_id, hour, group_key
    order by 2, 3, 4, 5
    on conflict (account_id, meter_id, customer_id, hour, group_key) do update set
      count = kept.count + excluded.count, sum = kept.sum + excluded.sum, max = greatest(kept.max, excluded.max), moment = kept.moment + excluded.moment,
      last = case when (excluded.last_at, excluded.last_identifier) > (kept.last_at, kept.last_identifier) or kept.last_at is null then excluded.last else kept.last end,
      last_identifier = case when (excluded.last_at, excluded.last_identifier) > (kept.last_at, kept.last_identifier) or kept.last_at is null
        then excluded.last_identifier else kept.last_identifier end,
      last_at = greatest(kept.last_at, excluded.last_at), touched = excluded.touched)
select place, there from given where there is not null`;

/** @returns the digests of those that were there already, by `keyOf` */
async function insertEvents(t: AccountTransaction, kept: readonly Kept[]): Promise<Map<string, string>> {
  if (kept.length === 0) return new Map();
  const before = (await takeNumbers(t, kept.length)) - kept.length;
  const column = <V>(value: (one: Kept) => V): V[] => kept.map(value);
  // Numbers and names of ours need no quotes, and then no driver that looks for what to escape.
  const plain = (value: (one: Kept) => string | number | boolean | null): string =>
    `{${kept.map((one) => value(one) ?? 'NULL').join(',')}}`;
  const { rows } = await t.run<{ place: number; there: string }>(INSERT, [
    t.accountId,
    before,
    plain(({ event }) => event.meterId),
    column(({ event }) => event.identifier),
    column(({ event }) => event.customerId),
    plain(({ event }) => event.at),
    plain(({ event }) => event.value),
    column(({ event }) => event.uniqueValue),
    column(({ event }) => event.groupKey),
    plain(({ event }) => event.counted),
    plain((one) => one.digest),
  ]);
  return new Map(rows.map(({ place, there }) => [keyOf((kept[place - 1] as Kept).event), there]));
}

/** Takes numbers for what is about to be written, and makes everybody else of the account who writes usage wait for the end of the transaction. @returns the last of them */
export async function takeNumbers(t: AccountTransaction, count: number): Promise<number> {
  const { rows } = await t.run<{ last: number }>(
    `insert into usage_sequences as kept (account_id, last) values ($1, $2) on conflict (account_id) do update set last = kept.last + excluded.last returning last`,
    [t.accountId, count],
  );
  return rows[0]?.last ?? count;
}
