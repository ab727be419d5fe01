import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { runMain } from '../config/setup-error.ts';
import type { FloorActivities } from './floor-workflow.ts';

/** A worker for `floor` alone, with the concurrency of the real one. `GET /` answers how many were done in it. */
await runMain(async () => {
  const {
    TEMPORAL_ADDRESS: address = '',
    TASK_QUEUE: taskQueue = '',
    NAMESPACE: namespace = '',
    PORT: port = '',
    CACHED_WORKFLOWS: cached,
  } = process.env;
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger });
  const workflowsPath = fileURLToPath(new URL('floor-workflow.ts', import.meta.url));
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger });
  const connection = await NativeConnection.connect({ address });
  let done = 0;
  const activities: FloorActivities = {
    nothing: async () => {},
    count: async () => {
      done += 1;
    },
  };
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle,
    activities: { ...activities },
    maxConcurrentActivityTaskExecutions: 20,
    maxConcurrentLocalActivityExecutions: 20,
    shutdownGraceTime: '5s',
    ...(cached !== undefined && { maxCachedWorkflows: Number(cached) }),
  });
  const server = createServer((_, response) => {
    response.writeHead(worker.getState() === 'RUNNING' ? 200 : 503).end(JSON.stringify({ done }));
  });
  server.listen(Number(port), '127.0.0.1');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => worker.shutdown());
  await worker.run();
  server.close();
  server.closeAllConnections();
  await connection.close();
});
