import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { instant, isoInstant } from '../../domain/time.ts';
import { type Bill, billLife } from '../reference/biller.ts';
import { type Catalogue, listPrices, Subscriber } from '../reference/live-it.ts';
import { makeInstants, makeLife } from '../reference/make-life.ts';
import KEPT from '../reference/seeds.json' with { type: 'json' };
import { clientOf, type Stack, startStack } from '../support/stack.ts';
import { newClock, readyAgain } from '../support/test-clock.ts';

/** `.ci/run` asks for 200, and `npm run test:simulate -- --years N --seed S` for any number. */
const YEARS = Number(process.env['SIMULATE_YEARS'] ?? 12);
const SEED = Number(process.env['SIMULATE_SEED'] ?? 1);
/** So many live on one clock. */
const TOGETHER = 100;
/** A leap year lies ahead. */
const START = instant('2027-10-31T00:00:00Z');
const YEAR = 366 * 86_400;
const PATIENCE = 7_200_000;

let stack: Stack;
let stripe: Stripe;
let catalogue: Catalogue;
beforeAll(async () => {
  stack = await startStack();
  // A worker that is busy with everybody's year may be late with an answer, and the client asks again.
  stripe = clientOf(stack, { maxNetworkRetries: 8 });
  catalogue = await listPrices(stripe);
});
afterAll(() => stack?.stop());

const seeds = [...(KEPT as number[]), ...Array.from({ length: YEARS }, (_, n) => SEED * 1_000_000 + n)];
const clocks = Array.from({ length: Math.ceil(seeds.length / TOGETHER) }, (_, n) => seeds.slice(n * TOGETHER, (n + 1) * TOGETHER));

test.each(clocks.map((lives, n) => [n + 1, lives] as const))(
  'clock %i: random subscription-years are billed as the reference bills them',
  { timeout: PATIENCE },
  async (n, lives) => {
    const instants = makeInstants(SEED + n, START);
    const end = START + YEAR;
    const clock = await newClock(stripe, isoInstant(START));
    const people = lives.map((seed) => {
      const life = makeLife(seed, instants);
      return { seed, life, subscriber: new Subscriber(stripe, catalogue, clock.id, life) };
    });
    for (const at of [...new Set([...instants, end])]) {
      if (at > START) {
        await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: at });
        await readyAgain(stripe, clock.id, PATIENCE);
      }
      await eightAtOnce(people, ({ subscriber }) => subscriber.actAt(at));
    }
    for (const { seed, life, subscriber } of people) {
      expect(inWords(await subscriber.bills()), `seed ${seed}: ${JSON.stringify(life)}`).toEqual(inWords(billLife(life, end)));
    }
  },
);

async function eightAtOnce<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let one = left.shift(); one !== undefined; one = left.shift()) await work(one);
    }),
  );
}

/** To be compared: dates that can be read, and an order of its own for what is of one instant. */
const inWords = (bills: readonly Bill[]) =>
  bills
    .map(({ at, reason, lines, total, due }) => ({
      bill: `${isoInstant(at)} ${reason} ${total} due ${due}`,
      lines: lines
        .map(
          ({ price, quantity, start, end, amount, off }) =>
            `${price} x ${quantity} ${isoInstant(start)} ${isoInstant(end)} ${amount} - ${off}`,
        )
        .sort(),
    }))
    .sort((a, b) => (a.bill < b.bill ? -1 : 1));
