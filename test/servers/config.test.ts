import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readConfig, settingsTable } from '../../config/env.ts';
import { reasonOf, SetupError, WrongSettings } from '../../config/setup-error.ts';
import { connectClient, connectionOptions } from '../../config/temporal-connection.ts';

const linesOf = (env: Record<string, string>): readonly string[] => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (error instanceof WrongSettings) return error.lines;
    throw error;
  }
};

test('nothing set is a configuration, and it is frozen', () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    HOST: '127.0.0.1',
    PORT: 8420,
    TEMPORAL_TASK_QUEUE: 'billing',
    TEMPORAL_NAMESPACE: 'default',
    API_DEADLINE_MS: 10_000,
  });
  expect(config.DATABASE_URL).toBeUndefined();
  expect(Object.isFrozen(config)).toBe(true);
});

test('an empty variable counts as unset', () => {
  expect(readConfig({ PORT: '', DATABASE_URL: '  ' })).toMatchObject({ PORT: 8420, DATABASE_URL: undefined });
});

test.each([
  [{ PORT: 'eighty' }, /^PORT is wrong \("eighty"\): give a port/],
  [{ PORT: '0' }, /^PORT is wrong/],
  [{ METRICS_PORT: '70000' }, /^METRICS_PORT is wrong/],
  [{ DATABASE_URL: 'mysql://root:secret@db/x' }, /^DATABASE_URL is wrong \("mysql:\/\/root:\*\*\*@db\/x"\): give a URL such as postgres:/],
  [{ DATABASE_POOL_MAX: '1.5' }, /^DATABASE_POOL_MAX is wrong/],
  [{ TEMPORAL_ADDRESS: 'http://temporal:7233' }, /^TEMPORAL_ADDRESS is wrong .* without http/],
  [{ TEMPORAL_TLS: 'yes' }, /^TEMPORAL_TLS is wrong \("yes"\): write true or false/],
  [{ TEMPORAL_TLS_CERT_FILE: 'a.pem' }, /^TEMPORAL_TLS_KEY_FILE is missing/],
  [{ TEMPORAL_TLS: 'false', TEMPORAL_API_KEY: 'k' }, /^TEMPORAL_TLS is false/],
  [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL is wrong/],
  [{ API_DEADLINE_MS: '5' }, /^API_DEADLINE_MS is wrong/],
  [{ PORT: '8424' }, /^TEMPORAL_UI_PORT is the same port as PORT \(8424\)/],
])('%o is one line that says how to mend it', (env, line) => {
  const lines = linesOf(env as Record<string, string>);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(line);
});

test('every wrong setting has its line', () => {
  expect(linesOf({ PORT: 'x', LOG_FORMAT: 'xml', TEMPORAL_ADDRESS: 'nowhere' })).toHaveLength(3);
});

test('ports of servers that are not ours may be anything', () => {
  expect(linesOf({ PORT: '8424', TEMPORAL_ADDRESS: 'temporal:7233' })).toEqual([]);
});

test('the settings table of the README is current', () => {
  const table = /<!-- settings:start -->\n([\s\S]*?)\n?<!-- settings:end -->/.exec(
    readFileSync(new URL('../../README.md', import.meta.url), 'utf8'),
  )?.[1];
  expect(table, 'run `node cli/settings.ts`').toBe(settingsTable());
});

describe('the connection to Temporal', () => {
  test('is plain without TLS settings', () => {
    expect(connectionOptions(readConfig({ TEMPORAL_ADDRESS: 'temporal:7233' }))).toEqual({ address: 'temporal:7233', tls: false });
  });

  test('uses TLS with an API key', () => {
    expect(connectionOptions(readConfig({ TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_API_KEY: 'k' }))).toEqual({
      address: 'temporal:7233',
      tls: {},
      apiKey: 'k',
    });
  });

  test('reads the certificates', () => {
    const file = new URL('../../package.json', import.meta.url).pathname;
    const options = connectionOptions(
      readConfig({
        TEMPORAL_ADDRESS: 'temporal:7233',
        TEMPORAL_TLS_CERT_FILE: file,
        TEMPORAL_TLS_KEY_FILE: file,
        TEMPORAL_TLS_CA_FILE: file,
        TEMPORAL_TLS_SERVER_NAME: 'tls',
      }),
    );
    const pem = readFileSync(file);
    expect(options.tls).toEqual({ clientCertPair: { crt: pem, key: pem }, serverRootCACertificate: pem, serverNameOverride: 'tls' });
  });

  test('names a certificate that cannot be read', () => {
    expect(() => connectionOptions(readConfig({ TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_TLS_CA_FILE: '/nowhere.pem' }))).toThrow(
      /^TEMPORAL_TLS_CA_FILE cannot be read/,
    );
  });

  test('names the address that does not answer', async () => {
    await expect(connectClient(readConfig({ TEMPORAL_ADDRESS: '127.0.0.1:1' }), 500)).rejects.toThrow(
      /^TEMPORAL_ADDRESS 127.0.0.1:1 does not answer/,
    );
  });
});

test('what is said to whoever starts is one line', () => {
  expect(new SetupError('first\n  second').message).toBe('first second');
  expect(reasonOf(new AggregateError([new Error('refused\nby peer')]))).toBe('refused by peer');
});
