import type { Activities } from '../../activities/index.ts';

/**
 * The same activities on a bad day: of so large a `share` of the calls (0 to 1) nothing is done, of as many the answer is lost after all was done, and both throw as if a connection had broken.
 * Whatever is tested with them must come out as it does with the others.
 */
export function flaky(activities: Activities, share: number): Activities {
  if (share === 0) return activities;
  return Object.fromEntries(
    Object.entries(activities).map(([verb, run]: [string, (input: never) => Promise<unknown>]) => [
      verb,
      async (input: never) => {
        if (Math.random() < share) throw new Error(`${verb} was not reached`);
        const result = await run(input);
        if (Math.random() < share) throw new Error(`what ${verb} answered was lost`);
        return result;
      },
    ]),
  ) as unknown as Activities;
}
