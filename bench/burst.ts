import { cpuSecondsOfTree } from './cpu.ts';
import { until } from './in-parallel.ts';

export interface Progress {
  done: number;
  /** Unix milliseconds of the look that saw it. */
  at: number;
}

export interface Burst {
  count: number;
  /** From the first to the last seen done, and the rate of those between them. */
  seconds: number;
  perSecond: number;
  /** From the instant at which all fell due to the last done. */
  secondsFromDue: number;
  cpuMillisecondsEach: Record<string, number>;
  /** What the same processes used per second while everything slept, counted in the above too. */
  idleCpuMillisecondsPerSecond: Record<string, number>;
  /** Load average over a minute at the start: what else this machine was doing. */
  loadBefore: number;
}

const LOOK_EVERY_MS = 100;
/** What follows the last payment (closing the run, opening the next) is part of its cost. */
const SETTLE_MS = 2000;
const WITHIN_MS = 300_000;
const IDLE_MS = 3000;

/** Watches `count` things that fall due at one instant be done. @throws Error when they are not within five minutes */
export async function watchBurst(
  count: number,
  dueAt: number,
  pids: Record<string, number>,
  loadBefore: number,
  countDone: () => Promise<number>,
): Promise<Burst> {
  await wait(dueAt * 1000 - Date.now() - IDLE_MS - 500);
  const asleep = cpuOf(pids);
  await wait(IDLE_MS);
  const before = cpuOf(pids);
  await wait(dueAt * 1000 - Date.now() - 100);
  if ((await countDone()) > 0) throw new Error('some were done before they were due');

  let first: Progress | null = null;
  const last = await until<Progress>(
    LOOK_EVERY_MS,
    WITHIN_MS,
    async () => {
      const done = await countDone();
      const at = Date.now();
      if (done > 0) first ??= { done, at };
      return done >= count ? { done, at } : null;
    },
    () => `not all of ${count} were done within ${WITHIN_MS / 1000} s`,
  );
  await wait(SETTLE_MS);
  const after = cpuOf(pids);
  const start: Progress = first ?? last;
  const seconds = (last.at - start.at) / 1000;
  const between = (a: Record<string, number>, b: Record<string, number>, per: number): Record<string, number> =>
    Object.fromEntries(Object.keys(pids).map((name) => [name, round((((b[name] ?? 0) - (a[name] ?? 0)) * 1000) / per)]));
  return {
    count,
    seconds: round(seconds),
    // All at once, where a single look saw first and last: the look's own width is the finest that can be said.
    perSecond: round((last.done - start.done) / Math.max(seconds, LOOK_EVERY_MS / 1000)),
    secondsFromDue: round(last.at / 1000 - dueAt),
    cpuMillisecondsEach: between(before, after, count),
    idleCpuMillisecondsPerSecond: between(asleep, before, IDLE_MS / 1000),
    loadBefore: round(loadBefore),
  };
}

const cpuOf = (pids: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, cpuSecondsOfTree(pid)]));

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

export const round = (value: number): number => Math.round(value * 10) / 10;
