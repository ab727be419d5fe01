import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { reasonOf, SetupError } from '../config/setup-error.ts';
import { freePort } from './ports.ts';
import { startMark, stopProcess } from './process.ts';
import { ensureSearchAttributes } from './search-attributes.ts';

export interface TemporalOptions {
  /** Path of the `temporal` executable; see `temporal-binary.ts`. */
  binary: string;
  /** SQLite file that keeps workflows over restarts; null keeps them in memory. */
  dbFile: string | null;
  /** Default: any free port. */
  port?: number;
  /** Port of the UI; without it the server runs headless. */
  uiPort?: number;
  namespace: string;
  /** Lets timers fire within 10 ms of their time instead of up to a second late. */
  fastTimers?: boolean;
  /** File that takes what the server writes; without it nothing is kept. */
  logFile?: string;
  /** Told as soon as the process exists, before it is ready. */
  onSpawn?: (pid: number) => void;
}

export interface TemporalServer {
  address: string;
  uiUrl: string | null;
  pid: number;
  /** Resolves with the exit code when the process ends, whoever ended it. */
  ended: Promise<number | null>;
  stop(): Promise<void>;
}

const READY_DEADLINE_MS = 60_000;

/**
 * Starts the Temporal dev server on 127.0.0.1 and waits until it answers and knows our search attributes.
 * @throws SetupError when it ends or does not answer within a minute
 */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const port = options.port ?? (await freePort());
  if (options.dbFile !== null) await mkdir(dirname(options.dbFile), { recursive: true });
  const output = options.logFile === undefined ? 'ignore' : openSync(options.logFile, 'a');
  const child = spawn(options.binary, serverArguments(options, port), {
    stdio: ['ignore', output, output],
    // In a process group of its own, so that Ctrl-C in the terminal does not reach it before those who use it have stopped.
    detached: true,
  });
  if (typeof output === 'number') closeSync(output);
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code));
    child.once('error', () => resolve(null));
  });
  const { pid } = child;
  if (pid === undefined) throw new SetupError(`${options.binary} cannot be run: name a working temporal executable in TEMPORAL_BINARY`);
  options.onSpawn?.(pid);
  const server: TemporalServer = {
    address: `127.0.0.1:${port}`,
    uiUrl: options.uiPort === undefined ? null : `http://127.0.0.1:${options.uiPort}`,
    pid,
    ended,
    stop: () => stopProcess(pid, 'SIGTERM', 10_000),
  };
  try {
    await waitUntilHealthy(server, options);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** A write-ahead log, synchronised at every commit: as durable as the rollback journal that is the default, at two thirds of the processor and a third of the time. */
const SQLITE_PRAGMAS = ['journal_mode=wal', 'synchronous=full'];

function serverArguments({ dbFile, uiPort, namespace, fastTimers }: TemporalOptions, port: number): string[] {
  return [
    'server',
    'start-dev',
    ...['--ip', '127.0.0.1', '--port', String(port), '--namespace', namespace, '--log-level', 'warn'],
    ...(dbFile === null ? [] : ['--db-filename', dbFile, ...SQLITE_PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma])]),
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-disable-news-fetch']),
    ...(fastTimers ? ['--dynamic-config-value', 'history.timerProcessorMaxTimeShift="10ms"'] : []),
  ];
}

async function waitUntilHealthy(server: TemporalServer, { namespace, logFile }: TemporalOptions): Promise<void> {
  const where = logFile === undefined ? '' : `; its log is ${logFile}`;
  const connection = Connection.lazy({ address: server.address });
  try {
    for (const deadline = Date.now() + READY_DEADLINE_MS; ; ) {
      try {
        await connection.withDeadline(Date.now() + 2000, () => connection.workflowService.describeNamespace({ namespace }));
        break;
      } catch (error) {
        if (startMark(server.pid) === null)
          throw new SetupError(`The Temporal server ended while starting (code ${await server.ended})${where}`);
        if (Date.now() > deadline) throw new SetupError(`The Temporal server does not answer after a minute (${reasonOf(error)})${where}`);
        await wait(50);
      }
    }
    await ensureSearchAttributes(connection, namespace);
  } finally {
    await connection.close();
  }
}
