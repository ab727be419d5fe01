import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Interval } from '../../domain/catalog/price.ts';
import type { Invoice } from '../../domain/invoicing/invoice.ts';
import { applyDecision, catchUp, foresee } from '../../domain/subscription/foresee.ts';
import { decideScheduledCancellation } from '../../domain/subscription/schedule-cancellation.ts';
import { isoInstant } from '../../domain/time.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { changeItem, create, createPaid, renew, schedule } from '../support/subscribe.ts';

let ids = 0;
const newId = (prefix: string): string => `${prefix}_${++ids}`;
const told = (invoices: Invoice[]) =>
  invoices.map(({ lines, total, amountDue, endingBalance, billingReason }) => ({
    lines: lines.map(({ amount, period, proration }) => [amount, isoInstant(period.start), isoInstant(period.end), proration]),
    ...{ total, amountDue, endingBalance, billingReason },
  }));

/** Lives the real life boundary by boundary. */
function live(book: MemoryBook, periods: number): Invoice[] {
  const known = new Set(book.allInvoices.map(({ id }) => id));
  for (let n = 0; n < periods && book.living.endedAt === null; n += 1) {
    const { currentPeriodEnd, cancelAt } = book.living;
    renew(book, Math.min(currentPeriodEnd, cancelAt ?? currentPeriodEnd));
    for (const { id, status } of book.allInvoices) if (status === 'open') book.pay(id, book.living.currentPeriodStart);
  }
  return book.allInvoices.filter(({ id }) => !known.has(id));
}

describe('what is foreseen is what comes', () => {
  const lives: [string, (book: MemoryBook) => void][] = [
    ['from a 31st, over three years', (book) => void createPaid(book, on('2024-01-31'), ['pro × 3'])],
    ['from a Feb 29, yearly', (book) => void createPaid(book, on('2024-02-29'), ['year'])],
    [
      'over changes of the clocks',
      (book) => {
        book.account = { ...book.account, billingTimezone: 'Europe/Berlin' };
        createPaid(book, on('2025-01-31T23:30:00Z'), ['pro']);
      },
    ],
    [
      'with what waits for the next invoice, and a credit that lasts for several',
      (book) => {
        createPaid(book, on('2025-01-31'), ['pro × 9']);
        changeItem(book, on('2025-02-02'), 'si_pro', { quantity: '1' });
        book.customer = { ...book.customer, balance: -1000 };
      },
    ],
    [
      'to an end within a later period, which is billed only until then',
      (book) => {
        createPaid(book, on('2025-01-31'), ['pro']);
        schedule(book, on('2025-02-01'), on('2025-06-10'));
      },
    ],
    ['out of a trial', (book) => void create(book, on('2025-01-17'), ['pro'], { trial: { days: 14 } })],
    [
      'to an end that settles the difference',
      (book) => {
        createPaid(book, on('2025-01-31'), ['pro × 4']);
        changeItem(book, on('2025-02-02'), 'si_pro', { quantity: '6' });
        schedule(book, on('2025-02-03'), 'period_end');
      },
    ],
  ];
  test.each(lives)('%s', (_, begin) => {
    const book = new MemoryBook({ account: { defaultTaxRateIds: ['vat'] } });
    book.taxRate('vat', '19');
    book.price('pro', '2000.5');
    book.price('year', '36500', 'year');
    begin(book);
    const foreseen = foresee(book.snapshot(), 36, newId);
    expect(told(foreseen)).toEqual(told(live(book, 36)));
  });

  test('a first invoice counts as paid', () => {
    const book = new MemoryBook();
    book.price('pro', '2000');
    create(book, on('2025-01-31'), ['pro']);
    expect(foresee(book.snapshot(), 2, newId).map(({ lines }) => isoInstant(lines[0]!.period.end))).toEqual([
      '2025-03-31T00:00:00Z',
      '2025-04-30T00:00:00Z',
    ]);
  });

  test('nothing comes after a trial that ends paused, and looking for what is missing comes to an end', () => {
    const book = new MemoryBook();
    book.price('pro', '2000');
    book.paymentMethods = [];
    create(book, on('2025-01-17'), ['pro'], { trial: { days: 14 }, trialMissingPaymentMethod: 'pause' });
    expect(foresee(book.snapshot(), 36, newId)).toEqual([]);
    expect(catchUp(book.snapshot(), on('2030-01-01'), newId).subscription?.status).toBe('paused');
  });

  test('a paid trial counts as paid', () => {
    const book = new MemoryBook();
    book.price('pro', '2000');
    book.price('setup', '4900', null);
    create(book, on('2025-01-17'), ['pro'], {
      trial: { days: 14 },
      addInvoiceItems: [{ priceId: 'setup', quantity: '1', taxRateIds: [] }],
    });
    expect(foresee(book.snapshot(), 2, newId).map(({ total, periodEnd }) => [total, isoInstant(periodEnd)])).toEqual([
      [2000, '2025-01-31T00:00:00Z'],
      [2000, '2025-02-28T00:00:00Z'],
    ]);
  });

  test('nothing comes after the end', () => {
    const book = new MemoryBook();
    book.price('pro', '2000');
    createPaid(book, on('2025-01-31'), ['pro']);
    const snapshot = book.snapshot();
    const ending = decideScheduledCancellation(snapshot, { at: 'period_end' }, book.context(on('2025-02-01')));
    expect(foresee(applyDecision(snapshot, ending), 36, newId)).toEqual([]);
  });
});

describe('between a boundary and its renewal', () => {
  test('the new period is there, however many are missing', () => {
    const book = new MemoryBook();
    book.price('pro', '2000');
    createPaid(book, on('2025-01-31'), ['pro']);
    const behind = book.snapshot();
    expect(catchUp(behind, on('2025-02-27T23:59:59Z'), newId)).toEqual(behind);
    renew(book);
    renew(book);
    const { openInvoices: _, ...real } = book.snapshot();
    const caughtUp = catchUp(behind, on('2025-03-31'), newId);
    expect(caughtUp.subscription).toEqual({ ...real.subscription, latestInvoiceId: caughtUp.subscription?.latestInvoiceId });
    expect(caughtUp.billed.at(-1)).toMatchObject({ start: on('2025-03-31'), end: on('2025-04-30'), amount: 2000 });
  });

  test('what has ended by then has ended; what was never paid for is left alone', () => {
    const book = new MemoryBook();
    book.price('pro', '2000');
    create(book, on('2025-01-31'), ['pro']);
    expect(catchUp(book.snapshot(), on('2026-01-01'), newId).subscription?.status).toBe('incomplete');
    const paid = new MemoryBook();
    paid.price('pro', '2000');
    createPaid(paid, on('2025-01-31'), ['pro']);
    schedule(paid, on('2025-02-01'), on('2025-04-02'));
    expect(catchUp(paid.snapshot(), on('2026-01-01'), newId).subscription).toMatchObject({ status: 'canceled', endedAt: on('2025-04-02') });
  });
});

test('property: whatever a life was until now, what is foreseen is what comes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: on('2023-01-01'), max: on('2025-12-31') }),
      fc.constantFrom('UTC', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Auckland'),
      fc.constantFrom(['day', 10], ['week', 2], ['month', 1], ['month', 3], ['year', 1]),
      fc.array(fc.record({ share: fc.double({ min: 0, max: 0.4, noNaN: true }), quantity: fc.nat(9), now: fc.boolean() }), {
        maxLength: 4,
      }),
      fc.option(fc.integer({ min: 1, max: 500 })),
      fc.integer({ min: -9000, max: 900 }),
      (start, zone, [interval, intervalCount], changes, endDays, balance) => {
        const book = new MemoryBook({ account: { defaultTaxRateIds: ['vat'], prorationBasis: 'second', billingTimezone: zone } });
        book.taxRate('vat', '8.25');
        book.price('pro', '1999.5', interval as Interval, { intervalCount: intervalCount as number });
        createPaid(book, start, ['pro × 3']);
        let at = start;
        for (const { share, quantity, now } of changes) {
          at = Math.min(at + Math.floor((book.living.currentPeriodEnd - at) * share), book.living.currentPeriodEnd - 1);
          changeItem(
            book,
            at,
            'si_pro',
            { quantity: String(quantity) },
            { prorationBehavior: now ? 'always_invoice' : 'create_prorations' },
          );
        }
        for (const { id, status } of book.allInvoices) if (status === 'open') book.pay(id, at);
        if (endDays !== null) schedule(book, at, at + endDays * 86_400);
        book.customer = { ...book.customer, balance };
        expect(told(foresee(book.snapshot(), 12, newId))).toEqual(told(live(book, 12)));
      },
    ),
    { numRuns: 40 },
  );
});
