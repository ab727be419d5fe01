import { Temporal } from 'temporal-polyfill';
import type { Cycle } from './catalog/price.ts';
import { Refusal } from './errors.ts';
import type { Period } from './invoicing/invoice.ts';
import type { AnchorConfig, ProrationBasis } from './subscription/subscription.ts';

/** A moment: whole unix seconds, UTC. */
export type Instant = number;

/** 0001-01-01 to 9999-12-31, what Postgres and the calendar both hold comfortably. */
export const MIN_INSTANT = -62_135_596_800;
export const MAX_INSTANT = 253_402_214_400;

const zoned = (at: Instant, zone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(at * 1000).toZonedDateTimeISO(zone);

const DAY = 86_400;
const isUtc = (zone: string): boolean => zone === 'UTC' || zone === 'Etc/UTC';

interface CalendarDay {
  year: number;
  month: number;
  day: number;
}

/*
 * The Gregorian calendar without zones, in whole numbers, for UTC: there every day has 24 hours, and most subscriptions bill there. Years begin in March, so that the day that comes and goes is their
 * last; 719,468 days lie between 0000-03-01 and 1970-01-01.
 */
function dayOf(days: number): CalendarDay {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1 };
}

/** Days since 1970-01-01. */
function daysUntil({ year, month, day }: CalendarDay): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

const daysInMonth = (year: number, month: number): number => {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
};

const MONTHS_PER_INTERVAL = { day: 0, week: 0, month: 1, year: 12 } as const;

/** `boundariesOf` in UTC. */
function boundariesInUtc(anchor: Instant, { interval, intervalCount }: Cycle): (n: number) => Instant {
  const months = MONTHS_PER_INTERVAL[interval] * intervalCount;
  if (months === 0) return (n) => (n === 0 ? anchor : inRange(anchor + n * intervalCount * SECONDS_PER_INTERVAL[interval]));
  const days = Math.floor(anchor / DAY);
  const first = dayOf(days);
  const time = anchor - days * DAY;
  return (n) => {
    if (n === 0) return anchor;
    const moved = first.year * 12 + first.month - 1 + n * months;
    const year = Math.floor(moved / 12);
    const month = moved - year * 12 + 1;
    return inRange(daysUntil({ year, month, day: Math.min(first.day, daysInMonth(year, month)) }) * DAY + time);
  };
}

/** @returns whether the runtime knows the IANA zone. */
export function isTimeZone(zone: string): boolean {
  // Bare offsets (+02:00) are no zones: they have no rules to follow.
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(zone)) return false;
  try {
    zoned(0, zone);
    return true;
  } catch {
    return false;
  }
}

/**
 * Boundary n of an anchor: anchor + n x cycle as a local date and time in `zone`, always counted from the anchor, so that the 31st clamps to a
 * month's end and comes back. A local time inside a DST gap resolves to the later instant, in an overlap to the earlier.
 * @throws Refusal date_out_of_range beyond MIN_INSTANT and MAX_INSTANT
 */
export function boundary(anchor: Instant, cycle: Cycle, zone: string, n: number): Instant {
  return boundariesOf(anchor, cycle, zone)(n);
}

/** The period [boundary n, boundary n+1) that contains `at`. Periods are half-open, contiguous and disjoint; n may be negative. @throws as `boundary` */
export function periodContaining(anchor: Instant, cycle: Cycle, zone: string, at: Instant): Period & { n: number } {
  const nth = boundariesOf(anchor, cycle, zone);
  let n = estimate(anchor, cycle, at);
  let start = nth(n);
  let end = nth(n + 1);
  while (start > at) {
    n -= 1;
    [start, end] = [nth(n), start];
  }
  while (end <= at) {
    n += 1;
    [start, end] = [end, nth(n + 1)];
  }
  return { n, start, end };
}

function boundariesOf(anchor: Instant, cycle: Cycle, zone: string): (n: number) => Instant {
  if (isUtc(zone)) return boundariesInUtc(anchor, cycle);
  const local = zoned(anchor, zone).toPlainDateTime();
  const unit = `${cycle.interval}s` as const;
  return (n) => {
    // The anchor itself must come back exactly, also where its local time exists twice.
    if (n === 0) return anchor;
    try {
      const moved = local.add({ [unit]: n * cycle.intervalCount });
      return inRange(Math.floor(moved.toZonedDateTime(zone, { disambiguation: 'compatible' }).epochMilliseconds / 1000));
    } catch (error) {
      if (error instanceof RangeError) throw outOfRange();
      throw error;
    }
  };
}

/** How many cycles ahead an anchor is looked for that shows its day unclamped: 29 February is at most eight years away. */
const CYCLES_AHEAD = 12;

/**
 * The anchor that lies on a day of the month, and at a time of day, of the zone. Its boundaries contain the first such moment at or after `from`; it is that moment itself
 * where the moment shows day and time as they are wanted, else the next boundary that does, so that a 31st asked for in February is not remembered as a 28th. Only for
 * cycles of months and years. @throws Refusal date_out_of_range
 */
export function anchorOn(config: AnchorConfig, cycle: Cycle, zone: string, from: Instant): Instant {
  const local = zoned(from, zone);
  const time = {
    hour: config.hour ?? local.hour,
    minute: config.minute ?? local.minute,
    second: config.second ?? local.second,
  };
  const inMonth = (month: Temporal.PlainYearMonth): Temporal.PlainDateTime =>
    month.toPlainDate({ day: Math.min(config.dayOfMonth, month.daysInMonth) }).toPlainDateTime(time);
  const instantOf = (moment: Temporal.PlainDateTime): Instant => inRange(Math.floor(moment.toZonedDateTime(zone).epochMilliseconds / 1000));
  const shows = (moment: Temporal.PlainDateTime): boolean =>
    moment.day === config.dayOfMonth && moment.toZonedDateTime(zone).toPlainDateTime().equals(moment);

  let month = Temporal.PlainYearMonth.from({ year: local.year, month: config.month ?? local.month });
  while (instantOf(inMonth(month)) < from) month = month.add(config.month === null ? { months: 1 } : { years: 1 });
  for (let n = 0; n <= CYCLES_AHEAD; n += 1) {
    const candidate = inMonth(month.add({ [`${cycle.interval}s`]: n * cycle.intervalCount }));
    if (shows(candidate)) return instantOf(candidate);
  }
  return instantOf(inMonth(month));
}

const outOfRange = (): Refusal => new Refusal('date_out_of_range', 'The date lies outside the years 1 to 9999.');

function inRange(at: Instant): Instant {
  if (!(at >= MIN_INSTANT && at <= MAX_INSTANT)) throw outOfRange();
  return at;
}

const SECONDS_PER_INTERVAL = { day: 86_400, week: 604_800, month: 2_629_746, year: 31_556_952 } as const;
const estimate = (anchor: Instant, cycle: Cycle, at: Instant): number =>
  Math.floor((at - anchor) / (SECONDS_PER_INTERVAL[cycle.interval] * cycle.intervalCount));

/**
 * The part of `whole` that `part` covers, in units of the basis: seconds; calendar days of the zone, end exclusive; or 30-day months.
 * Parts of one period add up to it on every basis.
 */
export function fractionOfPeriod(
  part: Period,
  whole: Period,
  basis: ProrationBasis,
  zone: string,
): { numerator: number; denominator: number } {
  const length = basis === 'second' ? seconds : basis === 'day' ? (p: Period) => days(p, zone) : (p: Period) => days30(p, zone);
  return { numerator: length(part), denominator: length(whole) };
}

const seconds = (p: Period): number => p.end - p.start;
const days = (p: Period, zone: string): number => daysUntil(dayIn(p.end, zone)) - daysUntil(dayIn(p.start, zone));

/** Days as if every month had 30 (a day 31 counts as 30, the last day of February as itself), so a month that starts on a clamped 31st is not 30 long. */
function days30(p: Period, zone: string): number {
  const from = dayIn(p.start, zone);
  const to = dayIn(p.end, zone);
  return (to.year - from.year) * 360 + (to.month - from.month) * 30 + (Math.min(to.day, 30) - Math.min(from.day, 30));
}

function dayIn(at: Instant, zone: string): CalendarDay {
  if (isUtc(zone)) return dayOf(Math.floor(at / DAY));
  const { year, month, day } = zoned(at, zone);
  return { year, month, day };
}

/** "2027-03-01" in the zone. */
export function localDate(at: Instant, zone: string): string {
  const { year, month, day } = dayIn(at, zone);
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}
/** "2027-03-01T00:00:00Z" */
export const isoInstant = (at: Instant): string => Temporal.Instant.fromEpochMilliseconds(at * 1000).toString();
/** Parses an ISO 8601 instant with offset or Z; for tests, tools and vectors. @throws RangeError */
export const instant = (iso: string): Instant => Math.floor(Temporal.Instant.from(iso).epochMilliseconds / 1000);
/** The instant of a local date's midnight (gap: later) in a zone. */
export const instantOfLocalDate = (date: string, zone: string): Instant =>
  Math.floor(Temporal.PlainDate.from(date).toZonedDateTime(zone).epochMilliseconds / 1000);
