import { Temporal } from 'temporal-polyfill';
import type { Cycle } from './catalog/price.ts';
import type { Period } from './invoicing/invoice.ts';
import type { ProrationBasis } from './subscription/subscription.ts';

/** A moment: whole unix seconds, UTC. */
export type Instant = number;

/** 0001-01-01 to 9999-12-31, what Postgres and the calendar both hold comfortably. */
export const MIN_INSTANT = -62_135_596_800;
export const MAX_INSTANT = 253_402_214_400;

const zoned = (at: Instant, zone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(at * 1000).toZonedDateTimeISO(zone);

/** @returns whether the runtime knows the IANA zone. */
export function isTimeZone(zone: string): boolean {
  if (!/^[A-Za-z_]+(\/[A-Za-z0-9_+-]+)*$/.test(zone)) return false;
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
 */
export function boundary(anchor: Instant, cycle: Cycle, zone: string, n: number): Instant {
  const local = zoned(anchor, zone).toPlainDateTime();
  const span = n * cycle.intervalCount;
  const moved = local.add(
    cycle.interval === 'day' ? { days: span } : cycle.interval === 'week' ? { weeks: span } : cycle.interval === 'month' ? { months: span } : { years: span },
  );
  // The anchor itself must come back exactly, also where its local time exists twice.
  if (n === 0) return anchor;
  return Math.floor(moved.toZonedDateTime(zone, { disambiguation: 'compatible' }).epochMilliseconds / 1000);
}

/** The period [boundary n, boundary n+1) that contains `at`. Periods are half-open, contiguous and disjoint; n may be negative. */
export function periodContaining(anchor: Instant, cycle: Cycle, zone: string, at: Instant): Period & { n: number } {
  let n = estimate(anchor, cycle, at);
  while (boundary(anchor, cycle, zone, n) > at) n -= 1;
  while (boundary(anchor, cycle, zone, n + 1) <= at) n += 1;
  return { n, start: boundary(anchor, cycle, zone, n), end: boundary(anchor, cycle, zone, n + 1) };
}

const SECONDS_PER_INTERVAL = { day: 86_400, week: 604_800, month: 2_629_746, year: 31_556_952 } as const;
const estimate = (anchor: Instant, cycle: Cycle, at: Instant): number =>
  Math.floor((at - anchor) / (SECONDS_PER_INTERVAL[cycle.interval] * cycle.intervalCount));

/**
 * The part of `whole` that `part` covers, in units of the basis: seconds; calendar days of the zone, end exclusive; or 30-day months.
 * Parts of one period are additive on the bases `second` and `day`.
 */
export function fractionOfPeriod(part: Period, whole: Period, basis: ProrationBasis, zone: string): { numerator: number; denominator: number } {
  const length = basis === 'second' ? seconds : basis === 'day' ? (p: Period) => days(p, zone) : (p: Period) => days30(p, zone);
  return { numerator: length(part), denominator: length(whole) };
}

const seconds = (p: Period): number => p.end - p.start;
const days = (p: Period, zone: string): number =>
  zoned(p.start, zone).toPlainDate().until(zoned(p.end, zone).toPlainDate(), { largestUnit: 'days' }).days;

/** Days as if every month had 30 (a day 31 counts as 30, the last day of February as itself). */
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
export const plusSeconds = (at: Instant, seconds: number): Instant => at + seconds;
