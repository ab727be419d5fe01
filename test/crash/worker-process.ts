import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface WorkerSettings {
  databaseUrl: string;
  temporalAddress: string;
  taskQueue: string;
  /** Home whose `bundles` folder holds the workflow bundle. */
  home: string;
}

/** A worker process that is started again whenever it dies, as a supervisor would: the first `kills` times with the crash point set. */
export class KeptWorker {
  /** How often the crash point was reached so far. */
  deaths = 0;
  private child: ChildProcess | null = null;
  private stopping = false;
  private output = '';
  private readonly settings: WorkerSettings;
  private readonly crashAt: string | null;
  private readonly kills: number;
  private readonly listeners = new Set<() => void>();

  constructor(settings: WorkerSettings, crashAt: string | null, kills: number) {
    this.settings = settings;
    this.crashAt = crashAt;
    this.kills = kills;
    this.start();
  }

  private start(): void {
    const { databaseUrl, temporalAddress, taskQueue, home } = this.settings;
    const crashes = this.crashAt !== null && this.deaths < this.kills;
    const child = spawn(process.execPath, [fileURLToPath(new URL('../../workers/main.ts', import.meta.url))], {
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        NODE_ENV: 'test',
        // Half of a start is compiling what did not change since the last one.
        NODE_COMPILE_CACHE: join(home, 'compile-cache'),
        DATABASE_URL: databaseUrl,
        TEMPORAL_ADDRESS: temporalAddress,
        TEMPORAL_TASK_QUEUE: taskQueue,
        PERENNIAL_HOME: home,
        METRICS_PORT: '0',
        LOG_LEVEL: 'warn',
        LOG_FORMAT: 'json',
        PERENNIAL_CRASH_AT: crashes ? (this.crashAt as string) : '',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    const keep = (chunk: Buffer): void => {
      this.output = (this.output + chunk.toString()).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('exit', (code, signal) => {
      this.child = null;
      if (this.stopping) return;
      if (signal !== 'SIGKILL') this.output += `\nthe worker ended by itself with ${code ?? signal}\n`;
      else if (crashes) this.deaths += 1;
      for (const listener of this.listeners) listener();
      // A worker that found no server yet ends by itself, and is started again too; those who wait for it have deadlines.
      this.start();
    });
  }

  /** What the worker wrote last, for a failing test. */
  get log(): string {
    return this.output;
  }

  /** Kills it as a power cut would; it is started again. */
  kill(): void {
    this.child?.kill('SIGKILL');
  }

  /** @throws Error where it has not died `kills` times within the time */
  diedOften(withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error): void => {
        clearTimeout(timer);
        this.listeners.delete(look);
        if (error) reject(error);
        else resolve();
      };
      const look = (): void => {
        if (this.deaths >= this.kills) done();
      };
      const timer = setTimeout(
        () => done(new Error(`${this.crashAt} was reached ${this.deaths} times of ${this.kills}:\n${this.output}`)),
        withinMs,
      );
      this.listeners.add(look);
      look();
    });
  }

  stop(): Promise<void> {
    this.stopping = true;
    const { child } = this;
    if (!child || child.exitCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.kill('SIGTERM');
    });
  }
}
