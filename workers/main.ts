import { flushCompileCache } from 'node:module';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { makeReach } from '../activities/crash-point.ts';
import { makeActivities } from '../activities/make-activities.ts';
import { readConfig } from '../config/env.ts';
import { createLog } from '../config/log.ts';
import { installTemporalRuntime, startMetricsServer } from '../config/metrics.ts';
import { reasonOf, runMain, SetupError } from '../config/setup-error.ts';
import { connectWorker } from '../config/temporal-connection.ts';
import { openDatabase, pingDatabase } from '../db/client.ts';
import { paymentGatewayRegistry } from '../gateways/payment/registry.ts';
import { migrateSandbox } from '../gateways/payment/sandbox/migrate.ts';
import { openSandbox } from '../gateways/payment/sandbox/sandbox-gateway.ts';
import { taxCalculatorRegistry } from '../gateways/tax/registry.ts';
import { freePort } from '../servers/ports.ts';
import { missingSearchAttributes } from '../servers/search-attributes.ts';
import { workflowBundle } from '../servers/workflow-bundle.ts';
import { createWorker } from './create-worker.ts';

/** env -> database, gateways, Temporal -> one worker; SIGINT and SIGTERM let running activities finish. */
await runMain(async () => {
  const config = readConfig(process.env);
  const log = createLog(config, 'worker');
  const reach = makeReach(process.env);
  const { DATABASE_URL: url, TEMPORAL_NAMESPACE: namespace, TEMPORAL_TASK_QUEUE: taskQueue } = config;
  if (url === undefined)
    throw new SetupError('DATABASE_URL is missing: give the URL of your Postgres, or use `npm start`, which brings its own');

  const db = openDatabase({ url, poolMax: config.DATABASE_POOL_MAX });
  await migrateSandbox(url).catch((error: unknown) => {
    throw new SetupError(`DATABASE_URL cannot be used (${reasonOf(error)}): start Postgres there, or mend the URL`);
  });
  const sdkAddress = `127.0.0.1:${await freePort()}`;
  installTemporalRuntime(log, sdkAddress);
  const connection = await connectWorker(config);
  const missing = await missingSearchAttributes(connection, namespace);
  if (missing.length > 0)
    throw new SetupError(
      `Temporal namespace ${namespace} lacks the search attributes ${missing.join(', ')}: run \`npm run migrate\`, or add them by hand`,
    );

  const sandbox = openSandbox({ url });
  const activities = makeActivities({
    db,
    log,
    gateways: paymentGatewayRegistry([sandbox]),
    taxCalculators: taxCalculatorRegistry([]),
    reach,
  });
  const { codePath } = await workflowBundle(config.PERENNIAL_HOME);
  const worker = await createWorker({
    connection,
    namespace,
    taskQueue,
    activities,
    workflowBundlePath: codePath,
    ...(config.WORKER_CACHED_WORKFLOWS === undefined ? {} : { tuning: { maxCachedWorkflows: config.WORKER_CACHED_WORKFLOWS } }),
  });

  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const isReady = (): Promise<boolean> =>
    worker.getState() === 'RUNNING'
      ? pingDatabase(db).then(
          () => true,
          () => false,
        )
      : Promise.resolve(false);
  const metrics = await startMetricsServer({ host: config.HOST, port: config.METRICS_PORT, registry, sdkAddress, isReady });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => worker.shutdown());
  log.info({ taskQueue, namespace, metrics: metrics.url }, 'worker polls');
  // Node keeps what it compiled only when a process ends in peace, and this one may be killed.
  flushCompileCache();
  await worker.run();
  log.info('worker stops');
  await Promise.all([metrics.stop(), sandbox.close(), db.close()]);
  await connection.close();
});
