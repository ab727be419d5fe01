import { randomBytes } from 'node:crypto';
import { type Database, openDatabase, withAccount } from '../db/client.ts';
import { readUsage } from '../db/read-usage.ts';
import { round } from './burst.ts';
import { cpuSecondsOfTree } from './cpu.ts';
import type { Engine } from './engine.ts';
import { ACCOUNT, type Seeder } from './seed.ts';

const BATCH = 1000;
const DUPLICATES = 0.05;
const CONNECTIONS = 8;
const CUSTOMERS = 200;
const DAYS = 30;
const READS = 200;

interface Given {
  engine: Engine;
  seeder: Seeder;
  seconds: number;
  /** Events of the period that is rated. */
  events: number;
  say: (line: string) => void;
}

export interface UsageReport {
  /** Batches of 1,000 as JSON over HTTP, of which 5 % are events sent before; an answer is given when they are committed. */
  ingest: {
    connections: number;
    customers: number;
    seconds: number;
    sent: number;
    accepted: number;
    duplicate: number;
    acceptedPerSecond: number;
    batchP50: number;
    batchP99: number;
    /** Processor milliseconds per 1,000 accepted events; the client is on the same machine. */
    cpuMs: { postgres: number; api: number; client: number };
  };
  /** A period of one customer that begins and ends within an hour, from rollups and the events of those two hours. Milliseconds. */
  rating: { events: number; days: number; reads: number; p50: number; p99: number };
}

/** How fast events become durable through HTTP, and how long it takes to know what a period of many events comes to. */
export async function measureUsage({ engine, seeder, seconds, events, say }: Given): Promise<UsageReport> {
  const api = await engine.startApi();
  const call = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${api.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${engine.secretKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const meter = await call('/v1/billing/meters', {
    display_name: 'Calls',
    event_name: 'calls',
    default_aggregation: { formula: 'sum' },
  });
  const customers = await seeder.customers(CUSTOMERS, Math.floor(Date.now() / 1000));
  say(`events for ${seconds} s`);
  const cpu = (): Record<'postgres' | 'api' | 'client', number> => {
    const { user, system } = process.cpuUsage();
    return { postgres: cpuSecondsOfTree(engine.pids.postgres), api: cpuSecondsOfTree(api.pid), client: (user + system) / 1_000_000 };
  };
  const before = cpu();
  const sent = await send(customers, seconds, (batch) => call('/v1/billing/meter_events/batch', { events: batch }));
  const after = cpu();
  const perThousand = (process: keyof typeof before): number => round((1_000_000 * (after[process] - before[process])) / sent.accepted);
  const ingest = { ...sent, cpuMs: { postgres: perThousand('postgres'), api: perThousand('api'), client: perThousand('client') } };
  await api.stop();
  const db = openDatabase({ url: engine.databaseUrl, poolMax: 2 });
  try {
    say(`a period of ${events} events`);
    const rating = await rate(db, { meterId: String(meter['id']), customerId: customers[0] ?? '', events });
    return { ingest, rating };
  } finally {
    await db.close();
  }
}

async function send(
  customers: readonly string[],
  seconds: number,
  post: (batch: object[]) => Promise<Record<string, unknown>>,
): Promise<Omit<UsageReport['ingest'], 'cpuMs'>> {
  const counts = { sent: 0, accepted: 0, duplicate: 0 };
  const durations: number[] = [];
  const end = performance.now() + seconds * 1000;
  const started = performance.now();
  const worker = async (): Promise<void> => {
    let earlier: object[] = [];
    while (performance.now() < end) {
      const batch = makeBatch(customers, earlier);
      const from = performance.now();
      const answer = await post(batch);
      durations.push(performance.now() - from);
      counts.sent += batch.length;
      counts.accepted += Number(answer['accepted']);
      counts.duplicate += Number(answer['duplicate']);
      earlier = batch.slice(-Math.round(BATCH * DUPLICATES));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  const took = (performance.now() - started) / 1000;
  return {
    connections: CONNECTIONS,
    customers: customers.length,
    seconds: round(took),
    ...counts,
    acceptedPerSecond: Math.round(counts.accepted / took),
    batchP50: round(percentile(durations, 0.5)),
    batchP99: round(percentile(durations, 0.99)),
  };
}

/** Repeats some of the batch before; the rest is new, of the last two days. */
function makeBatch(customers: readonly string[], earlier: readonly object[]): object[] {
  const now = Math.floor(Date.now() / 1000);
  const run = randomBytes(9).toString('base64url');
  const fresh = Array.from({ length: BATCH - earlier.length }, (_, index) => ({
    event_name: 'calls',
    payload: { stripe_customer_id: customers[index % customers.length], value: String(1 + (index % 50)) },
    identifier: `${run}${index}`,
    timestamp: now - ((index * 173) % 172_800),
  }));
  return [...earlier, ...fresh];
}

/** Written in the database's own words, as the statement that takes events leaves them. */
async function rate(
  db: Database,
  { meterId, customerId, events }: { meterId: string; customerId: string; events: number },
): Promise<UsageReport['rating']> {
  const start = Math.floor(Date.now() / 3_600_000) * 3600 - 200 * 86_400 + 1234;
  const end = start + DAYS * 86_400;
  await withAccount(db, ACCOUNT, async (t) => {
    await t.run(`set local statement_timeout = '30min'`, []);
    await t.run(
      `insert into meter_events (account_id, meter_id, identifier, revision, sequence, customer_id, at, value, group_key, counted, digest)
       select $1, $2, 'bench' || n, 1, n, $3, to_timestamp($4::bigint + (n * ($5::bigint - $4::bigint)) / $6::bigint), 1 + n % 50, '{}', true, '' from generate_series(0, $6::bigint - 1) n`,
      [ACCOUNT, meterId, customerId, start, end, events],
    );
    await t.run(
      `insert into usage_rollups (account_id, meter_id, customer_id, hour, group_key, count, sum, max, last, last_at, last_identifier, moment, touched)
       select $1, $2, $3, date_trunc('hour', at), '{}', count(*), sum(value), max(value), max(value), max(at), max(identifier), sum(value * extract(epoch from at - date_trunc('hour', at))), 1
       from meter_events where account_id = $1 and meter_id = $2 and customer_id = $3 and at >= to_timestamp($4::bigint) and at < to_timestamp($5::bigint) group by 4`,
      [ACCOUNT, meterId, customerId, start, end],
    );
  });
  // What a month brings by and by was brought at once: the tidying that Postgres does by and by is done too.
  await db.knex.raw('vacuum (analyze) meter_events, usage_rollups');
  const query = { meterId, formula: 'sum' as const, customerId, groups: {}, start, end, through: null, terms: null };
  const durations: number[] = [];
  for (let read = 0; read < READS; read += 1) {
    const from = performance.now();
    const { totals } = await withAccount(db, ACCOUNT, (t) => readUsage(t, [query]));
    durations.push(performance.now() - from);
    if (totals[0]?.count !== events) throw new Error(`${totals[0]?.count} events were counted, not ${events}`);
  }
  return { events, days: DAYS, reads: READS, p50: round(percentile(durations, 0.5)), p99: round(percentile(durations, 0.99)) };
}

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;
