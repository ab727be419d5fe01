import { describe, expect, test } from 'vitest';
import { decideRenewal } from '../../domain/subscription/renew.ts';
import { isoInstant, localDate } from '../../domain/time.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { changeItem, createPaid, linesOf, payAll, renew, schedule } from '../support/subscribe.ts';

function bookWith(parts: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook(parts);
  book.price('pro', '3100');
  book.price('max', '6200');
  return book;
}

const EMPTY = { subscription: null, invoices: [], events: [], journal: [] };

test('bills the period that begins at the boundary', () => {
  const book = bookWith();
  createPaid(book, on('2025-01-31'), ['pro']);
  const decision = renew(book);
  expect(book.living).toMatchObject({
    currentPeriodStart: on('2025-02-28'),
    currentPeriodEnd: on('2025-03-31'),
    status: 'active',
    latestInvoiceId: book.lastInvoice.id,
  });
  expect(book.lastInvoice).toMatchObject({
    billingReason: 'subscription_cycle',
    status: 'open',
    total: 3100,
    periodStart: on('2025-01-31'),
    periodEnd: on('2025-02-28'),
    createdAt: on('2025-02-28'),
  });
  expect(book.lastInvoice.lines[0]).toMatchObject({ period: { start: on('2025-02-28'), end: on('2025-03-31') }, proration: false });
  expect(decision.events.map((event) => event.type)).toEqual(['invoice.created', 'invoice.finalized', 'customer.subscription.updated']);
  expect(decision.events.at(-1)?.previous).toMatchObject({ currentPeriodStart: on('2025-01-31'), currentPeriodEnd: on('2025-02-28') });
});

test('is empty before the boundary, so asking twice bills once', () => {
  const book = bookWith();
  createPaid(book, on('2025-01-01'), ['pro']);
  expect(decideRenewal(book.snapshot(), book.context(on('2025-01-31')))).toMatchObject(EMPTY);
  renew(book);
  expect(renew(book, on('2025-02-01'))).toMatchObject(EMPTY);
  expect(book.allInvoices).toHaveLength(2);
});

test('bills one period per decision, however late it is', () => {
  const book = bookWith();
  createPaid(book, on('2025-01-31'), ['pro']);
  const late = on('2025-06-01');
  const starts: string[] = [];
  while (book.living.currentPeriodEnd <= late) {
    renew(book, late);
    starts.push(localDate(book.living.currentPeriodStart, 'UTC'));
  }
  expect(starts).toEqual(['2025-02-28', '2025-03-31', '2025-04-30', '2025-05-31']);
  expect(book.coverage('si_pro')).toEqual([{ start: on('2025-01-31'), end: on('2025-06-30') }]);
});

test("boundaries are local: one o'clock in Berlin before and after the clocks change", () => {
  const book = bookWith();
  createPaid(book, on('2025-02-28T23:30:00Z'), ['pro'], { billingTimezone: 'Europe/Berlin' });
  expect(isoInstant(book.living.currentPeriodEnd)).toBe('2025-03-31T22:30:00Z');
});

describe('an end', () => {
  test("at the period's end: nothing more is billed", () => {
    const book = bookWith();
    createPaid(book, on('2025-01-01'), ['pro']);
    schedule(book, on('2025-01-10'), 'period_end');
    const decision = renew(book);
    expect(book.living).toMatchObject({
      status: 'canceled',
      endedAt: on('2025-02-01'),
      canceledAt: on('2025-01-10'),
      cancellationDetails: { reason: 'cancellation_requested' },
    });
    expect(book.allInvoices).toHaveLength(1);
    expect(decision.events.map((event) => event.type)).toEqual(['customer.subscription.deleted']);
    expect(renew(book, on('2025-03-01'))).toMatchObject(EMPTY);
  });

  test('with pending items: they are billed on a final invoice', () => {
    const book = bookWith();
    createPaid(book, on('2025-01-01'), ['pro']);
    changeItem(book, on('2025-01-16'), 'si_pro', { priceId: 'max' });
    schedule(book, on('2025-01-20'), 'period_end');
    renew(book);
    expect(book.lastInvoice).toMatchObject({ billingReason: 'subscription_cycle', total: 1600, status: 'open' });
    expect(book.living.status).toBe('canceled');
  });

  test('inside the coming period: it is billed until then, and ends then', () => {
    const book = bookWith();
    createPaid(book, on('2025-01-01'), ['pro']);
    schedule(book, on('2025-01-10'), on('2025-02-15'));
    renew(book);
    expect(linesOf(book.lastInvoice)).toEqual(['Remaining time on pro after 1 Feb 2025 1550']);
    renew(book, on('2025-02-15'));
    expect(book.living).toMatchObject({ status: 'canceled', endedAt: on('2025-02-15') });
    expect(book.coverage('si_pro')).toEqual([{ start: on('2025-01-01'), end: on('2025-02-15') }]);
    expect(book.allInvoices).toHaveLength(2);
  });

  test('inside the current period gives back what is billed beyond it, and the end settles that', () => {
    const book = bookWith();
    createPaid(book, on('2025-01-01'), ['pro']);
    schedule(book, on('2025-01-10'), on('2025-01-20'));
    expect([...book.pendingItems.values()].map(({ line }) => line.amount)).toEqual([-1200]);
    renew(book, on('2025-01-20'));
    expect(book.living).toMatchObject({ status: 'canceled', endedAt: on('2025-01-20') });
    expect([book.lastInvoice.total, book.customer.balance]).toEqual([-1200, -1200]);
    expect(book.coverage('si_pro')).toEqual([{ start: on('2025-01-01'), end: on('2025-01-20') }]);
  });

  test('inside the current period, moved about: what is kept in the end is what was used', () => {
    const book = bookWith();
    createPaid(book, on('2025-01-01'), ['pro']);
    schedule(book, on('2025-01-10'), on('2025-01-20'));
    schedule(book, on('2025-01-11'), on('2025-01-15'), { prorationBehavior: 'always_invoice' });
    expect([book.lastInvoice.total, book.customer.balance]).toEqual([-1700, -1700]);
    schedule(book, on('2025-01-12'), 'never');
    expect([...book.pendingItems.values()].filter((item) => item.invoiceId === null).map(({ line }) => line.amount)).toEqual([1700]);
    schedule(book, on('2025-01-13'), 'period_end');
    expect(book.coverage('si_pro')).toEqual([{ start: on('2025-01-01'), end: on('2025-02-01') }]);
  });

  test('inside the current period keeps the bill where prorations are off', () => {
    const book = bookWith();
    createPaid(book, on('2025-01-01'), ['pro']);
    schedule(book, on('2025-01-10'), on('2025-01-20'), { prorationBehavior: 'none' });
    expect(book.pendingItems.size).toBe(0);
    renew(book, on('2025-01-20'));
    expect(book.living).toMatchObject({ status: 'canceled', endedAt: on('2025-01-20') });
    expect([book.allInvoices.length, book.customer.balance]).toEqual([1, 0]);
  });

  test('that is taken back after its part was billed: the rest is charged with the next invoice', () => {
    const book = bookWith();
    createPaid(book, on('2025-01-01'), ['pro']);
    schedule(book, on('2025-01-10'), on('2025-02-15'));
    renew(book);
    schedule(book, on('2025-02-10'), 'never');
    expect(book.living).toMatchObject({
      cancelAt: null,
      cancelAtPeriodEnd: false,
      canceledAt: null,
      cancellationDetails: { reason: null },
    });
    renew(book);
    expect(linesOf(book.lastInvoice)).toEqual(['Remaining time on pro after 15 Feb 2025 1550', '1 × pro (at EUR 31.00 / month) 3100']);
  });
});

test('past due keeps renewing; unpaid leaves drafts that nobody collects', () => {
  const book = bookWith();
  createPaid(book, on('2025-01-01'), ['pro']);
  renew(book);
  book.pay(book.lastInvoice.id, on('2025-02-01'), 'declined');
  renew(book);
  expect([book.living.status, book.lastInvoice.status]).toEqual(['past_due', 'open']);
  book.subscription = { ...book.living, status: 'unpaid' };
  renew(book);
  expect(book.lastInvoice).toMatchObject({ status: 'draft', autoAdvance: false, total: 3100, taxStatus: 'complete', number: null });
  payAll(book, on('2025-04-02'));
  expect(book.living.status).toBe('active');
});

test('incomplete subscriptions do not renew', () => {
  const book = bookWith();
  createPaid(book, on('2025-01-01'), ['pro']);
  book.subscription = { ...book.living, status: 'incomplete' };
  expect(renew(book)).toMatchObject(EMPTY);
});
