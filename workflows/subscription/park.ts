import type { Instant } from '../../domain/time.ts';
import { isSuperseded, reasonOf } from '../read-failure.ts';
import type { Desk } from './desk.ts';
import type { BoundaryStep, CollectionManner, ParkedStep } from './state.ts';

const MINUTE = 60;
const HOUR = 3600;
/** Seconds before each retry; the last one repeats for ever. */
const BACK_OFF = [MINUTE, 5 * MINUTE, 30 * MINUTE, HOUR, 6 * HOUR] as const;

export const backOff = (tries: number): number => BACK_OFF[Math.min(tries, BACK_OFF.length - 1)] ?? 6 * HOUR;

export interface Unfinished {
  invoiceId: string;
  step: ParkedStep['step'];
  error: unknown;
  manner: CollectionManner;
  attemptNumber?: number;
  /** The pending activity retries by itself. */
  retriesItself?: boolean;
}

/** Puts a step aside for the loop to retry; the subscription answers commands and renews meanwhile. */
export function park(desk: Desk, { invoiceId, step, error, manner, attemptNumber = 0, retriesItself = false }: Unfinished): void {
  if (giveWay(desk, error)) return;
  const { state, clock } = desk;
  const now: Instant = clock.now();
  const before = state.parked.find((parked) => parked.invoiceId === invoiceId);
  const again = before?.step === step && before.attemptNumber === attemptNumber ? before : null;
  const tries = again === null ? 0 : again.tries + 1;
  const parked: ParkedStep = {
    invoiceId,
    step,
    since: again?.since ?? now,
    error: typeof error === 'string' ? error : reasonOf(error),
    tries,
    retryAt: retriesItself ? null : now + backOff(tries),
    manner,
    attemptNumber,
  };
  state.parked = [...state.parked.filter((other) => other !== before), parked];
}

export function unpark({ state }: Desk, invoiceId: string): void {
  state.parked = state.parked.filter((parked) => parked.invoiceId !== invoiceId);
}

/** Holds the boundary step back; what failed once may fail for long, and must be seen, not repeated every second. */
export function stall(desk: Desk, step: BoundaryStep, error: unknown): void {
  if (giveWay(desk, error)) return;
  const { state, clock } = desk;
  const now = clock.now();
  const tries = state.stalled?.step === step ? state.stalled.tries + 1 : 1;
  state.stalled = { step, since: state.stalled?.since ?? now, error: reasonOf(error), tries, retryAt: now + backOff(tries - 1) };
}

/** Nothing is left to do for a run that is told of a newer generation. Returns whether it was. */
export function giveWay(desk: Desk, error: unknown): boolean {
  desk.superseded ||= isSuperseded(error);
  return desk.superseded;
}
