import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeEntry, nameOfActor } from '../../domain/timeline/describe-entry.ts';
import type { EventFact, OperationFact, RefusalFact, TimelineEntry } from '../../domain/timeline/entry.ts';
import { ENTRY_TYPES, typeOf } from '../../domain/timeline/entry.ts';
import { EVENT_TYPES } from '../../domain/timeline/event-types.ts';
import { VERBS } from '../../domain/timeline/verbs.ts';
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

describe('nothing happens without words', () => {
  const sources = (folder: string): string[] =>
    readdirSync(new URL(`../../${folder}/`, import.meta.url), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(new URL(`../../${folder}/${file}`, import.meta.url), 'utf8'));
  const named = (folders: string[], pattern: RegExp): string[] =>
    [...new Set(folders.flatMap(sources).flatMap((source) => [...source.matchAll(pattern)].map(([, name = '']) => name)))].sort();

  it('every operation that is performed has its verb, and every verb an operation', () => {
    const performed = [
      ...named(['activities'], /\bverb: '([a-z-]+)'/g),
      ...named(['activities'], /\bVERB = '([a-z-]+)'/g),
      ...named(['api'], /\bkind: '([a-z-]+)' as const/g),
    ];
    expect(performed.filter((name) => name in VERBS).sort()).toEqual(Object.keys(VERBS).sort());
    expect(named(['activities'], /\bverb: '([a-z-]+)'/g).filter((name) => !(name in VERBS))).toEqual([]);
  });

  it.each(Object.entries(VERBS))('%s: done by the engine, asked for by somebody, and refused', (name, { asked, done }) => {
    expect(told(operation({ name }))).toBe(`${done}.`);
    expect(told(operation({ name, actor: 'operator:ada' }))).toBe(`Ada (operator) asked to ${asked}.`);
    const refusal = { code: 'transition_not_allowed', message: 'Not now.', param: null };
    expect(told({ ...RECORDED, source: 'refusal', name, actor: 'operator:ada', invoiceId: null, parameters: null, refusal })).toBe(
      `Ada (operator) asked to ${asked} and was refused: Not now.`,
    );
  });

  it('every event that is emitted is in the list, and every one of the list is emitted', () => {
    const emitted = [
      ...named(['domain'], /\bemit\(\s*[a-z]+,\s*'([a-z_.]+)'/g),
      ...named(['domain'], /\btype: '((?:billing|customer|invoice|invoiceitem|quote|subscription_schedule|payment_attempt)\.[a-z_.]+)'/g),
      ...named(['domain'], /\b(?:type|event)(?: =|:) '(customer\.subscription\.[a-z_.]+)'/g),
      ...named(['domain'], /'(customer\.subscription\.(?:created|deleted))'/g),
    ];
    expect(emitted.filter((name) => !(EVENT_TYPES as readonly string[]).includes(name))).toEqual([]);
    // Made of two parts: what becomes of a schedule, of a scheduled change, of a top-up, of a price migration.
    const composed = EVENT_TYPES.filter((name) =>
      /^(subscription_schedule|customer\.subscription\.scheduled_change|billing\.credit_top_up|price_migration)\./.test(name),
    );
    expect(EVENT_TYPES.filter((name) => !emitted.includes(name) && !composed.includes(name))).toEqual([]);
  });

  const OBJECTS: Record<string, [objectType: string, data: object]> = {
    'billing.credit_balance_transaction': [
      'credit_balance_transaction',
      { amount: -400, currency: 'eur', type: 'credits_applied', grantId: 'credgr_1' },
    ],
    'billing.credit_grant': ['credit_grant', { name: 'Included', remaining: 400, currency: 'eur', expiresAt: END }],
    'billing.credit_top_up': ['credit_top_up', { amount: 2000, threshold: 500, currency: 'eur' }],
    'customer.discount': ['discount', { terms: { percentOff: '20', name: 'Spring' }, end: END }],
    'customer.subscription.scheduled_change': ['scheduled_change', { effectiveAt: END }],
    'customer.subscription': ['subscription', aSubscription()],
    invoice: ['invoice', anInvoice()],
    invoiceitem: ['invoiceitem', { line: aLine() }],
    payment_attempt: ['payment_attempt', anAttempt()],
    price_migration: ['price_migration', { id: 'pmig_1', fromPriceId: 'price_1', toPriceId: 'price_2' }],
    'price_migration.subscription': [
      'price_migration_subscription',
      { migrationId: 'pmig_1', fromPriceId: 'price_1', toPriceId: 'price_2', reason: null },
    ],
    quote: ['quote', { number: 'QT-0001-1', currency: 'eur' }],
    subscription_schedule: ['subscription_schedule', { phases: [{ end: END }], startsAt: START, currentPhase: 1, currency: 'eur' }],
  };
  it.each([...EVENT_TYPES])('%s is told in words of its own', (name) => {
    const at = name.lastIndexOf('.');
    const [objectType, data] = OBJECTS[name.slice(0, at)] ?? ['?', {}];
    const sentence = told(event(name, objectType, data, name.endsWith('updated') ? {} : null));
    expect(sentence).toMatch(/^(\p{Lu}|2 × Seat:).*\.$/u);
    expect(sentence).not.toMatch(/[a-z]_[a-z]|x_1:|undefined|NaN|null/);
    if (objectType === 'credit_balance_transaction') return;
    // One that nobody has words for would be told by its name.
    const unknown = told(event(`${name.slice(0, at)}.made_up`, objectType, data));
    expect(sentence.replace(/\W/g, '')).not.toBe(unknown.replace('made up', name.slice(at + 1).replaceAll('_', ' ')).replace(/\W/g, ''));
  });

  it('a schedule and what becomes of it', () => {
    const schedule = { phases: [{}, {}], startsAt: START, currentPhase: 1, currency: 'eur' };
    const say = (ending: string, previous: EventFact['previous'] = null, more: object = {}) =>
      describeEntry(event(`subscription_schedule.${ending}`, 'subscription_schedule', { ...schedule, ...more }, previous));
    expect(say('created').sentence).toMatch(/^The schedule was made with 2 phases, from 20\d\d-\d\d-\d\d\.$/);
    expect(say('updated', { currentPhase: 0 }).sentence).toBe('The schedule changed (current phase 0 → 1).');
    const failure = { code: 'price_inactive', message: 'Archived.', param: null };
    expect(say('aborted', null, { failure })).toMatchObject({ reason: { code: 'price_inactive', message: 'Archived.' } });
  });
});

it('docs/timeline.md shows each type with a sentence that is told', () => {
  const page = readFileSync(new URL('../../docs/timeline.md', import.meta.url), 'utf8');
  const attempt = anAttempt({ amount: 2400, currency: 'eur', number: 2, declineCode: 'lost_card', declineMessage: 'The card was lost.' });
  const invoice = anInvoice({ number: 'EX-1', total: 2400, amountPaid: 2400, amountRemaining: 2400, currency: 'eur' });
  const refused = { code: 'resource_missing', message: 'No such price.', param: 'items[0][price]' };
  const examples: TimelineEntry[] = [
    operation({ actor: 'api_key:ab12', name: 'schedule-cancellation', parameters: { at: 'period_end' } }),
    { ...RECORDED, source: 'refusal', name: 'change-plan', actor: 'operator:ada', invoiceId: null, parameters: {}, refusal: refused },
    operation({ result: { invoice: { id: 'in_1', amountDue: 2400, currency: 'eur' } } }),
    operation({ name: 'collect-payment', attempt, result: { outcome: 'declined' } }),
    event('invoice.overdue', 'invoice', invoice),
    event('invoice.paid', 'invoice', invoice),
  ];
  expect(examples.map(typeOf)).toEqual(ENTRY_TYPES);
  const rows = [...page.matchAll(/^\| `(\w+)` \| .* \| (.*) \|$/gm)].map(([, type, sentence]) => [type, sentence]);
  expect(rows).toEqual(examples.map((entry) => [typeOf(entry), told(entry)]));
});
