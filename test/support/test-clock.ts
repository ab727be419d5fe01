import type Stripe from 'stripe';
import { expect } from 'vitest';
import { instant } from '../../domain/time.ts';

export const newClock = (stripe: Stripe, at: string): Promise<Stripe.TestHelpers.TestClock> =>
  stripe.testHelpers.testClocks.create({ frozen_time: instant(at), name: `from ${at}` });

/** Advances and waits until the clock is ready again. */
export async function advanceTo(stripe: Stripe, clock: string, to: string, timeout?: number): Promise<void> {
  await stripe.testHelpers.testClocks.advance(clock, { frozen_time: instant(to) });
  await readyAgain(stripe, clock, timeout);
  expect((await stripe.testHelpers.testClocks.retrieve(clock)).frozen_time).toBe(instant(to));
}

/** Asks less and less often: whoever asks takes the machine from what is waited for. A request that fails is asked again. @throws what was last seen instead of `ready` */
export async function readyAgain(stripe: Stripe, clock: string, timeout = 120_000): Promise<void> {
  const deadline = performance.now() + timeout;
  for (let pause = 30; ; pause = Math.min(pause * 1.25, 500)) {
    const seen = await stripe.testHelpers.testClocks.retrieve(clock).then(
      ({ status }) => status,
      (error: unknown) => error,
    );
    if (seen === 'ready') return;
    if (performance.now() > deadline) throw new Error(`the test clock ${clock} does not become ready`, { cause: seen });
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** What happened during the last advance, in the order of its time. */
export async function changesOf(stripe: Stripe, clock: string): Promise<Stripe.Event[]> {
  const all: Stripe.Event[] = [];
  for (let after: string | undefined; ; ) {
    const cursor = after === undefined ? '' : `&starting_after=${after}`;
    const page = (await stripe.rawRequest(
      'GET',
      `/v1/test_helpers/test_clocks/${clock}/changes?limit=100${cursor}`,
    )) as unknown as Stripe.ApiList<Stripe.Event>;
    all.push(...page.data);
    if (!page.has_more) return all;
    after = page.data.at(-1)?.id;
  }
}
