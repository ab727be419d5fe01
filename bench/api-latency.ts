import autocannon from 'autocannon';
import { round } from './burst.ts';
import { inParallel } from './in-parallel.ts';
import { itemOf, PRICE, type Seeded } from './seed.ts';

export interface Latency {
  call: string;
  concurrency: number;
  calls: number;
  perSecond: number;
  /** Milliseconds, loopback, caller and server on the same machine. */
  p50: number;
  p99: number;
  failed: number;
}

export interface ApiUnderTest {
  url: string;
  secretKey: string;
  seeded: readonly Seeded[];
  /** Customers without a subscription, one for each creation. */
  newcomers: readonly string[];
  /** How long each call is repeated. */
  seconds: number;
}

const CONCURRENCY = 4;

/** Latencies of reads, of a plain write, and of the writes that go through a workflow. */
export async function measureApi(api: ApiUnderTest, say: (line: string) => void): Promise<Latency[]> {
  const [first] = api.seeded;
  if (first === undefined) throw new Error('there is no subscription to read');
  const results: Latency[] = [];
  for (const call of ['GET /v1/subscriptions/:id', 'GET /v1/invoices?limit=10', 'POST /v1/customers']) {
    say(call);
    results.push(await hammer(api, call, call.replace(':id', first.subscriptionId)));
  }
  say('POST /v1/subscriptions');
  results.push(
    await timeEach(api, 'POST /v1/subscriptions (create and pay)', api.newcomers, (customer) => [
      '/v1/subscriptions',
      { customer, 'items[0][price]': PRICE },
    ]),
  );
  say('POST /v1/subscriptions/:id');
  results.push(
    await timeEach(api, 'POST /v1/subscriptions/:id (quantity, prorated)', api.seeded, ({ subscriptionId }) => [
      `/v1/subscriptions/${subscriptionId}`,
      { 'items[0][id]': itemOf(subscriptionId), 'items[0][quantity]': '2' },
    ]),
  );
  return results;
}

async function hammer(api: ApiUnderTest, call: string, target: string): Promise<Latency> {
  const [method = 'GET', path = '/'] = target.split(' ');
  const result = await autocannon({
    url: `${api.url}${path}`,
    method: method === 'POST' ? 'POST' : 'GET',
    headers: headersOf(api),
    ...(method === 'POST' ? { body: 'name=Ada&email=ada%40example.com' } : {}),
    connections: CONCURRENCY,
    duration: api.seconds,
  });
  return {
    call,
    concurrency: CONCURRENCY,
    calls: result['2xx'],
    perSecond: round(result['2xx'] / result.duration),
    p50: result.latency.p50,
    p99: result.latency.p99,
    failed: result.non2xx + result.errors,
  };
}

/** One call for each item until they or the seconds run out. autocannon knows one body, and these need a new one each time. */
async function timeEach<T>(
  api: ApiUnderTest,
  call: string,
  items: readonly T[],
  request: (item: T) => [path: string, body: Record<string, string>],
): Promise<Latency> {
  const times: number[] = [];
  let failed = 0;
  const beganAt = performance.now();
  await inParallel(items, CONCURRENCY, async (item) => {
    if (performance.now() - beganAt > api.seconds * 1000) return;
    const [path, body] = request(item);
    const sentAt = performance.now();
    const response = await fetch(`${api.url}${path}`, { method: 'POST', headers: headersOf(api), body: new URLSearchParams(body) });
    const text = await response.text();
    times.push(performance.now() - sentAt);
    if (response.ok) return;
    failed += 1;
    if (failed === 1) process.stderr.write(`${call}: ${response.status} ${text.slice(0, 300)}\n`);
  });
  const seconds = (performance.now() - beganAt) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number): number => round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0);
  return {
    call,
    concurrency: CONCURRENCY,
    calls: times.length,
    perSecond: round(times.length / seconds),
    p50: at(0.5),
    p99: at(0.99),
    failed,
  };
}

const headersOf = (api: ApiUnderTest): Record<string, string> => ({
  authorization: `Bearer ${api.secretKey}`,
  'content-type': 'application/x-www-form-urlencoded',
});
