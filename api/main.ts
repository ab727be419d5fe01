import { createServer } from 'node:http';
import { flushCompileCache } from 'node:module';
import { Client } from '@temporalio/client';
import { readConfig } from '../config/env.ts';
import { createLog } from '../config/log.ts';
import { reasonOf, runMain, SetupError } from '../config/setup-error.ts';
import { connectClient } from '../config/temporal-connection.ts';
import { openDatabase, pingDatabase } from '../db/client.ts';
import { paymentGatewayRegistry } from '../gateways/payment/registry.ts';
import { openSandbox } from '../gateways/payment/sandbox/sandbox-gateway.ts';
import { taxCalculatorRegistry } from '../gateways/tax/registry.ts';
import { createApp } from './create-app.ts';

/** env -> database, Temporal, gateways -> app -> listen; SIGINT and SIGTERM let what is being answered finish. */
await runMain(async () => {
  const config = readConfig(process.env);
  const log = createLog(config, 'api');
  if (config.DATABASE_URL === undefined)
    throw new SetupError('DATABASE_URL is missing: give the URL of your Postgres, or use `npm start`, which brings its own');
  const db = openDatabase({ url: config.DATABASE_URL, poolMax: config.DATABASE_POOL_MAX });
  await pingDatabase(db).catch((error: unknown) => {
    throw new SetupError(`DATABASE_URL cannot be used (${reasonOf(error)}): start Postgres there, or mend the URL`);
  });
  const connection = await connectClient(config);
  const sandbox = openSandbox({ url: config.DATABASE_URL });
  const app = createApp({
    db,
    temporal: new Client({ connection, namespace: config.TEMPORAL_NAMESPACE }),
    gateways: paymentGatewayRegistry([sandbox]),
    taxCalculators: taxCalculatorRegistry([]),
    log,
    taskQueue: config.TEMPORAL_TASK_QUEUE,
    deadlineMs: config.API_DEADLINE_MS,
    now: () => Math.floor(Date.now() / 1000),
    temporalUi: config.TEMPORAL_UI_URL === undefined ? null : { url: config.TEMPORAL_UI_URL, namespace: config.TEMPORAL_NAMESPACE },
  });

  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new SetupError(`PORT ${config.PORT} of ${config.HOST} cannot be used (${reasonOf(error)}): free it or give another`)),
    );
    server.listen(config.PORT, config.HOST, resolve);
  });
  log.info({ url: `http://${config.HOST}:${config.PORT}` }, 'API listens');
  // Node keeps what it compiled only when a process ends in peace, and this one may be killed.
  flushCompileCache();

  const stop = async (signal: string): Promise<void> => {
    log.info({ signal }, 'API stops');
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeIdleConnections();
    await closed;
    await Promise.all([connection.close(), sandbox.close(), db.close()]);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void runMain(() => stop(signal)));
});
