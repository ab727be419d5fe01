import { expect, test } from 'vitest';
import type { ClockParticipant, ClockReached } from '../../workflows/messages.ts';
import { byCustomer, nextStep, takeReport } from '../../workflows/test-clock/next-step.ts';

const at = (workflowId: string, stands: number | null, nextWakeAt: number | null = null, customerId = 'cus_1'): ClockParticipant => ({
  workflowId,
  customerId,
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

test('whoever is unknown is asked first, without being moved; whoever is alone goes all the way', () => {
  expect(nextStep([at('a', 5, 6), at('b', null)], 100)).toEqual({ workflowId: 'b', to: 0 });
  expect(nextStep([at('a', null)], 100)).toEqual({ workflowId: 'a', to: 100 });
});

test('the earliest wake-up goes first; of several at one instant the first that came', () => {
  expect(nextStep([at('a', 5, 30), at('b', 5, 20), at('c', 5, 20)], 100)).toMatchObject({ workflowId: 'b' });
});

test("it goes on until another's wake-up, and through it only where it came first", () => {
  expect(nextStep([at('a', 5, 30), at('b', 5, 20)], 100)).toEqual({ workflowId: 'b', to: 29 });
  expect(nextStep([at('b', 5, 20), at('a', 5, 30)], 100)).toEqual({ workflowId: 'b', to: 30 });
  expect(nextStep([at('a', 5, 20), at('b', 5, 20)], 100)).toEqual({ workflowId: 'a', to: 20 });
  expect(nextStep([at('a', 20, 40), at('b', 5, 20)], 100)).toEqual({ workflowId: 'b', to: 39 });
  expect(nextStep([at('a', 5, 20), at('b', 5, null)], 100)).toEqual({ workflowId: 'a', to: 100 });
  expect(nextStep([at('a', 5, 20), at('b', 5, 101)], 100)).toEqual({ workflowId: 'a', to: 100 });
});

test('nothing due: all go to the target, then it is over', () => {
  expect(nextStep([at('a', 100, 101), at('b', 5, 101), at('c', 5, null)], 100)).toEqual({ workflowId: 'b', to: 100 });
  expect(nextStep([at('a', 100, 101), at('b', 100, null)], 100)).toBeNull();
  expect(nextStep([], 100)).toBeNull();
});

test('a wake-up at the target itself is still done', () => {
  expect(nextStep([at('a', 5, 100)], 100)).toEqual({ workflowId: 'a', to: 100 });
});

test('a report moves its sender; those it has news for are looked at again, new ones join its customer', () => {
  const after = takeReport([at('a', 5, 10), at('b', 5, 50)], 'a', reached('a', { nextWakeAt: 40, news: ['b', 'c'] }));
  expect(after).toEqual([at('a', 10, 40), at('b', null, 50), at('c', null)]);
});

test('who has ended or is gone leaves; its news stay', () => {
  expect(takeReport([at('a', 5, 10), at('b', 5, 50)], 'a', reached('a', { ended: true, news: ['b'] }))).toEqual([at('b', null, 50)]);
  expect(takeReport([at('a', 5, 10), at('b', 5, 50)], 'a', null)).toEqual([at('b', 5, 50)]);
});

test('customers are moved apart, each with its own in the order in which they came', () => {
  const [a, b, c] = [at('a', null, null, 'cus_1'), at('b', null, null, 'cus_2'), at('c', null, null, 'cus_1')];
  expect([...byCustomer([a, b, c])]).toEqual([
    ['cus_1', [a, c]],
    ['cus_2', [b]],
  ]);
});
