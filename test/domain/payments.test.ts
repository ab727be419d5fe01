import { describe, expect, test } from 'vitest';
import type { Decision } from '../../domain/decision.ts';
import { emptyDecision } from '../../domain/decision.ts';
import { decideAttemptCancellation } from '../../domain/payments/cancel-attempt.ts';
import type { GatewayResult } from '../../domain/payments/gateway-result.ts';
import type { PaymentAttempt } from '../../domain/payments/payment.ts';
import { decideAttemptOutcome } from '../../domain/payments/settle-attempt.ts';
import { decideAttempt } from '../../domain/payments/start-attempt.ts';
import type { PendingUpdate } from '../../domain/subscription/subscription.ts';
import { attemptOf, context, invoiceOf, ledgerSum, methodOf, NOW, snapshotOf, subscriptionOf } from './payment-facts.ts';

const LATER = NOW + 60;
const result = (kind: GatewayResult['kind'], patch: Partial<GatewayResult> = {}): GatewayResult => ({
  kind,
  reference: 'ch_1',
  declineCode: kind === 'declined' ? 'insufficient_funds' : null,
  message: null,
  ...patch,
});
const types = (decision: Decision) => decision.events.map((event) => event.type);
const start = (snapshot = snapshotOf(invoiceOf()), paymentMethodId: string | null = null) =>
  decideAttempt(snapshot, { paymentMethodId, operationId: 'op_1' }, context(LATER));
const settle = (snapshot: ReturnType<typeof snapshotOf>, news: GatewayResult) =>
  decideAttemptOutcome(snapshot, { attemptId: 'pa_1', result: news }, context(LATER));
const running = (
  patch: Partial<Parameters<typeof snapshotOf>[1]> = {},
  attempt: Partial<PaymentAttempt> = {},
  invoice = invoiceOf({ attempted: true }),
) => snapshotOf(invoice, { attempts: [attemptOf(attempt)], ...patch });

describe('the right to charge', () => {
  test('is an attempt with a number and a key that follow from the invoice', () => {
    const { attempt, decision, outcome } = start();
    expect(outcome).toBe('charge');
    expect(attempt).toMatchObject({
      number: 1,
      idempotencyKey: 'in_1:attempt-1',
      amount: 1200,
      currency: 'eur',
      status: 'created',
      createdAt: LATER,
      gateway: 'sandbox',
    });
    expect(decision.attempt).toBe(attempt);
    expect(decision.invoices[0]).toMatchObject({ attempted: true, attemptCount: 0 });
  });

  test('given again with the same facts it is the same', () => {
    expect(start()).toEqual(start());
  });

  test.each(['declined', 'canceled', 'requires_action'] as const)('after an attempt that is %s the number rises', (status) => {
    const attempts = [attemptOf({ status, resolvedAt: NOW }), attemptOf({ id: 'pa_2', number: 2, status, resolvedAt: NOW })];
    expect(start(snapshotOf(invoiceOf(), { attempts })).attempt).toMatchObject({ number: 3, idempotencyKey: 'in_1:attempt-3' });
  });

  test.each(['created', 'processing', 'unknown'] as const)('is not granted while an attempt is %s', (status) => {
    expect(() => start(running({}, { status }))).toThrow(expect.objectContaining({ code: 'payment_in_progress' }));
  });

  test.each([
    ['paid', 'invoice_already_paid'],
    ['void', 'invoice_not_open'],
    ['draft', 'invoice_not_open'],
  ] as const)('is not granted on an invoice that is %s', (status, code) => {
    expect(() => start(snapshotOf(invoiceOf({ status })))).toThrow(expect.objectContaining({ code }));
  });

  test('takes the method that was named, else the first; one that is not the customer’s is refused', () => {
    const paymentMethods = [methodOf(), methodOf({ id: 'pm_2', gateway: 'other' })];
    expect(start(snapshotOf(invoiceOf(), { paymentMethods })).attempt?.paymentMethodId).toBe('pm_1');
    expect(start(snapshotOf(invoiceOf(), { paymentMethods }), 'pm_2').attempt).toMatchObject({ paymentMethodId: 'pm_2', gateway: 'other' });
    const detached = [methodOf({ id: 'pm_3', customerId: null })];
    expect(() => start(snapshotOf(invoiceOf(), { paymentMethods: detached }), 'pm_3')).toThrow(
      expect.objectContaining({ code: 'payment_method_detached' }),
    );
  });

  test('nothing due is nothing to charge', () => {
    expect(start(snapshotOf(invoiceOf({ amountRemaining: 0 })))).toEqual({
      decision: emptyDecision(),
      attempt: null,
      outcome: 'nothing_due',
    });
  });

  test('without a payment method a renewal has failed, with no attempt made', () => {
    const { attempt, decision, outcome } = start(snapshotOf(invoiceOf(), { paymentMethods: [] }));
    expect([attempt, outcome]).toEqual([null, 'no_payment_method']);
    expect(decision.invoices[0]).toMatchObject({ attempted: true, attemptCount: 0, status: 'open' });
    expect(decision.subscription?.status).toBe('past_due');
    expect(types(decision)).toEqual(['invoice.payment_failed', 'customer.subscription.updated']);
  });

  test('without a payment method a first invoice leaves its subscription incomplete', () => {
    const { decision } = start(
      snapshotOf(invoiceOf({ billingReason: 'subscription_create' }), {
        paymentMethods: [],
        subscription: subscriptionOf({ status: 'incomplete' }),
      }),
    );
    expect(decision.subscription).toBeNull();
  });
});

describe('a success', () => {
  test('pays the invoice, books the cash, and leaves an active subscription alone', () => {
    const { decision, kind } = settle(running(), result('succeeded'));
    expect(kind).toBe('paid');
    expect(decision.attempt).toMatchObject({ status: 'succeeded', gatewayReference: 'ch_1', resolvedAt: LATER });
    expect(decision.invoices).toMatchObject([
      { status: 'paid', amountPaid: 1200, amountRemaining: 0, paidAt: LATER, attemptCount: 1, nextPaymentAttempt: null },
    ]);
    expect([ledgerSum(decision.journal, 'cash:sandbox'), ledgerSum(decision.journal, 'receivable', 'in_1')]).toEqual([1200, -1200]);
    expect(decision.subscription).toBeNull();
    expect(types(decision)).toEqual(['invoice.payment_succeeded', 'invoice.paid']);
  });

  test('of the first invoice brings the subscription to life', () => {
    const subscription = subscriptionOf({ status: 'incomplete', incompleteExpiresAt: NOW + 82_800 });
    const { decision } = settle(running({ subscription }, {}, invoiceOf({ billingReason: 'subscription_create' })), result('succeeded'));
    expect(decision.subscription).toMatchObject({ status: 'active', incompleteExpiresAt: null });
    expect(types(decision)).toContain('customer.subscription.updated');
  });

  test.each(['past_due', 'unpaid'] as const)('of the last unpaid invoice ends being %s', (status) => {
    expect(settle(running({ subscription: subscriptionOf({ status }) }), result('succeeded')).decision.subscription?.status).toBe('active');
  });

  test('of one of two unpaid invoices leaves the subscription past due', () => {
    const invoice = invoiceOf({ attempted: true });
    const openInvoices = [invoice, invoiceOf({ id: 'in_0', attempted: true })];
    expect(
      settle(running({ openInvoices, subscription: subscriptionOf({ status: 'past_due' }) }, {}, invoice), result('succeeded')).decision
        .subscription,
    ).toBeNull();
  });

  test('does not raise an ended subscription', () => {
    expect(settle(running({ subscription: subscriptionOf({ status: 'canceled' }) }), result('succeeded')).decision.subscription).toBeNull();
  });

  test.each(['void', 'paid'] as const)('for an invoice that is %s meanwhile becomes the customer’s credit', (status) => {
    const { decision, kind } = settle(running({ balance: -100 }, {}, invoiceOf({ status })), result('succeeded'));
    expect(kind).toBe('paid');
    expect(decision.balance).toMatchObject([{ amount: -1200, endingBalance: -1300, invoiceId: 'in_1' }]);
    expect([ledgerSum(decision.journal, 'cash:sandbox'), ledgerSum(decision.journal, 'customer_balance')]).toEqual([1200, -1200]);
    expect(decision.invoices).toEqual([]);
    expect(types(decision)).toEqual(['payment_attempt.credited_to_balance']);
  });

  test('for an invoice that was partly credited meanwhile pays the rest, and only the excess is credit', () => {
    const invoice = invoiceOf({ attempted: true, amountCredited: 500, amountRemaining: 700 });
    const { decision } = settle(running({}, {}, invoice), result('succeeded'));
    expect(decision.invoices).toMatchObject([{ status: 'paid', amountPaid: 700, amountRemaining: 0 }]);
    expect(decision.balance).toMatchObject([{ amount: -500 }]);
    expect([
      ledgerSum(decision.journal, 'cash:sandbox'),
      ledgerSum(decision.journal, 'receivable'),
      ledgerSum(decision.journal, 'customer_balance'),
    ]).toEqual([1200, -700, -500]);
  });

  test('of a written-off invoice recovers it', () => {
    const { decision } = settle(running({}, {}, invoiceOf({ status: 'uncollectible' })), result('succeeded'));
    expect(decision.invoices[0]?.status).toBe('paid');
    expect([ledgerSum(decision.journal, 'bad_debt'), ledgerSum(decision.journal, 'receivable')]).toEqual([-1200, 0]);
  });

  test('is counted once: the same news again changes nothing', () => {
    const { decision, kind } = settle(
      running({}, { status: 'succeeded', resolvedAt: NOW }, invoiceOf({ status: 'paid', amountRemaining: 0 })),
      result('succeeded'),
    );
    expect([decision, kind]).toEqual([emptyDecision(), 'paid']);
  });

  test('that follows a decline of the same attempt counts, the attempt once', () => {
    const { decision } = settle(
      running({}, { status: 'declined', resolvedAt: NOW }, invoiceOf({ attempted: true, attemptCount: 1 })),
      result('succeeded'),
    );
    expect(decision.invoices[0]).toMatchObject({ status: 'paid', attemptCount: 1 });
  });
});

describe('a decline', () => {
  test('leaves the invoice open and the subscription past due', () => {
    const { decision, kind } = settle(running(), result('declined'));
    expect(kind).toBe('declined');
    expect(decision.attempt).toMatchObject({ status: 'declined', declineCode: 'insufficient_funds', resolvedAt: LATER });
    expect(decision.invoices[0]).toMatchObject({ status: 'open', attemptCount: 1, amountRemaining: 1200 });
    expect(decision.subscription?.status).toBe('past_due');
    expect(decision.journal).toEqual([]);
    expect(types(decision)).toEqual(['invoice.payment_failed', 'customer.subscription.updated']);
  });

  test('of the first invoice leaves the subscription incomplete', () => {
    const snapshot = running(
      { subscription: subscriptionOf({ status: 'incomplete' }) },
      {},
      invoiceOf({ billingReason: 'subscription_create' }),
    );
    expect(settle(snapshot, result('declined')).decision.subscription).toBeNull();
  });

  test('of the invoice of a pending update hurts only the update', () => {
    const pendingUpdate = { operationId: 'op_0', invoiceId: 'in_1', expiresAt: NOW } as PendingUpdate;
    expect(settle(running({ subscription: subscriptionOf({ pendingUpdate }) }), result('declined')).decision.subscription).toBeNull();
  });

  test('told again changes nothing', () => {
    const snapshot = running({}, { status: 'declined', resolvedAt: NOW });
    for (const kind of ['declined', 'unknown', 'processing'] as const)
      expect(settle(snapshot, result(kind)).decision).toEqual(emptyDecision());
  });
});

describe('what is not decided yet', () => {
  test.each(['processing', 'unknown'] as const)('%s keeps the attempt unresolved and everything else as it is', (kind) => {
    const settled = settle(running(), result(kind));
    expect(settled.kind).toBe(kind);
    expect(settled.decision).toEqual({ ...emptyDecision(), attempt: attemptOf({ status: kind, gatewayReference: 'ch_1' }) });
  });

  test('action required lets another method be tried, and is counted once whatever follows', () => {
    const { decision } = settle(running(), result('requires_action'));
    expect(decision.attempt).toMatchObject({ status: 'requires_action', resolvedAt: LATER });
    expect(types(decision)).toEqual(['invoice.payment_failed', 'invoice.payment_action_required', 'customer.subscription.updated']);
    const waiting = running({}, { status: 'requires_action', resolvedAt: NOW }, invoiceOf({ attempted: true, attemptCount: 1 }));
    expect(start(waiting).attempt?.number).toBe(2);
    expect(settle(waiting, result('requires_action')).decision).toEqual(emptyDecision());
    expect(settle(waiting, result('succeeded')).decision.invoices[0]).toMatchObject({ status: 'paid', attemptCount: 1 });
    expect(settle(waiting, result('declined')).decision.invoices[0]).toMatchObject({ status: 'open', attemptCount: 1 });
  });

  test('an attempt that waits for the customer can be taken back, no other', () => {
    const cancel = (attempt: Partial<PaymentAttempt>) =>
      decideAttemptCancellation(running({}, attempt), { attemptId: 'pa_1' }, context(LATER));
    expect(cancel({ status: 'requires_action', resolvedAt: NOW }).attempt).toMatchObject({ status: 'canceled', resolvedAt: LATER });
    expect(cancel({ status: 'processing' })).toEqual(emptyDecision());
  });

  test('an attempt of another invoice is refused', () => {
    expect(() => settle(snapshotOf(invoiceOf()), result('succeeded'))).toThrow(expect.objectContaining({ code: 'resource_missing' }));
  });
});
