import type { AccountTransaction } from './client.ts';
import type { Used } from './find-thresholds.ts';
import { takeNumbers } from './record-meter-events.ts';

/** What becomes of a kept event: it counts no longer, or with another value. */
export type Adjustment = { do: 'cancel' } | { do: 'correct'; value: string | null; uniqueValue: string | null };

interface Revision {
  revision: number;
  ended: number | null;
  customer_id: string;
  hour: number;
  at: number;
  group_key: string;
  counted: boolean;
  same: boolean;
}

/**
 * Cancels an event or gives it another value, as a revision with a number of its own: what was true at an earlier number stays known. The hour's rollup is made again from its events.
 * What is so already is left as it is. @returns `missing` where there is no such event, `canceled` where one that was cancelled was to be corrected
 */
export async function adjustMeterEvent(
  t: AccountTransaction,
  { meterId, identifier }: { meterId: string; identifier: string },
  adjustment: Adjustment,
): Promise<'done' | 'missing' | 'canceled'> {
  const number = await takeNumbers(t, 1);
  const wanted = adjustment.do === 'correct' ? adjustment : { value: null, uniqueValue: null };
  const { rows } = await t.run<Revision>(
    `select revision, ended, customer_id, at, date_trunc('hour', at) as hour, group_key, counted,
       value is not distinct from $4::numeric and unique_value is not distinct from $5::text as same
     from meter_events where account_id = $1 and meter_id = $2 and identifier = $3 order by revision desc limit 1`,
    [t.accountId, meterId, identifier, wanted.value, wanted.uniqueValue],
  );
  const last = rows[0];
  if (last === undefined) return 'missing';
  if (last.ended !== null) return adjustment.do === 'cancel' ? 'done' : 'canceled';
  if (adjustment.do === 'correct' && last.same) return 'done';
  await t.run('update meter_events set ended = $4 where account_id = $1 and meter_id = $2 and identifier = $3 and revision = $5', [
    t.accountId,
    meterId,
    identifier,
    number,
    last.revision,
  ]);
  if (adjustment.do === 'correct') {
    await t.run(
      `insert into meter_events (account_id, meter_id, identifier, revision, sequence, customer_id, at, value, unique_value, group_key, counted, digest)
       select account_id, meter_id, identifier, revision + 1, $5, customer_id, at, $6::numeric, $7::text, group_key, counted, digest
       from meter_events where account_id = $1 and meter_id = $2 and identifier = $3 and revision = $4`,
      [t.accountId, meterId, identifier, last.revision, number, adjustment.value, adjustment.uniqueValue],
    );
  }
  if (last.counted) await rollUpAgain(t, [t.accountId, meterId, last.customer_id, last.hour, last.group_key, number]);
  return 'done';
}

/** Whose usage the event is and of when; empty where there is none of the identifier. */
export async function findUsed(t: AccountTransaction, { meterId, identifier }: { meterId: string; identifier: string }): Promise<Used[]> {
  const { rows } = await t.run<Used>(
    'select customer_id as "customerId", extract(epoch from at)::bigint as at from meter_events where account_id = $1 and meter_id = $2 and identifier = $3 limit 1',
    [t.accountId, meterId, identifier],
  );
  return rows;
}

async function rollUpAgain(t: AccountTransaction, values: readonly unknown[]): Promise<void> {
  await t.run(
    `update usage_rollups r set count = e.count, sum = e.sum, max = e.max, last = e.last, last_at = e.last_at, last_identifier = e.last_identifier, moment = e.moment, touched = $6
     from (
       select count(*) as count, coalesce(sum(value), 0) as sum, max(value) as max, max(at) as last_at,
         (array_agg(value order by at desc, identifier collate "C" desc))[1] as last, (array_agg(identifier order by at desc, identifier collate "C" desc))[1] as last_identifier,
         coalesce(sum(value * extract(epoch from at - to_timestamp($4::bigint))), 0) as moment
       from meter_events where account_id = $1 and meter_id = $2 and customer_id = $3 and at >= to_timestamp($4::bigint) and at < to_timestamp($4::bigint + 3600)
         and group_key = $5 and counted and ended is null
     ) e
     where r.account_id = $1 and r.meter_id = $2 and r.customer_id = $3 and r.hour = to_timestamp($4::bigint) and r.group_key = $5`,
    values,
  );
}
