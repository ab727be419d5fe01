import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMultipleOf, isSameCycle, shortestCycle } from '../../domain/catalog/mix-cycles.ts';
import { itemPeriodOf } from '../../domain/subscription/anchor.ts';
import { foresee } from '../../domain/subscription/foresee.ts';
import { boundary, type Instant, isoInstant } from '../../domain/time.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, changePlan, createPaid, linesOf, pause, payAll, reactivate, renew, schedule } from '../support/subscribe.ts';

/** Seats a month at 10.00, support a quarter at 90.00, a platform fee a year at 365.00. */
function bookOf(items: string[], at: Instant, patch: Parameters<typeof createPaid>[3] = {}): MemoryBook {
  const book = new MemoryBook();
  book.price('seats', '1000');
  book.price('support', '9000', 'month', { intervalCount: 3 });
  book.price('platform', '36500', 'year');
  book.price('platform2', '73000', 'year');
  book.price('halfyear', '12000', 'month', { intervalCount: 6 });
  createPaid(book, at, items, patch);
  return book;
}

const ALL = ['seats × 2', 'support', 'platform'];

/** Renews so often. @returns each renewal's date and lines */
function live(book: MemoryBook, renewals: number): [string, string[]][] {
  return Array.from({ length: renewals }, () => {
    const decision = renew(book);
    payAll(book, book.living.currentPeriodStart);
    return [isoInstant(book.living.currentPeriodStart).slice(0, 10), decision.invoices.flatMap(linesOf)];
  });
}

const dateOf = (at: Instant): string => isoInstant(at).slice(0, 10);
const periodOf = (book: MemoryBook, priceId: string): [string, string] => {
  const { start, end } = itemPeriodOf(book.living, book.prices[priceId]?.recurring ?? book.living.cycle);
  return [dateOf(start), dateOf(end)];
};

const SEATS = '2 × seats (at EUR 10.00 / month) 2000';
const SUPPORT = '1 × support (at EUR 90.00 / 3 months) 9000';
const PLATFORM = '1 × platform (at EUR 365.00 / year) 36500';

test('cycles are compared by when they bill', () => {
  expect(isSameCycle({ interval: 'month', intervalCount: 12 }, { interval: 'year', intervalCount: 1 })).toBe(true);
  expect(isSameCycle({ interval: 'day', intervalCount: 30 }, { interval: 'month', intervalCount: 1 })).toBe(false);
  expect(isMultipleOf({ interval: 'week', intervalCount: 2 }, { interval: 'day', intervalCount: 7 })).toBe(true);
  expect(isMultipleOf({ interval: 'year', intervalCount: 1 }, { interval: 'month', intervalCount: 5 })).toBe(false);
  expect(
    shortestCycle([
      { interval: 'year', intervalCount: 1 },
      { interval: 'month', intervalCount: 3 },
    ]),
  ).toEqual({
    interval: 'month',
    intervalCount: 3,
  });
});

describe('each item bills by its own interval, on the boundaries of one anchor', () => {
  test('a year from a 31st: months clamp and come back, quarters and the year with them', () => {
    const book = bookOf(ALL, on('2025-01-31'));
    expect(linesOf(book.lastInvoice)).toEqual([SEATS, SUPPORT, PLATFORM]);
    expect(live(book, 12)).toEqual([
      ['2025-02-28', [SEATS]],
      ['2025-03-31', [SEATS]],
      ['2025-04-30', [SEATS, SUPPORT]],
      ['2025-05-31', [SEATS]],
      ['2025-06-30', [SEATS]],
      ['2025-07-31', [SEATS, SUPPORT]],
      ['2025-08-31', [SEATS]],
      ['2025-09-30', [SEATS]],
      ['2025-10-31', [SEATS, SUPPORT]],
      ['2025-11-30', [SEATS]],
      ['2025-12-31', [SEATS]],
      ['2026-01-31', [SEATS, SUPPORT, PLATFORM]],
    ]);
    for (const { id } of book.living.items) expect(book.coverage(id)).toHaveLength(1);
  });

  test('a Feb 29 yearly beside months, over its leap year', () => {
    const book = bookOf(['seats', 'platform'], on('2024-02-29'));
    const withPlatform = live(book, 48).filter(([, lines]) => lines.includes(PLATFORM));
    expect(withPlatform.map(([date]) => date)).toEqual(['2025-02-28', '2026-02-28', '2027-02-28', '2028-02-29']);
  });

  test('every item has a current period of its own', () => {
    const book = bookOf(ALL, on('2025-01-31'));
    live(book, 4);
    expect(periodOf(book, 'seats')).toEqual(['2025-05-31', '2025-06-30']);
    expect(periodOf(book, 'support')).toEqual(['2025-04-30', '2025-07-31']);
    expect(periodOf(book, 'platform')).toEqual(['2025-01-31', '2026-01-31']);
  });

  test('an anchor on the first: a stub of the month and one of the year', () => {
    const book = bookOf(['seats', 'platform'], on('2025-01-17'), { billingCycleAnchor: on('2025-02-01') });
    expect(linesOf(book.lastInvoice)).toEqual([
      'Remaining time on seats after 17 Jan 2025 484',
      'Remaining time on platform after 17 Jan 2025 1496',
    ]);
    expect(live(book, 1)).toEqual([['2025-02-01', ['1 × seats (at EUR 10.00 / month) 1000', PLATFORM]]]);
  });

  test('backdated: each past period by the interval of its item', () => {
    const book = bookOf(['seats', 'support'], on('2025-04-15'), {
      backdateStartDate: on('2024-12-10'),
      billingCycleAnchor: on('2025-05-01'),
    });
    expect(
      book.lastInvoice.lines.map(({ priceId, period, amount }) => [priceId, dateOf(period.start), dateOf(period.end), amount]),
    ).toEqual([
      ['seats', '2024-12-10', '2025-01-01', 710],
      ['support', '2024-12-10', '2025-02-01', 5185],
      ['seats', '2025-01-01', '2025-02-01', 1000],
      ['seats', '2025-02-01', '2025-03-01', 1000],
      ['support', '2025-02-01', '2025-05-01', 9000],
      ['seats', '2025-03-01', '2025-04-01', 1000],
      ['seats', '2025-04-01', '2025-05-01', 1000],
    ]);
  });

  test('out of a trial all begin at once', () => {
    const book = bookOf(ALL, on('2025-01-17'), { trial: { days: 14 } });
    expect(periodOf(book, 'platform')).toEqual(['2025-01-17', '2025-01-31']);
    expect(live(book, 3)).toEqual([
      ['2025-01-31', [SEATS, SUPPORT, PLATFORM]],
      ['2025-02-28', [SEATS]],
      ['2025-03-31', [SEATS]],
    ]);
  });
});

describe('changes', () => {
  test('the price of a yearly item in its third month: the rest of the year, not of the month', () => {
    const book = bookOf(['seats', 'platform'], on('2025-01-01'));
    live(book, 2);
    changeItem(book, on('2025-03-07'), 'si_platform', { priceId: 'platform2' }, { prorationBehavior: 'always_invoice' });
    expect(linesOf(book.lastInvoice)).toEqual([
      'Unused time on platform after 7 Mar 2025 -30000',
      'Remaining time on platform2 after 7 Mar 2025 60000',
    ]);
    payAll(book, on('2025-03-07'));
    expect(live(book, 10).at(-1)).toEqual([
      '2026-01-01',
      ['1 × seats (at EUR 10.00 / month) 1000', '1 × platform2 (at EUR 730.00 / year) 73000'],
    ]);
  });

  test('a yearly item beside a monthly one is aligned with the anchor and prorated to it', () => {
    const book = bookOf(['seats'], on('2025-01-01'));
    live(book, 2);
    changePlan(book, on('2025-03-07'), {
      items: [{ do: 'add', item: { id: 'si_platform', priceId: 'platform', quantity: '1', taxRateIds: [] } }],
      prorationBehavior: 'always_invoice',
    });
    expect(linesOf(book.lastInvoice)).toEqual(['Remaining time on platform after 7 Mar 2025 30000']);
    expect(book.living).toMatchObject({ currentPeriodStart: on('2025-03-01'), currentPeriodEnd: on('2025-04-01') });
    expect(periodOf(book, 'platform')).toEqual(['2025-01-01', '2026-01-01']);
  });

  test('a monthly item beside a yearly one: the subscription bills monthly from then on, and the year is not touched', () => {
    const book = bookOf(['platform'], on('2025-01-01'));
    changePlan(book, on('2025-03-16'), {
      items: [{ do: 'add', item: { id: 'si_seats', priceId: 'seats', quantity: '1', taxRateIds: [] } }],
    });
    expect(book.living).toMatchObject({
      cycle: { interval: 'month', intervalCount: 1 },
      billingCycleAnchor: on('2025-01-01'),
      currentPeriodStart: on('2025-03-01'),
      currentPeriodEnd: on('2025-04-01'),
    });
    expect(live(book, 2)).toEqual([
      ['2025-04-01', ['Remaining time on seats after 16 Mar 2025 516', '1 × seats (at EUR 10.00 / month) 1000']],
      ['2025-05-01', ['1 × seats (at EUR 10.00 / month) 1000']],
    ]);
  });

  test('the monthly item goes: its rest is given back and the year goes on to its end', () => {
    const book = bookOf(['seats', 'platform'], on('2025-01-01'));
    live(book, 2);
    changePlan(book, on('2025-03-16'), { items: [{ do: 'remove', itemId: 'si_seats' }] });
    expect(book.living).toMatchObject({ currentPeriodStart: on('2025-01-01'), currentPeriodEnd: on('2026-01-01') });
    expect(live(book, 1)).toEqual([['2026-01-01', ['Unused time on seats after 16 Mar 2025 -516', PLATFORM]]]);
  });

  test('the monthly item goes at the period’s end: nothing is invoiced there', () => {
    const book = bookOf(['seats', 'platform'], on('2025-01-01'));
    changePlan(book, on('2025-01-10'), { items: [{ do: 'remove', itemId: 'si_seats' }], effectiveAt: 'period_end' });
    const [scheduled] = book.living.scheduledChanges;
    const occasions = foresee(book.snapshot(), 1, book.context(0).newId);
    expect(scheduled?.effectiveAt).toBe(on('2025-02-01'));
    expect(occasions.map(({ periodEnd, lines }) => [dateOf(periodEnd), lines.length])).toEqual([['2026-01-01', 1]]);
  });

  test('the whole plan moves to another interval: a new period begins, as ever', () => {
    const book = bookOf(['seats', 'support'], on('2025-01-01'));
    changePlan(book, on('2025-01-16'), {
      items: [
        { do: 'update', itemId: 'si_seats', priceId: 'halfyear' },
        { do: 'remove', itemId: 'si_support' },
      ],
    });
    expect(book.living).toMatchObject({ billingCycleAnchor: on('2025-01-16'), currentPeriodEnd: on('2025-07-16') });
  });

  test('an anchor at a date is that of all items', () => {
    const book = bookOf(['seats', 'platform'], on('2025-01-01'));
    live(book, 1);
    changePlan(book, on('2025-02-04'), { billingCycleAnchor: on('2025-02-15'), prorationBehavior: 'always_invoice' });
    expect(linesOf(book.lastInvoice)).toEqual([
      'Unused time on seats after 15 Feb 2025 -500',
      'Unused time on platform after 15 Feb 2025 -32000',
    ]);
    expect(live(book, 1)).toEqual([['2025-02-15', ['1 × seats (at EUR 10.00 / month) 1000', PLATFORM]]]);
  });
});

describe('the end', () => {
  test('at the end of the month, what is left of the year is given back; taken back, it is charged again', () => {
    const book = bookOf(['seats', 'platform'], on('2025-01-01'));
    live(book, 2);
    schedule(book, on('2025-03-10'), 'period_end');
    expect([...book.pendingItems.values()].map(({ line }) => line.amount)).toEqual([-27500]);
    schedule(book, on('2025-03-11'), 'never');
    expect([...book.pendingItems.values()].map(({ line }) => line.amount)).toEqual([-27500, 27500]);
  });

  test('without proration the year stays billed, at every renewal before the end', () => {
    const book = bookOf(['seats', 'platform'], on('2025-01-01'));
    schedule(book, on('2025-01-10'), on('2025-03-15'), { prorationBehavior: 'none' });
    expect(live(book, 2)).toEqual([
      ['2025-02-01', ['1 × seats (at EUR 10.00 / month) 1000']],
      ['2025-03-01', ['Remaining time on seats after 1 Mar 2025 452']],
    ]);
    expect(renew(book, on('2025-03-15')).invoices).toEqual([]);
    expect(book.living.status).toBe('canceled');
  });

  test.each([
    ['min_period_end', '2025-04-01', [-27500]],
    ['max_period_end', '2026-01-01', []],
  ] as const)('%s is a date from then on', (at, date, credits) => {
    const book = bookOf(['seats', 'platform'], on('2025-01-01'));
    live(book, 2);
    schedule(book, on('2025-03-10'), at);
    expect(book.living).toMatchObject({ cancelAt: on(date), cancelAtPeriodEnd: false });
    expect([...book.pendingItems.values()].map(({ line }) => line.amount)).toEqual(credits);
  });

  test('canceled at once with proration, and alive again', () => {
    const book = bookOf(['seats', 'platform'], on('2025-01-01'));
    live(book, 2);
    cancel(book, on('2025-03-07'), { prorate: true, invoiceNow: true });
    expect(linesOf(book.lastInvoice)).toEqual([
      'Unused time on platform after 7 Mar 2025 -30000',
      'Unused time on seats after 7 Mar 2025 -806',
    ]);
    reactivate(book, on('2025-03-17'));
    expect(linesOf(book.lastInvoice)).toEqual([
      'Remaining time on seats after 17 Mar 2025 484',
      'Remaining time on platform after 17 Mar 2025 29000',
    ]);
  });
});

test('a pause gives credit over every interval; a period of several cannot be moved', () => {
  const book = bookOf(['seats', 'platform'], on('2025-01-01'));
  expect(() => pause(book, on('2025-01-20'), { unusedTime: 'extend' })).toThrow(
    expect.objectContaining({ code: 'interval_mismatch', param: 'unused_time' }),
  );
  pause(book, on('2025-03-07') - 86_400 * 46);
  expect(linesOf(book.lastInvoice)).toEqual([
    'Unused time on platform after 20 Jan 2025 -34600',
    'Unused time on seats after 20 Jan 2025 -387',
  ]);
  const plain = bookOf(['seats'], on('2025-01-01'));
  pause(plain, on('2025-01-10'), { at: 'period_end', unusedTime: 'extend' });
  const add = { do: 'add' as const, item: { id: 'si_platform', priceId: 'platform', quantity: '1', taxRateIds: [] } };
  expect(() => changePlan(plain, on('2025-01-11'), { items: [add] })).toThrow(
    expect.objectContaining({ code: 'interval_mismatch', param: 'items' }),
  );
});

test('property: an item beside others is billed as it is billed alone', () => {
  const counts = fc.record({
    short: fc.constantFrom(1, 2, 3),
    times: fc.constantFrom(2, 3, 4, 6),
    interval: fc.constantFrom('day', 'week', 'month'),
  });
  const starts = fc.integer({ min: on('2023-01-01'), max: on('2028-12-31') });
  const zones = fc.constantFrom('UTC', 'America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe');
  fc.assert(
    fc.property(counts, starts, zones, ({ short, times, interval }, start, billingTimezone) => {
      const until = boundary(start, { interval, intervalCount: short * times }, billingTimezone, 2);
      const lives = [['short', 'long'], ['short'], ['long']].map((items) => {
        const book = new MemoryBook();
        book.price('short', '700', interval, { intervalCount: short });
        book.price('long', '9900', interval, { intervalCount: short * times });
        createPaid(book, start, items, { billingTimezone });
        while (book.living.currentPeriodEnd <= until) {
          renew(book);
          payAll(book, book.living.currentPeriodStart);
        }
        const billed = book.allInvoices.flatMap(({ lines }) => lines).map(({ priceId, period, amount }) => ({ priceId, period, amount }));
        return (id: string) => billed.filter((line) => line.priceId === id);
      });
      const [both, short1, long1] = lives;
      expect(both?.('short')).toEqual(short1?.('short'));
      expect(both?.('long')).toEqual(long1?.('long'));
    }),
    { numRuns: 25 },
  );
});
