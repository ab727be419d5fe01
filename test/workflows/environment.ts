import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { inject } from 'vitest';
import type { Activities } from '../../activities/index.ts';

/** What the vitest set-up provides; a developer without it names the binaries by environment variable. */
declare module 'vitest' {
  interface ProvidedContext {
    testServerPath: string;
    temporalPath: string;
  }
}

/** Keyword and Datetime, as the server numbers them. */
const SEARCH_ATTRIBUTES = {
  AccountId: 2,
  CustomerId: 2,
  PlanId: 2,
  SubscriptionStatus: 2,
  Currency: 2,
  DunningStage: 2,
  TestClockId: 2,
  NextBillingAt: 6,
};

export const WORKFLOWS_PATH = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));

let quiet = false;
function quietly(): void {
  if (quiet) return;
  quiet = true;
  Runtime.install({ logger: new DefaultLogger(process.env['TEMPORAL_TEST_LOG'] === undefined ? 'ERROR' : 'DEBUG') });
}

function binary(provided: 'testServerPath' | 'temporalPath', variable: string): string {
  const path = process.env[variable] ?? inject(provided);
  if (path === undefined || !existsSync(path)) throw new Error(`no server binary: neither provided (${provided}) nor named by ${variable}`);
  return path;
}

/** Time-skipping test server: `env.sleep('31 days')` takes no time. One subscription (and its dunning) at a time. */
export async function skippingEnvironment(): Promise<TestWorkflowEnvironment> {
  quietly();
  const path = binary('testServerPath', 'TEMPORAL_TEST_SERVER_BINARY');
  return register(await TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } }));
}

/** The real dev server, real time, with timers that fire without its usual second of delay. */
export async function realEnvironment(): Promise<TestWorkflowEnvironment> {
  quietly();
  const path = binary('temporalPath', 'TEMPORAL_BINARY');
  const extraArgs = ['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="10ms"'];
  return register(await TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'existing-path', path }, extraArgs } }));
}

async function register(env: TestWorkflowEnvironment): Promise<TestWorkflowEnvironment> {
  await env.connection.operatorService.addSearchAttributes({ namespace: env.namespace ?? 'default', searchAttributes: SEARCH_ATTRIBUTES });
  return env;
}

let bundled: Promise<WorkflowBundleWithSourceMap> | undefined;
export function bundle(): Promise<WorkflowBundleWithSourceMap> {
  quietly();
  bundled ??= bundleWorkflowCode({ workflowsPath: WORKFLOWS_PATH, logger: new DefaultLogger('ERROR') });
  return bundled;
}

/** A worker on a queue of its own, with these activities. */
export async function startWorker(env: TestWorkflowEnvironment, activities: Activities, taskQueue = `test-${randomUUID()}`): Promise<Running> {
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    taskQueue,
    workflowBundle: await bundle(),
    activities,
  });
  const running = worker.run();
  return {
    taskQueue,
    async stop() {
      worker.shutdown();
      await running;
    },
  };
}

export interface Running {
  taskQueue: string;
  stop(): Promise<void>;
}
