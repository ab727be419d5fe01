import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cycle } from '../../domain/catalog/price.ts';
import { planFirstPeriods } from '../../domain/subscription/backdate.ts';
import type { AnchorConfig } from '../../domain/subscription/subscription.ts';
import { anchorOn, boundary, type Instant, isoInstant, localDate, periodContaining } from '../../domain/time.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { changeItem, changePlan, create, createPaid, creation, linesOf, payAll, renew } from '../support/subscribe.ts';

const MONTH = { interval: 'month', intervalCount: 1 } as const;
const YEAR = { interval: 'year', intervalCount: 1 } as const;
const day = (dayOfMonth: number, patch: Partial<AnchorConfig> = {}): AnchorConfig => ({
  dayOfMonth,
  month: null,
  hour: null,
  minute: null,
  second: null,
  ...patch,
});

function bookWith(parts: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook(parts);
  book.price('pro', '3100');
  book.price('max', '6200');
  book.price('year', '36500', 'year');
  return book;
}

/** The days on which the periods begin, beginning with the present one. */
function starts(book: MemoryBook, count: number, zone = 'UTC'): string[] {
  const days = [localDate(book.living.currentPeriodStart, zone)];
  while (days.length < count) {
    renew(book);
    payAll(book, book.living.currentPeriodStart);
    days.push(localDate(book.living.currentPeriodStart, zone));
  }
  return days;
}

describe('a date as anchor', () => {
  test('begins with a stub at its share of the cycle before the anchor', () => {
    const book = bookWith();
    createPaid(book, on('2025-03-05'), ['pro'], { billingCycleAnchor: on('2025-03-20') });
    expect(linesOf(book.lastInvoice)).toEqual(['Remaining time on pro after 5 Mar 2025 1661']);
    expect(book.lastInvoice.lines[0]?.explanation.fraction).toEqual({ numerator: 15, denominator: 28, basis: 'day' });
    expect(book.living).toMatchObject({
      billingCycleAnchor: on('2025-03-20'),
      billingCycleAnchorConfig: null,
      startDate: on('2025-03-05'),
    });
    expect(starts(book, 3)).toEqual(['2025-03-05', '2025-03-20', '2025-04-20']);
    expect(linesOf(book.lastInvoice)).toEqual(['1 × pro (at EUR 31.00 / month) 3100']);
  });

  test('with prorations off the stub is free, and there is no invoice to wait for', () => {
    const book = bookWith();
    create(book, on('2025-03-05'), ['pro'], { billingCycleAnchor: on('2025-03-20'), prorationBehavior: 'none' });
    expect(book.allInvoices).toEqual([]);
    expect(book.living).toMatchObject({ status: 'active', incompleteExpiresAt: null, latestInvoiceId: null });
    expect(book.coverage('si_pro')).toEqual([{ start: on('2025-03-05'), end: on('2025-03-20') }]);
    renew(book);
    expect(linesOf(book.lastInvoice)).toEqual(['1 × pro (at EUR 31.00 / month) 3100']);
  });

  test('a change inside the stub is charged by the whole cycle, and credits what the stub cost', () => {
    const book = bookWith();
    createPaid(book, on('2025-03-05'), ['pro'], { billingCycleAnchor: on('2025-03-20') });
    changeItem(book, on('2025-03-10'), 'si_pro', { priceId: 'max' }, { prorationBehavior: 'always_invoice' });
    expect(linesOf(book.lastInvoice)).toEqual([
      'Unused time on pro after 10 Mar 2025 -1107',
      'Remaining time on max after 10 Mar 2025 2214',
    ]);
  });

  test.each([
    ['now', '2025-03-05'],
    ['before', '2025-03-04'],
    ['more than one cycle ahead', '2025-04-06'],
  ])('%s is refused', (_, date) => {
    const refused = expect.objectContaining({ code: 'date_out_of_range', param: 'billing_cycle_anchor' });
    expect(() => create(bookWith(), on('2025-03-05'), ['pro'], { billingCycleAnchor: on(date) })).toThrow(refused);
  });

  test('exactly one cycle ahead is no stub', () => {
    const book = bookWith();
    create(book, on('2025-01-31'), ['pro'], { billingCycleAnchor: on('2025-02-28') });
    expect(book.lastInvoice.total).toBe(2800);
    create(bookWith(), on('2025-03-05'), ['pro'], { billingCycleAnchor: on('2025-04-05') });
  });

  test('that ends before the anchor is billed until its end', () => {
    const book = bookWith();
    createPaid(book, on('2025-03-05'), ['pro'], { billingCycleAnchor: on('2025-03-20'), cancelAt: on('2025-03-12') });
    expect(book.lastInvoice.total).toBe(775);
  });
});

describe('a day as anchor', () => {
  test('the 31st clamps to the end of each month and comes back', () => {
    const book = bookWith();
    createPaid(book, on('2025-02-03'), ['pro'], { billingCycleAnchorConfig: day(31) });
    expect(starts(book, 6)).toEqual(['2025-02-03', '2025-02-28', '2025-03-31', '2025-04-30', '2025-05-31', '2025-06-30']);
    expect(book.living.billingCycleAnchorConfig).toEqual(day(31));
  });

  test('a start on the very day is no stub', () => {
    const book = bookWith();
    createPaid(book, on('2025-01-31'), ['pro'], { billingCycleAnchorConfig: day(31) });
    expect(linesOf(book.lastInvoice)).toEqual(['1 × pro (at EUR 31.00 / month) 3100']);
    expect(starts(book, 3)).toEqual(['2025-01-31', '2025-02-28', '2025-03-31']);
  });

  test('29 February of a yearly price', () => {
    const book = bookWith();
    createPaid(book, on('2025-03-01'), ['year'], { billingCycleAnchorConfig: day(29, { month: 2 }) });
    expect(starts(book, 5)).toEqual(['2025-03-01', '2026-02-28', '2027-02-28', '2028-02-29', '2029-02-28']);
  });

  test('is of the billing zone, through a change of its clocks', () => {
    const zone = 'America/New_York';
    const anchor = anchorOn(day(9, { hour: 2, minute: 30 }), MONTH, zone, on('2025-03-02T12:00:00Z'));
    // On 9 March 2025 there is no 02:30 in New York: that boundary is an hour later, and no other is.
    expect(isoInstant(periodContaining(anchor, MONTH, zone, on('2025-03-10')).start)).toBe('2025-03-09T07:30:00Z');
    expect(isoInstant(periodContaining(anchor, MONTH, zone, on('2025-03-20')).end)).toBe('2025-04-09T06:30:00Z');
  });

  test('missing parts of the time are those of the start; the month may be named', () => {
    const from = on('2025-06-15T10:20:30Z');
    expect(isoInstant(anchorOn(day(1), MONTH, 'UTC', from))).toBe('2025-07-01T10:20:30Z');
    expect(isoInstant(anchorOn(day(1, { hour: 0, minute: 0, second: 0 }), MONTH, 'UTC', from))).toBe('2025-07-01T00:00:00Z');
    expect(isoInstant(anchorOn(day(15), MONTH, 'UTC', from))).toBe('2025-06-15T10:20:30Z');
    expect(isoInstant(anchorOn(day(1, { month: 4, hour: 0, minute: 0, second: 0 }), YEAR, 'UTC', from))).toBe('2026-04-01T00:00:00Z');
  });

  test('of weekly prices, beside a date, and out of range is refused', () => {
    const book = bookWith();
    book.price('week', '700', 'week');
    const refused = (param: string) => expect.objectContaining({ code: 'parameter_invalid', param });
    const at = on('2025-03-05');
    expect(() => create(book, at, ['week'], { billingCycleAnchorConfig: day(1) })).toThrow(refused('billing_cycle_anchor_config'));
    expect(() => create(book, at, ['pro'], { billingCycleAnchorConfig: day(1), billingCycleAnchor: at + 60 })).toThrow(
      refused('billing_cycle_anchor_config'),
    );
    expect(() => create(book, at, ['pro'], { billingCycleAnchorConfig: day(32) })).toThrow(
      refused('billing_cycle_anchor_config[day_of_month]'),
    );
    expect(() => create(book, at, ['pro'], { billingCycleAnchorConfig: day(1, { hour: 24 }) })).toThrow(
      refused('billing_cycle_anchor_config[hour]'),
    );
  });
});

describe('a start in the past', () => {
  test('one line for each period since, and the present one', () => {
    const book = bookWith();
    createPaid(book, on('2025-04-15'), ['pro'], { backdateStartDate: on('2025-01-15') });
    const full = '1 × pro (at EUR 31.00 / month) 3100';
    expect(linesOf(book.lastInvoice)).toEqual([full, full, full, full]);
    expect(book.lastInvoice.lines.map(({ period }) => localDate(period.start, 'UTC'))).toEqual([
      '2025-01-15',
      '2025-02-15',
      '2025-03-15',
      '2025-04-15',
    ]);
    expect(book.living).toMatchObject({ startDate: on('2025-01-15'), currentPeriodStart: on('2025-04-15'), createdAt: on('2025-04-15') });
    expect(starts(book, 2)).toEqual(['2025-04-15', '2025-05-15']);
  });

  test('a start that is no boundary begins with a stub', () => {
    const book = bookWith();
    create(book, on('2025-04-15'), ['pro'], { backdateStartDate: on('2025-03-01') });
    expect(linesOf(book.lastInvoice)).toEqual([
      'Remaining time on pro after 1 Mar 2025 1550',
      '1 × pro (at EUR 31.00 / month) 3100',
      '1 × pro (at EUR 31.00 / month) 3100',
    ]);
  });

  test('with an anchor ahead the present period is the one before it', () => {
    const book = bookWith();
    createPaid(book, on('2025-10-15'), ['pro'], { backdateStartDate: on('2025-09-01'), billingCycleAnchor: on('2025-11-01') });
    expect(book.lastInvoice.total).toBe(6200);
    expect([book.living.currentPeriodStart, book.living.currentPeriodEnd]).toEqual([on('2025-10-01'), on('2025-11-01')]);
    renew(book);
    expect(book.lastInvoice.total).toBe(3100);
  });

  test('with prorations off the past is not billed', () => {
    const book = bookWith();
    createPaid(book, on('2025-04-15'), ['pro'], { backdateStartDate: on('2025-01-15'), prorationBehavior: 'none' });
    expect(linesOf(book.lastInvoice)).toEqual(['1 × pro (at EUR 31.00 / month) 3100']);
    expect(book.living.startDate).toBe(on('2025-01-15'));
    const free = bookWith();
    create(free, on('2025-10-15'), ['pro'], {
      backdateStartDate: on('2025-09-01'),
      billingCycleAnchor: on('2025-11-01'),
      prorationBehavior: 'none',
    });
    expect([free.allInvoices.length, free.living.status]).toEqual([0, 'active']);
  });

  test('in the future, and with more lines than an invoice holds, is refused', () => {
    const refused = expect.objectContaining({ code: 'date_out_of_range', param: 'backdate_start_date' });
    expect(() => create(bookWith(), on('2025-04-15'), ['pro'], { backdateStartDate: on('2025-04-16') })).toThrow(refused);
    const book = bookWith();
    book.price('daily', '100', 'day');
    expect(() => create(book, on('2025-12-31'), ['daily'], { backdateStartDate: on('2025-01-01') })).toThrow(refused);
    create(book, on('2025-12-31'), ['daily'], { backdateStartDate: on('2025-12-31') - 249 * 86_400 });
    expect(book.lastInvoice.lines).toHaveLength(250);
  });
});

describe('an anchor moved to a date', () => {
  const ALWAYS = { prorationBehavior: 'always_invoice' } as const;

  test('earlier: the rest of the period is given back, and the next one begins there', () => {
    const book = bookWith();
    createPaid(book, on('2025-01-01'), ['pro']);
    changePlan(book, on('2025-01-10'), { billingCycleAnchor: on('2025-01-20'), ...ALWAYS });
    expect(linesOf(book.lastInvoice)).toEqual(['Unused time on pro after 20 Jan 2025 -1200']);
    expect(book.living).toMatchObject({ currentPeriodStart: on('2025-01-01'), currentPeriodEnd: on('2025-01-20') });
    expect(starts(book, 3)).toEqual(['2025-01-01', '2025-01-20', '2025-02-20']);
  });

  test('later: what is not billed until then is charged', () => {
    const book = bookWith();
    createPaid(book, on('2025-01-01'), ['pro', 'max × 2']);
    changePlan(book, on('2025-01-10'), { billingCycleAnchor: on('2025-02-15') });
    renew(book);
    expect(linesOf(book.lastInvoice)).toEqual([
      'Remaining time on pro after 1 Feb 2025 1400',
      'Remaining time on 2 × max after 1 Feb 2025 5600',
      '1 × pro (at EUR 31.00 / month) 3100',
      '2 × max (at EUR 62.00 / month) 12400',
    ]);
    expect(book.living.currentPeriodEnd).toBe(on('2025-03-15'));
  });

  test('with prorations off the period ends elsewhere, and nothing is billed for it', () => {
    for (const [date, end] of [
      ['2025-01-20', '2025-02-20'],
      ['2025-02-15', '2025-03-15'],
    ] as const) {
      const book = bookWith();
      createPaid(book, on('2025-01-01'), ['pro']);
      changePlan(book, on('2025-01-10'), { billingCycleAnchor: on(date), prorationBehavior: 'none' });
      expect([book.pendingItems.size, book.allInvoices.length]).toEqual([0, 1]);
      renew(book);
      expect(linesOf(book.lastInvoice)).toEqual(['1 × pro (at EUR 31.00 / month) 3100']);
      expect(book.coverage('si_pro')).toEqual([{ start: on('2025-01-01'), end: on(end) }]);
    }
  });

  test('together with an upgrade: the new price until the date', () => {
    const book = bookWith();
    createPaid(book, on('2025-01-01'), ['pro']);
    changeItem(book, on('2025-01-11'), 'si_pro', { priceId: 'max' }, { billingCycleAnchor: on('2025-01-21'), ...ALWAYS });
    expect(linesOf(book.lastInvoice)).toEqual([
      'Unused time on pro after 11 Jan 2025 -2100',
      'Remaining time on max after 11 Jan 2025 2000',
    ]);
  });

  test('in the past, beyond the next period, or together with another interval is refused', () => {
    const book = bookWith();
    createPaid(book, on('2025-01-01'), ['pro']);
    const move =
      (date: string, patch = {}) =>
      () =>
        changePlan(book, on('2025-01-10'), { billingCycleAnchor: on(date), ...patch });
    const out = expect.objectContaining({ code: 'date_out_of_range', param: 'billing_cycle_anchor' });
    expect(move('2025-01-10')).toThrow(out);
    expect(move('2025-03-02')).toThrow(out);
    const invalid = expect.objectContaining({ code: 'parameter_invalid', param: 'billing_cycle_anchor' });
    expect(move('2025-01-20', { items: [{ do: 'update', itemId: 'si_pro', priceId: 'year' }] })).toThrow(invalid);
    expect(move('2025-01-20', { cancellation: { at: 'period_end' } })).toThrow(invalid);
    move('2025-03-01')();
    expect(book.living.currentPeriodEnd).toBe(on('2025-03-01'));
  });
});

const ZONES = ['UTC', 'America/New_York', 'Europe/Berlin', 'Asia/Kathmandu', 'Pacific/Auckland', 'America/Sao_Paulo'];
const CYCLES: Cycle[] = [
  MONTH,
  { interval: 'month', intervalCount: 3 },
  { interval: 'month', intervalCount: 7 },
  YEAR,
  { interval: 'week', intervalCount: 2 },
  { interval: 'day', intervalCount: 10 },
];
const beginnings = fc.record({
  zone: fc.constantFrom(...ZONES),
  cycle: fc.constantFrom(...CYCLES),
  asOf: fc.integer({ min: on('2023-01-01'), max: on('2026-12-31') }),
  anchor: fc.option(fc.double({ min: 0.001, max: 1, noNaN: true })),
  config: fc.option(
    fc.record({
      dayOfMonth: fc.integer({ min: 1, max: 31 }),
      month: fc.option(fc.integer({ min: 1, max: 12 })),
      hour: fc.option(fc.integer({ min: 0, max: 23 })),
      minute: fc.option(fc.integer({ min: 0, max: 59 })),
      second: fc.option(fc.integer({ min: 0, max: 59 })),
    }),
  ),
  back: fc.option(fc.integer({ min: 1, max: 900 * 86_400 })),
});

test('for any anchor, zone and cycle the stub and the full periods are contiguous and disjoint', () => {
  fc.assert(
    fc.property(beginnings, ({ zone, cycle, asOf, anchor, config, back }) => {
      const days = cycle.interval === 'month' || cycle.interval === 'year';
      const natural = boundary(asOf, cycle, zone, 1);
      const command = creation(['p'], {
        ...(config !== null && days ? { billingCycleAnchorConfig: config } : {}),
        ...(anchor !== null && (config === null || !days) ? { billingCycleAnchor: asOf + Math.ceil((natural - asOf) * anchor) } : {}),
        ...(back === null ? {} : { backdateStartDate: asOf - back }),
      });
      const first = planFirstPeriods(command, [cycle], zone, asOf);
      expect(first.stretches[0]?.from).toBe(first.startDate);
      let end: Instant = first.startDate;
      for (const stretch of first.stretches) {
        expect(stretch.from).toBe(end);
        expect(stretch.cycle.start <= stretch.from && stretch.from < stretch.cycle.end).toBe(true);
        end = stretch.cycle.end;
      }
      expect(end).toBe(first.period.end);
      expect(first.period.start <= asOf && asOf < first.period.end).toBe(true);
      for (let n = 0; n < 5; n += 1) {
        const next = periodContaining(first.anchor, cycle, zone, end);
        expect(next.start).toBe(end);
        end = next.end;
      }
    }),
    { numRuns: 200 },
  );
});

test('a backdated first invoice is the sum of what its periods would have cost', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('second', 'day', 'fixed_30'),
      fc.constantFrom(...ZONES),
      fc.integer({ min: on('2023-01-01'), max: on('2026-12-31') }),
      fc.integer({ min: 1, max: 400 * 86_400 }),
      fc.integer({ min: 0, max: 9 }),
      (prorationBasis, zone, asOf, back, quantity) => {
        const begin = () => bookWith({ account: { prorationBasis, billingTimezone: zone } });
        const late = begin();
        create(late, asOf, [`pro × ${quantity}`], { backdateStartDate: asOf - back });
        // The same life in its own time: a stub to the first boundary, then renewals.
        const early = begin();
        const { start, end, n } = periodContaining(asOf, MONTH, zone, asOf - back);
        // Where the anchor's month has a day that the first boundary's month lacks, only a day can say so.
        const anchored = localDate(asOf, zone).slice(8) === localDate(end, zone).slice(8);
        fc.pre(anchored && n < 0 && start < asOf - back && end <= boundary(asOf - back, MONTH, zone, 1));
        createPaid(early, asOf - back, [`pro × ${quantity}`], { billingCycleAnchor: end });
        while (early.living.currentPeriodStart < late.living.currentPeriodStart) {
          renew(early);
          payAll(early, early.living.currentPeriodStart);
        }
        fc.pre(early.living.currentPeriodStart === late.living.currentPeriodStart);
        expect(linesOf(late.lastInvoice)).toEqual(early.allInvoices.flatMap(linesOf));
      },
    ),
    { numRuns: 80 },
  );
});
