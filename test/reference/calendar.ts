/** Months, counted in UTC from a first moment. */
export interface Cycle {
  months: number;
}

/** The same time of day so many months later, on the month's last day where it has no such day. */
export function monthsLater(from: number, months: number): number {
  const date = new Date(from * 1000);
  const month = date.getUTCMonth() + months;
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const midnight = Date.UTC(date.getUTCFullYear(), month, Math.min(date.getUTCDate(), lastDay)) / 1000;
  return midnight + (((from % 86_400) + 86_400) % 86_400);
}

/** The period of the anchor that an instant lies in: found by going through all of them. */
export function periodAround(anchor: number, { months }: Cycle, at: number): [start: number, end: number] {
  let n = 0;
  while (monthsLater(anchor, n * months) > at) n -= 1;
  while (monthsLater(anchor, (n + 1) * months) <= at) n += 1;
  return [monthsLater(anchor, n * months), monthsLater(anchor, (n + 1) * months)];
}
