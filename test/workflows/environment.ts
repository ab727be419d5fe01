import { randomUUID } from 'node:crypto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import type { Activities } from '../../activities/index.ts';
import { SEARCH_ATTRIBUTES } from '../../servers/search-attributes.ts';
import { quietly } from '../support/quietly.ts';

/** Time-skipping test server: `env.sleep('31 days')` takes no time. One subscription (and its dunning) at a time. */
export async function skippingEnvironment(): Promise<TestWorkflowEnvironment> {
  quietly();
  const path = inject('testServerPath');
  return register(await TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } }));
}

/** The real dev server, real time, with timers that fire without its usual second of delay. */
export async function realEnvironment(): Promise<TestWorkflowEnvironment> {
  quietly();
  const path = inject('temporalPath');
  const extraArgs = ['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="10ms"', '--log-level', 'never'];
  return register(await TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'existing-path', path }, extraArgs } }));
}

/** As the server numbers them. The test server can be told of attributes, but not asked for them. */
const TYPE_NUMBER = { Keyword: 2, Datetime: 6 } as const;

async function register(env: TestWorkflowEnvironment): Promise<TestWorkflowEnvironment> {
  const searchAttributes = Object.fromEntries(Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, TYPE_NUMBER[type]]));
  await env.connection.operatorService.addSearchAttributes({ namespace: env.namespace ?? 'default', searchAttributes });
  return env;
}

/** A worker on a queue of its own, with these activities. */
export async function startWorker(
  env: TestWorkflowEnvironment,
  activities: Activities,
  taskQueue = `test-${randomUUID()}`,
): Promise<Running> {
  const worker = await Worker.create({
    connection: env.nativeConnection,
    namespace: env.namespace ?? 'default',
    taskQueue,
    workflowBundle: { codePath: inject('workflowBundlePath') },
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
