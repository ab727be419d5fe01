import type { Activities } from '../../../activities/index.ts';
import type { FakeBook } from './book.ts';

/** Pauses of billing and of collection. */
export const pauseVerbs = (book: FakeBook) =>
  ({
    pauseSubscription: async (input) =>
      book.once('pauseSubscription', input, () => {
        const sub = book.living(input.subscriptionId);
        const at = input.at === 'now' ? input.asOf : input.at === 'period_end' ? book.period(sub).end : input.at;
        sub.pause = { at, resumesAt: input.resumesAt, unusedTime: input.unusedTime };
        if (input.at === 'now') sub.status = 'paused';
        return book.outcome(sub, null);
      }),
    beginPause: async (input) =>
      book.once('beginPause', input, () => {
        const sub = book.living(input.subscriptionId);
        if (sub.pause?.at !== input.asOf) throw new Error(`paused at ${input.asOf}, not at ${sub.pause?.at}`);
        sub.status = 'paused';
        return book.outcome(sub, null);
      }),
    resumeSubscription: async (input) => book.once('resumeSubscription', input, () => book.resume(input)),
    endPause: async (input) =>
      book.once('endPause', input, () => {
        const { pause } = book.living(input.subscriptionId);
        if (pause?.resumesAt !== input.asOf) throw new Error(`resumed at ${input.asOf}, not at ${pause?.resumesAt}`);
        return book.resume(input);
      }),
    resumeCollection: async (input) =>
      book.once('resumeCollection', input, () => {
        const sub = book.living(input.subscriptionId);
        sub.collectionResumesAt = null;
        return book.outcome(sub, null);
      }),
  }) satisfies Partial<Activities>;
