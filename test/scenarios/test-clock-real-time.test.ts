import type Stripe from 'stripe';
import { expect, test } from 'vitest';
import { isoInstant } from '../../domain/time.ts';
import { beginLife, type Life, newPrices, PERSONAS, type Persona, tellLife, withoutIds } from '../support/clock-lives.ts';
import { pauseSubscription } from '../support/pause.ts';
import { startLife, useCard } from '../support/scenario.ts';
import { startStack } from '../support/stack.ts';
import { advanceTo, newClock } from '../support/test-clock.ts';

/** How much later than due a timer may ring, and the API's requests may lie apart, in seconds. */
const LATENESS = 120;
const DAY = 86_400;

async function allEvents(stripe: Stripe): Promise<Stripe.Event[]> {
  const events: Stripe.Event[] = [];
  for await (const event of stripe.events.list({ limit: 100 })) events.push(event);
  return events.reverse();
}

const told = async (stripe: Stripe, life: Life): Promise<unknown> => withoutIds(await tellLife(stripe, life, await allEvents(stripe)));

/**
 * `value` with every instant that is as good as the one in `like` replaced by it. Without the clock, which only one of the two has, and without the age of prices: the catalogue is not
 * on a clock.
 */
function alike(value: unknown, like: unknown): unknown {
  if (typeof value === 'number' && typeof like === 'number' && value > 1e9 && Math.abs(value - like) <= LATENESS) return like;
  if (Array.isArray(value)) return value.map((inner, index) => alike(inner, Array.isArray(like) ? like[index] : undefined));
  if (typeof value !== 'object' || value === null) return value;
  const other = (like ?? {}) as Record<string, unknown>;
  const isIncidental = (key: string): boolean => key === 'test_clock' || (key === 'created' && 'nickname' in value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, isIncidental(key) ? null : alike(inner, other[key])]));
}

/** A year of a persona whose timers ring, in a server that skips time. */
async function inRealTime(persona: Persona, start: string, days: number): Promise<{ from: number; to: number; life: unknown }> {
  const life = await startLife(start);
  try {
    const begun = await beginLife(life.stripe, persona, await newPrices(life.stripe));
    const { created } = await life.stripe.subscriptions.retrieve(begun.subscriptions[0] ?? '');
    const to = created + days * DAY;
    await life.until(isoInstant(to));
    return { from: created, to, life: await told(life.stripe, begun) };
  } finally {
    await life.stop();
  }
}

async function onTestClock(persona: Persona, from: number, to: number): Promise<unknown> {
  const stack = await startStack();
  try {
    const clock = await newClock(stack.stripe, isoInstant(from));
    const begun = await beginLife(stack.stripe, persona, await newPrices(stack.stripe), clock.id);
    await advanceTo(stack.stripe, clock.id, isoInstant(to));
    return await told(stack.stripe, begun);
  } finally {
    await stack.stop();
  }
}

const abandoned: Persona = {
  name: 'a card that stops working for good',
  begin: async (stripe, customer, prices) => {
    const { id } = await stripe.subscriptions.create({ customer, items: [{ price: prices.monthly }] });
    await useCard(stripe, customer, 'pm_card_chargeCustomerFail');
    return [id];
  },
};

/** Its second period is paid at the third try; from the 70th day to the 100th it is paused. */
const recovering: Persona = {
  name: 'a card that recovers, then a pause and its end',
  begin: async (stripe, customer, prices) => {
    const { id, created } = await stripe.subscriptions.create({ customer, items: [{ price: prices.monthly }] });
    await useCard(stripe, customer, 'pm_card_declineThenSucceed_2');
    await pauseSubscription(stripe, id, {
      effective_at: created + 70 * DAY,
      resumes_at: created + 100 * DAY,
      billing_cycle_anchor: 'unchanged',
      proration_behavior: 'always_invoice',
    });
    return [id];
  },
};

// Bought on a 31st, in a leap year.
test.each([
  [PERSONAS[0] as Persona, 370],
  [abandoned, 80],
  [recovering, 130],
])('$name: in one step on a test clock as by the timers of real time', { timeout: 300_000 }, async (persona, days) => {
  const real = await inRealTime(persona, '2028-01-31T10:00:00Z', days);
  const clocked = await onTestClock(persona, real.from, real.to);
  if (persona === recovering) {
    const { timelines } = clocked as { timelines: { name: string }[][] };
    const names = timelines.flat().map(({ name }) => name);
    expect(names.filter((name) => name === 'invoice.payment_failed')).toHaveLength(2);
    expect(names).toEqual(
      expect.arrayContaining(['begin-pause', 'customer.subscription.paused', 'end-pause', 'customer.subscription.resumed']),
    );
  }
  expect(alike(real.life, alike(clocked, null))).toEqual(alike(clocked, null));
});
