import { expect, test } from 'vitest';
import { decideDunningEnd } from '../../domain/dunning/end-dunning.ts';
import { isoInstant } from '../../domain/time.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, create, createPaid, linesOf, pause, payAll, reactivate, renew, schedule } from '../support/subscribe.ts';

function bookOn(date: string, patch: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook(patch);
  book.price('pro', '3100');
  createPaid(book, on(date), ['pro']);
  return book;
}
const coverage = (book: MemoryBook) =>
  book.coverage('si_pro').map(({ start, end }) => `${isoInstant(start).slice(0, 10)} ${isoInstant(end).slice(0, 10)}`);

test('canceled without credit inside a paid period, it lives again and nothing is billed before the boundary', () => {
  const book = bookOn('2025-01-31');
  cancel(book, on('2025-02-10'));
  expect(coverage(book)).toEqual(['2025-01-31 2025-02-10']);
  reactivate(book, on('2025-02-20'));
  expect(book.living).toMatchObject({
    status: 'active',
    endedAt: null,
    canceledAt: null,
    cancelAt: null,
    billingCycleAnchor: on('2025-01-31'),
    forfeited: [],
  });
  expect(book.living.cancellationDetails.reason).toBeNull();
  expect(book.allInvoices).toHaveLength(1);
  expect(coverage(book)).toEqual(['2025-01-31 2025-02-28']);
  renew(book);
  expect(book.living).toMatchObject({ currentPeriodStart: on('2025-02-28'), currentPeriodEnd: on('2025-03-31') });
  expect(book.lastInvoice.total).toBe(3100);
});

test('canceled with credit, the rest of the period is billed again', () => {
  const book = bookOn('2025-01-01');
  cancel(book, on('2025-01-11'), { prorate: true });
  reactivate(book, on('2025-01-21'));
  expect(linesOf(book.lastInvoice)).toEqual(['Remaining time on pro after 21 Jan 2025 1100']);
  expect(book.lastInvoice).toMatchObject({ status: 'paid', amountDue: 0 });
  expect(book.customer.balance).toBe(-1000);
  expect(coverage(book)).toEqual(['2025-01-01 2025-01-11', '2025-01-21 2025-02-01']);
});

test('months later the anchor still holds, and only what is left of that period is billed', () => {
  const book = bookOn('2024-01-31');
  schedule(book, on('2024-02-01'), 'period_end');
  renew(book);
  expect(book.living).toMatchObject({ status: 'canceled', endedAt: on('2024-02-29') });
  reactivate(book, on('2024-06-15'));
  expect(book.living).toMatchObject({
    currentPeriodStart: on('2024-05-31'),
    currentPeriodEnd: on('2024-06-30'),
    billingCycleAnchor: on('2024-01-31'),
  });
  expect(book.lastInvoice).toMatchObject({ total: Math.round((3100 * 15) / 30), status: 'open' });
  payAll(book, on('2024-06-15'));
  expect(() => changeItem(book, on('2024-06-16'), 'si_pro', { quantity: '2' }, { prorationDate: on('2024-06-02') })).toThrow(
    expect.objectContaining({ code: 'date_out_of_range' }),
  );
  renew(book);
  expect(book.living.currentPeriodEnd).toBe(on('2024-07-31'));
});

test('what is still owed makes it past due, and its time is not billed again', () => {
  const book = bookOn('2025-01-01');
  renew(book);
  const { id } = book.lastInvoice;
  book.pay(id, on('2025-02-01'), 'declined');
  book.do(on('2025-02-10'), decideDunningEnd, { invoiceId: id });
  expect(book.living.status).toBe('canceled');
  reactivate(book, on('2025-02-12'));
  expect(book.living.status).toBe('past_due');
  expect(book.allInvoices).toHaveLength(2);
  expect(coverage(book)).toEqual(['2025-01-01 2025-03-01']);
  payAll(book, on('2025-02-13'));
  expect(book.living.status).toBe('active');
});

test('canceled during a pause that keeps time, it finds that time paid for', () => {
  const book = bookOn('2025-01-01');
  pause(book, on('2025-01-11'), { unusedTime: 'extend' });
  cancel(book, on('2025-01-13'));
  reactivate(book, on('2025-01-15'));
  expect(book.living).toMatchObject({ status: 'active', pause: null });
  expect(book.allInvoices).toHaveLength(1);
  expect(coverage(book)).toEqual(['2025-01-01 2025-02-01']);
});

test('it can be done again and again', () => {
  const book = bookOn('2025-01-01');
  for (const day of ['03', '06', '09']) {
    cancel(book, on(`2025-01-${day}`));
    reactivate(book, on(`2025-01-${day}`) + 3600);
  }
  expect([book.allInvoices.length, coverage(book)]).toEqual([1, ['2025-01-01 2025-02-01']]);
});

test('only what is canceled can be reactivated', () => {
  const book = bookOn('2025-01-01');
  expect(() => reactivate(book, on('2025-01-02'))).toThrow(expect.objectContaining({ code: 'transition_not_allowed' }));
  cancel(book, on('2025-01-02'));
  book.customer = { ...book.customer, deleted: true };
  expect(() => reactivate(book, on('2025-01-03'))).toThrow(expect.objectContaining({ code: 'customer_deleted' }));
  const never = new MemoryBook();
  never.price('pro', '3100');
  create(never, on('2025-01-01'), ['pro']);
  cancel(never, on('2025-01-01'));
  reactivate(never, on('2025-01-16'));
  expect(never.lastInvoice).toMatchObject({ total: 1600, status: 'open' });
});
