import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** `npm start` as a new user meets it: up from nothing, the README's commands, killed without mercy, resumed. */

const home = mkdtempSync(join('/tmp', 'perennial-start-'));
// As root, Postgres runs as another user, who must get to its data.
chmodSync(home, 0o755);
const ROOT = new URL('../..', import.meta.url).pathname;
let ports: Record<string, string>;
let engine: { child: ChildProcess; output: () => string };

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

async function startEngine(extra: Record<string, string> = {}): Promise<typeof engine> {
  const child = spawn(process.execPath, ['cli/start.ts'], {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '', PERENNIAL_HOME: home, ...ports, ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  child.stderr.on('data', (chunk) => (text += chunk));
  const started = { child, output: () => text };
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => /sk_test_\w+/.test(text) && resolve());
    child.once('exit', (code) => reject(new Error(`npm start ended with ${code}:\n${text}`)));
  });
  return started;
}

/** Every process that runs on this home, found by its environment or command line. */
function processesOfHome(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return (
          readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(home) ||
          readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`PERENNIAL_HOME=${home}`)
        );
      } catch {
        return false;
      }
    })
    .map(Number);
}

function killEverything(): void {
  for (const pid of processesOfHome()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it ended by itself
    }
  }
}

const exited = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => (child.exitCode !== null ? resolve(child.exitCode) : child.once('exit', (code) => resolve(code))));

beforeAll(async () => {
  const names = ['PORT', 'TEMPORAL_PORT', 'TEMPORAL_UI_PORT', 'POSTGRES_PORT', 'METRICS_PORT'];
  const free = await Promise.all(names.map(freePort));
  ports = Object.fromEntries(names.map((name, index) => [name, String(free[index])]));
  engine = await startEngine();
}, 300_000);

afterAll(() => {
  killEverything();
  rmSync(home, { recursive: true, force: true });
});

const secretKey = (): string => /sk_test_\w+/.exec(engine.output())?.[0] ?? '';
const connect = (): Stripe =>
  new Stripe(secretKey(), { host: '127.0.0.1', port: Number(ports.PORT), protocol: 'http', maxNetworkRetries: 0 });

/** The code block of the README that follows `<!-- tested:name -->`. */
function readmeBlock(name: string): string {
  const block = new RegExp(`<!-- tested:${name} -->\\s*\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``).exec(
    readFileSync(join(ROOT, 'README.md'), 'utf8'),
  )?.[1];
  if (!block) throw new Error(`the README has no block ${name}`);
  return block;
}

function run(command: string, args: string[], env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    child.stdout.on('data', (chunk) => (text += chunk));
    child.stderr.on('data', (chunk) => (text += chunk));
    child.once('exit', (code) => (code === 0 ? resolve(text) : reject(new Error(`${command} ended with ${code}: ${text}`))));
  });
}

test('the first subscription with curl, as the README has it', async () => {
  const script = readmeBlock('curl').replace(/^export API=.*$/m, `set -e; export API=http://127.0.0.1:${ports.PORT} KEY=${secretKey()}`);
  const output = await run('bash', ['-c', script], {});
  expect(output).toMatch(/"status": ?"active"/);
  const subscriptions = await connect().subscriptions.list({ expand: ['data.latest_invoice'] });
  expect(subscriptions.data).toHaveLength(1);
  expect(subscriptions.data[0]?.latest_invoice).toMatchObject({ status: 'paid', total: 6000 });
});

test('the first subscription with the Stripe SDK, as the README has it', async () => {
  const output = await run(process.execPath, ['--input-type=module-typescript', '-e', readmeBlock('sdk')], {
    KEY: secretKey(),
    PORT: ports.PORT ?? '',
    NODE_OPTIONS: '',
  });
  expect(output).toMatch(/^active\nin_\w+/);
});

test('a second start on the same data is refused in one line', async () => {
  await expect(startEngine()).rejects.toThrow(/ended with 1/);
});

test('everything killed without mercy, a second start resumes every subscription', async () => {
  const before = await connect().subscriptions.list();
  killEverything();
  await exited(engine.child);
  engine = await startEngine();
  const stripe = connect();
  const after = await stripe.subscriptions.list();
  expect(after.data.map(({ id, status }) => ({ id, status }))).toEqual(before.data.map(({ id, status }) => ({ id, status })));
  for (const { id } of after.data) {
    const changed = await stripe.subscriptions.update(id, { cancel_at_period_end: true });
    expect(changed.cancel_at_period_end).toBe(true);
  }
}, 180_000);

test('Ctrl-C stops everything', async () => {
  engine.child.kill('SIGINT');
  expect(await exited(engine.child)).toBe(0);
  expect(processesOfHome()).toEqual([]);
}, 60_000);

test('a busy port is one line and exit code 1', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(Number(ports.PORT), '127.0.0.1', resolve));
  try {
    await expect(startEngine()).rejects.toThrow(/ended with 1:\n[^\n]*PORT[^\n]*\n?$/);
  } finally {
    server.close();
  }
}, 120_000);

test('a wrong setting is one line and exit code 1', async () => {
  await expect(startEngine({ PORT: 'eighty' })).rejects.toThrow(/ended with 1:\n[^\n]*PORT[^\n]*\n?$/);
  await expect(startEngine({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' })).rejects.toThrow(
    /ended with 1:\n[^\n]*DATABASE_URL[^\n]*\n?$/,
  );
}, 60_000);
