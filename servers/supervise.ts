import { setTimeout as wait } from 'node:timers/promises';
import { describeFatal } from '../config/setup-error.ts';
import { forgetRun, RUN_ORDER, type RunName, recordRun } from './home.ts';
import { stopProcess } from './process.ts';

/** Something that runs in a process of its own. */
export interface Running {
  pid: number;
  /** Asks it to end and makes it end; resolves when it is gone. */
  stop(): Promise<void>;
  /** What it said last, for the line that reports its end. */
  lastWords?(): string;
}

export interface Part<R extends Running = Running> {
  name: RunName;
  /** Resolves when it can take work. Calls `spawned` as soon as the process exists, so that a start after a crash finds it. */
  start(spawned: (pid: number) => void): Promise<R>;
}

export interface SupervisorOptions {
  home: string;
  /** One line for whoever looks at the screen. */
  say: (line: string) => void;
  /** Called once when a part cannot be kept running. */
  giveUp: (line: string) => void;
}

const LOOK_EVERY_MS = 500;
/** A part that ends more often than this, each time within a minute of its start, is not started again. */
const MOST_RESTARTS = 5;
const STABLE_AFTER_MS = 60_000;

/** Keeps the parts of an engine running and stops them in order. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #running = new Map<RunName, Running>();
  readonly #pids = new Map<RunName, number>();
  readonly #starting = new Map<RunName, Promise<Running>>();
  #isStopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Starts a part; from then on it is started again whenever it ends. @throws what the part's start throws, the first time only */
  async run<R extends Running>(part: Part<R>): Promise<R> {
    const running = await this.#start(part);
    void this.#watch(part, running);
    return running;
  }

  /** Ends all parts: who asks before who answers. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const name of RUN_ORDER) {
      await this.#stopPart(name);
      forgetRun(this.#options.home, name);
    }
  }

  /** Ends all parts at once, whatever they do. */
  kill(): void {
    this.#isStopping = true;
    for (const pid of this.#pids.values()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
  }

  async #stopPart(name: RunName): Promise<void> {
    const pid = this.#pids.get(name);
    const running = this.#running.get(name);
    if (running) return running.stop();
    // Not ready yet: where the process is known it need not become ready first.
    if (pid !== undefined) await stopProcess(pid, 'SIGTERM', 10_000);
    await this.#starting.get(name)?.then(
      (late) => late.stop(),
      () => undefined,
    );
  }

  async #start<R extends Running>(part: Part<R>): Promise<R> {
    if (this.#isStopping) throw new Error(`${part.name} is not started: everything stops`);
    this.#running.delete(part.name);
    this.#pids.delete(part.name);
    const starting = part.start((pid) => {
      this.#pids.set(part.name, pid);
      recordRun(this.#options.home, part.name, pid);
    });
    this.#starting.set(part.name, starting);
    try {
      const running = await starting;
      this.#running.set(part.name, running);
      return running;
    } finally {
      this.#starting.delete(part.name);
    }
  }

  async #watch(part: Part, first: Running): Promise<void> {
    const { say, giveUp } = this.#options;
    let running = first;
    let startedAt = Date.now();
    for (let restarts = 0; ; restarts += 1) {
      while (isAlive(running.pid)) await wait(LOOK_EVERY_MS, undefined, { ref: false });
      if (this.#isStopping) return;
      if (Date.now() - startedAt > STABLE_AFTER_MS) restarts = 0;
      const words = running.lastWords?.() ?? '';
      const report = `${part.name} ended${words ? `: ${words}` : ' unexpectedly'}`;
      if (restarts === MOST_RESTARTS) return giveUp(`${report}; it was started again ${MOST_RESTARTS} times, that is enough`);
      const pauseMs = restarts === 0 ? 0 : 1000 * 2 ** (restarts - 1);
      say(`${report}; starting it again${pauseMs ? ` in ${pauseMs / 1000} s` : ''}`);
      await wait(pauseMs, undefined, { ref: false });
      if (this.#isStopping) return;
      startedAt = Date.now();
      try {
        running = await this.#start(part);
      } catch (error) {
        if (this.#isStopping) return;
        running = { pid: 0, stop: async () => undefined, lastWords: () => describeFatal(error) };
      }
    }
  }
}

function isAlive(pid: number): boolean {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
