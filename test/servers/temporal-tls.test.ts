import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { readConfig } from '../../config/env.ts';
import { connectClient, connectWorker } from '../../config/temporal-connection.ts';
import { quietly } from '../support/quietly.ts';
import { newCustomer, newPrice } from '../support/scenario.ts';
import { startStack } from '../support/stack.ts';
import { certificate, startTlsFrontend, type TlsFrontend } from './tls-frontend.ts';

/** A server as a cluster or the Cloud shows itself: TLS, a certificate or a key for every client. */
const API_KEY = 'temporal-api-key-of-the-tests';
let frontend: TlsFrontend;
beforeAll(async () => {
  quietly();
  frontend = await startTlsFrontend({ upstream: inject('temporalAddress'), apiKey: API_KEY });
});
afterAll(() => frontend.stop());

const settings = (given: Record<string, string> = {}) =>
  readConfig({
    TEMPORAL_ADDRESS: frontend.address,
    TEMPORAL_NAMESPACE: 'default',
    TEMPORAL_API_KEY: API_KEY,
    TEMPORAL_TLS_CA_FILE: certificate('authority.pem'),
    TEMPORAL_TLS_CERT_FILE: certificate('client.pem'),
    TEMPORAL_TLS_KEY_FILE: certificate('client.key.pem'),
    TEMPORAL_TLS_SERVER_NAME: 'temporal.test',
    ...given,
  });

test('API and worker reach a Temporal behind TLS with a client certificate and an API key', async () => {
  const connection = await connectWorker(settings());
  const clientConnection = await connectClient(settings());
  const stack = await startStack({
    temporal: { connection, client: new Client({ connection: clientConnection, namespace: 'default' }), namespace: 'default' },
  });
  try {
    const price = await newPrice(stack.stripe, 900, { interval: 'month' });
    const customer = await newCustomer(stack.stripe);
    const subscription = await stack.stripe.subscriptions.create({ customer, items: [{ price }] });
    expect(subscription.status).toBe('active');
    expect(frontend.clients).toEqual(new Set(['perennial-test-client']));
  } finally {
    await stack.stop();
    await clientConnection.close();
    await connection.close();
  }
});

describe('what is wrong is said in one line', () => {
  test('a wrong API key', async () => {
    await expect(connectClient(settings({ TEMPORAL_API_KEY: 'other' }), 3000)).rejects.toThrow(
      /refuses these credentials.*TEMPORAL_API_KEY/,
    );
  });

  test('a namespace that the server does not have', async () => {
    await expect(connectClient(settings({ TEMPORAL_NAMESPACE: 'nowhere' }), 3000)).rejects.toThrow(
      /^TEMPORAL_NAMESPACE nowhere does not exist/,
    );
  });

  test('an authority that did not sign the server', async () => {
    const config = { ...settings(), TEMPORAL_TLS_CA_FILE: undefined };
    await expect(connectClient(config, 3000)).rejects.toThrow(/does not answer.*TEMPORAL_TLS/);
  });

  test('plain text where TLS is spoken', async () => {
    const config = readConfig({ TEMPORAL_ADDRESS: frontend.address });
    await expect(connectClient(config, 3000)).rejects.toThrow(/does not answer.*TEMPORAL_TLS/);
  });
});
