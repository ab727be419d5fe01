import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { pino } from 'pino';
import Stripe from 'stripe';
import { inject } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import { makeActivities } from '../../activities/make-activities.ts';
import { createApp } from '../../api/create-app.ts';
import { insertAccount, insertApiKey } from '../../db/accounts.ts';
import { type Database, openDatabase } from '../../db/client.ts';
import type { Account } from '../../domain/account.ts';
import { DEFAULT_DUNNING_POLICY } from '../../domain/dunning/policy.ts';
import type { Instant } from '../../domain/time.ts';
import { paymentGatewayRegistry } from '../../gateways/payment/registry.ts';
import { migrateSandbox } from '../../gateways/payment/sandbox/migrate.ts';
import { openSandbox, type SandboxGateway } from '../../gateways/payment/sandbox/sandbox-gateway.ts';
import { taxCalculatorRegistry } from '../../gateways/tax/registry.ts';
import type { TaxCalculator } from '../../gateways/tax/tax-calculator.ts';
import { createWorker } from '../../workers/create-worker.ts';
import { createTestDatabase } from './database.ts';
import { flaky } from './flaky.ts';
import { quietly } from './quietly.ts';

/** A whole Perennial in one process, on a database, a task queue and a port of its own. */
export interface Stack {
  /** The official client, with a key of the account. */
  stripe: Stripe;
  apiKey: string;
  apiUrl: string;
  accountId: string;
  db: Database;
  databaseUrl: string;
  client: Client;
  taskQueue: string;
  sandbox: SandboxGateway;
  activities: Activities;
  stop(): Promise<void>;
}

export interface StackOptions {
  /** `none`: the API alone, or with worker processes that the test starts itself. */
  worker?: 'in_process' | 'none';
  /** Default: the dev server of the test run. */
  temporal?: { client: Client; connection: NativeConnection; namespace: string } | { address: string };
  /** Superuser's URL of the Postgres to use; default the one of the test run. */
  postgresUrl?: string;
  /** The database and account of another stack, for one on another Temporal. */
  books?: Pick<Stack, 'databaseUrl' | 'accountId' | 'apiKey'>;
  /** What the API takes for the time; default the wall clock. */
  now?: () => Instant;
  account?: Partial<Account>;
  taxCalculators?: TaxCalculator[];
  deadlineMs?: number;
  /** Of the worker's activities, the share that fails on either side of what they do; default FLAKY, or none. */
  flaky?: number;
  /** Default: links to workflow runs are not given. */
  temporalUi?: { url: string; namespace: string };
}

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  quietly();
  const unwind: (() => Promise<unknown> | unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const undo of unwind.splice(0).reverse()) await undo();
  };
  try {
    const databaseUrl = options.books?.databaseUrl ?? (await newDatabase(options.postgresUrl ?? inject('postgresUrl'), unwind));
    const db = openDatabase({ url: databaseUrl, poolMax: 10 });
    unwind.push(() => db.close());
    const sandbox = openSandbox({ url: databaseUrl });
    unwind.push(() => sandbox.close());
    const { accountId, apiKey } = options.books ?? (await newAccount(db, options.account));

    const { temporal = { address: inject('temporalAddress') } } = options;
    const { client, connection, namespace } = 'client' in temporal ? temporal : await connectTo(temporal.address, unwind);
    const taskQueue = `stack-${randomBytes(6).toString('hex')}`;
    const log = pino({ level: process.env['TEST_LOG_LEVEL'] ?? 'silent' });
    const gateways = paymentGatewayRegistry([sandbox]);
    const taxCalculators = taxCalculatorRegistry(options.taxCalculators ?? []);
    const activities = makeActivities({
      db,
      log,
      gateways,
      taxCalculators,
      reach: () => {},
    });
    if (options.worker !== 'none') {
      const worker = await createWorker({
        connection,
        namespace,
        taskQueue,
        activities: flaky(activities, options.flaky ?? Number(process.env['FLAKY'] ?? 0)),
        workflowBundlePath: inject('workflowBundlePath'),
        shutdownGraceSeconds: 1,
      });
      const running = worker.run();
      unwind.push(async () => {
        worker.shutdown();
        await running;
      });
    }

    const now = options.now ?? ((): Instant => Math.floor(Date.now() / 1000));
    const deadlineMs = options.deadlineMs ?? 20_000;
    const app = createApp({
      db,
      temporal: client,
      gateways,
      taxCalculators,
      log,
      taskQueue,
      deadlineMs,
      now,
      temporalUi: options.temporalUi ?? null,
    });
    const server = createServer(app);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    unwind.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    const { port } = server.address() as AddressInfo;
    const apiUrl = `http://127.0.0.1:${port}`;
    const stripe = clientOf({ apiKey, apiUrl }, { timeout: 4 * deadlineMs });
    return { stripe, apiKey, apiUrl, accountId, db, databaseUrl, client, taskQueue, sandbox, activities, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function newDatabase(adminUrl: string, unwind: (() => unknown)[]): Promise<string> {
  const database = await createTestDatabase(adminUrl);
  unwind.push(() => database.drop());
  await migrateSandbox(database.url);
  return database.url;
}

async function newAccount(db: Database, given: Partial<Account> = {}): Promise<{ accountId: string; apiKey: string }> {
  const accountId = `acct_${randomBytes(8).toString('hex')}`;
  const apiKey = `sk_test_${randomBytes(24).toString('hex')}`;
  await insertAccount(db, {
    id: accountId,
    name: 'Test',
    livemode: false,
    billingTimezone: 'UTC',
    prorationBasis: 'second',
    defaultTaxRateIds: [],
    taxCalculator: 'manual',
    dunningPolicy: DEFAULT_DUNNING_POLICY,
    invoiceGraceSeconds: 0,
    invoiceNumberPrefix: 'TEST',
    seller: { name: 'Seller', email: null, address: null },
    ...given,
  });
  await insertApiKey(db, accountId, {
    id: `key_${randomBytes(8).toString('hex')}`,
    secretHash: createHash('sha256').update(apiKey).digest('hex'),
    last4: apiKey.slice(-4),
  });
  return { accountId, apiKey };
}

async function connectTo(
  address: string,
  unwind: (() => unknown)[],
): Promise<{ client: Client; connection: NativeConnection; namespace: string }> {
  const connection = await NativeConnection.connect({ address });
  unwind.push(() => connection.close());
  const clientConnection = await Connection.connect({ address });
  unwind.push(() => clientConnection.close());
  return { client: new Client({ connection: clientConnection, namespace: 'default' }), connection, namespace: 'default' };
}

/** The official client, at a stack's API. It asks once, unless told otherwise. */
export const clientOf = (
  { apiKey, apiUrl }: Pick<Stack, 'apiKey' | 'apiUrl'>,
  config: ConstructorParameters<typeof Stripe>[1] = {},
): Stripe =>
  new Stripe(apiKey, {
    host: '127.0.0.1',
    port: Number(new URL(apiUrl).port),
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    ...config,
  });
