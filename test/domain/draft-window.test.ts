import { describe, expect, test } from 'vitest';
import { decideFinalization, type Finalization } from '../../domain/invoicing/finalize-invoice.ts';
import { decideAutoAdvance } from '../../domain/invoicing/set-auto-advance.ts';
import { decideScheduledApplication } from '../../domain/subscription/apply-scheduled-change.ts';
import { decideScheduledPause } from '../../domain/subscription/pause.ts';
import { decideScheduledResumption } from '../../domain/subscription/resume.ts';
import type { Instant } from '../../domain/time.ts';
import { anAccount, MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, changePlan, createPaid, linesOf, pause, payAll, renew, resume as resumeNow } from '../support/subscribe.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

/** A subscription whose second period has begun, and the draft of its renewal. */
function renewed(at = '2025-01-31', patch: Parameters<typeof anAccount>[0] = {}): MemoryBook {
  const book = new MemoryBook({ account: anAccount({ invoiceGraceSeconds: HOUR, ...patch }) });
  book.price('pro', '3100');
  book.price('max', '6200');
  createPaid(book, on(at), ['pro']);
  renew(book);
  return book;
}

const finalize = (book: MemoryBook, at: Instant, id: string, command: Finalization = {}) =>
  book.do(at, (snapshot, context) => decideFinalization(snapshot, command, context), { invoiceId: id });
const advance = (book: MemoryBook, at: Instant, id: string, autoAdvance: boolean) =>
  book.do(at, (snapshot, context) => decideAutoAdvance(snapshot, { autoAdvance }, context), { invoiceId: id });

describe('the grace period of a renewal', () => {
  test.each([
    ['2025-01-31', '2025-02-28'],
    ['2024-01-31', '2024-02-29'],
    ['2024-01-30', '2024-02-29'],
    ['2025-03-30', '2025-04-30'],
  ])('from %s: a draft at %s, not booked, that finalises itself an hour later', (start, boundary) => {
    const book = renewed(start);
    const draft = book.lastInvoice;
    expect(draft).toMatchObject({
      status: 'draft',
      autoAdvance: true,
      createdAt: on(boundary),
      automaticallyFinalizesAt: on(boundary) + HOUR,
      number: null,
      finalizedAt: null,
      amountDue: 3100,
    });
    expect(book.living).toMatchObject({ currentPeriodStart: on(boundary), status: 'active', latestInvoiceId: draft.id });
    expect(book.ledger('receivable')).toBe(0);
    finalize(book, on(boundary) + HOUR, draft.id, { automatic: true });
    expect(book.lastInvoice).toMatchObject({
      status: 'open',
      automaticallyFinalizesAt: null,
      finalizedAt: on(boundary) + HOUR,
      amountDue: 3100,
    });
    expect(book.ledger('receivable')).toBe(3100);
  });

  test('the end of a trial has it too', () => {
    const book = new MemoryBook({ account: anAccount({ invoiceGraceSeconds: HOUR }) });
    book.price('pro', '3100');
    createPaid(book, on('2025-01-31'), ['pro'], { trial: { days: 10 } });
    renew(book);
    expect(book.living.status).toBe('active');
    expect(book.lastInvoice).toMatchObject({ status: 'draft', automaticallyFinalizesAt: on('2025-02-10') + HOUR, amountDue: 3100 });
    changePlan(book, on('2025-02-11'), { trialEnd: on('2025-02-20') });
    changePlan(book, on('2025-02-12'), { trialEnd: 'now' });
    expect(book.lastInvoice).toMatchObject({ status: 'open', automaticallyFinalizesAt: null });
  });

  test.each([
    ['now', '2025-03-20'],
    ['unchanged', '2025-03-31'],
  ] as const)('a pause that ends by itself has it, one that somebody ends has not (anchor %s)', (billingCycleAnchor, date) => {
    const resume = { billingCycleAnchor, prorationBehavior: 'always_invoice' } as const;
    const book = renewed('2025-01-31');
    pause(book, on('2025-03-10'), { resumesAt: on(date), resume });
    expect(book.lastInvoice).toMatchObject({ automaticallyFinalizesAt: null });
    book.do(on(date), decideScheduledResumption);
    expect(book.lastInvoice).toMatchObject({
      status: 'draft',
      automaticallyFinalizesAt: on(date) + HOUR,
      billingReason: 'subscription_update',
    });
    pause(book, on(date) + DAY);
    resumeNow(book, on(date) + 2 * DAY);
    expect(book.lastInvoice).toMatchObject({ status: 'open', automaticallyFinalizesAt: null });
  });

  test.each([
    ['2025-01-31', '2025-03-10'],
    ['2024-01-31', '2024-02-29'],
    ['2025-02-28', '2025-03-30'],
  ])('a pause that begins by itself has it, one that somebody begins has not (from %s, on %s)', (start, date) => {
    const paused = (at: 'now' | Instant): MemoryBook => {
      const book = new MemoryBook({ account: anAccount({ invoiceGraceSeconds: HOUR }) });
      book.price('pro', '3100');
      createPaid(book, on(start), ['pro']);
      while (book.living.currentPeriodEnd <= on(date)) {
        renew(book);
        finalize(book, book.lastInvoice.createdAt + HOUR, book.lastInvoice.id, { automatic: true });
        payAll(book, book.lastInvoice.createdAt + HOUR);
      }
      pause(book, at === 'now' ? on(date) : at - DAY, { at });
      if (at !== 'now') book.do(at, decideScheduledPause);
      return book;
    };
    const atOnce = paused('now').lastInvoice;
    expect(atOnce).toMatchObject({ status: 'paid', automaticallyFinalizesAt: null });
    const book = paused(on(date));
    const draft = book.lastInvoice;
    expect(draft).toMatchObject({ status: 'draft', automaticallyFinalizesAt: on(date) + HOUR, total: atOnce.total });
    expect(book.living.status).toBe('paused');
    expect(book.customer.balance).toBe(0);
    finalize(book, on(date) + HOUR, draft.id, { automatic: true });
    expect(book.customer.balance).toBe(atOnce.total);
    expect(book.ledger('receivable')).toBe(0);
  });

  test('what a pause gives back is given back at once where the subscription ends within the hour', () => {
    const book = renewed('2025-01-31');
    finalize(book, on('2025-02-28') + HOUR, book.lastInvoice.id, { automatic: true });
    pause(book, on('2025-03-01'), { at: on('2025-03-10') });
    book.do(on('2025-03-10'), decideScheduledPause);
    const draft = book.lastInvoice;
    expect(draft.total).toBeLessThan(0);
    cancel(book, on('2025-03-10') + 600);
    expect(book.invoice(draft.id)).toMatchObject({ status: 'paid', total: draft.total, finalizedAt: on('2025-03-10') + 600 });
    expect(book.allInvoices[1]).toMatchObject({
      status: 'open',
      amountCredited: -draft.total,
      autoAdvance: false,
      nextPaymentAttempt: null,
    });
    expect(book.customer.balance).toBe(0);
  });

  test('a scheduled change has it, unless it says how its payment is to be waited for', () => {
    for (const [paymentBehavior, status] of [
      ['allow_incomplete', 'draft'],
      ['default_incomplete', 'open'],
      ['pending_if_incomplete', 'open'],
    ] as const) {
      const book = renewed('2025-01-31');
      const effectiveAt = on('2025-03-14');
      changeItem(
        book,
        on('2025-03-01'),
        'si_pro',
        { priceId: 'max' },
        { effectiveAt, prorationBehavior: 'always_invoice', paymentBehavior },
      );
      const [scheduled] = book.living.scheduledChanges;
      book.do(effectiveAt, (snapshot, context) => decideScheduledApplication(snapshot, { changeId: scheduled?.id ?? '' }, context));
      expect(book.lastInvoice).toMatchObject({ status, billingReason: 'subscription_update' });
      expect(book.lastInvoice.automaticallyFinalizesAt).toBe(status === 'draft' ? effectiveAt + HOUR : null);
    }
  });

  test('an hour is an hour where the clocks change', () => {
    const book = new MemoryBook({ account: anAccount({ invoiceGraceSeconds: HOUR }) });
    book.price('pro', '3100');
    createPaid(book, on('2025-02-28T00:30:00Z'), ['pro'], { billingTimezone: 'Europe/Berlin' });
    renew(book);
    renew(book);
    expect(book.lastInvoice.automaticallyFinalizesAt).toBe(book.lastInvoice.createdAt + HOUR);
  });

  test('first invoices and those of an immediate proration are final at once', () => {
    const book = renewed();
    expect(book.allInvoices[0]).toMatchObject({ status: 'paid', automaticallyFinalizesAt: null });
    changeItem(book, on('2025-03-14'), 'si_pro', { priceId: 'max' }, { prorationBehavior: 'always_invoice' });
    expect(book.lastInvoice).toMatchObject({ status: 'open', billingReason: 'subscription_update', automaticallyFinalizesAt: null });
  });

  test("is the account's, and none where it is 0", () => {
    expect(renewed('2025-01-31', { invoiceGraceSeconds: 0 }).lastInvoice).toMatchObject({ status: 'open', automaticallyFinalizesAt: null });
    expect(renewed('2025-01-31', { invoiceGraceSeconds: 259_200 }).lastInvoice.automaticallyFinalizesAt).toBe(on('2025-03-03'));
  });

  test('never before its time, and never where it is to wait', () => {
    const book = renewed();
    const { id } = book.lastInvoice;
    expect(() => finalize(book, on('2025-02-28') + HOUR - 1, id, { automatic: true })).toThrow('waits for somebody');
    advance(book, on('2025-02-28') + 60, id, false);
    expect(() => finalize(book, on('2025-03-05'), id, { automatic: true })).toThrow('waits for somebody');
    finalize(book, on('2025-03-05'), id, { autoAdvance: true });
    expect(book.lastInvoice).toMatchObject({ status: 'open', autoAdvance: true });
  });

  test("taxes are those of the customer as he is then, and the customer's balance is taken then", () => {
    const book = new MemoryBook({ account: anAccount({ invoiceGraceSeconds: HOUR }) });
    book.price('pro', '3100');
    createPaid(book, on('2025-01-01'), ['pro'], { defaultTaxRateIds: [book.taxRate('vat', '19')] });
    renew(book);
    expect(book.lastInvoice).toMatchObject({ status: 'draft', tax: 589, total: 3689 });
    book.customer = { ...book.customer, taxExempt: 'reverse', balance: -1000 };
    finalize(book, on('2025-02-01') + HOUR, book.lastInvoice.id, { automatic: true });
    expect(book.lastInvoice).toMatchObject({ tax: 0, total: 3100, amountDue: 2100, startingBalance: -1000, endingBalance: 0 });
    expect(book.lastInvoice.lines[0]?.taxes).toMatchObject([{ taxRateId: 'vat', amount: 0 }]);
  });
});

describe('auto_advance', () => {
  test('off and on again within the hour leaves the hour as it was', () => {
    const book = renewed();
    const { id } = book.lastInvoice;
    const off = advance(book, on('2025-02-28') + 60, id, false);
    expect(book.lastInvoice).toMatchObject({ autoAdvance: false, automaticallyFinalizesAt: null });
    expect(off.events).toMatchObject([
      { type: 'invoice.updated', previous: { autoAdvance: true, automaticallyFinalizesAt: on('2025-02-28') + HOUR } },
    ]);
    advance(book, on('2025-02-28') + 120, id, true);
    expect(book.lastInvoice.automaticallyFinalizesAt).toBe(on('2025-02-28') + HOUR);
    expect(advance(book, on('2025-02-28') + 180, id, true)).toMatchObject({ invoices: [], events: [] });
  });

  test('on after the hour: at once', () => {
    const book = renewed();
    const { id } = book.lastInvoice;
    advance(book, on('2025-02-28') + 60, id, false);
    advance(book, on('2025-03-14'), id, true);
    expect(book.lastInvoice.automaticallyFinalizesAt).toBe(on('2025-03-14'));
  });

  test('cannot be changed once the hour is over, nor on what is final', () => {
    const book = renewed();
    const { id } = book.lastInvoice;
    expect(() => advance(book, on('2025-02-28') + HOUR, id, false)).toThrow('being finalized');
    finalize(book, on('2025-02-28') + HOUR, id);
    expect(() => advance(book, on('2025-03-01'), id, false)).toThrow('Only a draft');
  });
});

describe('late changes while the draft is open', () => {
  test('an immediate proration makes an invoice of its own and leaves the draft; its credit goes to the draft, not to the customer', () => {
    const book = renewed('2025-01-01');
    const draft = book.lastInvoice;
    changeItem(book, on('2025-02-01') + 600, 'si_pro', { priceId: 'max' }, { prorationBehavior: 'always_invoice' });
    expect(book.invoice(draft.id)).toMatchObject({ status: 'draft', total: 3100, lines: draft.lines });
    expect(book.lastInvoice.id).not.toBe(draft.id);
    expect(book.lastInvoice.billingReason).toBe('subscription_update');
  });

  test('other prorations wait for the next invoice, not this one', () => {
    const book = renewed('2025-01-01');
    const draft = book.lastInvoice;
    changeItem(book, on('2025-02-01') + 600, 'si_pro', { priceId: 'max' });
    finalize(book, on('2025-02-01') + HOUR, draft.id, { automatic: true });
    expect(linesOf(book.invoice(draft.id))).toEqual(['1 × pro (at EUR 31.00 / month) 3100']);
    book.pay(draft.id, on('2025-02-01') + HOUR);
    renew(book);
    expect(book.lastInvoice.lines).toHaveLength(3);
  });

  test('a cancellation leaves the draft to somebody; the unused time is credited to it and never to the balance', () => {
    const book = renewed('2025-01-01');
    const { id } = book.lastInvoice;
    const decision = cancel(book, on('2025-02-01') + 600, { prorate: true, invoiceNow: true });
    expect(book.living.status).toBe('canceled');
    expect(book.invoice(id)).toMatchObject({ status: 'draft', autoAdvance: false, automaticallyFinalizesAt: null, amountCredited: 3100 });
    expect(book.customer.balance).toBe(0);
    expect(decision.events.map(({ type }) => type)).toContain('invoice.updated');
    expect(() => finalize(book, on('2025-02-02'), id, { automatic: true })).toThrow('waits for somebody');
    finalize(book, on('2025-02-02'), id);
    expect(book.invoice(id)).toMatchObject({ status: 'paid', amountDue: 3100, amountCredited: 3100, amountRemaining: 0 });
    expect(book.ledger('receivable')).toBe(0);
  });
});
