import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { instant, isoInstant } from '../../domain/time.ts';
import { billHousehold, billLife } from '../reference/biller.ts';
import type { Life } from '../reference/life.ts';
import { type Catalogue, listPrices, Resident } from '../reference/live-it.ts';
import { makeHousehold, makeInstants, makeLife } from '../reference/make-life.ts';
import KEPT from '../reference/seeds.json' with { type: 'json' };
import { inWords } from '../support/memory-life.ts';
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
/** The account is one, and so is what it does with late usage. */
const LATE = 'rerate';

let stack: Stack;
let stripe: Stripe;
let catalogue: Catalogue;
beforeAll(async () => {
  // On a bad day: of the activities some fail before they have done anything, and some after.
  stack = await startStack({ account: { lateUsage: LATE }, flaky: 0.02 });
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
    const people = lives.flatMap((seed) =>
      // Every fourth has several subscriptions besides.
      [[makeLife(seed, instants)], ...(seed % 4 === 0 ? [makeHousehold(seed, instants)] : [])].flatMap((made) => {
        const household = made.map((life): Life => ({ ...life, late: LATE }));
        const expected = household.length === 1 ? billLife(household[0] as Life, end) : billHousehold(household, end);
        if (expected === null) return [];
        return [{ seed, told: JSON.stringify(household), expected, resident: new Resident(stripe, catalogue, clock.id, household) }];
      }),
    );
    for (const at of [...new Set([...instants, end])]) {
      if (at > START) {
        await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: at });
        await readyAgain(stripe, clock.id, PATIENCE);
      }
      await eightAtOnce(people, ({ resident }) => resident.actAt(at));
    }
    for (const { seed, told, expected, resident } of people) {
      expect(inWords(await resident.bills()), `seed ${seed}: ${told}`).toEqual(inWords(expected));
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
