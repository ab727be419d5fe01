import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { withAccount } from '../../db/client.ts';
import { enrolCohort } from '../../db/migration-cohort.ts';
import { insertPriceMigration } from '../../db/price-migrations.ts';
import { instant } from '../../domain/time.ts';
import { rebuild } from '../../recovery/rebuild.ts';
import { restored, startSubscription, takenOver } from '../../recovery/restart.ts';
import type { TemporalServer } from '../../servers/temporal.ts';
import { cancelUpdate, priceMigrationWorkflowId, stateQuery } from '../../workflows/messages.ts';
import { aPriceMigration } from '../api/examples.ts';
import { calendarLine, invoicesOf, newCustomer, newPrice } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, newClock, readyAgain } from '../support/test-clock.ts';
import { emptyTemporal } from './empty-temporal.ts';

/** One Postgres; Temporals come and go with all that they know. */
let temporal: TemporalServer;
let first: Stack;
const stops: (() => Promise<void>)[] = [];

const wiped = async (): Promise<TemporalServer> => {
  const server = await emptyTemporal();
  stops.push(() => server.stop());
  return server;
};

beforeAll(async () => {
  temporal = await wiped();
  first = await startStack({ temporal: { address: temporal.address } });
}, 120_000);
afterEach(async () => {
  for (const stop of stops.splice(1).reverse()) await stop();
});
afterAll(async () => {
  await first?.stop();
  for (const stop of stops.reverse()) await stop();
});

/** The same books on a Temporal that knows nothing. */
async function onEmptyTemporal(): Promise<{ stack: Stack; client: Client; taskQueue: string }> {
  const { address } = await wiped();
  const stack = await startStack({ temporal: { address }, books: first });
  stops.push(() => stack.stop());
  return { stack, client: stack.client, taskQueue: stack.taskQueue };
}

const recoveryOf = ({ db, client, taskQueue }: Stack) => ({ db, client, taskQueue });

test('subscriptions, a dunning, a clock on its way and a price migration come back as they were, a generation later; again is harmless', {
  timeout: 240_000,
}, async () => {
  const { stripe } = first;
  const price = await newPrice(stripe, 1000);
  const real = await stripe.subscriptions.create({ customer: await newCustomer(stripe), items: [{ price }], metadata: { wave: '1' } });
  const clock = await newClock(stripe, '2027-01-31T00:00:00Z');
  const good = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  const bad = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
  const frozen = await stripe.subscriptions.create({ customer: good, items: [{ price }] });
  const declining = await stripe.subscriptions.create({ customer: bad, items: [{ price }] });
  const failing = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: bad });
  await stripe.customers.update(bad, { invoice_settings: { default_payment_method: failing.id } });
  await advanceTo(stripe, clock.id, '2027-03-01T00:00:00Z');
  expect((await stripe.subscriptions.retrieve(declining.id)).status).toBe('past_due');
  // What the books say of each is what its workflow knows of itself.
  for (const { state } of await restored(recoveryOf(first), first.accountId, [real.id, frozen.id, declining.id])) {
    const { answered: _, ...known } = await first.client.workflow.getHandle(state.subscriptionId).query(stateQuery);
    expect(state).toMatchObject(known);
  }
  // The advance is written and its workflow is lost before it does anything.
  await withAccount(first.db, first.accountId, (t) =>
    t.run(`update test_clocks set status = 'advancing', target_frozen_time = to_timestamp($1) where id = $2`, [
      instant('2027-05-01T00:00:00Z'),
      clock.id,
    ]),
  );
  // So is that of a price migration, when it has looked who belongs to it.
  const filters = { customerCreatedBefore: null, metadata: { wave: '1' }, limit: null };
  const next = await newPrice(stripe, 1200);
  const migration = aPriceMigration({
    id: 'pmig_lost',
    status: 'running',
    completedAt: null,
    fromPriceId: price,
    toPriceId: next,
    filters,
  });
  await withAccount(first.db, first.accountId, async (t) => {
    await insertPriceMigration(t, migration);
    await enrolCohort(t, migration);
  });

  const { stack } = await onEmptyTemporal();
  const report = await rebuild(recoveryOf(stack));
  expect(report).toEqual({ found: 3, running: 0, restarted: 3, dunnings: 1, takenUp: 0, clocks: 1, migrations: 1 });
  await stack.client.workflow.getHandle(priceMigrationWorkflowId('pmig_lost')).result();
  expect(await stack.stripe.rawRequest('GET', '/v1/price_migrations/pmig_lost')).toMatchObject({
    status: 'completed',
    counts: { total: 1, scheduled: 1 },
  });
  await readyAgain(stack.stripe, clock.id);
  expect(await rebuild(recoveryOf(stack))).toMatchObject({ restarted: 0, dunnings: 0, clocks: 0, migrations: 0 });

  const bill = async (customer: string): Promise<string[]> =>
    (await invoicesOf(stack.stripe, { customer })).map((invoice) => calendarLine(invoice));
  expect(await bill(good)).toEqual([
    '2027-01-31 create EUR 10.00 paid',
    '2027-02-28 cycle EUR 10.00 paid',
    '2027-03-31 cycle EUR 10.00 paid',
    '2027-04-30 cycle EUR 10.00 paid',
  ]);
  expect((await stack.stripe.subscriptions.retrieve(declining.id)).status).toBe('canceled');
  const [, unpaid] = await invoicesOf(stack.stripe, { customer: bad });
  expect(unpaid).toMatchObject({ status: 'open', attempt_count: 4 });
  const state = await stack.client.workflow.getHandle(frozen.id).query(stateQuery);
  expect(state).toMatchObject({ generation: 2, clock: { kind: 'frozen', at: instant('2027-05-01T00:00:00Z') } });
  // Commands are obeyed as ever.
  expect((await stack.stripe.subscriptions.cancel(real.id)).status).toBe('canceled');
});

test('a workflow that still lives elsewhere decides nothing any more, says so, and ends', { timeout: 240_000 }, async () => {
  const { stripe } = first;
  const price = await newPrice(stripe, 1000);
  const { id } = await stripe.subscriptions.create({ customer: await newCustomer(stripe), items: [{ price }] });
  const { stack } = await onEmptyTemporal();
  await rebuild(recoveryOf(stack));

  const command = { operationId: `op_${randomBytes(6).toString('hex')}`, actor: 'test', invoiceNow: false, prorate: false };
  const old = first.client.workflow.getHandle(id);
  const refused = old.executeUpdate(cancelUpdate, { args: [command] });
  await expect(refused).rejects.toMatchObject({ cause: { type: 'generation_superseded' } });
  await vi.waitFor(async () => expect((await old.describe()).status.name).toBe('COMPLETED'), 20_000);
  expect((await stack.stripe.subscriptions.retrieve(id)).status).toBe('active');
  await stack.client.workflow.getHandle(id).executeUpdate(cancelUpdate, { args: [command] });
  expect((await stack.stripe.subscriptions.retrieve(id)).status).toBe('canceled');
});

test('one that was taken over and not started is started by the next rebuild', { timeout: 240_000 }, async () => {
  const { stripe } = first;
  const price = await newPrice(stripe, 1000);
  const { id } = await stripe.subscriptions.create({ customer: await newCustomer(stripe), items: [{ price }] });
  const { stack } = await onEmptyTemporal();
  const recovery = recoveryOf(stack);
  await takenOver(recovery, stack.accountId, [id]);
  await rebuild(recovery);
  const [now] = await restored(recovery, stack.accountId, [id]);
  expect(now?.state.generation).toBe(3);
  expect(now && (await startSubscription(recovery, now.state))).toBe(false);
  expect(await stack.client.workflow.getHandle(id).query(stateQuery)).toMatchObject({ generation: 3, facts: { status: 'active' } });
});
