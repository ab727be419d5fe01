import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface WorkerSettings {
  databaseUrl: string;
  temporalAddress: string;
  taskQueue: string;
  /** Home whose `bundles` folder holds the workflow bundle. */
  home: string;
  /** What is run; default the worker of production. */
  entry?: string;
}

/** A worker process that is started again whenever it dies, as a supervisor would: each time with the next of the crash points, until all were reached. */
export class KeptWorker {
  /** How many of the crash points were reached so far. */
  deaths = 0;
  private child: ChildProcess | null = null;
  private stopping = false;
  private output = '';
  private readonly settings: WorkerSettings;
  private readonly crashPoints: readonly string[];
  private readonly listeners = new Set<() => void>();

  constructor(settings: WorkerSettings, crashPoints: readonly string[] = []) {
    this.settings = settings;
    this.crashPoints = crashPoints;
    this.start();
  }

  private start(): void {
    const { databaseUrl, temporalAddress, taskQueue, home, entry = 'workers/main.ts' } = this.settings;
    const crashAt = this.crashPoints[this.deaths] ?? '';
    const child = spawn(process.execPath, [fileURLToPath(new URL(`../../${entry}`, import.meta.url))], {
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        NODE_ENV: 'test',
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(home, 'compile-cache'),
        DATABASE_URL: databaseUrl,
        TEMPORAL_ADDRESS: temporalAddress,
        TEMPORAL_TASK_QUEUE: taskQueue,
        PERENNIAL_HOME: home,
        METRICS_PORT: '0',
        LOG_LEVEL: 'warn',
        LOG_FORMAT: 'json',
        PERENNIAL_CRASH_AT: crashAt,
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
      else if (crashAt !== '') this.deaths += 1;
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

  /** @throws Error where it has not died at all of its crash points within the time */
  diedOften(withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error): void => {
        clearTimeout(timer);
        this.listeners.delete(look);
        if (error) reject(error);
        else resolve();
      };
      const look = (): void => {
        if (this.deaths >= this.crashPoints.length) done();
      };
      const timer = setTimeout(
        () =>
          done(
            new Error(
              `${this.crashPoints[this.deaths]} was not reached after ${this.deaths} of ${this.crashPoints.length}:\n${this.output}`,
            ),
          ),
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
