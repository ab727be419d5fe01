import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { reasonOf, SetupError } from '../config/setup-error.ts';
import { startMark, stopProcess } from './process.ts';

interface RunRecord {
  pid: number;
  mark: string | null;
}

/** What runs on a home, in the order in which it is stopped: who asks before who answers. */
export const RUN_ORDER = ['api', 'worker', 'temporal', 'postgres'] as const;
export type RunName = (typeof RUN_ORDER)[number];

const STARTER = 'start';

/**
 * Makes this process the only `npm start` of the home.
 * @throws SetupError when another one runs on it or the folder cannot be written
 */
export function claimHome(home: string): { release: () => void } {
  const file = recordFile(home, STARTER);
  try {
    for (const folder of ['run', 'logs']) makeFolder(join(home, folder));
    for (let attempt = 0; ; attempt += 1) {
      try {
        writeFileSync(file, describe(process.pid), { flag: 'wx' });
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === 3) throw error;
        const holder = readRecord(file);
        if (holder && isRunning(holder)) {
          throw new SetupError(
            `Perennial already runs on ${home} (process ${holder.pid}): use that one, stop it, or set PERENNIAL_HOME to another folder`,
          );
        }
        // Taken away by rename, so that of two starters only one removes the stale claim.
        renameSync(file, `${file}.stale-${process.pid}`);
        rmSync(`${file}.stale-${process.pid}`, { force: true });
      }
    }
  } catch (error) {
    if (error instanceof SetupError) throw error;
    throw new SetupError(`PERENNIAL_HOME ${home} cannot be used (${reasonOf(error)}): give a folder that this user may write to`);
  }
  return { release: () => rmSync(file, { force: true }) };
}

/** Remembers a process of this home, so that a start after a crash finds it. */
export const recordRun = (home: string, name: RunName, pid: number): void => writeFileSync(recordFile(home, name), describe(pid));

export const forgetRun = (home: string, name: RunName): void => rmSync(recordFile(home, name), { force: true });

/** Stops what an earlier start left running: it was killed before it could. Returns the names of what was stopped. */
export async function stopLeftovers(home: string): Promise<RunName[]> {
  const stopped: RunName[] = [];
  for (const name of RUN_ORDER) {
    const record = readRecord(recordFile(home, name));
    if (record && isRunning(record)) {
      // Postgres waits for its clients on SIGTERM and closes them on SIGINT.
      await stopProcess(record.pid, name === 'postgres' ? 'SIGINT' : 'SIGTERM', 10_000);
      stopped.push(name);
    }
    forgetRun(home, name);
  }
  for (const leftover of readdirSync(join(home, 'run')))
    if (leftover.includes('.stale-')) rmSync(join(home, 'run', leftover), { force: true });
  return stopped;
}

/** Step by step: Node's own recursive mkdir never ends below a folder such as /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

const recordFile = (home: string, name: string): string => join(home, 'run', `${name}.json`);
const describe = (pid: number): string => JSON.stringify({ pid, mark: startMark(pid) } satisfies RunRecord);
const isRunning = ({ pid, mark }: RunRecord): boolean => mark !== null && startMark(pid) === mark;

function readRecord(file: string): RunRecord | null {
  try {
    const record = JSON.parse(readFileSync(file, 'utf8')) as Partial<RunRecord>;
    return typeof record.pid === 'number' ? { pid: record.pid, mark: record.mark ?? null } : null;
  } catch {
    return null;
  }
}
