import { createServer, type Server } from 'node:http';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { reasonOf, SetupError } from './setup-error.ts';

export interface MetricsServerOptions {
  host: string;
  /** 0 takes any free port. */
  port: number;
  registry: Registry;
  /** Where the Temporal SDK serves its own metrics; they are appended to ours. */
  sdkAddress?: string;
  /** Whether work can be taken now. */
  isReady: () => boolean | Promise<boolean>;
}

export interface MetricsServer {
  url: string;
  stop(): Promise<void>;
}

/**
 * `/metrics`, `/healthz` (the process lives) and `/readyz` (it can take work) for a process that serves nothing else.
 * @throws SetupError when the port is taken
 */
export async function startMetricsServer({ host, port, registry, sdkAddress, isReady }: MetricsServerOptions): Promise<MetricsServer> {
  const answer = async (path: string): Promise<[status: number, body: string]> => {
    if (path === '/healthz') return [200, 'ok\n'];
    if (path === '/readyz') return (await isReady()) ? [200, 'ready\n'] : [503, 'not ready\n'];
    if (path === '/metrics') return [200, (await registry.metrics()) + (sdkAddress ? await readSdkMetrics(sdkAddress) : '')];
    return [404, 'not found\n'];
  };
  const server = createServer((request, response) => {
    answer((request.url ?? '/').split('?')[0] ?? '/').then(
      ([status, body]) => response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body),
      (error: unknown) => response.writeHead(500, { 'content-type': 'text/plain' }).end(`${reasonOf(error)}\n`),
    );
  });
  await listen(server, port, host);
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  return {
    url: `http://${host}:${bound}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const listen = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new SetupError(
          `Port ${port} (METRICS_PORT) cannot be listened on (${error.code}): set METRICS_PORT to a free port, or to 0 for any`,
        ),
      ),
    );
    server.listen(port, host, resolve);
  });

/** The SDK's metrics are worth less than ours: without them the answer is still ours. */
async function readSdkMetrics(address: string): Promise<string> {
  try {
    const response = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(2000) });
    return response.ok ? await response.text() : '';
  } catch {
    return '';
  }
}

/**
 * Prepares the Temporal SDK of this process: its log goes to ours, its metrics to `metricsAddress` (`127.0.0.1:port`). Once per process, before
 * the first connection; signals are left to `main.ts`.
 */
export function installTemporalRuntime(log: Logger, metricsAddress: string): void {
  Runtime.install({
    shutdownSignals: [],
    logger: new DefaultLogger('INFO', ({ level, message, meta }) => {
      const fields = { ...meta };
      if (level === 'ERROR') log.error(fields, message);
      else if (level === 'WARN') log.warn(fields, message);
      else log.debug(fields, message);
    }),
    telemetryOptions: { metrics: { prometheus: { bindAddress: metricsAddress, countersTotalSuffix: true } } },
  });
}
