import type Stripe from 'stripe';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Instant, instant, isoInstant } from '../../domain/time.ts';
import { beginLife, type Life, newPrices, PERSONAS, type Prices, tellLife, withoutIds } from '../support/clock-lives.ts';
import { type Stack, startStack } from '../support/stack.ts';
import { advanceTo, changesOf, newClock } from '../support/test-clock.ts';

/** `npm run test:clock` asks for more. */
const CUSTOMERS = Number(process.env['CLOCK_CUSTOMERS'] ?? PERSONAS.length);
const YEARS = Number(process.env['CLOCK_YEARS'] ?? 1);
const START = '2028-01-31T10:00:00Z';
const END = isoInstant(instant(`${2028 + YEARS}-02-03T12:00:00Z`));
/** No limit for the full size; it says how long it took. */
const PATIENCE = 3_600_000;

let stack: Stack;
let stripe: Stripe;
let prices: Prices;
beforeAll(async () => {
  stack = await startStack();
  stripe = stack.stripe;
  prices = await newPrices(stripe);
});
afterAll(() => stack?.stop());

interface Lived {
  lives: Life[];
  told: unknown[];
  events: Stripe.Event[];
  seconds: number;
}

/** Half of the customers come on the first day, the others two days later; then the clock is advanced, step by step. */
async function live(steps: readonly string[]): Promise<Lived> {
  const clock = await newClock(stripe, START);
  const lives: Life[] = [];
  const events: Stripe.Event[] = [];
  const begin = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n += 1) {
      const persona = PERSONAS[n % PERSONAS.length];
      if (persona !== undefined) lives.push(await beginLife(stripe, persona, prices, clock.id));
    }
  };
  await begin(0, Math.ceil(CUSTOMERS / 2));
  await advanceTo(stripe, clock.id, '2028-02-02T07:13:05Z', PATIENCE);
  events.push(...(await changesOf(stripe, clock.id)));
  await begin(Math.ceil(CUSTOMERS / 2), CUSTOMERS);
  const started = performance.now();
  for (const step of steps) {
    await advanceTo(stripe, clock.id, step, PATIENCE);
    events.push(...(await changesOf(stripe, clock.id)));
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  const told: unknown[] = [];
  for (const life of lives) told.push(withoutIds(await tellLife(stripe, life, events)));
  return { lives, told, events, seconds };
}

/** About eight a year, at no particular hour, and the end. */
function smallSteps(): string[] {
  const steps: Instant[] = [];
  for (let at = instant('2028-02-29T10:00:00Z'); at < instant(END); at += 44 * 86_400 + 12_345) steps.push(at);
  return [...steps.map(isoInstant), END];
}

test(`${CUSTOMERS} customers, ${YEARS} years in one step, and the same lives in small ones`, { timeout: PATIENCE }, async () => {
  const say = (how: string, { events, seconds }: Lived): void => {
    const invoices = events.filter(({ type }) => type === 'invoice.finalized').length;
    process.stdout.write(
      `${CUSTOMERS} customers, ${YEARS} years, ${how}: ${seconds} s for ${invoices} invoices and ${events.length} events\n`,
    );
  };
  const leap = await live([END]);
  say('one step', leap);
  const walk = await live(smallSteps());
  say('small steps', walk);

  for (const [index, told] of leap.told.entries()) {
    expect(walk.told[index], PERSONAS[index % PERSONAS.length]?.name).toEqual(told);
  }
  // Customer by customer it is the same; together it stands in the order of time, and at one instant in the order in which the customers came.
  expect(walk.events.map(({ type, created }) => `${created} ${type}`)).toEqual(
    leap.events.map(({ type, created }) => `${created} ${type}`),
  );
  const times = leap.events.map(({ created }) => created);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  // Each customer's numbers are their own, without a gap.
  for (const { customer } of leap.lives) {
    const invoices = await stripe.invoices.list({ customer, limit: 100 });
    const numbers = invoices.data
      .flatMap(({ number }) => (number === null ? [] : [Number(number.split('-').at(-1))]))
      .sort((a, b) => a - b);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  }
});
