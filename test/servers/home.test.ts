import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { claimHome, recordRun, stopLeftovers } from '../../servers/home.ts';
import { checkPort, freePort } from '../../servers/ports.ts';
import { startMark, stopProcess } from '../../servers/process.ts';
import { type Part, Supervisor } from '../../servers/supervise.ts';

let home: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'perennial-home-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

/** A process that waits; deaf to SIGTERM where asked. */
async function sleeper(deaf = false): Promise<number> {
  const script = `${deaf ? `process.on('SIGTERM', () => {});` : ''} setInterval(() => {}, 1000); process.stdout.write('up')`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child.pid as number;
}

test('a home has one starter at a time', () => {
  const claim = claimHome(home);
  expect(() => claimHome(home)).toThrow(new RegExp(`^Perennial already runs on ${home} \\(process ${process.pid}\\)`));
  claim.release();
  claimHome(home).release();
});

test('the claim of a starter that was killed is taken over, also when its pid lives on as another process', () => {
  claimHome(home);
  writeFileSync(join(home, 'run', 'start.json'), JSON.stringify({ pid: process.pid, mark: 'another start' }));
  claimHome(home).release();
  writeFileSync(join(home, 'run', 'start.json'), 'half writ');
  claimHome(home).release();
});

test('a home that cannot be written is one line', () => {
  writeFileSync(join(home, 'file'), '');
  expect(() => claimHome(join(home, 'file'))).toThrow(/^PERENNIAL_HOME .* cannot be used/);
  expect(() => claimHome('/proc/perennial')).toThrow(/^PERENNIAL_HOME .* cannot be used/);
});

test('what an earlier start left running is stopped, and nothing else', async () => {
  claimHome(home);
  const left = await sleeper();
  const other = await sleeper();
  recordRun(home, 'temporal', left);
  writeFileSync(join(home, 'run', 'worker.json'), JSON.stringify({ pid: other, mark: 'of an older process' }));
  expect(await stopLeftovers(home)).toEqual(['temporal']);
  expect(startMark(left)).toBeNull();
  expect(startMark(other)).not.toBeNull();
  expect(existsSync(join(home, 'run', 'temporal.json'))).toBe(false);
});

test('a process that does not listen is made to end', async () => {
  const pid = await sleeper(true);
  await stopProcess(pid, 'SIGTERM', 100);
  expect(startMark(pid)).toBeNull();
  await stopProcess(pid, 'SIGTERM', 100);
});

test('a busy port names its setting, who has it, and a free one', async () => {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    await expect(checkPort('TEMPORAL_PORT', port, '127.0.0.1')).rejects.toThrow(
      new RegExp(`^Port ${port} \\(TEMPORAL_PORT\\) is busy.*TEMPORAL_PORT=\\d+$`),
    );
  } finally {
    server.close();
  }
  await checkPort('PORT', await freePort(), '127.0.0.1');
});

test('a part that ends is started again, and all stop in order', async () => {
  claimHome(home);
  const stopped: string[] = [];
  const said: string[] = [];
  const pids: number[] = [];
  const supervisor = new Supervisor({ home, say: (line) => said.push(line), giveUp: () => undefined });
  const part = (name: Part['name']): Part => ({
    name,
    start: async (spawned) => {
      const pid = await sleeper();
      pids.push(pid);
      spawned(pid);
      return {
        pid,
        lastWords: () => 'out of luck',
        stop: async () => {
          stopped.push(name);
          await stopProcess(pid, 'SIGTERM', 5000);
        },
      };
    },
  });
  for (const name of ['postgres', 'temporal', 'worker', 'api'] as const) await supervisor.run(part(name));
  process.kill(pids[2] as number, 'SIGKILL');
  await vi.waitFor(() => expect(pids).toHaveLength(5), { timeout: 10_000 });
  expect(said).toEqual(['worker ended: out of luck; starting it again']);
  await supervisor.stop();
  expect(stopped).toEqual(['api', 'worker', 'temporal', 'postgres']);
  for (const pid of pids) expect(startMark(pid)).toBeNull();
});

test('a part that is not ready yet is stopped too', async () => {
  claimHome(home);
  const supervisor = new Supervisor({ home, say: () => undefined, giveUp: () => undefined });
  const known = Promise.withResolvers<number>();
  const running = supervisor.run({
    name: 'worker',
    start: async (spawned) => {
      const pid = await sleeper();
      spawned(pid);
      known.resolve(pid);
      await vi.waitUntil(() => startMark(pid) === null, { timeout: 20_000 });
      throw new Error('ended while starting');
    },
  });
  const failed = expect(running).rejects.toThrow('ended while starting');
  const pid = await known.promise;
  await supervisor.stop();
  await failed;
  expect(startMark(pid)).toBeNull();
});
