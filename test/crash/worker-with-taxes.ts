import { flushCompileCache } from 'node:module';
import { pino } from 'pino';
import { makeReach } from '../../activities/crash-point.ts';
import { makeActivities } from '../../activities/make-activities.ts';
import { readConfig } from '../../config/env.ts';
import { runMain } from '../../config/setup-error.ts';
import { connectWorker } from '../../config/temporal-connection.ts';
import { openDatabase } from '../../db/client.ts';
import { paymentGatewayRegistry } from '../../gateways/payment/registry.ts';
import { openSandbox } from '../../gateways/payment/sandbox/sandbox-gateway.ts';
import { fakeTaxCalculator } from '../../gateways/tax/fake-external.ts';
import { taxCalculatorRegistry } from '../../gateways/tax/registry.ts';
import { workflowBundle } from '../../servers/workflow-bundle.ts';
import { createWorker } from '../../workers/create-worker.ts';

/** The worker with an external tax engine, and with no workflow kept in memory: a task never waits for a worker that has died. */
await runMain(async () => {
  const config = readConfig(process.env);
  const log = pino({ level: config.LOG_LEVEL });
  const url = config.DATABASE_URL ?? '';
  const connection = await connectWorker(config);
  const { codePath } = await workflowBundle(config.PERENNIAL_HOME);
  const worker = await createWorker({
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    taskQueue: config.TEMPORAL_TASK_QUEUE,
    activities: makeActivities({
      db: openDatabase({ url, poolMax: config.DATABASE_POOL_MAX }),
      log,
      gateways: paymentGatewayRegistry([openSandbox({ url })]),
      taxCalculators: taxCalculatorRegistry([fakeTaxCalculator()]),
      reach: makeReach(process.env),
    }),
    workflowBundlePath: codePath,
    shutdownGraceSeconds: 1,
    tuning: { maxCachedWorkflows: 0 },
  });
  process.once('SIGTERM', () => worker.shutdown());
  // It will be killed, and Node keeps what it compiled only when a process ends in peace.
  flushCompileCache();
  await worker.run();
  process.exit(0);
});
