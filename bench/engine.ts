import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepareDatabase } from '../cli/prepare-database.ts';
import { startNodeProcess } from '../servers/node-process.ts';
import { freePort } from '../servers/ports.ts';
import { startPostgres } from '../servers/postgres.ts';
import type { Running } from '../servers/supervise.ts';
import { startTemporal } from '../servers/temporal.ts';
import { findTemporalBinary } from '../servers/temporal-binary.ts';
import { workflowBundle } from '../servers/workflow-bundle.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export const TASK_QUEUE = 'billing';
export const NAMESPACE = 'default';

/** The servers that `npm start` starts, with the settings it gives them, on data of their own. Worker and API come and go. */
export interface Engine {
  databaseUrl: string;
  temporalAddress: string;
  secretKey: string;
  pids: { postgres: number; temporal: number };
  /** `parking`: keeps no workflow in memory, so none waits for it once it has gone. */
  startWorker(parking?: 'parking'): Promise<Running>;
  startApi(): Promise<Running & { url: string }>;
  /** Any other process of Node's that is to end with the engine; `readyUrl` must answer 200. */
  run(name: string, entry: string, env: Record<string, string>, readyUrl: string): Promise<Running>;
  stop(): Promise<void>;
}

/** Postgres with its durable defaults and Temporal on a SQLite file, both in a new folder that `stop` removes. */
export async function startEngine(say: (line: string) => void): Promise<Engine> {
  // Executables and bundles are those of the project; the data is not.
  const home = resolve(process.env['PERENNIAL_HOME'] ?? '.perennial');
  const scratch = mkdtempSync(join(tmpdir(), 'perennial-bench-'));
  // As root, Postgres runs as its own user and must be able to walk here.
  chmodSync(scratch, 0o755);
  const stops: (() => Promise<void>)[] = [async () => rmSync(scratch, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    for (const undo of stops.splice(0).reverse()) await undo();
  };
  try {
    say('starting Postgres and Temporal');
    const log = (name: string): string => join(scratch, `${name}.log`);
    const binary = await findTemporalBinary({ tool: 'temporal', home, override: process.env['TEMPORAL_BINARY'] });
    await workflowBundle(home);
    const postgres = await startPostgres({ dataDir: join(scratch, 'postgres'), logFile: log('postgres') });
    stops.push(() => postgres.stop());
    const dbFile = join(scratch, 'temporal', 'temporal.db');
    const temporal = await startTemporal({ binary, dbFile, namespace: NAMESPACE, logFile: log('temporal') });
    stops.push(() => temporal.stop());
    const { secretKey } = await prepareDatabase(scratch, postgres.url);

    const run: Engine['run'] = async (name, entry, given, readyUrl) => {
      const env = {
        ...process.env,
        ...given,
        PERENNIAL_HOME: home,
        LOG_FORMAT: 'json',
        TEMPORAL_ADDRESS: temporal.address,
        DATABASE_URL: postgres.url,
      };
      const started = await startNodeProcess({ name, entry: join(ROOT, entry), env, logFile: log(name), readyUrl });
      // Once only: by then the pid may be another's.
      let stopped: Promise<void> | null = null;
      const stopOnce = (): Promise<void> => (stopped ??= started.stop());
      stops.push(stopOnce);
      return { ...started, stop: stopOnce };
    };
    return {
      databaseUrl: postgres.url,
      temporalAddress: temporal.address,
      secretKey,
      pids: { postgres: postgres.pid, temporal: temporal.pid },
      startWorker: async (parking) => {
        const port = await freePort();
        const env = { METRICS_PORT: String(port), ...(parking && { WORKER_CACHED_WORKFLOWS: '0' }) };
        return run('worker', 'workers/main.ts', env, `http://127.0.0.1:${port}/readyz`);
      },
      startApi: async () => {
        const [port, other] = [await freePort(), await freePort()];
        const url = `http://127.0.0.1:${port}`;
        return { ...(await run('api', 'api/main.ts', { PORT: String(port), METRICS_PORT: String(other) }, `${url}/readyz`)), url };
      },
      run,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
