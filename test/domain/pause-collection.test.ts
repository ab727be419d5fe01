import { describe, expect, test } from 'vitest';
import { decideFinalization } from '../../domain/invoicing/finalize-invoice.ts';
import type { ChangePlan } from '../../domain/subscription/commands.ts';
import { decideCollectionResumption } from '../../domain/subscription/pause-collection.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, changePlan, createPaid, renew } from '../support/subscribe.ts';

type Behavior = NonNullable<ChangePlan['pauseCollection']>['behavior'];

function bookHeld(
  behavior: Behavior,
  patch: ConstructorParameters<typeof MemoryBook>[0] = {},
  resumesAt: number | null = null,
): MemoryBook {
  const book = new MemoryBook(patch);
  book.price('pro', '3100');
  book.price('max', '6200');
  createPaid(book, on('2025-01-01'), ['pro']);
  changePlan(book, on('2025-01-15'), { pauseCollection: { behavior, resumesAt } });
  return book;
}
const inBooks = (book: MemoryBook) =>
  (['receivable', 'deferred_revenue', 'bad_debt', 'customer_balance'] as const).map((account) => book.ledger(account));

describe('while collection is paused, the subscription goes on renewing', () => {
  test('keep_as_draft: its invoices wait as drafts, of which nothing is in the books, until somebody finalises them', () => {
    const book = bookHeld('keep_as_draft');
    const before = inBooks(book);
    renew(book);
    renew(book);
    expect(book.living.status).toBe('active');
    expect(book.allInvoices.slice(1).map(({ status, autoAdvance, number }) => [status, autoAdvance, number])).toEqual([
      ['draft', false, null],
      ['draft', false, null],
    ]);
    expect(inBooks(book)).toEqual(before);
    changePlan(book, on('2025-03-02'), { pauseCollection: null });
    expect(book.lastInvoice.status, 'a draft that was kept stays a draft').toBe('draft');
    const { id } = book.lastInvoice;
    book.do(on('2025-03-03'), (snapshot, context) => decideFinalization(snapshot, {}, context), { invoiceId: id });
    expect(book.invoice(id)).toMatchObject({ status: 'open', amountDue: 3100 });
    renew(book);
    expect(book.lastInvoice).toMatchObject({ status: 'open', autoAdvance: true });
    expect(book.coverage('si_pro')).toEqual([{ start: on('2025-01-01'), end: on('2025-05-01') }]);
  });

  test('void: they are voided at once, the books are as before, and their time is worth nothing', () => {
    const book = bookHeld('void');
    const before = inBooks(book);
    renew(book);
    expect(book.lastInvoice).toMatchObject({ status: 'void', total: 3100, number: 'PER-0002' });
    expect(inBooks(book)).toEqual(before);
    expect(book.coverage('si_pro')).toEqual([{ start: on('2025-01-01'), end: on('2025-03-01') }]);
    cancel(book, on('2025-02-10'), { prorate: true });
    expect(book.customer.balance).toBe(0);
  });

  test('mark_uncollectible: they are written off', () => {
    const book = bookHeld('mark_uncollectible');
    const [receivable, revenue = 0] = inBooks(book);
    renew(book);
    expect(book.lastInvoice).toMatchObject({ status: 'uncollectible', amountRemaining: 3100 });
    expect(inBooks(book)).toEqual([receivable, revenue - 3100, 3100, 0]);
    cancel(book, on('2025-02-10'), { prorate: true });
    expect(book.customer.balance).toBe(0);
    book.pay(book.allInvoices[1]?.id ?? '', on('2025-02-11'));
    expect(book.ledger('bad_debt')).toBe(0);
  });

  test('what was pending before is not lost with an invoice that nobody is to pay', () => {
    const book = bookHeld('void');
    changeItem(book, on('2025-01-17'), 'si_pro', { priceId: 'max' });
    const pending = [...book.pendingItems.values()].map(({ line }) => line.amount);
    renew(book);
    expect(book.lastInvoice.lines.map(({ amount }) => amount)).toEqual([6200]);
    changePlan(book, on('2025-02-02'), { pauseCollection: null });
    renew(book);
    expect(book.lastInvoice.lines.map(({ amount }) => amount)).toEqual([...pending, 6200]);
  });

  test('an invoice that the balance pays stands, and one that gives money back too', () => {
    const book = bookHeld('void', { customer: { balance: -10_000 } });
    renew(book);
    expect(book.lastInvoice).toMatchObject({ status: 'paid', amountDue: 0 });
    const given = bookHeld('keep_as_draft');
    cancel(given, on('2025-01-17'), { prorate: true });
    expect(given.lastInvoice).toMatchObject({ status: 'paid', total: -1500 });
  });

  test('nothing can wait for a payment that is not asked for', () => {
    const book = bookHeld('void');
    expect(() =>
      changeItem(
        book,
        on('2025-01-17'),
        'si_pro',
        { priceId: 'max' },
        { prorationBehavior: 'always_invoice', paymentBehavior: 'pending_if_incomplete' },
      ),
    ).toThrow(expect.objectContaining({ code: 'parameter_invalid', param: 'payment_behavior' }));
  });
});

describe('an external tax engine', () => {
  const external = { account: { taxCalculator: 'external' } };

  test('is not asked about what is voided', () => {
    const book = new MemoryBook();
    book.price('pro', '3100');
    createPaid(book, on('2025-01-01'), ['pro']);
    book.account = { ...book.account, ...external.account };
    changePlan(book, on('2025-01-15'), { pauseCollection: { behavior: 'void', resumesAt: null } });
    renew(book);
    expect(book.lastInvoice).toMatchObject({ status: 'void', finalizedAt: null });
    changePlan(book, on('2025-02-15'), { pauseCollection: { behavior: 'mark_uncollectible', resumesAt: null } });
    renew(book);
    const { id } = book.lastInvoice;
    expect(book.lastInvoice).toMatchObject({ status: 'draft', taxStatus: 'pending', autoAdvance: true });
    book.do(on('2025-03-01'), (snapshot, context) => decideFinalization(snapshot, { taxes: [[]], automatic: true }, context), {
      invoiceId: id,
    });
    expect(book.invoice(id)).toMatchObject({ status: 'uncollectible' });
  });
});

test('it ends at its date: from that instant on invoices are collected, and the subscription says so', () => {
  const book = bookHeld('void', {}, on('2025-02-01'));
  expect(book.do(on('2025-01-31'), decideCollectionResumption).subscription).toBeNull();
  renew(book);
  expect(book.lastInvoice.status, 'also where the renewal comes first').toBe('open');
  book.do(on('2025-02-01'), decideCollectionResumption);
  expect(book.living.pauseCollection).toBeNull();
  expect(() => changePlan(book, on('2025-02-02'), { pauseCollection: { behavior: 'void', resumesAt: on('2025-02-01') } })).toThrow(
    expect.objectContaining({ code: 'date_out_of_range', param: 'pause_collection[resumes_at]' }),
  );
});
