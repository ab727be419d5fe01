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
  if (at < MIN_INSTANT || at > MAX_INSTANT) throw outOfRange();
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
const days = (p: Period, zone: string): number =>
  zoned(p.start, zone).toPlainDate().until(zoned(p.end, zone).toPlainDate(), { largestUnit: 'days' }).days;

/** Days as if every month had 30 (a day 31 counts as 30, the last day of February as itself), so a month that starts on a clamped 31st is not 30 long. */
function days30(p: Period, zone: string): number {
  const from = zoned(p.start, zone).toPlainDate();
  const to = zoned(p.end, zone).toPlainDate();
  return (to.year - from.year) * 360 + (to.month - from.month) * 30 + (Math.min(to.day, 30) - Math.min(from.day, 30));
}

/** "2027-03-01" in the zone. */
export const localDate = (at: Instant, zone: string): string => zoned(at, zone).toPlainDate().toString();
/** "2027-03-01T00:00:00Z" */
export const isoInstant = (at: Instant): string => Temporal.Instant.fromEpochMilliseconds(at * 1000).toString();
/** Parses an ISO 8601 instant with offset or Z; for tests, tools and vectors. @throws RangeError */
export const instant = (iso: string): Instant => Math.floor(Temporal.Instant.from(iso).epochMilliseconds / 1000);
/** The instant of a local date's midnight (gap: later) in a zone. */
export const instantOfLocalDate = (date: string, zone: string): Instant =>
  Math.floor(Temporal.PlainDate.from(date).toZonedDateTime(zone).epochMilliseconds / 1000);
