import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideFinalization } from '../../domain/invoicing/finalize-invoice.ts';
import { decideTaxes } from '../../domain/invoicing/record-taxes.ts';
import type { ChangePlan } from '../../domain/subscription/commands.ts';
import { decideTrialReminder } from '../../domain/subscription/remind-of-trial-end.ts';
import { decidePendingUpdate } from '../../domain/subscription/resolve-pending-update.ts';
import { type Instant, isoInstant } from '../../domain/time.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, changePlan, create, createPaid, linesOf, payAll, renew, schedule } from '../support/subscribe.ts';

const DAY = 86_400;
const AT = on('2025-01-10T12:00:00Z');
const END = on('2025-01-24T12:00:00Z');

function bookWith(parts: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook(parts);
  book.price('pro', '2000');
  book.price('max', '5000');
  book.price('free', '0');
  book.price('yearly', '20000', 'year');
  book.price('setup', '4900', null);
  book.price('dollars', '100', null, { currency: 'usd' });
  book.price('gone', '100', null, { active: false });
  book.taxRate('vat', '20');
  return book;
}

/** Pro on trial for 14 days from `AT`. */
function onTrial(parts?: ConstructorParameters<typeof MemoryBook>[0], patch: Parameters<typeof create>[3] = {}): MemoryBook {
  const book = bookWith(parts);
  create(book, AT, ['pro'], { trial: { days: 14 }, ...patch });
  return book;
}

const remind = (book: MemoryBook, at: Instant) => book.do(at, decideTrialReminder);
const told = (book: MemoryBook): number => book.events.filter(({ type }) => type === 'customer.subscription.trial_will_end').length;
const typesOf = (book: MemoryBook): string[] => book.events.map(({ type }) => type);
const refusalOf = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    const { code, param } = error as { code?: string; param?: string };
    return [code, param];
  }
  return expect.fail('was not refused');
};
const state = (book: MemoryBook) => {
  const { status, currentPeriodStart, currentPeriodEnd, billingCycleAnchor } = book.living;
  return [status, isoInstant(currentPeriodStart), isoInstant(currentPeriodEnd), isoInstant(billingCycleAnchor)];
};

describe('a new trial', () => {
  test('is the first period, and free; its end is the anchor', () => {
    const book = onTrial({}, { items: [{ id: 'si_pro', priceId: 'pro', quantity: '3', taxRateIds: ['vat'] }] });
    expect(book.living).toMatchObject({
      status: 'trialing',
      startDate: AT,
      currentPeriodStart: AT,
      currentPeriodEnd: END,
      billingCycleAnchor: END,
      trialStart: AT,
      trialEnd: END,
      trialReminderAt: END - 3 * DAY,
      trialMissingPaymentMethod: 'create_invoice',
      incompleteExpiresAt: null,
    });
    expect(book.lastInvoice).toMatchObject({ status: 'paid', total: 0, tax: 0, billingReason: 'subscription_create', number: 'PER-0001' });
    const [line, ...others] = book.lastInvoice.lines;
    expect(others).toEqual([]);
    expect(line).toMatchObject({
      description: 'Trial period for 3 × pro',
      amount: 0,
      proration: false,
      quantity: '3',
      period: { start: AT, end: END },
      explanation: { rule: 'trial', sentence: 'Free on trial (2025-01-10 to 2025-01-24) = EUR 0.00' },
    });
    expect(book.coverage('si_pro')).toEqual([]);
    expect(typesOf(book)).toEqual(['customer.subscription.created', 'invoice.created', 'invoice.finalized', 'invoice.paid']);
  });

  test('until a date; `now` is none', () => {
    const dated = onTrial({}, { trial: { end: on('2025-03-31') } });
    expect(state(dated)).toEqual(['trialing', isoInstant(AT), '2025-03-31T00:00:00Z', '2025-03-31T00:00:00Z']);
    const none = onTrial({}, { trial: { end: 'now' } });
    expect(none.living).toMatchObject({ status: 'incomplete', trialStart: null, trialEnd: null, billingCycleAnchor: AT });
    expect(none.lastInvoice.total).toBe(2000);
  });

  test.each([
    [{ days: 0 }, ['parameter_invalid', 'trial_period_days']],
    [{ days: 731 }, ['parameter_invalid', 'trial_period_days']],
    [{ days: 1.5 }, ['parameter_invalid', 'trial_period_days']],
    [{ end: AT }, ['date_out_of_range', 'trial_end']],
    [{ end: AT - DAY }, ['date_out_of_range', 'trial_end']],
    [{ end: on('2027-01-10T12:00:01Z') }, ['date_out_of_range', 'trial_end']],
  ])('%j is refused by name', (trial, refusal) => {
    expect(refusalOf(() => onTrial({}, { trial }))).toEqual(refusal);
  });

  test('two years, and 730 days, are the longest', () => {
    expect(isoInstant(onTrial({}, { trial: { end: on('2027-01-10T12:00:00Z') } }).living.currentPeriodEnd)).toBe('2027-01-10T12:00:00Z');
    expect(isoInstant(onTrial({}, { trial: { days: 730 } }).living.currentPeriodEnd)).toBe('2027-01-10T12:00:00Z');
  });

  test('of three days or less is told at once, with the creation', () => {
    const short = onTrial({}, { trial: { days: 3 } });
    expect([told(short), short.living.trialReminderAt]).toEqual([1, null]);
    expect(typesOf(short)[0]).toBe('customer.subscription.created');
    const longer = onTrial({}, { trial: { end: AT + 3 * DAY + 1 } });
    expect([told(longer), longer.living.trialReminderAt]).toEqual([0, AT + 1]);
  });

  test('is told once, at its instant and not before', () => {
    const book = onTrial();
    remind(book, END - 3 * DAY - 1);
    expect(told(book)).toBe(0);
    remind(book, END - 3 * DAY);
    remind(book, END - 3 * DAY);
    expect([told(book), book.living.trialReminderAt]).toEqual([1, null]);
    expect(typesOf(book).filter((type) => type === 'customer.subscription.updated')).toEqual([]);
  });
});

describe('the end of a trial', () => {
  test('bills the period that begins there in full, as a renewal, and every one after it from the same anchor', () => {
    const book = onTrial({}, { trial: { end: on('2025-01-31T12:00:00Z') } });
    remind(book, book.living.trialReminderAt ?? 0);
    renew(book);
    expect(state(book)).toEqual(['active', '2025-01-31T12:00:00Z', '2025-02-28T12:00:00Z', '2025-01-31T12:00:00Z']);
    expect(book.lastInvoice).toMatchObject({ total: 2000, status: 'open', billingReason: 'subscription_cycle', periodStart: AT });
    expect(linesOf(book.lastInvoice)).toEqual(['1 × pro (at EUR 20.00 / month) 2000']);
    payAll(book, book.living.currentPeriodStart);
    renew(book);
    expect(state(book)).toEqual(['active', '2025-02-28T12:00:00Z', '2025-03-31T12:00:00Z', '2025-01-31T12:00:00Z']);
    expect(book.living).toMatchObject({ trialStart: AT, trialEnd: on('2025-01-31T12:00:00Z') });
  });

  test.each([
    ['of a year that begins on Feb 29', '2024-02-29', ['2025-02-28', '2026-02-28', '2027-02-28', '2028-02-29']],
    ['of a year that begins on the 31st', '2024-12-31', ['2025-12-31', '2026-12-31']],
  ])('%s', (_, end, ends) => {
    const book = bookWith();
    create(book, on(end) - 14 * DAY, ['yearly'], { trial: { days: 14 } });
    const seen = ends.map(() => {
      renew(book);
      payAll(book, book.living.currentPeriodStart);
      return isoInstant(book.living.currentPeriodEnd).slice(0, 10);
    });
    expect(seen).toEqual(ends);
  });

  test('is at the local time of its start, also across a change of clocks; so is its reminder', () => {
    const book = bookWith({ customer: { billingTimezone: 'America/New_York' } });
    create(book, on('2025-03-01T17:00:00Z'), ['pro'], { trial: { days: 10 } });
    expect([book.living.trialEnd, book.living.trialReminderAt].map((at) => isoInstant(at ?? 0))).toEqual([
      '2025-03-11T16:00:00Z',
      '2025-03-08T17:00:00Z',
    ]);
    renew(book);
    expect(state(book)).toEqual(['active', '2025-03-11T16:00:00Z', '2025-04-11T16:00:00Z', '2025-03-11T16:00:00Z']);
  });

  test('without a payment method: an invoice like any other', () => {
    const book = onTrial();
    book.paymentMethods = [];
    renew(book);
    expect([book.living.status, book.lastInvoice.status, book.lastInvoice.total]).toEqual(['active', 'open', 2000]);
    book.pay(book.lastInvoice.id, END);
    expect(book.living.status).toBe('past_due');
  });

  test('without a payment method, pause: nothing is billed, now or later', () => {
    const book = onTrial({}, { trialMissingPaymentMethod: 'pause' });
    book.paymentMethods = [];
    remind(book, END - 3 * DAY);
    const invoices = book.allInvoices.length;
    renew(book);
    expect(state(book)).toEqual(['paused', isoInstant(AT), isoInstant(END), isoInstant(END)]);
    expect(book.living).toMatchObject({ trialStart: AT, trialEnd: END, endedAt: null });
    expect(typesOf(book).slice(-2)).toEqual(['customer.subscription.paused', 'customer.subscription.updated']);
    renew(book, END + 60 * DAY);
    expect([book.living.status, book.allInvoices.length]).toEqual(['paused', invoices]);
  });

  test('a paused one can be given a payment method and other items, which bills nothing, and ends at its date', () => {
    const book = onTrial({}, { trialMissingPaymentMethod: 'pause' });
    const cards = book.paymentMethods;
    book.paymentMethods = [];
    renew(book);
    const invoices = book.allInvoices.length;
    book.paymentMethods = cards;
    changePlan(book, END + DAY, { defaultPaymentMethodId: 'pm_1' });
    changeItem(book, END + 2 * DAY, 'si_pro', { priceId: 'yearly' }, { prorationBehavior: 'always_invoice' });
    expect(book.living).toMatchObject({ status: 'paused', defaultPaymentMethodId: 'pm_1', cycle: { interval: 'year' } });
    schedule(book, END + 2 * DAY, END + 5 * DAY);
    renew(book, END + 5 * DAY);
    expect([book.living.status, book.living.endedAt, book.allInvoices.length]).toEqual(['canceled', END + 5 * DAY, invoices]);
  });

  test('without a payment method, cancel', () => {
    const book = onTrial({}, { trialMissingPaymentMethod: 'cancel' });
    book.paymentMethods = [];
    renew(book);
    expect(book.living).toMatchObject({ status: 'canceled', endedAt: END, cancellationDetails: { reason: null } });
    expect(book.allInvoices).toHaveLength(1);
    expect(typesOf(book).at(-1)).toBe('customer.subscription.deleted');
  });

  test.each(['pause', 'cancel'] as const)('with a payment method, %s does not matter', (trialMissingPaymentMethod) => {
    const book = onTrial({}, { trialMissingPaymentMethod });
    renew(book);
    expect([book.living.status, book.lastInvoice.total]).toEqual(['active', 2000]);
  });

  test('what is done without a payment method can be changed until then', () => {
    const book = onTrial();
    book.paymentMethods = [];
    changePlan(book, AT + DAY, { trialMissingPaymentMethod: 'cancel' });
    renew(book);
    expect(book.living.status).toBe('canceled');
  });
});

describe('a trial with an anchor of its own', () => {
  test('the time between its end and the anchor is billed at its share of the cycle; then whole months from the anchor', () => {
    const book = onTrial({}, { trial: { end: on('2025-04-16') }, billingCycleAnchor: on('2025-05-01') });
    expect(state(book)).toEqual(['trialing', isoInstant(AT), '2025-04-16T00:00:00Z', '2025-05-01T00:00:00Z']);
    renew(book);
    expect(state(book)).toEqual(['active', '2025-04-16T00:00:00Z', '2025-05-01T00:00:00Z', '2025-05-01T00:00:00Z']);
    expect(linesOf(book.lastInvoice)).toEqual(['Remaining time on pro after 16 Apr 2025 1000']);
    payAll(book, on('2025-04-16'));
    changeItem(book, on('2025-04-22'), 'si_pro', { priceId: 'max' }, { prorationBehavior: 'always_invoice' });
    expect(book.lastInvoice.lines.map(({ amount }) => amount)).toEqual([-600, 1500]);
    payAll(book, on('2025-04-22'));
    renew(book);
    expect(linesOf(book.lastInvoice)).toEqual(['1 × max (at EUR 50.00 / month) 5000']);
    expect(state(book).slice(1, 3)).toEqual(['2025-05-01T00:00:00Z', '2025-06-01T00:00:00Z']);
  });

  test('a day of the month is the next one after the trial; its own end is none to wait for', () => {
    const config = { dayOfMonth: 31, month: null, hour: 0, minute: 0, second: 0 };
    const book = onTrial({}, { trial: { end: on('2025-02-10') }, billingCycleAnchorConfig: config });
    renew(book);
    expect(state(book).slice(1, 3)).toEqual(['2025-02-10T00:00:00Z', '2025-02-28T00:00:00Z']);
    renew(book);
    expect(state(book).slice(1, 3)).toEqual(['2025-02-28T00:00:00Z', '2025-03-31T00:00:00Z']);
    const same = onTrial({}, { billingCycleAnchor: END });
    renew(same);
    expect(same.lastInvoice.total).toBe(2000);
  });

  test('a start in the past belongs to the trial', () => {
    const book = onTrial({}, { backdateStartDate: on('2024-12-24') });
    expect(book.living).toMatchObject({ startDate: on('2024-12-24'), trialStart: on('2024-12-24'), trialEnd: END, createdAt: AT });
    expect([book.lastInvoice.total, book.lastInvoice.lines.length]).toEqual([0, 1]);
  });

  test.each<[string, Parameters<typeof create>[3], string[]]>([
    ['before its end', { billingCycleAnchor: END - 1 }, ['date_out_of_range', 'billing_cycle_anchor']],
    ['more than a cycle after it', { billingCycleAnchor: END + 32 * DAY }, ['date_out_of_range', 'billing_cycle_anchor']],
    [
      'with nothing billed until then',
      { billingCycleAnchor: END + DAY, prorationBehavior: 'none' },
      ['parameter_invalid', 'proration_behavior'],
    ],
    ['with a start in the future', { backdateStartDate: AT + 1 }, ['date_out_of_range', 'backdate_start_date']],
  ])('%s is refused by name', (_, patch, refusal) => {
    expect(refusalOf(() => onTrial({}, patch))).toEqual(refusal);
  });

  test('moving the end moves the anchor there', () => {
    const book = onTrial({}, { billingCycleAnchor: END + 3 * DAY });
    changePlan(book, AT + DAY, { trialEnd: END + DAY });
    expect(book.living).toMatchObject({ billingCycleAnchor: END + DAY, currentPeriodEnd: END + DAY });
    expect(refusalOf(() => changePlan(book, AT + DAY, { billingCycleAnchor: END + 2 * DAY }))).toEqual([
      'parameter_invalid',
      'billing_cycle_anchor',
    ]);
  });
});

describe('a trial that is ended, moved, or given late', () => {
  test('now: the first paid period begins and is billed; who was not told is told', () => {
    const book = onTrial();
    const at = AT + 5 * DAY + 7;
    changePlan(book, at, { trialEnd: 'now' });
    expect(state(book)).toEqual(['active', isoInstant(at), '2025-02-15T12:00:07Z', isoInstant(at)]);
    expect(book.living).toMatchObject({ trialStart: AT, trialEnd: at, trialReminderAt: null });
    expect(book.lastInvoice).toMatchObject({ total: 2000, billingReason: 'subscription_update', status: 'open' });
    expect(told(book)).toBe(1);
  });

  test('now, in its very first second, and without a payment method', () => {
    const book = onTrial({}, { trialMissingPaymentMethod: 'pause' });
    book.paymentMethods = [];
    changePlan(book, AT, { trialEnd: 'now' });
    expect(book.living).toMatchObject({ status: 'paused', currentPeriodStart: AT, currentPeriodEnd: AT + 1, trialEnd: AT });
    const canceled = onTrial({}, { trialMissingPaymentMethod: 'cancel', cancelAtPeriodEnd: true });
    canceled.paymentMethods = [];
    changePlan(canceled, AT + DAY, { trialEnd: 'now' });
    expect(canceled.living).toMatchObject({ status: 'canceled', endedAt: AT + DAY, trialEnd: AT + DAY });
  });

  test.each([
    ['later', on('2025-02-28'), 0],
    ['earlier', on('2025-01-20'), 0],
    ['to two days from now, which is told at once', AT + 3 * DAY, 1],
  ])('%s', (_, end, tellings) => {
    const book = onTrial();
    const invoices = book.allInvoices.length;
    changePlan(book, AT + DAY, { trialEnd: end, prorationBehavior: 'always_invoice' });
    expect(state(book)).toEqual(['trialing', isoInstant(AT), isoInstant(end), isoInstant(end)]);
    expect([book.allInvoices.length, told(book), book.pendingItems.size]).toEqual([invoices, tellings, 0]);
    expect(book.living.trialReminderAt).toBe(tellings === 1 ? null : end - 3 * DAY);
    renew(book);
    expect([book.living.status, book.living.currentPeriodStart, book.lastInvoice.total]).toEqual(['active', end, 2000]);
  });

  test('a new end is told again', () => {
    const book = onTrial();
    remind(book, END - 3 * DAY);
    changePlan(book, END - DAY, { trialEnd: END + 10 * DAY });
    expect(book.living.trialReminderAt).toBe(END + 7 * DAY);
    remind(book, END + 7 * DAY);
    expect(told(book)).toBe(2);
  });

  test.each([
    ['create_prorations', -1600, 0],
    ['none', null, 0],
    ['always_invoice', null, -1600],
  ] as const)('on an active subscription, %s: the unused time', (prorationBehavior, pending, balance) => {
    const book = bookWith();
    createPaid(book, on('2025-04-01'), ['pro']);
    const at = on('2025-04-07');
    changePlan(book, at, { trialEnd: on('2025-05-15'), prorationBehavior });
    expect(state(book)).toEqual(['trialing', '2025-04-07T00:00:00Z', '2025-05-15T00:00:00Z', '2025-05-15T00:00:00Z']);
    expect(book.living).toMatchObject({ trialStart: at, trialEnd: on('2025-05-15') });
    expect([[...book.pendingItems.values()].find((item) => item.invoiceId === null)?.line.amount ?? null, book.customer.balance]).toEqual([
      pending,
      balance,
    ]);
    expect(book.coverage('si_pro')).toEqual([{ start: on('2025-04-01'), end: at }]);
    renew(book);
    expect(state(book)[0]).toBe('active');
    expect(book.lastInvoice.amountDue).toBe(2000 + (pending ?? 0) + balance);
  });

  test('on one that is past due; what it owed is still owed when the trial is over', () => {
    const book = bookWith();
    create(book, AT, ['pro']);
    payAll(book, AT);
    renew(book);
    book.pay(book.lastInvoice.id, book.living.currentPeriodStart, 'declined');
    changePlan(book, book.living.currentPeriodStart + DAY, {
      trialEnd: book.living.currentPeriodStart + 20 * DAY,
      prorationBehavior: 'none',
    });
    expect(book.living.status).toBe('trialing');
    renew(book);
    expect(book.living.status).toBe('past_due');
    payAll(book, book.living.currentPeriodStart);
    expect(book.living.status).toBe('active');
  });

  test.each<[string, Partial<ChangePlan>, string[]]>([
    ['a past end', { trialEnd: AT }, ['date_out_of_range', 'trial_end']],
    ['an end beyond two years', { trialEnd: AT + 800 * DAY }, ['date_out_of_range', 'trial_end']],
    ['an end and a policy', { trialEnd: 'now', trialChange: { policy: 'end_now' } }, ['parameter_invalid', 'trial_change_behavior']],
    ['a policy for no change', { trialChange: { policy: 'end_now' } }, ['parameter_invalid', 'trial_change_behavior']],
    ['an anchor of now', { billingCycleAnchor: 'now' }, ['parameter_invalid', 'billing_cycle_anchor']],
    ['an anchor and an end', { billingCycleAnchor: 'unchanged', trialEnd: END + DAY }, ['parameter_invalid', 'billing_cycle_anchor']],
  ])('%s is refused by name', (_, patch, refusal) => {
    const book = onTrial();
    expect(refusalOf(() => changePlan(book, AT + DAY, patch))).toEqual(refusal);
  });

  test('there is no trial to end', () => {
    const book = bookWith();
    createPaid(book, AT, ['pro']);
    expect(refusalOf(() => changePlan(book, AT + DAY, { trialEnd: 'now' }))).toEqual(['parameter_invalid', 'trial_end']);
  });

  test('an incomplete one cannot be put on trial', () => {
    const book = bookWith();
    create(book, AT, ['pro']);
    expect(refusalOf(() => changePlan(book, AT + 60, { trialEnd: END }))[0]).toBe('subscription_incomplete');
  });

  test.each(['pending_if_incomplete', 'error_if_incomplete'] as const)(
    'now, %s: it goes on until the invoice is paid',
    (paymentBehavior) => {
      const book = onTrial();
      const before = book.living;
      changePlan(book, AT + DAY, { trialEnd: 'now', paymentBehavior });
      const { pendingUpdate, latestInvoiceId, ...rest } = book.living;
      expect(rest).toEqual({ ...before, pendingUpdate: undefined, latestInvoiceId: undefined });
      expect(pendingUpdate).toMatchObject({ invoiceId: latestInvoiceId, next: { trialEnd: AT + DAY, currentPeriodStart: AT + DAY } });
      book.pay(book.lastInvoice.id, AT + DAY + 60);
      expect(book.living.status).toBe('trialing');
      // What is paid is applied at the boundary at the latest.
      renew(book, END);
      expect(state(book)).toEqual(['active', isoInstant(AT + DAY), '2025-02-11T12:00:00Z', isoInstant(AT + DAY)]);
      expect(book.living).toMatchObject({ trialEnd: AT + DAY, trialReminderAt: null });
    },
  );
});

describe('changes within a trial', () => {
  const at = AT + 4 * DAY;

  test.each(['create_prorations', 'always_invoice', 'none'] as const)(
    'nothing is prorated (%s), and the end stays',
    (prorationBehavior) => {
      const book = onTrial();
      changeItem(book, at, 'si_pro', { priceId: 'max', quantity: '2' }, { prorationBehavior });
      changePlan(book, at, {
        items: [{ do: 'add', item: { id: 'si_free', priceId: 'free', quantity: '1', taxRateIds: [] } }],
        prorationBehavior,
      });
      expect(state(book)).toEqual(['trialing', isoInstant(AT), isoInstant(END), isoInstant(END)]);
      expect([book.allInvoices.length, book.pendingItems.size]).toEqual([1, 0]);
      renew(book);
      expect(linesOf(book.lastInvoice)).toEqual(['2 × max (at EUR 50.00 / month) 10000', '1 × free (at EUR 0.00 / month) 0']);
    },
  );

  test('to another cycle: it is that of the first paid period', () => {
    const book = onTrial();
    changeItem(book, at, 'si_pro', { priceId: 'yearly' });
    expect(state(book)).toEqual(['trialing', isoInstant(AT), isoInstant(END), isoInstant(END)]);
    renew(book);
    expect(state(book)).toEqual(['active', isoInstant(END), '2026-01-24T12:00:00Z', isoInstant(END)]);
    expect(book.lastInvoice.total).toBe(20_000);
  });

  test('from free to paid: the trial goes on', () => {
    const book = bookWith();
    create(book, AT, ['free'], { trial: { days: 14 } });
    changeItem(book, at, 'si_free', { priceId: 'pro' });
    expect([book.living.status, book.allInvoices.length]).toEqual(['trialing', 1]);
  });

  test('end_now: the new plan is billed at once', () => {
    const book = onTrial();
    changeItem(book, at, 'si_pro', { priceId: 'max' }, { trialChange: { policy: 'end_now' } });
    expect(state(book)).toEqual(['active', isoInstant(at), '2025-02-14T12:00:00Z', isoInstant(at)]);
    expect(linesOf(book.lastInvoice)).toEqual(['1 × max (at EUR 50.00 / month) 5000']);
  });

  test.each([
    [30, '2025-02-09T12:00:00Z'],
    [7, '2025-01-17T12:00:00Z'],
  ])('new_length_from_start: %d days from its start', (days, end) => {
    const book = onTrial();
    changeItem(book, at, 'si_pro', { priceId: 'max' }, { trialChange: { policy: 'new_length_from_start', days } });
    expect(state(book)).toEqual(['trialing', isoInstant(AT), end, end]);
    renew(book);
    expect(linesOf(book.lastInvoice)).toEqual(['1 × max (at EUR 50.00 / month) 5000']);
  });

  test('new_length_from_start: over where the days have passed', () => {
    const book = onTrial();
    changeItem(book, at, 'si_pro', { priceId: 'max' }, { trialChange: { policy: 'new_length_from_start', days: 4 } });
    expect(state(book)).toEqual(['active', isoInstant(at), '2025-02-14T12:00:00Z', isoInstant(at)]);
  });

  test('without a trial the policies say nothing', () => {
    const book = bookWith();
    createPaid(book, AT, ['pro']);
    changeItem(book, AT + DAY, 'si_pro', { priceId: 'max' }, { trialChange: { policy: 'end_now' } });
    expect(state(book)).toEqual(['active', isoInstant(AT), '2025-02-10T12:00:00Z', isoInstant(AT)]);
    expect(book.pendingItems.size).toBe(2);
  });

  test('cancelled now: nothing is owed, nothing given back', () => {
    const book = onTrial();
    cancel(book, at, { prorate: true, invoiceNow: true });
    expect([book.living.status, book.living.endedAt, book.allInvoices.length, book.customer.balance]).toEqual(['canceled', at, 1, 0]);
  });

  test("cancelled at the period's end, which is the trial's; and taken back", () => {
    const book = onTrial();
    schedule(book, at, 'period_end');
    expect(book.living).toMatchObject({ status: 'trialing', cancelAt: END, cancelAtPeriodEnd: true });
    schedule(book, at, 'never');
    expect(book.pendingItems.size).toBe(0);
    schedule(book, at, 'period_end');
    changePlan(book, at, { trialEnd: END + DAY });
    expect(book.living.cancelAt).toBe(END + DAY);
    renew(book, END + DAY);
    expect([book.living.status, book.living.endedAt, book.allInvoices.length]).toEqual(['canceled', END + DAY, 1]);
  });

  test('an end soon after the trial bills only the time until then', () => {
    const book = bookWith();
    create(book, AT, ['pro'], { trial: { end: on('2025-04-01') }, cancelAt: on('2025-04-07') });
    renew(book);
    expect([book.lastInvoice.total, book.coverage('si_pro')]).toEqual([400, [{ start: on('2025-04-01'), end: on('2025-04-07') }]]);
  });
});

test('with taxes from elsewhere it is on trial once its first invoice is final', () => {
  const book = onTrial({ account: { taxCalculator: 'elsewhere' } }, { trial: { days: 2 } });
  expect([book.living.status, book.lastInvoice.status, told(book)]).toEqual(['incomplete', 'draft', 0]);
  const invoiceId = book.lastInvoice.id;
  book.do(AT + 4, (snapshot, context) => decideTaxes(snapshot, { taxes: [[]] }, context), { invoiceId });
  book.do(AT + 5, (snapshot, context) => decideFinalization(snapshot, {}, context), { invoiceId });
  expect([book.living.status, book.lastInvoice.status, told(book)]).toEqual(['trialing', 'paid', 1]);
});

describe('a paid trial', () => {
  const paid = (patch: Parameters<typeof create>[3] = {}): MemoryBook =>
    onTrial({}, { addInvoiceItems: [{ priceId: 'setup', quantity: '2', taxRateIds: ['vat'] }], ...patch });

  test('is on trial once its first invoice is paid', () => {
    const book = paid();
    expect(linesOf(book.lastInvoice)).toEqual(['2 × setup 9800', 'Trial period for pro 0']);
    expect(book.lastInvoice).toMatchObject({ status: 'open', subtotal: 9800, tax: 1960, total: 11_760 });
    expect(book.lastInvoice.lines[0]).toMatchObject({
      period: { start: AT, end: AT },
      explanation: { rule: 'one_time', sentence: 'EUR 49.00 x 2 = EUR 98.00' },
    });
    expect(book.living).toMatchObject({ status: 'incomplete', trialEnd: END, incompleteExpiresAt: AT + 23 * 3600 });
    expect([...book.pendingItems.values()].map(({ invoiceId }) => invoiceId)).toEqual([book.lastInvoice.id]);
    book.pay(book.lastInvoice.id, AT, 'declined');
    expect(book.living.status).toBe('incomplete');
    book.pay(book.lastInvoice.id, AT + 60);
    expect(book.living).toMatchObject({ status: 'trialing', incompleteExpiresAt: null });
    renew(book);
    expect(linesOf(book.lastInvoice)).toEqual(['1 × pro (at EUR 20.00 / month) 2000']);
  });

  test('a short one is told when it begins', () => {
    const book = paid({ trial: { days: 2 } });
    expect(told(book)).toBe(0);
    book.pay(book.lastInvoice.id, AT + 60);
    expect([told(book), book.living.trialReminderAt]).toEqual([1, null]);
  });

  test('items sold once come with any first invoice', () => {
    const book = paid({ trial: { end: 'now' } });
    expect(linesOf(book.lastInvoice)).toEqual(['2 × setup 9800', '1 × pro (at EUR 20.00 / month) 2000']);
  });

  test.each([
    ['pro', 'parameter_invalid'],
    ['nothing', 'resource_missing'],
    ['dollars', 'currency_mismatch'],
    ['gone', 'price_inactive'],
  ])('%s is refused by name', (priceId, code) => {
    const act = () => paid({ addInvoiceItems: [{ priceId, quantity: '1', taxRateIds: [] }] });
    expect(refusalOf(act)).toEqual([code, 'add_invoice_items[0][price]']);
  });
});

const step = fc.record({
  kind: fc.constantFrom('renew', 'renew', 'price', 'quantity', 'move', 'end', 'start', 'pay', 'decline'),
  /** Part of what is left of the period that passes before it. */
  wait: fc.double({ min: 0, max: 0.9, noNaN: true }),
  days: fc.integer({ min: 1, max: 60 }),
  pick: fc.nat(3),
  quantity: fc.integer({ min: 1, max: 9 }),
  prorationBehavior: fc.constantFrom('create_prorations', 'always_invoice', 'none'),
  paymentBehavior: fc.constantFrom('allow_incomplete', 'allow_incomplete', 'pending_if_incomplete'),
  policy: fc.constantFrom('keep_end', 'end_now', 'new_length_from_start'),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function take(book: MemoryBook, at: Instant, given: Step): void {
  const { kind, prorationBehavior, paymentBehavior, policy, days } = given;
  const { status } = book.living;
  const trialEnd = at + days * DAY + 17;
  const trialChange = policy === 'new_length_from_start' ? { policy, days } : { policy };
  const terms = { prorationBehavior, paymentBehavior };
  const priceId = ['pro', 'max', 'free', 'yearly'][given.pick] ?? 'pro';
  const open = book.allInvoices.find((invoice) => invoice.status === 'open');
  switch (kind) {
    case 'renew':
      return void renew(book);
    case 'price':
      return void changeItem(book, at, 'si_pro', { priceId }, { ...terms, trialChange });
    case 'quantity':
      return void changeItem(book, at, 'si_pro', { quantity: String(given.quantity) }, { ...terms, trialChange });
    case 'move':
      return void (status === 'trialing' && changePlan(book, at, { ...terms, trialEnd }));
    case 'end':
      return void (status === 'trialing' && changePlan(book, at, { ...terms, trialEnd: 'now' }));
    case 'start':
      return void ((status === 'active' || status === 'past_due') && changePlan(book, at, { ...terms, trialEnd }));
    case 'pay':
      return void payAll(book, at);
    case 'decline':
      return void (open && book.pay(open.id, at, 'declined'));
  }
}

test('property: whatever happens, time is on trial or covered, never both and never neither', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.constantFrom('UTC', 'America/New_York'),
      fc.array(step, { maxLength: 14 }),
      (days, zone, steps) => {
        const book = bookWith({ account: { prorationBasis: 'second', billingTimezone: zone } });
        create(book, AT, ['pro'], { trial: { days } });
        let now = AT;
        const trials: { start: Instant; end: Instant }[] = [];
        const note = (): void => {
          const { trialStart: start, trialEnd: end } = book.living;
          const last = trials.at(-1);
          if (start === null || end === null) return;
          if (last?.start === start) last.end = end;
          else trials.push({ start, end });
        };
        note();
        for (const given of steps) {
          const { currentPeriodEnd } = book.living;
          now =
            given.kind === 'renew'
              ? currentPeriodEnd
              : Math.min(currentPeriodEnd - 1, now + Math.floor((currentPeriodEnd - now) * given.wait));
          take(book, now, given);
          const { pendingUpdate } = book.living;
          if (pendingUpdate) {
            if (given.pick % 2 === 0) book.pay(pendingUpdate.invoiceId, now);
            book.do(now, (snapshot, context) => decidePendingUpdate(snapshot, { apply: given.pick % 2 === 0 }, context));
          }
          note();
          const stretches = [...trials, ...book.coverage('si_pro')]
            .filter(({ start, end }) => start < end)
            .sort((a, b) => a.start - b.start);
          for (const [n, { start }] of stretches.entries()) expect(start, JSON.stringify(given)).toBe(n === 0 ? AT : stretches[n - 1]?.end);
          expect(stretches.at(-1)?.end).toBe(book.living.currentPeriodEnd);
          const { status, trialEnd } = book.living;
          expect(status === 'trialing').toBe(trialEnd !== null && now < trialEnd);
        }
      },
    ),
    { numRuns: 300 },
  );
});

describe('a trial of the same product again', () => {
  const had = (): MemoryBook => {
    const book = new MemoryBook();
    book.price('pro', '3000');
    book.price('other', '3000');
    create(book, on('2025-01-01'), ['pro'], { trial: { days: 14 } });
    cancel(book, on('2025-01-02'));
    book.subscription = null;
    return book;
  };
  const again = { trial: { days: 14 }, subscriptionId: 'sub_2' };

  test.each([
    ['is refused', 'pro', 'refuse'],
    ['is dropped, and the plan is billed', 'pro', 'drop'],
    ['is another where nothing is said', 'pro', undefined],
    ['is the first of another product', 'other', 'refuse'],
  ] as const)('%s', (title, price, trialReuse) => {
    const book = had();
    const subscribe = () => create(book, on('2025-02-01'), [price], { ...again, ...(trialReuse === undefined ? {} : { trialReuse }) });
    if (title === 'is refused') {
      expect(subscribe).toThrow(expect.objectContaining({ code: 'trial_already_used', param: 'trial_period_days' }));
      return;
    }
    subscribe();
    const isTrial = trialReuse !== 'drop';
    expect([book.living.trialEnd !== null, book.lastInvoice.total]).toEqual([isTrial, isTrial ? 0 : 3000]);
  });
});
