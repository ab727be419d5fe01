import { expect, test } from 'vitest';
import { subscriptionFacts } from '../../activities/facts.ts';
import type { Subscription } from '../../domain/subscription/subscription.ts';
import type { SubscriptionRecord, UnsettledInvoice } from '../../domain/subscription/subscription-record.ts';
import { agenda } from '../../workflows/subscription/agenda.ts';
import { restoreDunning, restoreState } from '../../workflows/subscription/restore-state.ts';
import { aSubscription } from '../api/examples.ts';

const START = 1_800_000_000;
const MONTH = 30 * 86_400;

const subscription = (patch: Partial<Subscription> = {}): Subscription =>
  aSubscription({
    billingCycleAnchor: START,
    billingTimezone: 'UTC',
    startDate: START,
    currentPeriodStart: START,
    currentPeriodEnd: START + MONTH,
    items: [{ id: 'si_1', priceId: 'price_1', quantity: '1', taxRateIds: [], metadata: {}, createdAt: START }],
    defaultTaxRateIds: [],
    latestInvoiceId: null,
    createdAt: START,
    ...patch,
  });

type Attempt = UnsettledInvoice['attempts'][number];
const attempt = (status: Attempt['status'], number = 1): Attempt => ({
  number,
  status,
  createdAt: START + number * 10,
  resolvedAt: status === 'declined' ? START + number * 10 + 5 : null,
});

const invoice = (patch: Partial<UnsettledInvoice> = {}): UnsettledInvoice => ({
  id: 'in_1',
  status: 'open',
  taxStatus: 'complete',
  autoAdvance: true,
  automaticallyFinalizesAt: null,
  dueDate: null,
  attempted: (patch.attempts ?? []).length > 0,
  nextPaymentAttempt: null,
  createdAt: START,
  finalizedAt: START + 1,
  currency: 'eur',
  paymentBehavior: null,
  attempts: [],
  ...patch,
});

function restore(record: Partial<SubscriptionRecord> & { invoices?: UnsettledInvoice[] } = {}) {
  const whole: SubscriptionRecord = { subscription: subscription(), generation: 2, clock: null, invoices: [], answered: [], ...record };
  const state = restoreState('acct_1', subscriptionFacts(whole.subscription), whole);
  return { state, dunnings: restoreDunning(state, whole) };
}

test('a subscription that owes nothing sleeps until its next boundary, however long past', () => {
  const { state, dunnings } = restore({ answered: ['op_1'] });
  expect(state).toMatchObject({ v: 1, generation: 2, clock: { kind: 'real' }, answered: ['op_1'], dunning: [], parked: [], stalled: null });
  expect(agenda(state)).toEqual([{ do: 'renew', at: START + MONTH, asOf: START + MONTH }]);
  expect(dunnings).toEqual([]);
});

test('a trial is told and ended as it would have been', () => {
  const trial = { trialStart: START, trialEnd: START + MONTH, trialReminderAt: START + MONTH - 3 * 86_400 };
  const { state } = restore({ subscription: subscription({ status: 'trialing', ...trial }) });
  expect(agenda(state).map((step) => [step.do, step.at])).toEqual([
    ['remind', START + MONTH - 3 * 86_400],
    ['renew', START + MONTH],
  ]);
});

test('on a test clock it is frozen at the time of the clock, and never before its period', () => {
  const clock = { id: 'clock_1', at: START + 5 };
  expect(restore({ clock }).state.clock).toEqual({ kind: 'frozen', ...clock });
  expect(restore({ clock: { id: 'clock_1', at: START - 5 } }).state.clock).toEqual({ kind: 'frozen', id: 'clock_1', at: START });
});

test('the dunning of a consolidated invoice is chased for all that it bills, and owned by none', () => {
  const subscriptionIds = ['sub_1', 'sub_2'];
  const shared = invoice({ subscriptionIds, attempts: [attempt('declined')] });
  const { state, dunnings } = restore({ subscription: subscription({ status: 'past_due' }), invoices: [shared] });
  expect(state.dunning).toEqual(['in_1']);
  expect(dunnings).toMatchObject([{ invoiceId: 'in_1', subscriptionId: null, subscriptionIds }]);
  const waiting = invoice({ subscriptionIds, status: 'draft', automaticallyFinalizesAt: START + 3600 });
  expect(restore({ invoices: [waiting] }).state.drafts).toEqual([{ invoiceId: 'in_1', finalizesAt: START + 3600, next: 'finalize' }]);
});

test.each<[string, UnsettledInvoice, string, number]>([
  ['never asked for', invoice(), 'collect_payment', 0],
  ['begun and never sent', invoice({ attempts: [attempt('created')] }), 'collect_payment', 0],
  ['sent, with no answer', invoice({ attempts: [attempt('unknown')] }), 'resolve_payment', 1],
  ['under way at the gateway', invoice({ attempts: [attempt('processing')] }), 'resolve_payment', 1],
  ['a draft without taxes', invoice({ status: 'draft', taxStatus: 'pending', finalizedAt: null }), 'calculate_tax', 0],
  ['a draft with taxes', invoice({ status: 'draft', finalizedAt: null }), 'finalize_invoice', 0],
])('an invoice %s is taken up at once', (_, given, step, attemptNumber) => {
  const { state, dunnings } = restore({ invoices: [given] });
  expect(state.parked).toMatchObject([{ invoiceId: 'in_1', step, attemptNumber, tries: 0 }]);
  expect(agenda(state)[0]).toEqual({ do: 'retry', at: START, invoiceId: 'in_1' });
  expect(dunnings).toEqual([]);
});

test.each<[string, UnsettledInvoice]>([
  ['was declined', invoice({ attempts: [attempt('declined')] })],
  ['was declined, and whose next try has no answer', invoice({ attempts: [attempt('declined'), attempt('unknown', 2)] })],
  ['found no payment method', invoice({ attempted: true })],
])('an invoice that %s is left to dunning', (_, given) => {
  const past_due = subscription({ status: 'past_due' });
  const { state, dunnings } = restore({ subscription: past_due, invoices: [given] });
  expect(state).toMatchObject({ dunning: ['in_1'], parked: [] });
  const startedAt = given.attempts.length > 0 ? START + 15 : START + 1;
  expect(dunnings).toMatchObject([{ invoiceId: 'in_1', subscriptionId: 'sub_1', generation: 2, startedAt, planId: 'price_1' }]);
});

test.each<[string, Partial<SubscriptionRecord>]>([
  ['that dunning gave up', { invoices: [invoice({ autoAdvance: false, attempts: [attempt('declined')] })] }],
  ['left for the customer to pay', { invoices: [invoice({ paymentBehavior: 'default_incomplete' })] }],
  [
    'of an incomplete subscription, declined',
    { subscription: subscription({ status: 'incomplete' }), invoices: [invoice({ attempts: [attempt('declined')] })] },
  ],
  [
    'of a subscription that has ended, declined',
    { subscription: subscription({ status: 'canceled', endedAt: START }), invoices: [invoice({ attempts: [attempt('declined')] })] },
  ],
  [
    'of an unpaid subscription, declined',
    { subscription: subscription({ status: 'unpaid' }), invoices: [invoice({ attempts: [attempt('declined')] })] },
  ],
  ['that is a draft for somebody to finalise', { invoices: [invoice({ status: 'draft', autoAdvance: false })] }],
])('nothing is done about an invoice %s', (_, record) => {
  expect(restore(record)).toMatchObject({ state: { dunning: [], parked: [] }, dunnings: [] });
});

test.each([
  ['complete', 'finalize'],
  ['pending', 'calculate_tax'],
] as const)('a draft in its grace period, taxes %s, finalises itself in its time', (taxStatus, next) => {
  const finalizesAt = START + 3600;
  const draft = invoice({ status: 'draft', taxStatus, finalizedAt: null, automaticallyFinalizesAt: finalizesAt });
  const { state } = restore({ invoices: [draft] });
  expect(state).toMatchObject({ parked: [], drafts: [{ invoiceId: 'in_1', finalizesAt, next }] });
  expect(agenda(state)[0]).toEqual({ do: 'finalize', at: finalizesAt, invoiceId: 'in_1' });
});

test.each<[UnsettledInvoice['status'], string[]]>([
  ['paid', ['apply_update']],
  ['void', ['drop_update']],
  ['open', []],
])('a pending update whose invoice is %s', (status, steps) => {
  const next = { items: [], cycle: { interval: 'month', intervalCount: 1 }, billedShrinks: [], billedInserts: [] } as const;
  const times = { billingCycleAnchor: START, currentPeriodStart: START, currentPeriodEnd: START + MONTH };
  const pendingUpdate = { operationId: 'op', invoiceId: 'in_1', expiresAt: START + 99, next: { ...times, ...next } };
  const given = invoice({ status, paymentBehavior: 'pending_if_incomplete', attempts: [attempt('declined')] });
  const { state } = restore({ subscription: subscription({ pendingUpdate: pendingUpdate as never }), invoices: [given] });
  expect(state.parked.map(({ step }) => step)).toEqual(steps);
  expect(state.dunning).toEqual([]);
});

test('error_if_incomplete is kept: a decline takes the change back', () => {
  const { state } = restore({ invoices: [invoice({ paymentBehavior: 'error_if_incomplete' })] });
  expect(state.parked).toMatchObject([{ manner: { collect: true, dropIfDeclined: true } }]);
});

test('an invoice that was sent is waited for by its dunning, and asked for by nobody', () => {
  const dueDate = START + 30 * 86_400;
  const { state, dunnings } = restore({ invoices: [invoice({ dueDate })] });
  expect(state).toMatchObject({ dunning: ['in_1'], parked: [] });
  expect(dunnings).toMatchObject([{ invoiceId: 'in_1', subscriptionId: 'sub_1', generation: 2 }]);
  // A card that was declined meanwhile changes nothing.
  expect(restore({ invoices: [invoice({ dueDate, attempts: [attempt('declined')] })] }).state).toMatchObject({
    dunning: ['in_1'],
    parked: [],
  });
});

test.each<[string, Partial<UnsettledInvoice>, Partial<Subscription>]>([
  ['one that was given up', { autoAdvance: false }, { status: 'past_due' }],
  ['one of a subscription that has ended', {}, { status: 'canceled' }],
  ['a draft of one', { status: 'draft', automaticallyFinalizesAt: START + 3600 }, {}],
])('nobody waits for the due date of %s', (_, patch, of) => {
  const { state, dunnings } = restore({ subscription: subscription(of), invoices: [invoice({ dueDate: START + 86_400, ...patch })] });
  expect([state.dunning, state.parked, dunnings]).toEqual([[], [], []]);
});
