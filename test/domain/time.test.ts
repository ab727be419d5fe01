import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cycle, Interval } from '../../domain/catalog/price.ts';
import { Refusal } from '../../domain/errors.ts';
import { fractionOf, roundToMinor } from '../../domain/money.ts';
import {
  boundary,
  fractionOfPeriod,
  instant,
  instantOfLocalDate,
  isoInstant,
  isTimeZone,
  localDate,
  MAX_INSTANT,
  periodContaining,
} from '../../domain/time.ts';

const every = (interval: Interval, intervalCount = 1): Cycle => ({ interval, intervalCount });
const utc = (date: string): number => instantOfLocalDate(date, 'UTC');
const starts = (anchor: string, cycle: Cycle, count: number, zone = 'UTC'): string[] =>
  Array.from({ length: count }, (_, n) => localDate(boundary(instantOfLocalDate(anchor, zone), cycle, zone, n), zone));

/** Half-hour and quarter-hour offsets, southern summer time, a midnight gap, a skipped day, no daylight saving. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'America/Havana',
  'Africa/Cairo',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  'America/St_Johns',
  'Africa/Casablanca',
];
const THIRTY_YEARS = 360;

describe('boundaries', () => {
  test('A01: a monthly anchor on the 31st clamps to the end of the month and comes back', () => {
    expect(starts('2024-01-31', every('month'), 5)).toEqual(['2024-01-31', '2024-02-29', '2024-03-31', '2024-04-30', '2024-05-31']);
    expect(starts('2023-12-31', every('month', 2), 2)).toEqual(['2023-12-31', '2024-02-29']);
  });

  test('A01: a yearly anchor on 29 February comes back in leap years', () => {
    expect(starts('2024-02-29', every('year'), 5)).toEqual(['2024-02-29', '2025-02-28', '2026-02-28', '2027-02-28', '2028-02-29']);
  });

  test('A03: 2017-03-01 23:30 in Los Angeles plus a trial of 30 days is the 31st there; the first period ends on 30 April', () => {
    const zone = 'America/Los_Angeles';
    const anchor = boundary(instant('2017-03-01T23:30:00-08:00'), every('day', 30), zone, 1);
    expect([0, 1, 2].map((n) => localDate(boundary(anchor, every('month'), zone, n), zone))).toEqual([
      '2017-03-31',
      '2017-04-30',
      '2017-05-31',
    ]);
    expect(isoInstant(anchor)).toBe('2017-04-01T06:30:00Z');
  });

  test('A04: 19 months in Juneau go from the 1st to the 1st', () => {
    const zone = 'America/Juneau';
    const anchor = boundary(instant('2015-09-01T08:01:01Z'), every('day', 30), zone, 1);
    for (let n = 0; n < 19; n += 1) expect(localDate(boundary(anchor, every('month'), zone, n), zone)).toMatch(/-01$/);
    expect(localDate(anchor, zone)).toBe('2015-10-01');
  });

  test('P05: the periods of a 31st from February on', () => {
    expect([1, 2, 3, 4, 5, 6].map((n) => localDate(boundary(utc('2012-01-31'), every('month'), 'UTC', n), 'UTC'))).toEqual([
      '2012-02-29',
      '2012-03-31',
      '2012-04-30',
      '2012-05-31',
      '2012-06-30',
      '2012-07-31',
    ]);
  });

  test('a local time that does not exist is the later instant, one that exists twice the earlier', () => {
    const daily = every('day');
    const gap = boundary(instant('2026-03-28T02:30:00+01:00'), daily, 'Europe/Berlin', 1);
    expect(isoInstant(gap)).toBe('2026-03-29T01:30:00Z'); // 03:30 +02:00
    const overlap = boundary(instant('2026-10-24T02:30:00+02:00'), daily, 'Europe/Berlin', 1);
    expect(isoInstant(overlap)).toBe('2026-10-25T00:30:00Z'); // 02:30 +02:00
    const halfHour = boundary(instant('2026-04-04T01:45:00+11:00'), daily, 'Australia/Lord_Howe', 1);
    expect(isoInstant(halfHour)).toBe('2026-04-04T14:45:00Z'); // 01:45 +11:00, the first of two
    const midnight = boundary(instantOfLocalDate('2026-03-07', 'America/Havana'), daily, 'America/Havana', 1);
    expect(isoInstant(midnight)).toBe('2026-03-08T05:00:00Z'); // 00:00 does not exist, 01:00 -04:00 does
  });

  test('the anchor comes back exactly, also from the second of two equal local times', () => {
    const anchor = instant('2026-10-25T02:30:00+01:00');
    expect(boundary(anchor, every('day'), 'Europe/Berlin', 0)).toBe(anchor);
    expect(isoInstant(boundary(anchor, every('day'), 'Europe/Berlin', 1))).toBe('2026-10-26T01:30:00Z');
  });

  test('a date beyond the year 9999 is refused', () => {
    for (const n of [8100, -2000, 1e12]) {
      expect(() => boundary(0, every('year'), 'UTC', n)).toThrow(expect.objectContaining({ code: 'date_out_of_range' }));
    }
    expect(() => periodContaining(0, every('year', 10), 'UTC', MAX_INSTANT)).toThrow(Refusal);
  });
});

describe('periods', () => {
  test.each(ZONES)(
    'are contiguous and of positive length over 30 years in %s, for anchors on the 28th to the 31st and 29 February',
    (zone) => {
      const anchors = ['2024-01-28', '2024-01-29', '2024-01-30', '2024-01-31', '2024-02-29'].map(
        (date) => instantOfLocalDate(date, zone) + 9_000,
      );
      for (const anchor of anchors) {
        const anchorDay = Number(localDate(anchor, zone).slice(8));
        let start = anchor;
        for (let n = 1; n <= THIRTY_YEARS; n += 1) {
          const end = boundary(anchor, every('month'), zone, n);
          expect(end).toBeGreaterThan(start);
          const day = localDate(end, zone);
          const last = new Date(Date.UTC(Number(day.slice(0, 4)), Number(day.slice(5, 7)), 0)).getUTCDate();
          expect(Number(day.slice(8))).toBe(Math.min(anchorDay, last));
          start = end;
        }
      }
    },
  );

  const zones = fc.constantFrom(...Intl.supportedValuesOf('timeZone').filter(isTimeZone));
  const cycles = fc.record({
    interval: fc.constantFrom<Interval>('day', 'week', 'month', 'year'),
    intervalCount: fc.integer({ min: 1, max: 12 }),
  });
  const anchors = fc.integer({ min: instant('2014-01-01T00:00:00Z'), max: instant('2044-01-01T00:00:00Z') });
  const distance = fc.integer({ min: -30 * 31_556_952, max: 30 * 31_556_952 });

  test('the period that contains an instant does so, borders its neighbours, and is found from any instant in it', () => {
    fc.assert(
      fc.property(anchors, cycles, zones, distance, (anchor, cycle, zone, away) => {
        const at = anchor + away;
        const period = periodContaining(anchor, cycle, zone, at);
        expect(period.start).toBeLessThanOrEqual(at);
        expect(period.end).toBeGreaterThan(at);
        expect(periodContaining(anchor, cycle, zone, period.start)).toEqual(period);
        expect(periodContaining(anchor, cycle, zone, period.end - 1)).toEqual(period);
        expect(periodContaining(anchor, cycle, zone, period.end).start).toBe(period.end);
        expect(boundary(anchor, cycle, zone, period.n)).toBe(period.start);
      }),
      { numRuns: 600 },
    );
  });

  test('in UTC the calendar is that of any zone without an offset, in every year', () => {
    const all = fc.integer({ min: instant('0200-01-01T00:00:00Z'), max: instant('9800-01-01T00:00:00Z') });
    const counts = fc.integer({ min: -40, max: 40 });
    fc.assert(
      fc.property(all, cycles, distance, counts, (anchor, cycle, away, n) => {
        expect(periodContaining(anchor, cycle, 'UTC', anchor + away)).toEqual(periodContaining(anchor, cycle, 'Etc/GMT', anchor + away));
        const turns = Math.trunc(n / cycle.intervalCount);
        expect(boundary(anchor, cycle, 'UTC', turns)).toBe(boundary(anchor, cycle, 'Etc/GMT', turns));
        expect(localDate(anchor, 'UTC')).toBe(localDate(anchor, 'Etc/GMT'));
        const part = { start: Math.min(anchor, anchor + away), end: Math.max(anchor, anchor + away) };
        for (const basis of ['day', 'fixed_30'] as const)
          expect(fractionOfPeriod(part, part, basis, 'UTC')).toEqual(fractionOfPeriod(part, part, basis, 'Etc/GMT'));
      }),
      { numRuns: 2000 },
    );
  });

  test('the anchor itself starts period 0', () => {
    fc.assert(
      fc.property(anchors, cycles, zones, (anchor, cycle, zone) => {
        expect(periodContaining(anchor, cycle, zone, anchor)).toMatchObject({ n: 0, start: anchor });
      }),
      { numRuns: 300 },
    );
  });
});

describe('fractions', () => {
  const bases = fc.constantFrom('second' as const, 'day' as const, 'fixed_30' as const);

  test('two parts of a period add up to it on every basis', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.integer({ min: 0, max: 400 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        bases,
        (zone, n, cut, basis) => {
          const anchor = instantOfLocalDate('2020-01-31', zone);
          const whole = { start: boundary(anchor, every('month'), zone, n), end: boundary(anchor, every('month'), zone, n + 1) };
          const middle = Math.round(whole.start + cut * (whole.end - whole.start));
          const before = fractionOfPeriod({ start: whole.start, end: middle }, whole, basis, zone);
          const after = fractionOfPeriod({ start: middle, end: whole.end }, whole, basis, zone);
          expect(before.numerator + after.numerator).toBe(before.denominator);
          expect(after.denominator).toBe(before.denominator);
          expect(before.denominator).toBeGreaterThan(0);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a day of 23 or 25 hours counts as one day', () => {
    const zone = 'Europe/Berlin';
    const march = { start: instantOfLocalDate('2026-03-01', zone), end: instantOfLocalDate('2026-04-01', zone) };
    const change = { start: instantOfLocalDate('2026-03-29', zone), end: instantOfLocalDate('2026-03-30', zone) };
    expect(change.end - change.start).toBe(23 * 3600);
    expect(fractionOfPeriod(change, march, 'day', zone)).toEqual({ numerator: 1, denominator: 31 });
  });

  test.each([
    ['2023-05-15', '2023-05-23', 8, 532],
    ['2023-05-23', '2023-06-15', 22, 1463],
    ['2023-06-23', '2023-07-15', 22, 1463],
    ['2024-02-23', '2024-03-15', 22, 1463],
  ])('P11: %s to %s is %i days of 30 and costs %i of 1995', (from, to, days, charge) => {
    const start = utc(from);
    const whole = periodContaining(utc('2023-01-15'), every('month'), 'UTC', start);
    const share = fractionOfPeriod({ start, end: utc(to) }, whole, 'fixed_30', 'UTC');
    expect(share).toEqual({ numerator: days, denominator: 30 });
    expect(roundToMinor(fractionOf(1995, share.numerator, share.denominator))).toBe(charge);
  });
});

test('zones are IANA names', () => {
  for (const zone of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'America/Port-au-Prince', 'Etc/GMT-14', 'EST5EDT'])
    expect(isTimeZone(zone)).toBe(true);
  for (const zone of ['', '+02:00', 'Mars/Base', 'Europe/Berlin ', 'Z', '../etc']) expect(isTimeZone(zone)).toBe(false);
});
