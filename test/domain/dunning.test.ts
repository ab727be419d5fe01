import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Account } from '../../domain/account.ts';
import { emptyDecision } from '../../domain/decision.ts';
import { decideDunningEnd } from '../../domain/dunning/end-dunning.ts';
import { type DunningState, nextStep } from '../../domain/dunning/next-step.ts';
import { DEFAULT_DUNNING_POLICY, type DunningPolicy } from '../../domain/dunning/policy.ts';
import type { Invoice } from '../../domain/invoicing/invoice.ts';
import type { Subscription } from '../../domain/subscription/subscription.ts';
import { context, invoiceOf, NOW, snapshotOf, subscriptionOf } from './payment-facts.ts';

const DAY = 86_400;
const policy = DEFAULT_DUNNING_POLICY;
const stateOf = (patch: Partial<DunningState> = {}): DunningState => ({
  attemptCount: 1,
  lastDeclineCode: 'insufficient_funds',
  lastAttemptAt: NOW,
  startedAt: NOW,
  ...patch,
});

describe('the next step', () => {
  test('by default there are tries 3, 5 and 7 days after each other, then it gives up at once', () => {
    const steps: [string, number][] = [];
    let state = stateOf();
    for (;;) {
      const step = nextStep(policy, state);
      steps.push([step.do, (step.at - NOW) / DAY]);
      if (step.do === 'give_up') break;
      state = { ...state, attemptCount: state.attemptCount + 1, lastAttemptAt: step.at };
    }
    expect(steps).toEqual([
      ['retry', 3],
      ['retry', 8],
      ['retry', 15],
      ['give_up', 15],
    ]);
  });

  test.each(DEFAULT_DUNNING_POLICY.hardDeclines)(
    'after %s it waits for another method until the last retry would have come',
    (lastDeclineCode) => {
      expect(nextStep(policy, stateOf({ lastDeclineCode }))).toEqual({ do: 'give_up', at: NOW + 15 * DAY });
    },
  );

  test('a hard decline of a later try waits no longer than that', () => {
    expect(nextStep(policy, stateOf({ lastDeclineCode: 'lost_card', attemptCount: 2, lastAttemptAt: NOW + 3 * DAY }))).toEqual({
      do: 'give_up',
      at: NOW + 15 * DAY,
    });
  });

  test('without any method it waits too', () => {
    expect(nextStep(policy, stateOf({ attemptCount: 0, lastDeclineCode: null, lastAttemptAt: null }))).toEqual({
      do: 'give_up',
      at: NOW + 15 * DAY,
    });
  });

  test('an unknown decline code is soft, and a policy without retries gives up at once', () => {
    expect(nextStep(policy, stateOf({ lastDeclineCode: 'never_heard_of' })).do).toBe('retry');
    expect(nextStep({ ...policy, retryDelays: [] }, stateOf())).toEqual({ do: 'give_up', at: NOW });
  });

  test('property: it always ends, after no more tries than the policy has, and never goes back in time', () => {
    const codes = fc.constantFrom(null, 'insufficient_funds', ...policy.hardDeclines);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 30 * DAY }), { maxLength: 8 }),
        fc.array(codes, { minLength: 9, maxLength: 9 }),
        (retryDelays, declines) => {
          const given: DunningPolicy = { ...policy, retryDelays };
          let state = stateOf({ lastDeclineCode: declines[0] ?? null });
          let tries = 0;
          for (;;) {
            const step = nextStep(given, state);
            expect(step.at).toBeGreaterThanOrEqual(state.lastAttemptAt ?? NOW);
            if (step.do === 'give_up') break;
            tries += 1;
            state = { ...state, attemptCount: state.attemptCount + 1, lastAttemptAt: step.at, lastDeclineCode: declines[tries] ?? null };
          }
          expect(tries).toBeLessThanOrEqual(retryDelays.length);
        },
      ),
    );
  });
});

describe('the end of dunning', () => {
  const end = (
    terminalAction: DunningPolicy['terminalAction'],
    invoice: Partial<Invoice> = {},
    subscription: Partial<Subscription> | null = {},
  ) => {
    const given = invoiceOf({ attempted: true, attemptCount: 4, nextPaymentAttempt: NOW, ...invoice });
    const snapshot = snapshotOf(given, { subscription: subscription && subscriptionOf({ status: 'past_due', ...subscription }) });
    const account: Account = { ...snapshot.account, dunningPolicy: { ...policy, terminalAction } };
    return decideDunningEnd({ ...snapshot, account }, context(NOW + DAY));
  };

  test('cancels the subscription and says why; the invoice stays owed and is no longer tried', () => {
    const decision = end('cancel', {}, { cancelAtPeriodEnd: true, cancelAt: NOW + 9 * DAY, canceledAt: NOW });
    expect(decision.subscription).toMatchObject({
      status: 'canceled',
      canceledAt: NOW + DAY,
      endedAt: NOW + DAY,
      cancelAt: null,
      cancelAtPeriodEnd: false,
      cancellationDetails: { reason: 'payment_failed' },
    });
    expect(decision.invoices).toMatchObject([{ status: 'open', nextPaymentAttempt: null, autoAdvance: false, amountRemaining: 1200 }]);
    expect(decision.events.map((event) => event.type)).toEqual(['invoice.updated', 'customer.subscription.deleted']);
    expect(decision.journal).toEqual([]);
  });

  test('or leaves it unpaid, or past due', () => {
    expect(end('unpaid').subscription?.status).toBe('unpaid');
    expect(end('unpaid').events.map((event) => event.type)).toEqual(['invoice.updated', 'customer.subscription.updated']);
    expect(end('past_due').subscription).toBeNull();
    expect(end('past_due', {}, { status: 'unpaid' }).subscription).toBeNull();
  });

  test.each(['paid', 'void', 'uncollectible'] as const)('does nothing about an invoice that is %s', (status) => {
    expect(end('cancel', { status })).toEqual(emptyDecision());
  });

  test.each(['canceled', 'incomplete_expired', 'incomplete'] as const)('leaves a subscription alone that is %s', (status) => {
    expect(end('cancel', {}, { status })).toMatchObject({ subscription: null, invoices: [{ nextPaymentAttempt: null }] });
  });

  test('of an invoice without subscription stops trying it', () => {
    expect(end('cancel', {}, null)).toMatchObject({ subscription: null, invoices: [{ autoAdvance: false }] });
  });
});
