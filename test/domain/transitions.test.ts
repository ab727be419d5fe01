import { describe, expect, test } from 'vitest';
import { SUBSCRIPTION_STATUSES } from '../../domain/subscription/subscription.ts';
import {
  commandAllowed,
  drawTransitions,
  hasEnded,
  nextStatus,
  SUBSCRIPTION_EVENTS,
  type SubscriptionCommand,
  TRANSITIONS,
} from '../../domain/subscription/transitions.ts';

const REFUSED = 'refused';
const outcome = (status: (typeof SUBSCRIPTION_STATUSES)[number], event: (typeof SUBSCRIPTION_EVENTS)[number]): string => {
  try {
    return nextStatus(status, event);
  } catch (error) {
    expect(error).toMatchObject({ code: 'transition_not_allowed' });
    return REFUSED;
  }
};

test('every status and event has the outcome that was agreed', () => {
  const all = Object.fromEntries(
    SUBSCRIPTION_STATUSES.map((status) => [status, SUBSCRIPTION_EVENTS.map((event) => outcome(status, event))]),
  );
  expect(SUBSCRIPTION_EVENTS).toHaveLength(19);
  const no = REFUSED;
  const eight = <T>(value: T): T[] => Array.from({ length: 8 }, () => value);
  const never = eight(no);
  expect(all).toEqual({
    incomplete: [
      ...['active', 'incomplete_expired', 'active', 'incomplete', no, no, no, no, no, 'canceled', no],
      ...['trialing', no, no, no, no, no, no, no],
    ],
    incomplete_expired: [no, no, no, no, no, no, no, no, no, no, no, ...never],
    trialing: [
      ...[no, no, no, 'trialing', 'trialing', 'trialing', 'canceled', 'unpaid', 'trialing', 'canceled', 'canceled'],
      ...['trialing', 'active', 'paused', 'canceled', 'paused', no, no, no],
    ],
    active: [
      ...[no, no, no, 'past_due', 'past_due', 'active', 'canceled', 'unpaid', 'past_due', 'canceled', 'canceled'],
      ...['trialing', no, no, no, 'paused', no, no, no],
    ],
    past_due: [
      ...[no, no, no, 'past_due', 'past_due', 'active', 'canceled', 'unpaid', 'past_due', 'canceled', 'canceled'],
      ...['trialing', no, no, no, 'paused', no, no, no],
    ],
    unpaid: [
      ...[no, no, no, 'unpaid', 'unpaid', 'active', 'canceled', 'unpaid', 'unpaid', 'canceled', 'canceled'],
      ...['trialing', no, no, no, 'paused', no, no, no],
    ],
    paused: [
      ...[no, no, no, 'paused', 'paused', 'paused', 'canceled', 'paused', 'paused', 'canceled', 'canceled'],
      ...['trialing', no, no, no, no, 'active', 'trialing', no],
    ],
    canceled: [no, no, no, no, no, no, no, no, no, no, no, no, no, no, no, no, no, no, 'active'],
  });
});

test('whatever happens, a subscription can end, and only a reactivation leads back', () => {
  for (const status of SUBSCRIPTION_STATUSES) {
    expect(hasEnded(status)).toBe(Object.keys(TRANSITIONS[status]).filter((event) => event !== 'reactivated').length === 0);
    if (!hasEnded(status)) expect(TRANSITIONS[status].canceled).toBe('canceled');
  }
  expect(SUBSCRIPTION_STATUSES.filter(hasEnded)).toEqual(['incomplete_expired', 'canceled']);
});

describe('commands', () => {
  const COMMANDS: SubscriptionCommand[] = ['changePlan', 'changeDefaults', 'cancel', 'scheduleCancellation', 'cancelScheduledChange'];

  test.each(['trialing', 'active', 'past_due', 'unpaid'] as const)('a subscription that is %s takes all of them', (status) => {
    for (const command of COMMANDS) expect(commandAllowed(status, command)).toBeNull();
  });

  test('an incomplete one can be canceled and given another payment method', () => {
    expect(COMMANDS.map((command) => commandAllowed('incomplete', command))).toEqual([
      'subscription_incomplete',
      null,
      null,
      'subscription_incomplete',
      'subscription_incomplete',
    ]);
  });

  test.each(['canceled', 'incomplete_expired'] as const)('one that is %s takes none', (status) => {
    for (const command of COMMANDS) expect(commandAllowed(status, command)).toBe('subscription_canceled');
  });
});

test('the drawing has an arrow for every step that changes the status', () => {
  const drawing = drawTransitions();
  expect(drawing).toMatch(/^stateDiagram-v2\n/);
  const steps = Object.entries(TRANSITIONS).flatMap(([from, events]) => Object.values(events).filter((to) => to !== from));
  expect(drawing.match(/ --> \w+: /g)).toHaveLength(steps.length);
  expect(drawing).toContain('  past_due --> active: invoices_settled');
});
