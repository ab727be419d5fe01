import { describe, expect, it } from 'vitest';
import { describeEntry, nameOfActor } from '../../domain/timeline/describe-entry.ts';
import type { EventFact, OperationFact, RefusalFact, TimelineEntry } from '../../domain/timeline/entry.ts';
import { typeOf } from '../../domain/timeline/entry.ts';
import { aLine, anAttempt, anInvoice, aSubscription, END, START } from '../api/examples.ts';

const RECORDED = { position: 1, at: START, recordedAt: START, operationId: 'op_1', run: null };
const operation = (patch: Partial<OperationFact>): TimelineEntry => ({
  ...RECORDED,
  source: 'operation',
  name: 'issue-invoice',
  actor: 'workflow',
  invoiceId: null,
  parameters: null,
  result: null,
  attempt: null,
  ...patch,
});
const event = (name: string, objectType: string, data: object, previous: EventFact['previous'] = null): TimelineEntry => ({
  ...RECORDED,
  actor: null,
  source: 'event',
  name,
  objectType,
  objectId: 'x_1',
  data: data as Record<string, unknown>,
  previous,
});
const told = (entry: TimelineEntry): string => describeEntry(entry).sentence;

describe('an operation', () => {
  it('of the workflow is a decision, of anybody else a command', () => {
    expect(typeOf(operation({}) as OperationFact)).toBe('decision');
    expect(typeOf(operation({ actor: 'dunning', name: 'end-dunning' }) as OperationFact)).toBe('decision');
    expect(typeOf(operation({ actor: 'api_key:abc', name: 'change-plan' }) as OperationFact)).toBe('command');
    expect(typeOf(operation({ name: 'collect-payment' }) as OperationFact)).toBe('payment');
  });
  it('tells who asked, for what, and how much came of it', () => {
    const invoice = { id: 'in_1', amountDue: 2400, currency: 'eur' };
    expect(describeEntry(operation({ result: { invoice } }))).toMatchObject({
      sentence: 'The period was billed, EUR 24.00 due.',
      amount: 2400,
    });
    expect(told(operation({ actor: 'api_key:abc', name: 'change-plan', result: { invoice: null } }))).toBe(
      'API key abc asked to change the subscription.',
    );
    expect(told(operation({ actor: 'api_key:abc', name: 'schedule-cancellation', parameters: { at: 'period_end' } }))).toBe(
      "API key abc asked to set when the subscription ends at the period's end.",
    );
    expect(told(operation({ actor: 'operator:ada', name: 'a-new-verb' }))).toBe('Ada (operator) asked to a new verb.');
  });
  it('gives the reason of a cancellation', () => {
    const { reason } = describeEntry(
      operation({
        actor: 'api_key:abc',
        name: 'cancel-subscription',
        parameters: { details: { feedback: 'too_expensive', comment: 'Sorry' } },
      }),
    );
    expect(reason).toEqual({ code: 'cancellation_requested', message: 'Sorry', feedback: 'too_expensive' });
  });
});

describe('a payment', () => {
  const attempt = anAttempt({ amount: 2400, currency: 'jpy', number: 2, declineCode: 'lost_card', declineMessage: 'The card was lost.' });
  it('is sent, and answered', () => {
    expect(told(operation({ name: 'start-payment', attempt, result: { outcome: 'charge' } }))).toMatch(
      /^The charge of JPY 2400 \(try 2, .*\) is sent to \w+\.$/,
    );
    const declined = describeEntry(operation({ name: 'collect-payment', attempt, result: { outcome: 'declined' } }));
    expect(declined.sentence).toMatch(/^The charge of JPY 2400 \(try 2, .*\) was declined: The card was lost\.$/);
    expect(declined.reason).toEqual({ code: 'lost_card', message: 'The card was lost.' });
    expect(told(operation({ name: 'resolve-payment', attempt, result: { outcome: 'paid' } }))).toMatch(/ succeeded\.$/);
  });
  it('that was not made says why', () => {
    expect(told(operation({ name: 'collect-payment', result: { outcome: 'no_payment_method', invoice: { amountDue: 1 } } }))).toBe(
      'The invoice was collected: there is no payment method.',
    );
  });
});

it('a refusal says what was asked and why it was refused', () => {
  const refusal: RefusalFact & typeof RECORDED = {
    ...RECORDED,
    source: 'refusal',
    name: 'change-plan',
    actor: 'operator:ada',
    invoiceId: null,
    parameters: {},
    refusal: { code: 'resource_missing', message: 'No such price.', param: 'items[0][price]' },
  };
  expect(describeEntry(refusal)).toEqual({
    sentence: 'Ada (operator) asked to change the subscription and was refused: No such price.',
    reason: refusal.refusal,
    amount: null,
    currency: null,
  });
});

describe('an event', () => {
  it('of an invoice has its number, its amount and the arithmetic of its lines', () => {
    const invoice = anInvoice({ number: 'EX-0001', total: 2400, currency: 'eur', lines: [aLine()] });
    const { sentence, reason, amount } = describeEntry(event('invoice.finalized', 'invoice', invoice, { status: 'draft' }));
    expect(sentence).toBe('Invoice EX-0001 of EUR 24.00 was finalised.');
    expect(amount).toBe(2400);
    expect(reason).toEqual({ code: invoice.billingReason, message: aLine().explanation.sentence });
    const many = describeEntry(event('invoice.created', 'invoice', anInvoice({ lines: Array.from({ length: 7 }, () => aLine()) })));
    expect(many.reason?.message).toMatch(/ And 2 lines more\.$/);
  });
  it('of a failed payment tells the next try, and is a notice', () => {
    const failed = event(
      'invoice.payment_failed',
      'invoice',
      anInvoice({ number: 'EX-1', attemptCount: 2, amountRemaining: 500, nextPaymentAttempt: END }),
    );
    expect(told(failed)).toBe('Invoice EX-1 of EUR 5.00 could not be collected after try 2 and is tried again on 2027-02-14.');
    expect(typeOf(failed as EventFact)).toBe('notice');
    const last = anInvoice({ number: 'EX-1', attemptCount: 4, amountRemaining: 500, nextPaymentAttempt: null });
    expect(told(event('invoice.payment_failed', 'invoice', last))).toBe(
      'Invoice EX-1 of EUR 5.00 could not be collected after try 4 and no further try is planned.',
    );
  });
  it('of a subscription tells each field that changed, from what to what', () => {
    const updated = event('customer.subscription.updated', 'subscription', aSubscription({ status: 'past_due', currentPeriodEnd: END }), {
      status: 'active',
      currentPeriodEnd: START,
      currentPeriodStart: START - 9,
    });
    expect(told(updated)).toBe('The subscription changed (status active → past due, period end 2027-01-15 → 2027-02-14).');
    expect(typeOf(updated as EventFact)).toBe('state_change');
  });
  it('of an end gives the reason', () => {
    const details = { comment: 'Bye', feedback: 'unused', reason: 'cancellation_requested' as const };
    const ended = event(
      'customer.subscription.deleted',
      'subscription',
      aSubscription({ status: 'canceled', cancellationDetails: details }),
      {
        status: 'active',
      },
    );
    expect(describeEntry(ended).reason).toEqual({ code: 'cancellation_requested', message: 'Bye', feedback: 'unused' });
  });
  it('that has no words of its own is told by its name', () => {
    expect(told(event('customer.updated', 'customer', { balance: -5 }, { balance: 0 }))).toBe('x_1: updated (balance 0 → -5).');
    expect(told(event('customer.subscription.something_new', 'subscription', aSubscription()))).toBe('The subscription something new.');
    expect(told(event('invoice.something_new', 'invoice', anInvoice({ number: 'EX-1', total: 100 })))).toBe(
      'Invoice EX-1 of EUR 1.00 something new.',
    );
  });
});

it('actors have names', () => {
  expect(nameOfActor('workflow')).toBe('the workflow');
  expect(nameOfActor('api_key:ab12')).toBe('API key ab12');
  expect(nameOfActor('operator:ada')).toBe('ada (operator)');
  expect(nameOfActor('test')).toBe('test');
});
