import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Stack, startStack } from '../support/stack.ts';
import type { EndState } from './end-state.ts';
import { CRASH_POINTS, live, type Story } from './stories.ts';

/** How often each point is killed; `npm run test:crash -- --times N` sets it. */
const TIMES = Number(process.env['CRASH_TIMES'] ?? '3');
/** Kills in a row, with as many subscriptions: the more there are, the longer the pauses before activities that died with their worker are tried again. */
const WAVE = 5;
const PATIENCE = 180_000 + TIMES * 60_000;

describe.each(Object.keys(CRASH_POINTS) as Story[])('%s', (story) => {
  let stack: Stack;
  let uncrashed: EndState;

  beforeAll(async () => {
    stack = await startStack({ worker: 'none' });
    [uncrashed] = (await live(stack, where(), { story, crashAt: null, times: 1 })) as [EndState];
    expect(uncrashed.invoices).toHaveLength(2);
    expect(uncrashed.invoices.map(({ status }) => status)).toEqual(['paid', 'paid']);
  }, PATIENCE);
  afterAll(() => stack?.stop());

  test.concurrent.each(CRASH_POINTS[story])(
    '%s: nothing charged twice, nothing lost, the same end',
    { timeout: PATIENCE },
    async (crashAt) => {
      for (let left = TIMES; left > 0; left -= WAVE) {
        const ends = await live(stack, where(), { story, crashAt, times: Math.min(left, WAVE) });
        for (const end of ends) expect(end).toEqual(uncrashed);
      }
    },
  );
});

const where = (): { temporalAddress: string; home: string } => ({ temporalAddress: inject('temporalAddress'), home: inject('home') });
