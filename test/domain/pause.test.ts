import { describe, expect, test } from 'vitest';
import { decideDunningEnd } from '../../domain/dunning/end-dunning.ts';
import { decideVoid } from '../../domain/invoicing/void-invoice.ts';
import { decideScheduledPause } from '../../domain/subscription/pause.ts';
import { decideRenewal } from '../../domain/subscription/renew.ts';
import { decideScheduledResumption } from '../../domain/subscription/resume.ts';
import { boundary, isoInstant } from '../../domain/time.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import {
  cancel,
  changeItem,
  changePlan,
  create,
  createPaid,
  linesOf,
  pause,
  payAll,
  reactivate,
  renew,
  resume,
  schedule,
} from '../support/subscribe.ts';

const MONTH = { interval: 'month', intervalCount: 1 } as const;
const DAY = 86_400;

function bookOn(date: string, patch: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook(patch);
  book.price('pro', '3100');
  book.price('max', '6200');
  book.price('year', '36500', 'year');
  createPaid(book, on(date), ['pro']);
  return book;
}
const refusal = (code: string, param?: string) => expect.objectContaining({ code, ...(param === undefined ? {} : { param }) });
const period = ({ living }: MemoryBook) =>
  [isoInstant(living.currentPeriodStart), isoInstant(living.currentPeriodEnd)].map((text) => text.slice(0, 10));
const coverage = (book: MemoryBook, item = 'si_pro') =>
  book.coverage(item).map(({ start, end }) => `${isoInstant(start).slice(0, 10)} ${isoInstant(end).slice(0, 10)}`);

describe('a pause with credit', () => {
  test('gives unused time back at once, and nothing is billed until it is resumed', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'));
    expect(book.living).toMatchObject({ status: 'paused', pause: { at: on('2025-01-11'), unusedTime: 'credit', resumesAt: null } });
    expect(linesOf(book.lastInvoice)).toEqual(['Unused time on pro after 11 Jan 2025 -2100']);
    expect(book.customer.balance).toBe(-2100);
    expect(coverage(book)).toEqual(['2025-01-01 2025-01-11']);
    expect(book.events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['customer.subscription.paused', 'customer.subscription.updated']),
    );
    for (const date of ['2025-02-01', '2025-06-01'])
      expect(book.do(on(date), decideRenewal)).toMatchObject({ invoices: [], subscription: null });
  });

  test('resumed now, a new period begins with a new anchor, and the credit pays for it first', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'));
    resume(book, on('2025-03-20'));
    expect(book.living).toMatchObject({ status: 'active', pause: null, billingCycleAnchor: on('2025-03-20'), resumedAt: on('2025-03-20') });
    expect(book.lastInvoice).toMatchObject({ total: 3100, amountDue: 1000, status: 'open', billingReason: 'subscription_update' });
    expect(coverage(book)).toEqual(['2025-01-01 2025-01-11', '2025-03-20 2025-04-20']);
    expect(book.events.map(({ type }) => type)).toContain('customer.subscription.resumed');
    renew(book);
    expect(period(book)).toEqual(['2025-04-20', '2025-05-20']);
  });

  test.each([
    ['create_prorations', [], [1400]],
    ['always_invoice', [1400], []],
    ['none', [], []],
  ] as const)('resumed unchanged across several boundaries, %s', (prorationBehavior, invoiced, pending) => {
    const book = bookOn('2025-01-31');
    pause(book, on('2025-02-14'));
    const before = book.allInvoices.length;
    resume(book, on('2025-04-16'), { billingCycleAnchor: 'unchanged', prorationBehavior });
    expect(period(book)).toEqual(['2025-03-31', '2025-04-30']);
    expect(book.living.billingCycleAnchor).toBe(on('2025-01-31'));
    const exact = invoiced.length + pending.length > 0 ? [Math.round((3100 * 14) / 30)] : [];
    expect(book.allInvoices.slice(before).map(({ total }) => total)).toEqual(invoiced.length > 0 ? exact : []);
    expect([...book.pendingItems.values()].filter(({ invoiceId }) => invoiceId === null).map(({ line }) => line.amount)).toEqual(
      pending.length > 0 ? exact : [],
    );
    expect(coverage(book)).toEqual(['2025-01-31 2025-02-14', '2025-04-16 2025-04-30']);
    renew(book);
    expect(period(book)).toEqual(['2025-04-30', '2025-05-31']);
    expect(coverage(book).at(-1)).toBe('2025-04-16 2025-05-31');
  });

  test('resumed within its period, only the pause is not paid for', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'));
    resume(book, on('2025-01-21'), { billingCycleAnchor: 'unchanged', prorationBehavior: 'always_invoice' });
    expect(book.lastInvoice).toMatchObject({ total: 1100, amountDue: 0, status: 'paid' });
    expect(book.customer.balance).toBe(-1000);
    expect(coverage(book)).toEqual(['2025-01-01 2025-01-11', '2025-01-21 2025-02-01']);
  });

  test('resumed on a boundary, the whole period is billed at once', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'));
    resume(book, on('2025-03-01'), { billingCycleAnchor: 'unchanged' });
    expect(book.lastInvoice).toMatchObject({ total: 3100, amountDue: 1000 });
  });

  test('goes to the open invoice first', () => {
    const book = new MemoryBook();
    book.price('pro', '3100');
    createPaid(book, on('2025-01-01'), ['pro']);
    renew(book);
    book.pay(book.lastInvoice.id, on('2025-02-01'), 'declined');
    const open = book.lastInvoice.id;
    expect(book.living.status).toBe('past_due');
    pause(book, on('2025-02-15'));
    expect(book.invoice(open)).toMatchObject({ status: 'open', amountRemaining: 1550, amountCredited: 1550 });
    expect([book.customer.balance, book.living.status]).toEqual([0, 'paused']);
    resume(book, on('2025-03-01'), { billingCycleAnchor: 'unchanged' });
    expect(book.living.status, 'what is owed is owed on').toBe('past_due');
    payAll(book, on('2025-03-01'));
    expect(book.living.status).toBe('active');
  });

  test('a proration date moves the beginning of what is charged, never before the pause', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'));
    const unchanged = { billingCycleAnchor: 'unchanged', prorationBehavior: 'always_invoice' } as const;
    expect(() => resume(book, on('2025-01-21'), { ...unchanged, prorationDate: on('2025-01-10') })).toThrow(
      refusal('date_out_of_range', 'proration_date'),
    );
    expect(() => resume(book, on('2025-01-21'), { prorationDate: on('2025-01-21') })).toThrow(
      refusal('parameter_invalid', 'proration_date'),
    );
    resume(book, on('2025-01-21'), { ...unchanged, prorationDate: on('2025-01-22') });
    expect(book.lastInvoice.total).toBe(1000);
  });
});

describe('a pause that extends', () => {
  test('bills nothing, and moves the period, its coverage and the anchor by its length', () => {
    const book = bookOn('2025-01-31');
    const invoices = book.allInvoices.length;
    pause(book, on('2025-02-10'), { unusedTime: 'extend' });
    resume(book, on('2025-04-15'));
    const end = on('2025-02-28') + (on('2025-04-15') - on('2025-02-10'));
    expect(book.living).toMatchObject({ status: 'active', currentPeriodEnd: end, billingCycleAnchor: end, pause: null });
    expect(book.allInvoices).toHaveLength(invoices);
    expect(coverage(book)).toEqual(['2025-01-31 2025-02-10', `2025-04-15 ${isoInstant(end).slice(0, 10)}`]);
    renew(book);
    expect(book.lastInvoice).toMatchObject({ total: 3100, billingReason: 'subscription_cycle' });
    expect(book.living.currentPeriodEnd).toBe(boundary(end, MONTH, 'UTC', 1));
    expect(coverage(book)).toHaveLength(2);
  });

  test('across a change of clocks it moves by seconds: what was paid for is what is given back', () => {
    const zone = 'Europe/Berlin';
    const book = new MemoryBook({ account: { billingTimezone: zone, prorationBasis: 'second' } });
    book.price('pro', '3100');
    createPaid(book, on('2026-03-09T23:00:00Z'), ['pro']);
    const { currentPeriodEnd } = book.living;
    expect(isoInstant(currentPeriodEnd)).toBe('2026-04-09T22:00:00Z');
    pause(book, on('2026-03-20T12:00:00Z'), { unusedTime: 'extend' });
    resume(book, on('2026-11-05T12:00:00Z'));
    expect(book.living.currentPeriodEnd - currentPeriodEnd).toBe(on('2026-11-05T12:00:00Z') - on('2026-03-20T12:00:00Z'));
    const covered = book.coverage('si_pro').reduce((sum, { start, end }) => sum + end - start, 0);
    expect(covered).toBe(currentPeriodEnd - on('2026-03-09T23:00:00Z'));
  });

  test('then an upgrade is priced by the length of the period, not of the pause', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'), { unusedTime: 'extend' });
    resume(book, on('2025-01-21'));
    expect(period(book)).toEqual(['2025-01-11', '2025-02-11']);
    changeItem(book, on('2025-01-31'), 'si_pro', { priceId: 'max' }, { prorationBehavior: 'always_invoice' });
    expect(book.lastInvoice.lines.map(({ amount }) => amount)).toEqual([-1100, 2200]);
    expect(() => changeItem(book, on('2025-01-31'), 'si_pro', { priceId: 'pro' }, { prorationDate: on('2025-01-15') })).toThrow(
      refusal('date_out_of_range', 'proration_date'),
    );
  });

  test('twice in one period, each length counts once', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'), { unusedTime: 'extend' });
    resume(book, on('2025-01-21'));
    pause(book, on('2025-02-01'), { unusedTime: 'extend' });
    resume(book, on('2025-03-01'));
    expect(period(book)).toEqual(['2025-02-08', '2025-03-11']);
    expect(coverage(book)).toEqual(['2025-01-01 2025-01-11', '2025-01-21 2025-02-01', '2025-03-01 2025-03-11']);
    pause(book, on('2025-03-06'));
    expect(linesOf(book.lastInvoice)).toEqual(['Unused time on pro after 6 Mar 2025 -500']);
  });

  test('resumed now, the time that was kept is credited instead', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'), { unusedTime: 'extend' });
    resume(book, on('2025-05-01'), { billingCycleAnchor: 'now' });
    expect(book.lastInvoice.lines.map(({ amount }) => amount)).toEqual([-2100, 3100]);
    expect(() => {
      pause(book, on('2025-05-02'), { unusedTime: 'extend' });
      resume(book, on('2025-05-03'), { billingCycleAnchor: 'unchanged' });
    }).toThrow(refusal('parameter_invalid', 'billing_cycle_anchor'));
  });

  test('canceled while paused: kept time is credited on request, and else the seller keeps it', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'), { unusedTime: 'extend' });
    cancel(book, on('2025-04-01'), { prorate: true });
    expect(book.lastInvoice.total).toBe(-2100);
    expect(book.living).toMatchObject({ status: 'canceled', pause: null });
    expect(coverage(book)).toEqual(['2025-01-01 2025-01-11']);
  });

  test('of a second changes nothing', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'), { unusedTime: 'extend' });
    resume(book, on('2025-01-11'));
    expect([period(book), coverage(book), book.allInvoices.length]).toEqual([['2025-01-01', '2025-02-01'], ['2025-01-01 2025-02-01'], 1]);
  });

  test('an unpaid invoice that is voided meanwhile leaves no worth to be given back', () => {
    const book = bookOn('2025-01-01');
    renew(book);
    const { id } = book.lastInvoice;
    pause(book, on('2025-02-10'), { unusedTime: 'extend' });
    book.do(on('2025-02-20'), decideVoid, { invoiceId: id });
    resume(book, on('2025-03-10'));
    cancel(book, on('2025-03-11'), { prorate: true });
    expect(book.customer.balance).toBe(0);
  });
});

describe('plan changes while paused', () => {
  test('bill nothing; the new plan is billed when it is resumed', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'));
    const before = book.allInvoices.length;
    changeItem(book, on('2025-01-15'), 'si_pro', { priceId: 'year' }, { prorationBehavior: 'always_invoice' });
    expect([book.allInvoices.length, book.living.cycle.interval, book.living.status]).toEqual([before, 'year', 'paused']);
    resume(book, on('2025-02-01'));
    expect(book.lastInvoice.total).toBe(36_500);
    expect(period(book)).toEqual(['2025-02-01', '2026-02-01']);
  });

  test('where time is kept, its value goes to the new plan on resuming', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'), { unusedTime: 'extend' });
    expect(() => changeItem(book, on('2025-01-15'), 'si_pro', { priceId: 'year' })).toThrow(refusal('interval_mismatch', 'items'));
    changeItem(book, on('2025-01-15'), 'si_pro', { priceId: 'max' });
    expect(() => changePlan(book, on('2025-01-15'), { billingCycleAnchor: 'now' })).toThrow(
      refusal('parameter_invalid', 'billing_cycle_anchor'),
    );
    resume(book, on('2025-03-01'), { prorationBehavior: 'always_invoice' });
    expect(book.lastInvoice.lines.map(({ amount }) => amount)).toEqual([-2100, 4200]);
    expect(coverage(book)).toEqual(['2025-01-01 2025-01-11', '2025-03-01 2025-03-22']);
  });
});

describe('dates', () => {
  test('a pause begins at the period end, wherever that goes, in place of the renewal, and ends by itself', () => {
    const book = bookOn('2025-01-31');
    pause(book, on('2025-02-10'), { at: 'period_end', resumesAt: on('2025-05-10') });
    expect(book.living.status).toBe('active');
    expect(book.do(on('2025-02-28'), decideRenewal).invoices).toEqual([]);
    expect(book.do(on('2025-02-27'), decideScheduledPause).subscription).toBeNull();
    book.do(on('2025-02-28'), decideScheduledPause);
    expect(book.living).toMatchObject({ status: 'paused', pause: { at: on('2025-02-28'), resumesAt: on('2025-05-10') } });
    expect(book.allInvoices).toHaveLength(1);
    expect(book.do(on('2025-05-09'), decideScheduledResumption).subscription).toBeNull();
    book.do(on('2025-05-10'), decideScheduledResumption);
    expect(period(book)).toEqual(['2025-05-10', '2025-06-10']);
    expect(book.do(on('2025-05-10'), decideScheduledResumption).subscription, 'twice').toBeNull();
  });

  test('one that has not begun is taken back by resuming, and replaced by another', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-02'), { at: on('2025-01-20') });
    pause(book, on('2025-01-02'), { at: on('2025-01-25'), unusedTime: 'extend' });
    expect(book.living.pause).toMatchObject({ at: on('2025-01-25'), unusedTime: 'extend' });
    expect(book.do(on('2025-01-20'), decideScheduledPause).subscription).toBeNull();
    resume(book, on('2025-01-21'));
    expect(book.living).toMatchObject({ status: 'active', pause: null, resumedAt: null });
    expect(() => resume(book, on('2025-01-22'))).toThrow(refusal('transition_not_allowed'));
  });

  test('the end of a pause can be moved, nothing else of it', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'), { resumesAt: on('2025-02-01') });
    pause(book, on('2025-01-12'), { resumesAt: on('2025-06-01') });
    expect(book.living.pause).toMatchObject({ at: on('2025-01-11'), resumesAt: on('2025-06-01') });
    expect(() => pause(book, on('2025-01-12'), { unusedTime: 'extend' })).toThrow(refusal('transition_not_allowed'));
    expect(() => pause(book, on('2025-01-12'), { resumesAt: on('2025-01-12') })).toThrow(refusal('date_out_of_range', 'resumes_at'));
  });

  test('what is past or after the end of the subscription is refused', () => {
    const book = bookOn('2025-01-01');
    expect(() => pause(book, on('2025-01-11'), { at: on('2025-01-10') })).toThrow(refusal('date_out_of_range', 'effective_at'));
    schedule(book, on('2025-01-11'), 'period_end');
    expect(() => pause(book, on('2025-01-11'), { at: 'period_end' })).toThrow(refusal('date_out_of_range', 'effective_at'));
    cancel(book, on('2025-01-12'));
    expect(() => pause(book, on('2025-01-13'))).toThrow(refusal('subscription_canceled'));
    expect(() => resume(book, on('2025-01-13'))).toThrow(refusal('subscription_canceled'));
  });

  test('a scheduled end: a date counts during the pause, an end of the period moves with it', () => {
    const dated = bookOn('2025-01-01');
    schedule(dated, on('2025-01-02'), on('2025-01-20'));
    pause(dated, on('2025-01-11'));
    expect(dated.customer.balance, 'the days after the end were never billed back').toBe(-2100);
    dated.do(on('2025-01-20'), decideRenewal);
    expect(dated.living).toMatchObject({ status: 'canceled', endedAt: on('2025-01-20'), pause: null });

    const moved = bookOn('2025-01-01');
    schedule(moved, on('2025-01-02'), 'period_end');
    pause(moved, on('2025-01-11'), { unusedTime: 'extend' });
    expect(moved.do(on('2025-02-01'), decideRenewal).subscription).toBeNull();
    resume(moved, on('2025-03-11'));
    expect(moved.living).toMatchObject({ cancelAt: moved.living.currentPeriodEnd, cancelAtPeriodEnd: true });
    renew(moved);
    expect(moved.living).toMatchObject({ status: 'canceled', endedAt: on('2025-02-01') + 59 * DAY });
  });

  test('an end of a period that has passed during the pause is refused', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'));
    expect(() => schedule(book, on('2025-02-02'), 'period_end')).toThrow(refusal('date_out_of_range', 'cancel_at_period_end'));
    schedule(book, on('2025-02-02'), on('2025-03-01'));
    book.do(on('2025-03-01'), decideRenewal);
    expect(book.living.status).toBe('canceled');
  });
});

test('dunning goes on during a pause, and its last word counts', () => {
  const book = bookOn('2025-01-01', { account: { dunningPolicy: { retryDelays: [DAY], hardDeclines: [], terminalAction: 'unpaid' } } });
  renew(book);
  const { id } = book.lastInvoice;
  book.pay(id, on('2025-02-01'), 'declined');
  pause(book, on('2025-02-02'), { unusedTime: 'extend' });
  book.pay(id, on('2025-02-03'), 'declined');
  book.do(on('2025-02-03'), decideDunningEnd, { invoiceId: id });
  expect(book.living.status).toBe('paused');
  resume(book, on('2025-02-10'));
  expect(book.living.status).toBe('unpaid');
  payAll(book, on('2025-02-11'));
  expect(book.living.status).toBe('active');
});

test('an incomplete subscription cannot be paused', () => {
  const book = new MemoryBook();
  book.price('pro', '3100');
  book.paymentMethods = [];
  createPaid(book, on('2025-01-01'), ['pro']);
  expect(() => pause(book, on('2025-01-01'))).toThrow(refusal('subscription_incomplete'));
});

describe('on trial', () => {
  const onTrial = (): MemoryBook => {
    const book = new MemoryBook();
    book.price('pro', '3100');
    create(book, on('2025-01-01'), ['pro'], { trial: { days: 14 } });
    return book;
  };

  test.each(['credit', 'extend'] as const)('the rest of the trial is kept, whatever becomes of paid time (%s)', (unusedTime) => {
    const book = onTrial();
    expect(book.living.status).toBe('trialing');
    pause(book, on('2025-01-05'), { unusedTime });
    expect(book.do(on('2025-01-15'), decideRenewal).subscription).toBeNull();
    resume(book, on('2025-03-05'));
    expect(book.living).toMatchObject({
      status: 'trialing',
      trialEnd: on('2025-03-15'),
      trialReminderAt: on('2025-03-12'),
      currentPeriodEnd: on('2025-03-15'),
      billingCycleAnchor: on('2025-03-15'),
    });
    renew(book);
    expect(book.living).toMatchObject({ status: 'active', currentPeriodEnd: on('2025-04-15') });
    expect(book.lastInvoice.total).toBe(3100);
    expect(coverage(book)).toEqual(['2025-03-15 2025-04-15']);
  });

  test('an anchor beyond the trial stays where it is', () => {
    const book = new MemoryBook();
    book.price('pro', '3100');
    create(book, on('2025-01-01'), ['pro'], {
      trial: { days: 14 },
      billingCycleAnchorConfig: { dayOfMonth: 1, month: null, hour: null, minute: null, second: null },
    });
    pause(book, on('2025-01-05'));
    resume(book, on('2025-03-05'));
    renew(book);
    expect(book.living).toMatchObject({ currentPeriodStart: on('2025-03-15'), currentPeriodEnd: on('2025-04-01') });
    expect(book.lastInvoice.total).toBe(1700);
  });

  test('resumed now, the trial is over and the first paid period begins', () => {
    const book = onTrial();
    pause(book, on('2025-01-05'));
    resume(book, on('2025-02-05'), { billingCycleAnchor: 'now' });
    expect(book.living).toMatchObject({ status: 'active', trialEnd: on('2025-01-05'), currentPeriodEnd: on('2025-03-05') });
    expect(book.lastInvoice.total).toBe(3100);
  });

  test('paused because it ended without a payment method, resuming starts a paid period', () => {
    for (const [billingCycleAnchor, total, end] of [
      [null, 3100, '2025-03-20'],
      ['unchanged', 2546, '2025-03-15'],
    ] as const) {
      const book = new MemoryBook();
      book.price('pro', '3100');
      book.paymentMethods = [];
      create(book, on('2025-01-01'), ['pro'], { trial: { days: 14 }, trialMissingPaymentMethod: 'pause' });
      renew(book);
      expect(book.living).toMatchObject({ status: 'paused', pause: null });
      changeItem(book, on('2025-02-01'), 'si_pro', { quantity: '1' });
      resume(book, on('2025-02-20'), { billingCycleAnchor, prorationBehavior: 'always_invoice' });
      expect(book.living).toMatchObject({ status: 'active', trialEnd: on('2025-01-15'), currentPeriodEnd: on(end) });
      expect(book.lastInvoice).toMatchObject({ total, status: 'open' });
    }
  });

  test('canceled and reactivated before the trial would have ended, it goes on', () => {
    const book = onTrial();
    cancel(book, on('2025-01-05'));
    reactivate(book, on('2025-01-07'));
    expect(book.living).toMatchObject({ status: 'trialing', currentPeriodEnd: on('2025-01-15') });
    cancel(book, on('2025-01-08'));
    reactivate(book, on('2025-01-20'));
    expect(book.living).toMatchObject({ status: 'active', currentPeriodEnd: on('2025-02-15') });
    expect(book.lastInvoice.total).toBe(2600);
  });
});
