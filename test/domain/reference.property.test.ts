import { expect, test } from 'vitest';
import { decideFinalization } from '../../domain/invoicing/finalize-invoice.ts';
import { billHousehold, billLife } from '../reference/biller.ts';
import { makeHousehold, makeInstants, makeLife } from '../reference/make-life.ts';
import KEPT from '../reference/seeds.json' with { type: 'json' };
import { Household, MemberBook } from '../support/household.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { billsOf, inWords, MemoryLife } from '../support/memory-life.ts';
import { payAll } from '../support/subscribe.ts';

const START = on('2027-10-31');
const END = START + 366 * 86_400;
const YEARS = Number(process.env['DECIDE_YEARS'] ?? 60);
const SEEDS = [...(KEPT as number[]), ...Array.from({ length: YEARS }, (_, n) => n + 1)];

test('random subscription-years are decided as the reference bills them', () => {
  for (const seed of SEEDS) {
    const given = makeLife(seed, makeInstants(seed % 7, START));
    const life = new MemoryLife(given, new MemoryBook());
    const passUntil = (at: number): void => {
      while (life.endsAt <= at) life.pass();
    };
    for (const { at, act } of given.acts) {
      passUntil(at);
      life.act(act, at);
    }
    passUntil(END);
    expect(inWords(billsOf(life.book.allInvoices)), `seed ${seed}: ${JSON.stringify(given)}`).toEqual(inWords(billLife(given, END)));
  }
});

test('random years of customers with several subscriptions and one invoice a day', () => {
  let unclear = 0;
  // Each is two or three lives.
  const seeds = SEEDS.slice(0, KEPT.length + Math.ceil(YEARS / 3));
  for (const seed of seeds) {
    const given = makeHousehold(seed, makeInstants(seed % 7, START));
    const expected = billHousehold(given, END);
    if (expected === null) {
      unclear += 1;
      continue;
    }
    const home = new Household();
    const lives = given.map((life, place) => new MemoryLife(life, new MemberBook(home), String(place)));
    const passUntil = (at: number): void => {
      for (;;) {
        const draft = home.drafts.filter(({ autoAdvance }) => autoAdvance).sort((a, b) => untilOf(a) - untilOf(b))[0];
        const next = Math.min(...lives.map(({ endsAt }) => endsAt), draft ? untilOf(draft) : Number.POSITIVE_INFINITY);
        if (next > at) return;
        const life = lives.find(({ endsAt }) => endsAt === next);
        if (life) life.pass();
        else if (draft) {
          home.about(draft.id, next, (snapshot, context) => decideFinalization(snapshot, { automatic: true }, context));
          for (const { book } of lives) if (book.subscription) payAll(book, next);
        }
      }
    };
    const acts = given.flatMap((life, place) => life.acts.map(({ at, act }) => ({ at, act, place })));
    for (const { at, act, place } of acts.sort((a, b) => a.at - b.at || a.place - b.place)) {
      passUntil(at);
      lives[place]?.act(act, at);
    }
    passUntil(END);
    const invoices = new Map(lives.flatMap(({ book }) => book.allInvoices.map((invoice) => [invoice.id, invoice])));
    expect(inWords(billsOf([...invoices.values()])), `seed ${seed}: ${JSON.stringify(given)}`).toEqual(inWords(expected));
  }
  expect(unclear).toBeLessThan(seeds.length / 10);
});

const untilOf = ({ automaticallyFinalizesAt: until }: { automaticallyFinalizesAt: number | null }): number => until ?? 0;
