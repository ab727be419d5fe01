import type { AccountTransaction } from '../db/client.ts';
import { findTestClock, lastDecisionAbout } from '../db/test-clocks.ts';
import type { Customer } from '../domain/customer.ts';
import type { TestClock } from '../domain/test-clock.ts';
import type { RequestContext } from './context.ts';
import { mustRest } from './customer-clock.ts';
import { badRequest, notFound } from './errors.ts';

/**
 * The test clock that a request names for a customer. It stays as it is until the transaction ends. A customer is put on a clock once: nothing that was decided in its time could be
 * taken back to another.
 * @throws ApiError 400 `test_clock` in live mode, for an unknown clock, for one that stands before what was decided already, for a customer on another clock, for null; 429 while it advances
 */
export async function clockToJoin(
  context: RequestContext,
  t: AccountTransaction,
  customer: Customer,
  clockId: string | null,
): Promise<TestClock> {
  if (context.account.livemode) throw badRequest('Test clocks exist in test mode only.', 'test_clock');
  if (clockId === null) throw badRequest('A customer cannot be taken off a test clock.', 'test_clock');
  const known = customer.testClockId ?? null;
  if (known !== null && known !== clockId) {
    throw badRequest(`The customer is on the test clock ${known} and cannot be put on another one.`, 'test_clock');
  }
  const clock = await findTestClock(t, clockId, { lock: true });
  if (clock === null || clock.deleted) throw notFound('test clock', clockId, 'test_clock');
  mustRest(clock);
  if (known === null) {
    const decided = Math.max(customer.createdAt, (await lastDecisionAbout(t, customer.id)) ?? 0);
    if (clock.frozenTime < decided) {
      throw badRequest(
        `The test clock stands at ${clock.frozenTime}, before ${decided}, when something was last decided for the customer. Advance it, or use one that stands later.`,
        'test_clock',
      );
    }
  }
  return clock;
}
