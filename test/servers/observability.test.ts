import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Counter, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { countTests, describeTally } from '../../cli/test-report.ts';
import { createLog } from '../../config/log.ts';
import { startMetricsServer } from '../../config/metrics.ts';
import { SEARCH_ATTRIBUTES } from '../../servers/search-attributes.ts';

function logged(format: 'json' | 'pretty', write: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = [];
  write(createLog({ LOG_LEVEL: 'info', LOG_FORMAT: format }, 'api', (line) => lines.push(line)));
  return lines;
}

test('a log never holds secrets or personal data', () => {
  const [line = ''] = logged('json', (log) =>
    log.info(
      {
        authorization: 'Bearer sk_test_secret',
        req: { headers: { authorization: 'Basic c2tfdGVzdA==', cookie: 'c' } },
        customer: { id: 'cus_1', name: 'Ada', email: 'ada@example.com', address: { line1: 'Home' } },
        email: 'ada@example.com',
        accountId: 'acct_1',
      },
      'request',
    ),
  );
  expect(line).not.toMatch(/sk_test_secret|c2tfdGVzdA|Ada|ada@example|Home/);
  expect(JSON.parse(line)).toMatchObject({ process: 'api', level: 30, msg: 'request', accountId: 'acct_1', customer: { id: 'cus_1' } });
});

test('a log for people is one line, and the stack of an error below it', () => {
  const [plain = '', failed = ''] = logged('pretty', (log) => {
    log.debug('unseen');
    log.info({ requestId: 'req_1' }, 'answered');
    log.error({ err: new Error('out of luck') }, 'failed');
  });
  expect(plain).toMatch(/^\d\d:\d\d:\d\d INFO {2}api answered requestId=req_1\n$/);
  expect(failed).toMatch(/^\d\d:\d\d:\d\d ERROR api failed\nError: out of luck\n {4}at /);
});

test('a worker shows its metrics, life and readiness', async () => {
  const registry = new Registry();
  new Counter({ name: 'perennial_tests_total', help: 'of this test', registers: [registry] }).inc();
  let ready = false;
  const server = await startMetricsServer({ host: '127.0.0.1', port: 0, registry, sdkAddress: '127.0.0.1:1', isReady: () => ready });
  const get = async (path: string): Promise<[number, string]> => {
    const response = await fetch(`${server.url}${path}`);
    return [response.status, await response.text()];
  };
  try {
    expect(await get('/metrics')).toEqual([200, expect.stringContaining('perennial_tests_total 1')]);
    expect((await get('/healthz'))[0]).toBe(200);
    expect((await get('/readyz'))[0]).toBe(503);
    ready = true;
    expect((await get('/readyz'))[0]).toBe(200);
    expect((await get('/nothing'))[0]).toBe(404);
    const port = Number(new URL(server.url).port);
    await expect(startMetricsServer({ host: '127.0.0.1', port, registry, isReady: () => true })).rejects.toThrow(/METRICS_PORT/);
  } finally {
    await server.stop();
  }
});

test('every search attribute that workflows write is registered', () => {
  const source = readFileSync(new URL('../../workflows/search-attributes.ts', import.meta.url), 'utf8');
  const written = Object.fromEntries(
    [...source.matchAll(/defineSearchAttributeKey\('(\w+)', '(\w+)'\)/g)].map(([, name, type]) => [name, type]),
  );
  expect(written).toEqual(Object.fromEntries(Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, type.toUpperCase()])));
});

test('the last line of a test run counts what the report says', () => {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-report-'));
  const file = join(folder, 'report.json');
  const tally = (report: object | string): string | null => {
    writeFileSync(file, typeof report === 'string' ? report : JSON.stringify(report));
    const counted = countTests(file);
    return counted && describeTally(counted);
  };
  const report = { numPassedTests: 7, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, success: true, testResults: [] };
  try {
    expect(tally(report)).toBe('7 passed, 0 failed');
    expect(tally({ ...report, numPendingTests: 1, numTodoTests: 1 })).toBe('7 passed, 0 failed, 2 skipped');
    expect(tally({ ...report, success: false })).toBe('7 passed, 1 failed');
    expect(tally({ ...report, success: false, testResults: [{ status: 'failed', assertionResults: [] }] })).toBe('7 passed, 1 failed');
    expect(
      tally({
        ...report,
        numFailedTests: 2,
        success: false,
        testResults: [{ status: 'failed', assertionResults: [{ status: 'failed' }] }],
      }),
    ).toBe('7 passed, 2 failed');
    expect(tally({ ...report, numPassedTests: 0 })).toBeNull();
    expect(tally('half writ')).toBeNull();
    expect(countTests(join(folder, 'none.json'))).toBeNull();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
