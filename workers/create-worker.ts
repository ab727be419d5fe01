import { type NativeConnection, Worker, type WorkerOptions } from '@temporalio/worker';
import type { Activities } from '../activities/index.ts';
import { heartbeats } from './heartbeat.ts';

export interface WorkerSetup {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  activities: Activities;
  /** File made by `servers/workflow-bundle.ts`; bundling at boot would cost seconds and memory on every start. */
  workflowBundlePath: string;
  /** How long running activities may go on after the worker was told to stop. Default: ten seconds, more than a transaction, less than a deploy. */
  shutdownGraceSeconds?: number;
  /** Anything of the SDK's options that a bench or a test wants otherwise. */
  tuning?: Pick<
    WorkerOptions,
    | 'maxConcurrentActivityTaskExecutions'
    | 'maxConcurrentLocalActivityExecutions'
    | 'maxConcurrentWorkflowTaskExecutions'
    | 'maxCachedWorkflows'
    | 'stickyQueueScheduleToStartTimeout'
  >;
}

/**
 * One worker for workflows and activities of a task queue; any number may share it.
 * The concurrency of activities is bounded because each holds a database connection while its transaction runs.
 */
export const createWorker = (setup: WorkerSetup): Promise<Worker> =>
  Worker.create({
    connection: setup.connection,
    namespace: setup.namespace,
    taskQueue: setup.taskQueue,
    activities: setup.activities,
    workflowBundle: { codePath: setup.workflowBundlePath },
    shutdownGraceTime: `${setup.shutdownGraceSeconds ?? 10}s`,
    maxConcurrentActivityTaskExecutions: 20,
    maxConcurrentLocalActivityExecutions: 20,
    interceptors: { activity: [heartbeats] },
    ...setup.tuning,
  });
