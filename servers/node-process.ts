import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { SetupError } from '../config/setup-error.ts';
import { startMark, stopProcess } from './process.ts';
import type { Running } from './supervise.ts';

export interface NodeProcessOptions {
  /** For messages: `api`, `worker`. */
  name: string;
  /** TypeScript file to run. */
  entry: string;
  env: NodeJS.ProcessEnv;
  /** Takes everything the process writes. */
  logFile: string;
  /** Answers 200 when the process can take work. */
  readyUrl: string;
  onSpawn?: (pid: number) => void;
}

const READY_DEADLINE_MS = 90_000;
const STOP_GRACE_MS = 20_000;
const LARGEST_LOG_BYTES = 50 * 1024 * 1024;

/**
 * Runs one of our `main.ts` files and waits until it is ready.
 * @throws SetupError with the last line it wrote, when it ends first
 */
export async function startNodeProcess({ name, entry, env, logFile, readyUrl, onSpawn }: NodeProcessOptions): Promise<Running> {
  keepSmall(logFile);
  const log = openSync(logFile, 'a');
  const from = fstatSync(log).size;
  const child = spawn(process.execPath, [entry], {
    env,
    stdio: ['ignore', log, log],
    // Out of the terminal's process group: Ctrl-C reaches whoever started us, and we stop the parts in order.
    detached: true,
  });
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const { pid } = child;
  if (pid === undefined) throw new SetupError(`${name} cannot be run with ${process.execPath}`);
  onSpawn?.(pid);
  const lastWords = (): string => lastPlainLine(readFileSync(logFile).subarray(from).toString());
  const stop = (): Promise<void> => stopProcess(pid, 'SIGTERM', STOP_GRACE_MS);

  const deadline = Date.now() + READY_DEADLINE_MS;
  while (!(await answers(readyUrl))) {
    if (startMark(pid) === null) {
      await ended;
      throw new SetupError(
        lastWords() || `${name} ended while starting (code ${child.exitCode ?? child.signalCode}); its log is ${logFile}`,
      );
    }
    if (Date.now() > deadline) {
      await stop();
      throw new SetupError(`${name} is not ready after ${READY_DEADLINE_MS / 1000} s; its log is ${logFile}`);
    }
    await wait(100);
  }
  return { pid, stop, lastWords };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** What `runMain` wrote for people; the log itself is JSON, and a stack is only the place of what its first line says. */
function lastPlainLine(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('{') && !/^\s+at |^Node\.js v/.test(line));
  return lines.at(-1)?.trim() ?? '';
}

function keepSmall(logFile: string): void {
  try {
    if (statSync(logFile).size > LARGEST_LOG_BYTES) renameSync(logFile, `${logFile}.1`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
