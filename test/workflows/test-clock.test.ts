import { expect, test } from 'vitest';
import type { ClockParticipant, ClockReached } from '../../workflows/messages.ts';
import { nextStep, takeReport } from '../../workflows/test-clock/next-step.ts';

const at = (workflowId: string, stands: number | null, nextWakeAt: number | null = null): ClockParticipant => ({
  workflowId,
  at: stands,
  nextWakeAt,
});
const reached = (workflowId: string, more: Partial<ClockReached> = {}): ClockReached => ({
  workflowId,
  step: 0,
  at: 10,
  nextWakeAt: null,
  ended: false,
  news: [],
  ...more,
});

test('whoever is unknown is asked first, without being moved', () => {
  expect(nextStep([at('a', 5, 6), at('b', null)], 100)).toEqual({ workflowId: 'b', to: 0 });
});

test('the earliest wake-up goes first; of several at one instant the first that came', () => {
  expect(nextStep([at('a', 5, 30), at('b', 5, 20), at('c', 5, 20)], 100)).toEqual({ workflowId: 'b', to: 20 });
});

test('nothing due: all go to the target, then it is over', () => {
  expect(nextStep([at('a', 100, 101), at('b', 5, 101), at('c', 5, null)], 100)).toEqual({ workflowId: 'b', to: 100 });
  expect(nextStep([at('a', 100, 101), at('b', 100, null)], 100)).toBeNull();
  expect(nextStep([], 100)).toBeNull();
});

test('a wake-up at the target itself is still done', () => {
  expect(nextStep([at('a', 5, 100)], 100)).toEqual({ workflowId: 'a', to: 100 });
});

test('a report moves its sender; those it has news for are looked at again, new ones join', () => {
  const after = takeReport([at('a', 5, 10), at('b', 5, 50)], 'a', reached('a', { nextWakeAt: 40, news: ['b', 'c'] }));
  expect(after).toEqual([at('a', 10, 40), at('b', null, 50), at('c', null)]);
});

test('who has ended or is gone leaves; its news stay', () => {
  expect(takeReport([at('a', 5, 10), at('b', 5, 50)], 'a', reached('a', { ended: true, news: ['b'] }))).toEqual([at('b', null, 50)]);
  expect(takeReport([at('a', 5, 10), at('b', 5, 50)], 'a', null)).toEqual([at('b', 5, 50)]);
});
