import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { withAccount } from '../../db/client.ts';
import { newCustomer, newPrice, useCard } from '../support/scenario.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { newClock, readyAgain } from '../support/test-clock.ts';
import { type EndState, endState } from './end-state.ts';
import { until } from './stories.ts';
import { KeptWorker } from './worker-process.ts';

const KILLS = 2;
const HALF_A_YEAR = 184 * 86_400;
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ worker: 'none', deadlineMs: 250_000 });
}, 120_000);
afterAll(() => stack?.stop());

const eventsSoFar = (): Promise<number> =>
  withAccount(stack.db, stack.accountId, async (t) => {
    const { rows } = await t.run<{ n: number }>('select count(*)::int as n from events where account_id = $1', [stack.accountId]);
    return rows[0]?.n ?? 0;
  });

/** Three customers on one clock: one that pays, one whose card is declined from the first renewal on, and one that leaves; half a year in one step. */
async function halfAYear(worker: KeptWorker, kills: number): Promise<EndState[]> {
  const { stripe } = stack;
  const clock = await newClock(stripe, '2027-01-31T10:00:00Z');
  const price = await newPrice(stripe, 900);
  const ids: string[] = [];
  for (const card of ['pm_card_visa', 'pm_card_chargeCustomerFail', 'pm_card_visa']) {
    const customer = await newCustomer(stripe, 'pm_card_visa', { test_clock: clock.id });
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price }] });
    if (card !== 'pm_card_visa') await useCard(stripe, customer, card);
    ids.push(id);
  }
  await stripe.subscriptions.update(ids[2] ?? '', { cancel_at: clock.frozen_time + 100 * 86_400 });
  await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: clock.frozen_time + HALF_A_YEAR });
  for (let kill = 0; kill < kills; kill += 1) {
    // In the middle of something: a little further each time.
    const before = await eventsSoFar();
    await until(
      240_000,
      async () => (await eventsSoFar()) > before + 5,
      () => `nothing moves:\n${worker.log}`,
    );
    worker.kill();
  }
  await readyAgain(stripe, clock.id, 400_000);
  return Promise.all(ids.map((id) => endState(stack, id)));
}

test('the worker is killed again and again during an advance: the time is that of a worker that lives', {
  timeout: 900_000,
}, async () => {
  const { databaseUrl, taskQueue } = stack;
  const settings = { databaseUrl, taskQueue, temporalAddress: inject('temporalAddress'), home: inject('home') };
  const worker = new KeptWorker(settings);
  try {
    const killed = await halfAYear(worker, KILLS);
    expect(killed.map(({ subscription, invoices }) => [subscription.status, invoices.length])).toEqual([
      ['active', 7],
      ['canceled', 2],
      ['canceled', expect.any(Number)],
    ]);
    expect(killed).toEqual(await halfAYear(worker, 0));
  } finally {
    await worker.stop();
  }
});
