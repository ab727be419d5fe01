import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type Stack, startStack } from '../support/stack.ts';
import type { EndState } from './end-state.ts';
import { CRASH_POINTS, live, type Story } from './stories.ts';

/** How often each point is killed by itself; `npm run test:crash -- --times N` sets it. Otherwise the points of a row are died at by the same lives. */
const TIMES = process.env['CRASH_TIMES'] === undefined ? null : Number(process.env['CRASH_TIMES']);
/** Kills in a row, with as many subscriptions: the more there are, the longer the pauses before activities that died with their worker are tried again. */
const WAVE = 5;
/** The worker dies of one of them, while another is under way. */
const TOGETHER = 2;
const PATIENCE = 400_000 + (TIMES ?? 0) * 60_000;

interface Row {
  story: Story;
  row: readonly string[];
  name: string;
}
const stories = Object.keys(CRASH_POINTS) as Story[];
const rows: Row[] = stories.flatMap((story) => CRASH_POINTS[story].map((row) => ({ story, row, name: row.join(', ') })));
const points: Row[] = rows.flatMap(({ story, row }) => row.map((point) => ({ story, row: [point], name: point })));

let stack: Stack;
let uncrashed: Record<Story, EndState>;
beforeAll(async () => {
  stack = await startStack({ worker: 'none' });
  const lives = await Promise.all(
    stories.map(async (story) => [story, (await live(stack, where(), { story, subscriptions: 1, crashAt: [] }))[0]]),
  );
  uncrashed = Object.fromEntries(lives) as typeof uncrashed;
}, PATIENCE);
afterAll(() => stack?.stop());

test.each(stories)('%s: what nothing disturbs is paid twice', (story) => {
  expect(uncrashed[story].invoices.map(({ status }) => status)).toEqual(['paid', 'paid']);
});

test.concurrent.each(TIMES === null ? rows : points)(
  '$story dies at $name: nothing charged twice, nothing lost, the same end',
  { timeout: PATIENCE },
  async ({ story, row }) => {
    for (let left = TIMES ?? 1; left > 0; left -= WAVE) {
      const kills = TIMES === null ? { subscriptions: TOGETHER, crashAt: row } : wave(row, Math.min(left, WAVE));
      for (const end of await live(stack, where(), { story, ...kills })) expect(end).toEqual(uncrashed[story]);
    }
  },
);

const wave = (row: readonly string[], kills: number): { subscriptions: number; crashAt: string[] } => ({
  subscriptions: kills,
  crashAt: Array.from({ length: kills }, () => row[0] ?? ''),
});

const where = (): { temporalAddress: string; home: string } => ({ temporalAddress: inject('temporalAddress'), home: inject('home') });
