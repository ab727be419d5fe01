import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import type { Latency } from './api-latency.ts';
import { round } from './burst.ts';
import type { Floor } from './floor.ts';
import type { Renewals } from './renewals.ts';
import { table } from './table.ts';

export interface Machine {
  commit: string;
  date: string;
  node: string;
  cpu: string;
  cores: number;
  memoryGiB: number;
  loadAtStart: number;
}

export interface Report {
  machine: Machine;
  setting: string;
  renewals: Renewals;
  floor: Floor;
  /** Renewals a second over what the floor did in the same run. */
  ratio: number;
  api: Latency[];
}

export function describeMachine(): Machine {
  return {
    commit: commit(),
    date: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    loadAtStart: round(loadavg()[0] ?? 0),
  };
}

/** `+` after it: the tree had changes that the commit has not. */
function commit(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : '+'}`;
  } catch {
    return 'unknown';
  }
}

/** The report for people, in Markdown that also reads well as it is. */
export function print({ machine, setting, renewals, floor, ratio, api }: Report): string {
  const cpu = (each: Record<string, number>): (string | number)[] =>
    ['postgres', 'temporal', 'worker', 'api'].map((name) => each[name] ?? '-');
  const row = (name: string, { burst, history }: Pick<Renewals, 'burst' | 'history'>): (string | number)[] => [
    name,
    burst.count,
    burst.perSecond,
    burst.secondsFromDue,
    history.events,
    history.bytes,
    ...cpu(burst.cpuMillisecondsEach),
    burst.loadBefore,
  ];
  const { invoices, burst, history } = renewals;
  const isTainted = history.lostTasks + floor.history.lostTasks > 0;
  return [
    `Commit ${machine.commit}, ${machine.date}, Node ${machine.node}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, load ${machine.loadAtStart} before the start. ${setting}`,
    '',
    table(
      ['', 'count', 'per second', 's from due', 'events', 'bytes', 'CPU ms each: postgres', 'temporal', 'worker', 'api', 'load'],
      [row('renewals', renewals), row('floor', floor)],
    ),
    '',
    `Ratio to the floor: ${ratio}${isTainted ? ', not to be trusted: tasks waited for a worker that was gone' : ''}. Tasks lost so, of 20 histories: renewals ${history.lostTasks}, floor ${floor.history.lostTasks}.`,
    `Invoices paid ${invoices.paid}, charges captured ${invoices.captures}, duplicates 0.`,
    `CPU ms a second asleep: ${Object.entries(burst.idleCpuMillisecondsPerSecond)
      .map(([name, ms]) => `${name} ${ms}`)
      .join(', ')}.`,
    `Events of a renewal (${history.sharedBy} alike): ${history.types.join(', ')}.`,
    '',
    table(
      ['call', 'at once', 'calls', 'per second', 'p50 ms', 'p99 ms', 'failed'],
      api.map((line) => [line.call, line.concurrency, line.calls, line.perSecond, line.p50, line.p99, line.failed]),
    ),
    '',
  ].join('\n');
}
