import { withAccount } from '../db/client.ts';
import { appendEvent } from '../db/events.ts';
import { findTestClock, updateTestClock } from '../db/test-clocks.ts';
import type { Deps } from './deps.ts';
import type { Activities } from './index.ts';

/** The clock stands at its target and is ready for the next advance. Doing it again changes nothing. */
export const finishClockAdvance =
  (deps: Deps): Activities['finishClockAdvance'] =>
  async ({ accountId, clockId, to, asOf }) => {
    await withAccount(deps.db, accountId, async (t) => {
      const before = await findTestClock(t, clockId, { lock: true });
      deps.reach('finish-clock-advance:loaded');
      if (before?.status !== 'advancing' || before.targetFrozenTime !== to) return;
      const after = await updateTestClock(t, clockId, { status: 'ready', frozenTime: to, targetFrozenTime: null });
      const previous = { status: before.status, frozenTime: before.frozenTime, targetFrozenTime: to };
      await appendEvent(t, {
        type: 'test_helpers.test_clock.ready',
        objectType: 'test_clock',
        objectId: clockId,
        data: after,
        previous,
        occurredAt: asOf,
      });
      deps.reach('finish-clock-advance:recorded');
    });
    deps.reach('finish-clock-advance:committed');
  };
