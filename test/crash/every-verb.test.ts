import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { type Stack, startStack } from '../support/stack.ts';
import { type EndState, endState } from './end-state.ts';
import { LIVES, type Life } from './lives.ts';
import { CRASH_POINTS } from './stories.ts';
import { KeptWorker } from './worker-process.ts';

/** Each verb dies once with everything written and nothing committed, and once with everything committed and nothing told. A long run has it die everywhere. */
const isLong = process.env['CRASH_TIMES'] !== undefined;
const TIMES = isLong ? Number(process.env['CRASH_TIMES']) : 1;
const POINTS = isLong ? ['loaded', 'decided', 'recorded', 'committed'] : ['recorded', 'committed'];
/** These decide nothing. */
const NOT_REACHED = new Set(['finish-clock-advance:decided', 'take-price-migration-page:loaded', 'take-price-migration-page:decided']);
/** Reached after five minutes without an answer; one statement, which done again changes nothing. */
const TOO_SLOW = ['give-up-migration'];
const PATIENCE = 400_000 + TIMES * 120_000;

const pointsOf = ({ verbs }: Life): string[] =>
  verbs.flatMap((verb) => POINTS.map((point) => `${verb}:${point}`)).filter((point) => !NOT_REACHED.has(point));

test('every verb of the activities dies somewhere', () => {
  const verbs = readdirSync('activities')
    .flatMap((file) => (file.endsWith('.ts') ? [readFileSync(join('activities', file), 'utf8')] : []))
    .flatMap((source) => [...source.matchAll(/(?:verb: |\breach\()'([\w-]+)/g)].map(([, verb = '']) => verb));
  const dying = [
    ...Object.values(LIVES).flatMap((life) => life.verbs),
    ...Object.values(CRASH_POINTS).flatMap((rows) => rows.flat().map((point) => point.split(':')[0] ?? '')),
  ];
  expect(verbs.length).toBeGreaterThan(20);
  expect([...new Set(verbs)].filter((verb) => !dying.includes(verb))).toEqual(TOO_SLOW);
});

describe.concurrent.each(Object.entries(LIVES))('%s', (_, life) => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ worker: 'none', deadlineMs: 250_000, ...(life.account && { account: life.account }) });
  }, PATIENCE);
  afterAll(() => stack?.stop());

  test(`dies at ${pointsOf(life).join(', ')}: the same end`, { timeout: PATIENCE }, async () => {
    const { databaseUrl, taskQueue } = stack;
    const settings = { databaseUrl, taskQueue, temporalAddress: inject('temporalAddress'), home: inject('home') };
    const ends: EndState[] = [];
    for (let left = TIMES; left > 0; left -= 1) {
      const worker = new KeptWorker({ ...settings, entry: 'test/crash/worker-with-taxes.ts' }, pointsOf(life));
      try {
        ends.push(await endState(stack, await life.live(stack)));
        // What is committed is seen before the death of who committed it.
        await worker.diedOften(60_000);
        // The last of them lives on, and with it the life that nothing disturbs.
        if (left === 1) ends.push(await endState(stack, await life.live(stack)));
      } finally {
        await worker.stop();
      }
    }
    const uncrashed = ends.pop();
    for (const end of ends) expect(end).toEqual(uncrashed);
  });
});
