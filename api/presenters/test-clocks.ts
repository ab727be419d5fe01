import type Stripe from 'stripe';
import type { TestClock } from '../../domain/test-clock.ts';
import type { Dialect } from './dialect.ts';

type TestClockAnswer = Dialect<
  Stripe.TestHelpers.TestClock,
  'id' | 'object' | 'created' | 'frozen_time' | 'livemode' | 'name' | 'status'
> & { status_details: { advancing?: { target_frozen_time: number } } };

type DeletedTestClockAnswer = Dialect<Stripe.TestHelpers.DeletedTestClock, 'id' | 'object' | 'deleted'>;

export const presentDeletedTestClock = (id: string): DeletedTestClockAnswer => ({ id, object: 'test_helpers.test_clock', deleted: true });

export function presentTestClock(clock: TestClock): TestClockAnswer | DeletedTestClockAnswer {
  if (clock.deleted) return presentDeletedTestClock(clock.id);
  return {
    id: clock.id,
    object: 'test_helpers.test_clock',
    created: clock.createdAt,
    frozen_time: clock.frozenTime,
    livemode: false,
    name: clock.name,
    status: clock.status,
    status_details: clock.targetFrozenTime === null ? {} : { advancing: { target_frozen_time: clock.targetFrozenTime } },
  };
}
