import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import Stripe from 'stripe';
import { type Config, readConfig } from '../config/env.ts';
import { runMain, SetupError } from '../config/setup-error.ts';
import { insertAccount, insertApiKey } from '../db/accounts.ts';
import { type Database, openDatabase } from '../db/client.ts';
import { openSandbox } from '../gateways/payment/sandbox/sandbox-gateway.ts';
import { embeddedPostgresUrl } from '../servers/postgres.ts';
import { readLedger, tellEnd } from './demo/closing.ts';
import { live } from './demo/live.ts';
import { prove } from './demo/prove.ts';
import { openScreen, type Screen } from './demo/screen.ts';
import { STORY_BEGINS, STORY_ENDS } from './demo/story.ts';
import { FIRST_ACCOUNT } from './first-account.ts';
import { reachable, reachableUrl } from './reachable.ts';

const READY_WITHIN_MS = 180_000;
const LOOK_EVERY_MS = 200;

/** `npm run demo`: a year of thirteen customers on a test clock, in an account of its own. Uses the Perennial that runs here, or starts one and stops it again. */
await runMain(async () => {
  const config = readConfig(process.env);
  const screen = openScreen();
  const stopStarted = (await isReady(config)) ? null : await start(config, screen);
  const url = config.DATABASE_URL ?? embeddedPostgresUrl(config.POSTGRES_PORT);
  const db = openDatabase({ url, poolMax: 2 });
  const sandbox = openSandbox({ url });
  try {
    const { accountId, secretKey } = await makeAccount(db);
    const stripe = new Stripe(secretKey, { host: reachable(config.HOST), port: config.PORT, protocol: 'http', telemetry: false });
    screen.line(`A year of thirteen customers, ${STORY_BEGINS.slice(0, 10)} to ${STORY_ENDS.slice(0, 10)}, on one test clock\n`);
    const began = performance.now();
    const { clock, cast } = await live(stripe, screen);
    const ledger = await readLedger(stripe, cast);
    const proof = await prove(ledger, sandbox, db, accountId);
    tellEnd(ledger, proof, screen);
    screen.line(
      `\nA year in ${Math.round((performance.now() - began) / 1000)} s. In the Temporal UI, TestClockId = "${clock}" finds every workflow of it.`,
    );
    if (!proof.holds) process.exitCode = 1;
  } finally {
    screen.clear();
    await Promise.all([db.close(), sandbox.close()]);
    await stopStarted?.();
  }
});

function isReady(config: Config): Promise<boolean> {
  return fetch(`${reachableUrl(config.HOST, config.PORT)}/readyz`, { signal: AbortSignal.timeout(2000) }).then(
    (response) => response.ok,
    () => false,
  );
}

/** Runs `npm start` beside us. @returns how to stop it @throws SetupError with what it said when it does not come up */
async function start(config: Config, screen: Screen): Promise<() => Promise<void>> {
  screen.progress(0, 1, 'Starting Perennial …');
  const child = spawn(process.execPath, [fileURLToPath(new URL('start.ts', import.meta.url))], {
    env: process.env,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  const interrupted = (): void => void stop().then(() => process.exit(130));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupted);
  for (const deadline = performance.now() + READY_WITHIN_MS; !(await isReady(config)); ) {
    if (child.exitCode !== null)
      throw new SetupError(complaint.trim().split('\n').at(-1) || 'Perennial cannot be started: run `npm start` to see why');
    if (performance.now() > deadline) {
      await stop();
      throw new SetupError('Perennial is not ready after three minutes: run `npm start` to see why');
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return stop;
}

/** An account for this run alone, so that the demo mixes with nothing. */
async function makeAccount(db: Database): Promise<{ accountId: string; secretKey: string }> {
  const name = randomBytes(6).toString('hex');
  const accountId = `acct_demo_${name}`;
  const secretKey = `sk_test_${randomBytes(24).toString('hex')}`;
  const secretHash = createHash('sha256').update(secretKey).digest('hex');
  await insertAccount(db, { ...FIRST_ACCOUNT, id: accountId, name: 'Demo', invoiceNumberPrefix: 'DEMO' });
  await insertApiKey(db, accountId, { id: `key_${name}`, secretHash, last4: secretKey.slice(-4) });
  return { accountId, secretKey };
}
