import type { Cycle, Interval } from './price.ts';

/** Days and weeks are counted in days, months and years in months; the two never meet again. */
const UNIT: Record<Interval, readonly ['day' | 'month', number]> = {
  day: ['day', 1],
  week: ['day', 7],
  month: ['month', 1],
  year: ['month', 12],
};

const lengthOf = ({ interval, intervalCount }: Cycle): { unit: 'day' | 'month'; length: number } => {
  const [unit, length] = UNIT[interval];
  return { unit, length: length * intervalCount };
};

/** Twelve months are a year: what matters is when they bill. */
export function isSameCycle(a: Cycle, b: Cycle): boolean {
  const [first, second] = [lengthOf(a), lengthOf(b)];
  return first.unit === second.unit && first.length === second.length;
}

/** Whether every boundary of `longer` is one of `shorter` too, on whatever anchor they share. */
export function isMultipleOf(longer: Cycle, shorter: Cycle): boolean {
  const [whole, part] = [lengthOf(longer), lengthOf(shorter)];
  return whole.unit === part.unit && whole.length % part.length === 0;
}

/** The shortest of some cycles, the first of those that are equally long; a month is longer than any number of days (there is no common boundary to compare them by). */
export function shortestCycle(cycles: readonly [Cycle, ...Cycle[]]): Cycle {
  const [first, ...others] = cycles;
  return others.reduce((shortest, cycle) => (isShorter(cycle, shortest) ? cycle : shortest), first);
}

function isShorter(a: Cycle, b: Cycle): boolean {
  const [first, second] = [lengthOf(a), lengthOf(b)];
  return first.unit === second.unit ? first.length < second.length : first.unit === 'day';
}

/** Each length of cycle once, in the order given. */
export const distinctCycles = (cycles: readonly [Cycle, ...Cycle[]]): [Cycle, ...Cycle[]] =>
  cycles.filter((cycle, index) => cycles.findIndex((other) => isSameCycle(cycle, other)) === index) as [Cycle, ...Cycle[]];
