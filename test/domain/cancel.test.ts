import { describe, expect, test } from 'vitest';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, create, createPaid, linesOf, renew, schedule } from '../support/subscribe.ts';

const JAN_1 = on('2025-01-01');
const JAN_16 = on('2025-01-16');

function bookWith(parts: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook(parts);
  book.price('pro', '3100');
  book.price('max', '6200');
  return book;
}

test('now, without credit: ended, nothing given back, pending items taken away', () => {
  const book = bookWith();
  createPaid(book, JAN_1, ['pro']);
  changeItem(book, on('2025-01-10'), 'si_pro', { priceId: 'max' });
  const decision = cancel(book, JAN_16);
  expect(book.living).toMatchObject({
    status: 'canceled',
    endedAt: JAN_16,
    canceledAt: JAN_16,
    cancelAt: null,
    cancellationDetails: { reason: 'cancellation_requested' },
  });
  expect([book.allInvoices.length, book.pendingItems.size, book.customer.balance]).toEqual([1, 0, 0]);
  expect(decision.events.map((event) => event.type)).toEqual([
    'invoiceitem.deleted',
    'invoiceitem.deleted',
    'customer.subscription.deleted',
  ]);
  expect(book.coverage('si_pro')).toEqual([{ start: JAN_1, end: JAN_16 }]);
});

test('prorated: the unused part of what was billed goes to the balance', () => {
  const book = bookWith();
  createPaid(book, JAN_1, ['pro']);
  cancel(book, JAN_16, { prorate: true, invoiceNow: true });
  expect(linesOf(book.lastInvoice)).toEqual(['Unused time on pro after 16 Jan 2025 -1600']);
  expect(book.lastInvoice).toMatchObject({ billingReason: 'subscription_update', status: 'paid' });
  expect(book.customer.balance).toBe(-1600);
});

test('prorate alone still settles, pending items included: credit for what was never invoiced is not given', () => {
  const book = bookWith();
  createPaid(book, JAN_1, ['pro']);
  changeItem(book, on('2025-01-11'), 'si_pro', { priceId: 'max' });
  cancel(book, JAN_16, { prorate: true });
  // 10 days of pro and 5 of max were used: 1000 + 1000 of the 3100 that were paid.
  expect(linesOf(book.lastInvoice)).toEqual([
    'Unused time on pro after 11 Jan 2025 -2100',
    'Remaining time on max after 11 Jan 2025 4200',
    'Unused time on max after 16 Jan 2025 -3200',
  ]);
  expect(book.customer.balance).toBe(-1100);
});

test('invoiceNow without credit bills what is pending', () => {
  const book = bookWith();
  createPaid(book, JAN_1, ['pro']);
  changeItem(book, on('2025-01-11'), 'si_pro', { priceId: 'max' });
  cancel(book, JAN_16, { invoiceNow: true });
  expect(book.lastInvoice).toMatchObject({ total: 2100, status: 'open', autoAdvance: true });
});

test('an unpaid invoice stays owed less the credit, and is no longer collected by itself', () => {
  const book = bookWith();
  createPaid(book, JAN_1, ['pro']);
  renew(book);
  const unpaid = book.lastInvoice.id;
  cancel(book, on('2025-02-15'), { prorate: true });
  expect(book.invoice(unpaid)).toMatchObject({ status: 'open', autoAdvance: false, amountCredited: 1550, amountRemaining: 1550 });
  expect(book.customer.balance).toBe(0);
});

test('an incomplete subscription is canceled by voiding its first invoice', () => {
  const book = bookWith();
  create(book, JAN_1, ['pro']);
  cancel(book, JAN_1 + 60, { prorate: true, invoiceNow: true });
  expect(book.living).toMatchObject({ status: 'canceled', endedAt: JAN_1 + 60, incompleteExpiresAt: null });
  expect([book.lastInvoice.status, book.allInvoices.length, book.customer.balance, book.coverage('si_pro')]).toEqual(['void', 1, 0, []]);
});

test('twice is refused', () => {
  const book = bookWith();
  createPaid(book, JAN_1, ['pro']);
  cancel(book, JAN_16);
  expect(() => cancel(book, JAN_16)).toThrow(expect.objectContaining({ code: 'subscription_canceled' }));
  expect(() => schedule(book, JAN_16, 'never')).toThrow(expect.objectContaining({ code: 'subscription_canceled' }));
});

describe('a scheduled end', () => {
  test('is kept on the subscription, moved and taken back', () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['pro']);
    schedule(book, JAN_16, 'period_end');
    expect(book.living).toMatchObject({ cancelAtPeriodEnd: true, cancelAt: on('2025-02-01'), canceledAt: JAN_16 });
    expect(schedule(book, JAN_16 + 60, 'period_end').events).toEqual([]);
    schedule(book, JAN_16 + 90, on('2025-05-01'));
    expect(book.living).toMatchObject({ cancelAtPeriodEnd: false, cancelAt: on('2025-05-01'), canceledAt: JAN_16 + 90 });
    const undone = schedule(book, JAN_16 + 120, 'never');
    expect(book.living).toMatchObject({ cancelAtPeriodEnd: false, cancelAt: null, canceledAt: null });
    expect(undone.events.map((event) => event.type)).toEqual(['customer.subscription.updated']);
  });

  test('must lie in the future', () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['pro']);
    expect(() => schedule(book, JAN_16, JAN_16)).toThrow(expect.objectContaining({ code: 'date_out_of_range', param: 'cancel_at' }));
  });
});
