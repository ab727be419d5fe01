import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { rebuild } from '../../recovery/rebuild.ts';
import { freePort } from '../../servers/ports.ts';
import { type PostgresServer, startPostgres } from '../../servers/postgres.ts';
import { startTemporal, type TemporalServer } from '../../servers/temporal.ts';
import { invoicesOf, newCustomer, newPrice, useCard } from '../support/scenario.ts';
import { subscribeInThePast } from '../support/scenario-backdated.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { endState } from './end-state.ts';
import { settled, until } from './stories.ts';
import { KeptWorker } from './worker-process.ts';

/** Renewals are under way when a server is killed; it comes back with what was on its disk. These servers are durable, unlike those of the other tests. */
const WEEK = 7 * 86_400;
const SUBSCRIPTIONS = 8;
const scratch = mkdtempSync(join(tmpdir(), 'perennial-killed-'));
let postgres: PostgresServer;
let temporal: TemporalServer;
let stack: Stack;
let worker: KeptWorker;
const taskQueue = `killed-${randomBytes(6).toString('hex')}`;

let ports: { postgres: number; temporal: number };
const startOurPostgres = (): Promise<PostgresServer> => startPostgres({ dataDir: join(scratch, 'postgres'), port: ports.postgres });
const startOurTemporal = (): Promise<TemporalServer> =>
  startTemporal({
    binary: inject('temporalPath'),
    dbFile: join(scratch, 'temporal', 'temporal.db'),
    port: ports.temporal,
    namespace: 'default',
    fastTimers: true,
  });

beforeAll(async () => {
  chmodSync(scratch, 0o755);
  ports = { postgres: await freePort(), temporal: await freePort() };
  [postgres, temporal] = await Promise.all([startOurPostgres(), startOurTemporal()]);
  stack = await startStack({ worker: 'none', postgresUrl: postgres.url, temporal: { address: temporal.address } });
  worker = new KeptWorker({ databaseUrl: stack.databaseUrl, temporalAddress: temporal.address, taskQueue, home: inject('home') });
}, 180_000);

afterAll(async () => {
  await worker?.stop();
  await stack?.stop();
  await Promise.all([temporal?.stop(), postgres?.stop()]);
  rmSync(scratch, { recursive: true, force: true });
}, 60_000);

/** Eight subscriptions that renew in two seconds; returns their ids as soon as the first of them has renewed. */
async function midRenewal(): Promise<string[]> {
  const { stripe, activities, client, accountId } = stack;
  const priceId = await newPrice(stripe, 700, { interval: 'week' });
  const startedAt = Math.floor(Date.now() / 1000) - WEEK + 4;
  const ids = Array.from({ length: SUBSCRIPTIONS }, () => `sub_${randomBytes(10).toString('hex')}`);
  for (const subscriptionId of ids) {
    const customerId = await newCustomer(stripe);
    await subscribeInThePast({ activities, client, taskQueue }, { accountId, subscriptionId, customerId, priceId, startedAt });
  }
  await until(
    60_000,
    async () => (await settled(stack, ids)) > 0,
    () => `nothing renewed:\n${worker.log}`,
  );
  return ids;
}

async function expectAllRenewedOnce(ids: string[]): Promise<void> {
  await until(
    180_000,
    async () => (await settled(stack, ids).catch(() => 0)) === ids.length,
    () => `not all renewed:\n${worker.log}`,
  );
  for (const id of ids) {
    const end = await endState(stack, id);
    expect(end.subscription.status).toBe('active');
    expect(end.invoices.map(({ reason, status, total, captures }) => ({ reason, status, total, captures }))).toEqual([
      { reason: 'subscription_create', status: 'paid', total: 700, captures: [700] },
      { reason: 'subscription_cycle', status: 'paid', total: 700, captures: [700] },
    ]);
  }
}

test('Postgres is killed in mid-renewal and comes back', { timeout: 300_000 }, async () => {
  const ids = await midRenewal();
  process.kill(postgres.pid, 'SIGKILL');
  await postgres.ended;
  // Its children notice within moments that their parent is gone; until then the data folder is theirs.
  let back: PostgresServer | null = null;
  await until(
    60_000,
    async () => (back = await startOurPostgres().catch(() => null)) !== null,
    () => 'Postgres does not come back',
  );
  postgres = back ?? postgres;
  await expectAllRenewedOnce(ids);
});

test('Temporal is killed in mid-renewal and comes back', { timeout: 300_000 }, async () => {
  const ids = await midRenewal();
  process.kill(temporal.pid, 'SIGKILL');
  await temporal.ended;
  temporal = await startOurTemporal();
  await expectAllRenewedOnce(ids);
});

test('both are killed at once, the worker too', { timeout: 300_000 }, async () => {
  const ids = await midRenewal();
  worker.kill();
  process.kill(temporal.pid, 'SIGKILL');
  process.kill(postgres.pid, 'SIGKILL');
  await Promise.all([temporal.ended, postgres.ended]);
  let back: PostgresServer | null = null;
  await until(
    60_000,
    async () => (back = await startOurPostgres().catch(() => null)) !== null,
    () => 'Postgres does not come back',
  );
  postgres = back ?? postgres;
  temporal = await startOurTemporal();
  await expectAllRenewedOnce(ids);
});

/** A subscription whose renewal was declined, and whose dunning waits for the next try. */
async function inDunning(): Promise<{ subscriptionId: string; customerId: string }> {
  const { stripe, activities, client, accountId } = stack;
  const subscriptionId = `sub_${randomBytes(10).toString('hex')}`;
  const customerId = await newCustomer(stripe);
  const startedAt = Math.floor(Date.now() / 1000) - WEEK + 4;
  const past = { accountId, subscriptionId, customerId, priceId: await newPrice(stripe, 700, { interval: 'week' }), startedAt };
  await subscribeInThePast({ activities, client, taskQueue }, past);
  await useCard(stripe, customerId, 'pm_card_chargeCustomerFail');
  await until(
    60_000,
    async () => (await invoicesOf(stripe, { customer: customerId })).some(({ next_payment_attempt }) => next_payment_attempt !== null),
    () => `no dunning:\n${worker.log}`,
  );
  return { subscriptionId, customerId };
}

test('Temporal loses everything in mid-renewal and in dunning, and is rebuilt from Postgres', { timeout: 300_000 }, async () => {
  const { subscriptionId, customerId } = await inDunning();
  const ids = await midRenewal();
  process.kill(temporal.pid, 'SIGKILL');
  await temporal.ended;
  rmSync(join(scratch, 'temporal'), { recursive: true });
  temporal = await startOurTemporal();
  const { db, client } = stack;
  const report = await rebuild({ db, client, taskQueue });
  expect(report).toMatchObject({ running: 0, dunnings: 1 });
  expect(report.restarted).toBe(report.found);
  expect(await rebuild({ db, client, taskQueue })).toMatchObject({ restarted: 0, dunnings: 0 });
  await expectAllRenewedOnce(ids);

  // A card that works reaches the dunning through its subscription, as if nothing had been.
  await useCard(stack.stripe, customerId, 'pm_card_visa');
  await until(
    180_000,
    async () => (await settled(stack, [subscriptionId]).catch(() => 0)) === 1,
    () => `not paid:\n${worker.log}`,
  );
  const end = await endState(stack, subscriptionId);
  expect(end.subscription.status).toBe('active');
  expect(end.invoices.map(({ attempts, captures }) => ({ attempts: attempts.map(({ status }) => status), captures }))).toEqual([
    { attempts: ['succeeded'], captures: [700] },
    { attempts: ['declined', 'succeeded'], captures: [700] },
  ]);
});
