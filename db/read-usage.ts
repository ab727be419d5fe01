import type { Percentage } from '../domain/catalog/price.ts';
import type { Period } from '../domain/invoicing/invoice.ts';
import { joinTotals, NO_USAGE, type UsageTotals } from '../domain/usage/measure.ts';
import type { Formula, GroupFilter } from '../domain/usage/meter.ts';
import type { AccountTransaction } from './client.ts';
import { toTimestamp } from './table.ts';

const HOUR = 3600;
/** Above every number. */
const NOW = Number.MAX_SAFE_INTEGER;

/** Usage of one customer in a stretch of time. */
export interface UsageQuery extends Period {
  meterId: string;
  formula: Formula;
  customerId: string;
  groups: GroupFilter;
  /** As it was known at this number of the account's sequence; null: as it is now. */
  through: number | null;
  /** To rate each event by them; null: nothing is rated. */
  terms: Percentage | null;
}

export interface UsageFound {
  /** One per query, in their order. */
  totals: UsageTotals[];
  /** The number up to which everything is in them. */
  watermark: number;
}

// Whole hours from the rollups, what lies at the edges from the events. Only formulas that need it read the level before (rollups of all time) or the different values (events), or sort for the last or weigh by time.
// Bounds come as timestamps, not as calls on numbers, so that row-level security lets the indexes be used.
const READ = `
with asked as (
  select * from unnest($2::text[], $3::text[], $4::jsonb[], $5::bigint[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::text[], $13::jsonb[])
    with ordinality as a (meter_id, customer_id, groups, through, edge_start, edge_end, hours_start, hours_end, rest_start, rest_end, formula, terms, place))
select a.place, p.*, (select s.last from usage_sequences s where s.account_id = $1) as watermark from asked a cross join lateral (
  select coalesce(sum(r.count), 0)::bigint as count, coalesce(sum(r.sum), 0) as sum, max(r.max) as max, max(r.last_at) as last_at,
    (array_agg(r.last order by r.last_at desc, r.last_identifier desc) filter (where a.formula = 'last' and r.last_at is not null))[1] as last,
    (array_agg(r.last_identifier order by r.last_at desc, r.last_identifier desc) filter (where a.formula = 'last' and r.last_at is not null))[1] as last_identifier,
    coalesce(sum(r.moment + r.sum * extract(epoch from r.hour)) filter (where a.formula = 'weighted_sum'), 0) as moment, 0 as before, 0 as "unique", 0::numeric as fees
  from usage_rollups r where r.account_id = $1 and r.meter_id = a.meter_id and r.customer_id = a.customer_id and r.hour >= a.hours_start and r.hour < a.hours_end
    and (a.groups = '{}' or r.group_key::jsonb @> a.groups)
  union all
  select count(*), coalesce(sum(e.value), 0), max(e.value), null, null, null, coalesce(sum(e.value * extract(epoch from e.at)) filter (where a.formula = 'weighted_sum'), 0), 0, 0, 0
  from (
    select * from meter_events e where e.account_id = $1 and e.meter_id = a.meter_id and e.customer_id = a.customer_id and e.at >= a.edge_start and e.at < a.edge_end
    union all
    select * from meter_events e where e.account_id = $1 and e.meter_id = a.meter_id and e.customer_id = a.customer_id and e.at >= a.rest_start and e.at < a.rest_end
  ) e where e.counted and e.sequence <= a.through and (e.ended is null or e.ended > a.through) and (a.groups = '{}' or e.group_key::jsonb @> a.groups)
  union all
  (select 0, 0, null, e.at, e.value, e.identifier, 0, 0, 0, 0
  from meter_events e where a.formula = 'last' and e.account_id = $1 and e.meter_id = a.meter_id and e.customer_id = a.customer_id and e.at >= a.edge_start and e.at < a.edge_end
    and e.counted and e.sequence <= a.through and (e.ended is null or e.ended > a.through) and (a.groups = '{}' or e.group_key::jsonb @> a.groups)
  order by e.at desc, e.identifier desc limit 1)
  union all
  (select 0, 0, null, e.at, e.value, e.identifier, 0, 0, 0, 0
  from meter_events e where a.formula = 'last' and e.account_id = $1 and e.meter_id = a.meter_id and e.customer_id = a.customer_id and e.at >= a.rest_start and e.at < a.rest_end
    and e.counted and e.sequence <= a.through and (e.ended is null or e.ended > a.through) and (a.groups = '{}' or e.group_key::jsonb @> a.groups)
  order by e.at desc, e.identifier desc limit 1)
  union all
  select 0, 0, null, null, null, null, 0, coalesce(sum(r.sum), 0), 0, 0
  from usage_rollups r where a.formula = 'weighted_sum' and a.through = ${NOW} and r.account_id = $1 and r.meter_id = a.meter_id and r.customer_id = a.customer_id
    and r.hour < date_trunc('hour', a.edge_start) and (a.groups = '{}' or r.group_key::jsonb @> a.groups)
  union all
  select 0, 0, null, null, null, null, 0, coalesce(sum(e.value), 0), 0, 0
  from meter_events e where a.formula = 'weighted_sum' and e.account_id = $1 and e.meter_id = a.meter_id and e.customer_id = a.customer_id
    and e.at >= case when a.through = ${NOW} then date_trunc('hour', a.edge_start) else '-infinity' end and e.at < a.edge_start
    and e.counted and e.sequence <= a.through and (e.ended is null or e.ended > a.through) and (a.groups = '{}' or e.group_key::jsonb @> a.groups)
  union all
  select 0, 0, null, null, null, null, 0, 0, count(distinct e.unique_value), 0
  from meter_events e where a.formula = 'unique_count' and e.account_id = $1 and e.meter_id = a.meter_id and e.customer_id = a.customer_id
    and e.at >= a.edge_start and e.at < a.rest_end
    and e.counted and e.sequence <= a.through and (e.ended is null or e.ended > a.through) and (a.groups = '{}' or e.group_key::jsonb @> a.groups)
  union all
  -- What is free is what comes first, by time and identifier. Each transaction bears the percentage on what of it lies above the free amount.
  select 0, 0, null, null, null, null, 0, 0, 0, coalesce(sum(case when e.value > 0 and e.fee > 0
      then least(greatest(e.fee, 100 * (a.terms ->> 'minimumAmount')::numeric), 100 * (a.terms ->> 'maximumAmount')::numeric) else e.fee end), 0)
  from (
    select f.value, (greatest(f.running - (a.terms ->> 'freeAmount')::numeric, 0) - greatest(f.running - f.value - (a.terms ->> 'freeAmount')::numeric, 0)) * (a.terms ->> 'rate')::numeric
      + case when f.place > (a.terms ->> 'freeEvents')::bigint then 100 * (a.terms ->> 'fixedAmount')::numeric else 0 end as fee
    from (
      select e.value, sum(e.value) over each as running, row_number() over each as place
      from meter_events e where a.terms <> 'null' and e.account_id = $1 and e.meter_id = a.meter_id and e.customer_id = a.customer_id
        and e.at >= a.edge_start and e.at < a.rest_end
        and e.counted and e.sequence <= a.through and (e.ended is null or e.ended > a.through) and (a.groups = '{}' or e.group_key::jsonb @> a.groups)
      window each as (order by e.at, e.identifier rows unbounded preceding)
    ) f
  ) e
) p order by a.place`;

interface Part {
  place: number;
  count: number;
  sum: string;
  max: string | null;
  last: string | null;
  last_at: number | null;
  last_identifier: string | null;
  moment: string;
  before: string;
  unique: number;
  fees: string;
  watermark: number | null;
}

/** What stretches of usage come to: milliseconds for whole hours, however many events they had; with `through` it reads the events themselves. */
export async function readUsage(t: AccountTransaction, queries: readonly UsageQuery[]): Promise<UsageFound> {
  const bounds = queries.map(boundsOf);
  const { rows } = await t.run<Part>(READ, [
    t.accountId,
    queries.map(({ meterId }) => meterId),
    queries.map(({ customerId }) => customerId),
    queries.map(({ groups }) => JSON.stringify(groups)),
    queries.map(({ through }) => through ?? NOW),
    bounds.map(({ edge }) => toTimestamp(edge.start)),
    bounds.map(({ edge }) => toTimestamp(edge.end)),
    bounds.map(({ hours }) => toTimestamp(hours.start)),
    bounds.map(({ hours }) => toTimestamp(hours.end)),
    bounds.map(({ rest }) => toTimestamp(rest.start)),
    bounds.map(({ rest }) => toTimestamp(rest.end)),
    queries.map(({ formula }) => formula),
    queries.map(({ terms }) => JSON.stringify(terms)),
  ]);
  const totals = queries.map(() => NO_USAGE);
  for (const part of rows) totals[part.place - 1] = joinTotals(totals[part.place - 1] ?? NO_USAGE, totalsOf(part));
  return { totals, watermark: rows[0]?.watermark ?? 0 };
}

const totalsOf = ({ last, last_at: at, last_identifier: identifier, place: _, watermark: __, ...part }: Part): UsageTotals => ({
  ...part,
  last: last === null || at === null || identifier === null ? null : { at, identifier, value: last },
});

/** The whole hours of a stretch, and what lies before and after them. Read as of a number, all of it is edge. */
function boundsOf({ start, end, through }: UsageQuery): { edge: Period; hours: Period; rest: Period } {
  const first = through === null ? Math.min(Math.ceil(start / HOUR) * HOUR, end) : end;
  const last = Math.max(first, Math.floor(end / HOUR) * HOUR);
  return { edge: { start, end: first }, hours: { start: first, end: last }, rest: { start: last, end } };
}
