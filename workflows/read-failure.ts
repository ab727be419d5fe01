import { ApplicationFailure, rootCause } from '@temporalio/workflow';
import { isRefusalCode, type RefusalCode } from '../domain/errors.ts';
import { UNAVAILABLE } from './messages.ts';

/** The refusal inside an activity's failure, or null when it failed for another reason. */
export function refusalIn(error: unknown): (ApplicationFailure & { type: RefusalCode }) | null {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if (at instanceof ApplicationFailure && isRefusalCode(at.type)) return at as ApplicationFailure & { type: RefusalCode };
  }
  return null;
}

/** Another generation of this workflow, started from the books, decides now. */
export const isSuperseded = (error: unknown): boolean => refusalIn(error)?.type === 'generation_superseded';

/** What the caller of a command is told: the refusal as it is, anything else as `unavailable`. */
export function answerFor(error: unknown): ApplicationFailure {
  const refusal = refusalIn(error);
  if (refusal !== null) return refuse(refusal.type, refusal.message, refusal.details ?? []);
  return ApplicationFailure.create({ type: UNAVAILABLE, message: reasonOf(error), nonRetryable: true });
}

export function refuse(code: RefusalCode, message: string, details: unknown[] = []): ApplicationFailure {
  return ApplicationFailure.create({ type: code, message, details, nonRetryable: true });
}

/** One line for the operator. */
export const reasonOf = (error: unknown): string => (rootCause(error) ?? String(error)).slice(0, 300);
