import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLedger } from '../../cli/demo/closing.ts';
import { live } from '../../cli/demo/live.ts';
import { prove } from '../../cli/demo/prove.ts';
import { type Stack, startStack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack?.stop());

test('the year of the demo is lived as it is told, and nothing is charged twice', { timeout: 600_000 }, async () => {
  const lines: string[] = [];
  const screen = { line: (text = '') => void lines.push(text), progress: () => {}, clear: () => {} };
  const { cast } = await live(stack.stripe, screen);
  const story = lines.join('\n');
  for (const part of [
    /2027-03-20 {2}Ada .*moves up to Pro, billed at once +EUR 10\.65/,
    /Chloe .*card declined, try 2 +EUR 19\.00/,
    /Chloe .*a new card, which is charged at once +EUR 19\.00/,
    /Dimitri .*is cancelled: every try failed/,
    /Grace .*is told that the trial ends in three days/,
    /Grace .*the trial becomes a subscription/,
    /Jun .*is cancelled, as asked/,
  ])
    expect(story).toMatch(part);

  const ledger = await readLedger(stack.stripe, cast);
  const ends = Object.fromEntries(ledger.map(({ character, status, invoices }) => [character.name, `${status} ${invoices.length}`]));
  expect(ends).toMatchObject({ Ada: 'active 14', Farid: 'active 1', Dimitri: 'canceled 5', Jun: 'canceled 5' });
  const totals = (who: string): number[] =>
    ledger.find(({ character }) => character.name === who)?.invoices.flatMap(({ total }) => (total === 0 ? [] : [total])) ?? [];
  // 3,200 calls beyond the free ones at 0.9 ct; in October fewer than are free.
  expect(totals('Kim')).toEqual([2880]);
  // 29.00 and 9,000 calls at 0.9 ct and 15,000 at 0.5 ct; 29.00 and 9,000 at 0.9 ct and 2,345 at 0.5 ct.
  expect(totals('Luis')).toEqual([2900, 2900 + 8100 + 7500, 2900, 2900, 2900, 2900, 2900, 2900 + 8100 + 1173, 2900, 2900]);
  expect(totals('Mia').slice(0, 5)).toEqual([3920, 3920, 3920, 4900, 4900]);
  const proof = await prove(ledger, stack.sandbox, stack.db, stack.accountId);
  expect(proof).toMatchObject({ wrongInvoices: [], billedTwice: 0, unbalanced: 0, holds: true });
});
