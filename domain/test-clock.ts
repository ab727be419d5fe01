import type { Instant } from './time.ts';

export const TEST_CLOCK_STATUSES = ['ready', 'advancing', 'internal_failure'] as const;

/** A time of its own for some customers of a test-mode account: it stands still until it is advanced. */
export interface TestClock {
  id: string;
  name: string | null;
  status: (typeof TEST_CLOCK_STATUSES)[number];
  /** The time of its customers. While it advances, where it started from. */
  frozenTime: Instant;
  /** Where it is going; null while it stands. */
  targetFrozenTime: Instant | null;
  /** Where the last advance started from; null before the first. */
  previousFrozenTime: Instant | null;
  /** The request that advances it, so that a repetition of that request is known; null before the first. */
  operationId: string | null;
  deleted: boolean;
  /** On the wall clock. */
  createdAt: Instant;
}
