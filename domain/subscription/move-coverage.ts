import type { IdSource } from '../decision.ts';
import { ID_PREFIX } from '../ids.ts';
import { coversOf, creditCover } from '../invoicing/cover-together.ts';
import type { ProrationTerms } from '../rating/prorate.ts';
import type { Instant } from '../time.ts';
import type { BilledPeriod, BilledShrink } from './subscription.ts';

/**
 * Takes what is covered from `since` on to `by` seconds later, with its value: no line is made, a later credit gives back what was really paid, and no instant is covered twice.
 * The cycle it is a share of moves along, so that prices and fractions stay what they were.
 */
export function moveCoverage(
  billed: readonly BilledPeriod[],
  since: Instant,
  by: number,
  terms: ProrationTerms,
  newId: IdSource,
): { shrinks: BilledShrink[]; rows: BilledPeriod[] } {
  const touched = by === 0 ? [] : billed.filter((row) => row.end > since && row.end > row.start);
  const moved = coversOf(touched).flatMap((cover) => {
    const from = Math.max(cover.whole.start, since);
    const { shares } = creditCover(cover, from, terms);
    const [start, end] = [from + by, cover.whole.end + by];
    return cover.parts.map((row, index) => {
      const value = shares[index] ?? 0;
      return {
        shrink: { id: row.id, end: from, credited: row.credited + value },
        row: {
          ...row,
          ...{ id: newId(ID_PREFIX.billedPeriod), start, end, originalStart: start, originalEnd: end },
          ...{ cycleStart: row.cycleStart + by, cycleEnd: row.cycleEnd + by, amount: value, credited: 0 },
        },
      };
    });
  });
  return { shrinks: moved.map(({ shrink }) => shrink), rows: moved.map(({ row }) => row) };
}
