import { expect, test } from 'vitest';
import { migrateState } from '../../workflows/subscription/migrate-state.ts';
import type { SubscriptionState } from '../../workflows/subscription/state.ts';

/** As the first release wrote it. Fixtures are never changed, only added. */
const V1: Omit<SubscriptionState, 'drafts' | 'facts'> & { facts: Omit<SubscriptionState['facts'], 'revision'> } = {
  v: 1,
  generation: 1,
  accountId: 'acct_1',
  subscriptionId: 'sub_1',
  customerId: 'cus_1',
  clock: { kind: 'real' },
  facts: {
    status: 'past_due',
    currency: 'eur',
    planId: 'price_1',
    periodStart: 1_800_000_000,
    periodEnd: 1_802_592_000,
    cancelAt: null,
    incompleteExpiresAt: null,
    pendingUpdate: null,
  },
  dunning: ['in_1'],
  answered: ['op_1'],
  parked: [
    {
      invoiceId: 'in_2',
      step: 'resolve_payment',
      since: 1_800_000_100,
      error: 'attempt 1 is unknown',
      tries: 2,
      retryAt: 1_800_002_000,
      manner: { collect: true, dropIfDeclined: false },
      attemptNumber: 1,
    },
  ],
  stalled: null,
};

test('the first version is understood, and the argument left alone', () => {
  const state = migrateState(V1);
  expect(state).toEqual({ ...V1, drafts: [], facts: { ...V1.facts, revision: 0 } });
  state.facts.status = 'active';
  state.dunning.pop();
  expect(V1).toMatchObject({ facts: { status: 'past_due' }, dunning: ['in_1'] });
});

test('the state is plain JSON of about a kilobyte', () => {
  const json = JSON.stringify(V1);
  expect(JSON.parse(json)).toEqual(V1);
  expect(json.length).toBeLessThan(1024);
});

test.each([{ v: 2 }, {}, null])('%j is not guessed at', (written) => {
  expect(() => migrateState(written)).toThrow(RangeError);
});
