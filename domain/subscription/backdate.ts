import type { Cycle } from '../catalog/price.ts';
import { Refusal } from '../errors.ts';
import type { Period } from '../invoicing/invoice.ts';
import { boundary, type Instant, periodContaining } from '../time.ts';
import { firstAnchor } from './anchor.ts';
import type { CreateSubscription } from './commands.ts';

/** What Stripe allows on one invoice. */
const MAX_LINES = 250;

/** A stretch of time of its own line: from `from` to the end of the full cycle, for the items that bill by it. */
export interface Stretch {
  itemCycle: Cycle;
  from: Instant;
  cycle: Period;
  /** Covered, and not billed. */
  free: boolean;
}

export interface FirstPeriods {
  startDate: Instant;
  anchor: Instant;
  /** The current period; a stub where the first full one has still to begin. */
  period: Period;
  /** What the creation bills, oldest first; the current period is last. */
  stretches: Stretch[];
}

/**
 * How the life of a subscription begins whose items bill by `cycles`, the shortest first. Its periods are those of the anchor (see `firstAnchor`; `asOf` where none is asked for), cut at the start date. Where that lies in the past
 * (`backdateStartDate`), each period since then is billed by a line of its own, as Stripe's flexible billing mode does, and the current one with them. With
 * `prorationBehavior: none` the past is skipped and a current period that is no full one is free.
 * @throws Refusal date_out_of_range, parameter_invalid
 */
export function planFirstPeriods(
  command: CreateSubscription,
  cycles: readonly [Cycle, ...Cycle[]],
  zone: string,
  asOf: Instant,
): FirstPeriods {
  const startDate = command.backdateStartDate ?? asOf;
  if (startDate > asOf) throw new Refusal('date_out_of_range', 'The start date must be in the past.', 'backdate_start_date');
  const [shortest] = cycles;
  const anchor = command.anchorAtStart ? startDate : firstAnchor(command, shortest, zone, asOf);
  const none = command.prorationBehavior === 'none';
  const stretches = cycles.flatMap((cycle): Stretch[] => {
    const current = periodContaining(anchor, cycle, zone, asOf);
    const past = none ? [] : pastStretches(anchor, cycle, zone, startDate, current);
    const whole = { start: current.start, end: current.end };
    return [...past, { itemCycle: cycle, from: Math.max(whole.start, startDate), cycle: whole, free: none && whole.start !== asOf }];
  });
  if (stretches.length * command.items.length > MAX_LINES) {
    throw new Refusal('date_out_of_range', `The first invoice would have more than ${MAX_LINES} lines.`, 'backdate_start_date');
  }
  const { start, end } = periodContaining(anchor, shortest, zone, asOf);
  return { startDate, anchor, period: { start: Math.max(start, startDate), end }, stretches: stretches.sort((a, b) => a.from - b.from) };
}

/** The periods that have passed since the start date. */
function pastStretches(anchor: Instant, cycle: Cycle, zone: string, startDate: Instant, current: Period & { n: number }): Stretch[] {
  const stretches: Stretch[] = [];
  for (let n = current.n, end = current.start; end > startDate && stretches.length <= MAX_LINES; n -= 1) {
    const start = boundary(anchor, cycle, zone, n - 1);
    if (start < end) stretches.unshift({ itemCycle: cycle, from: Math.max(start, startDate), cycle: { start, end }, free: false });
    end = start;
  }
  return stretches;
}
