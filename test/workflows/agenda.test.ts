import * as iso from 'dinero.js/currencies';
import { describe, expect, test } from 'vitest';
import { exponentOf, isCurrency } from '../../domain/money.ts';
import { agenda, describeStep } from '../../workflows/subscription/agenda.ts';
import type { ParkedStep, SubscriptionState } from '../../workflows/subscription/state.ts';
import { day, money } from '../../workflows/write-summary.ts';

const state = (facts: Partial<SubscriptionState['facts']> = {}, rest: Partial<SubscriptionState> = {}): SubscriptionState => ({
  v: 1,
  generation: 1,
  accountId: 'acct_1',
  subscriptionId: 'sub_1',
  customerId: 'cus_1',
  clock: { kind: 'real' },
  facts: {
    status: 'active',
    currency: 'eur',
    planId: 'price_1',
    revision: 1,
    periodStart: 1000,
    periodEnd: 2000,
    cancelAt: null,
    incompleteExpiresAt: null,
    pendingUpdate: null,
    ...facts,
  },
  dunning: [],
  answered: [],
  parked: [],
  drafts: [],
  stalled: null,
  ...rest,
});

const parked = (step: ParkedStep['step'], retryAt: number | null): ParkedStep => ({
  invoiceId: 'in_1',
  step,
  since: 1000,
  error: 'away',
  tries: 1,
  retryAt,
  manner: { collect: true, dropIfDeclined: false },
  attemptNumber: 1,
});

const pendingUpdate = { invoiceId: 'in_1', expiresAt: 1500 };

describe('what comes next', () => {
  test.each([
    ['renews at the boundary', state(), [{ do: 'renew', at: 2000, asOf: 2000 }]],
    ['ends at its date', state({ cancelAt: 1200 }), [{ do: 'renew', at: 1200, asOf: 1200 }]],
    ['ends after the next renewal', state({ cancelAt: 2500 }), [{ do: 'renew', at: 2000, asOf: 2000 }]],
    ['has ended', state({ status: 'canceled' }), []],
    ['expires, and does not renew', state({ status: 'incomplete', incompleteExpiresAt: 1800 }), [{ do: 'expire', at: 1800, asOf: 1800 }]],
    [
      'does not expire while money is under way',
      state({ status: 'incomplete', incompleteExpiresAt: 1800 }, { parked: [parked('resolve_payment', 1900)] }),
      [{ do: 'retry', at: 1900, invoiceId: 'in_1' }],
    ],
    [
      'expires although taxes are awaited',
      state({ status: 'incomplete', incompleteExpiresAt: 1800 }, { parked: [parked('calculate_tax', null)] }),
      [{ do: 'expire', at: 1800, asOf: 1800 }],
    ],
    [
      'tells that a trial ends before it ends it',
      state({ status: 'trialing', trial: { end: 2000, remindAt: 1500 } }),
      [
        { do: 'remind', at: 1500, asOf: 1500 },
        { do: 'renew', at: 2000, asOf: 2000 },
      ],
    ],
    ['has told it', state({ status: 'trialing', trial: { end: 2000, remindAt: null } }), [{ do: 'renew', at: 2000, asOf: 2000 }]],
    [
      'tells nothing of a trial that is still to be paid',
      state({ status: 'incomplete', incompleteExpiresAt: 1800, trial: { end: 2000, remindAt: 1500 } }),
      [{ do: 'expire', at: 1800, asOf: 1800 }],
    ],
    ['is paused, and bills nothing', state({ status: 'paused' }), []],
    ['is paused until it ends', state({ status: 'paused', cancelAt: 2500 }), [{ do: 'renew', at: 2500, asOf: 2500 }]],
    [
      'pauses in place of the renewal of that instant',
      state({ pauseAt: 2000 }),
      [
        { do: 'begin_pause', at: 2000, asOf: 2000 },
        { do: 'renew', at: 2000, asOf: 2000 },
      ],
    ],
    ['ends rather than being paused at its end', state({ pauseAt: 1200, cancelAt: 1200 }), [{ do: 'renew', at: 1200, asOf: 1200 }]],
    [
      'ends at its date or resumes at its date while it is paused',
      state({ status: 'paused', cancelAt: 3000, resumesAt: 2500 }),
      [
        { do: 'end_pause', at: 2500, asOf: 2500 },
        { do: 'renew', at: 3000, asOf: 3000 },
      ],
    ],
    [
      'collects again before it bills',
      state({ collectionResumesAt: 2000 }),
      [
        { do: 'resume_collection', at: 2000, asOf: 2000 },
        { do: 'renew', at: 2000, asOf: 2000 },
      ],
    ],
    [
      'holds everything back behind what has failed',
      state({ pauseAt: 1900 }, { stalled: { step: 'begin_pause', since: 1900, error: 'x', tries: 1, retryAt: 2060 } }),
      [
        { do: 'begin_pause', at: 2060, asOf: 1900 },
        { do: 'renew', at: 2060, asOf: 2000 },
      ],
    ],
    [
      'drops the pending update before it renews',
      state({ pendingUpdate }),
      [
        { do: 'drop_update', at: 1500, asOf: 1500, invoiceId: 'in_1' },
        { do: 'renew', at: 2000, asOf: 2000 },
      ],
    ],
    [
      'keeps the pending update while its payment is looked up',
      state({ pendingUpdate }, { parked: [parked('resolve_payment', 1600)] }),
      [
        { do: 'retry', at: 1600, invoiceId: 'in_1' },
        { do: 'renew', at: 2000, asOf: 2000 },
      ],
    ],
    [
      'holds a failed renewal back, for the same boundary',
      state({}, { stalled: { step: 'renew', since: 2000, error: 'x', tries: 1, retryAt: 2060 } }),
      [{ do: 'renew', at: 2060, asOf: 2000 }],
    ],
    [
      'looks at what is used, and where the period ends first, bills that first',
      state({}, { usage: { told: 1940, looked: 1940, lookAt: 2000 } }),
      [
        { do: 'renew', at: 2000, asOf: 2000 },
        { do: 'look_at_usage', at: 2000 },
      ],
    ],
    ['looks at nothing once it has ended', state({ status: 'canceled' }, { usage: { told: 1940, looked: 1940, lookAt: 2000 } }), []],
  ] as const)('%s', (_, given, steps) => {
    expect(agenda(given)).toEqual(steps);
  });

  test('is said in words', () => {
    const cancelling = state({ cancelAt: 2000 });
    expect(agenda(cancelling).map((step) => describeStep(step, cancelling))).toEqual([`cancels ${day(2000)}`]);
    const onTrial = state({ status: 'trialing', trial: { end: 2000, remindAt: 1500 } });
    expect(agenda(onTrial).map((step) => describeStep(step, onTrial))).toEqual([
      'tells that the trial ends 1970-01-01',
      'ends the trial 1970-01-01',
    ]);
    expect(agenda(state()).map((step) => describeStep(step, state()))).toEqual(['renews 1970-01-01']);
  });
});

test('summaries know the decimals of every currency that the domain knows', () => {
  for (const currency of Object.values(iso)
    .map(({ code }) => code.toLowerCase())
    .filter(isCurrency)) {
    const decimals = money(1, currency).split('.')[1]?.length ?? 0;
    expect(decimals, currency).toBe(exponentOf(currency));
  }
  expect([money(1200, 'eur'), money(-5, 'eur'), money(1200, 'jpy'), money(1200, 'bhd')]).toEqual([
    'EUR 12.00',
    'EUR -0.05',
    'JPY 1200',
    'BHD 1.200',
  ]);
});
