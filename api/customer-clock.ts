import { withAccount } from '../db/client.ts';
import { type ClockOwner, findTestClockOf } from '../db/test-clocks.ts';
import type { TestClock } from '../domain/test-clock.ts';
import type { RequestContext } from './context.ts';
import { ApiError } from './errors.ts';

/** The request in the time of the customer it is about: on a test clock, `now` is the clock's frozen time. */
export async function inTimeOf(context: RequestContext, owner: ClockOwner): Promise<RequestContext> {
  if (context.account.livemode) return context;
  const clock = await withAccount(context.db, context.account.id, (t) => findTestClockOf(t, owner));
  return clock === null ? context : atClock(context, clock);
}

/** The same for a request that changes something. @throws ApiError 429 while the clock advances */
export async function inRestingTimeOf(context: RequestContext, owner: ClockOwner): Promise<RequestContext> {
  const there = await inTimeOf(context, owner);
  if (there.testClock !== undefined) mustRest(there.testClock);
  return there;
}

export const atClock = (context: RequestContext, testClock: TestClock): RequestContext => ({
  ...context,
  testClock,
  now: () => testClock.frozenTime,
});

/** @throws ApiError 429, as with Stripe: nothing on a clock may change while it is on its way */
export function mustRest({ id, status }: TestClock): void {
  if (status !== 'advancing') return;
  throw new ApiError(`The test clock ${id} is advancing; try again when its status is ready.`, {
    status: 429,
    code: 'test_clock_advancing',
    retryAfter: 1,
  });
}
