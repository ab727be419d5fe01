import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Price } from '../../domain/catalog/price.ts';
import { formatAmount } from '../../domain/money.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { tiered } from '../support/price-models.ts';
import { changeItem, create, createPaid, renew } from '../support/subscribe.ts';

const page = readFileSync(new URL('../../docs/pricing.md', import.meta.url), 'utf8');
const JAN = on('2025-01-01');

const sold = (book: MemoryBook, name: string, unit: string, patch: Partial<Price> = {}): void => {
  book.price(name, unit, 'month', patch);
};

/** A desk at a price with tiers. */
const inTiers = (book: MemoryBook, ...terms: Parameters<typeof tiered>): void => void sold(book, 'Desk', '0', tiered(...terms));

/** Each example of the page, and what it bills: the lines of its last invoice. */
const EXAMPLES: Record<string, (book: MemoryBook) => void> = {
  flat: (book) => {
    sold(book, 'Desk', '4900');
    create(book, JAN, ['Desk']);
  },
  'per seat': (book) => {
    sold(book, 'Desk', '1250');
    create(book, JAN, ['Desk × 7']);
  },
  graduated: (book) => {
    inTiers(book, 'graduated', [
      [10, 1000],
      [null, 500],
    ]);
    create(book, JAN, ['Desk × 12']);
  },
  volume: (book) => {
    inTiers(book, 'volume', [
      [10, 1000],
      [null, 500],
    ]);
    create(book, JAN, ['Desk × 12']);
  },
  stairstep: (book) => {
    inTiers(book, 'volume', [
      [10, null, 5000],
      [50, null, 20000],
      [null, null, 50000],
    ]);
    create(book, JAN, ['Desk × 12']);
  },
  allowance: (book) => {
    inTiers(book, 'graduated', [
      [100, null, 20000],
      [null, 150],
    ]);
    create(book, JAN, ['Desk × 103']);
  },
  package: (book) => {
    sold(book, 'Desk', '2500', { transformQuantity: { divideBy: 5, round: 'up' } });
    create(book, JAN, ['Desk × 11']);
  },
  'free tier': (book) => {
    inTiers(book, 'graduated', [
      [3, 0],
      [null, 900],
    ]);
    create(book, JAN, ['Desk × 3']);
    changeItem(book, on('2025-01-20'), 'si_Desk', { quantity: '5' });
  },
  hybrid: (book) => {
    sold(book, 'Base', '4900');
    inTiers(book, 'graduated', [
      [10, 1000],
      [null, 500],
    ]);
    create(book, JAN, ['Base', 'Desk × 12']);
  },
  currencies: (book) => {
    sold(book, 'Desk', '2000', { currencyOptions: { jpy: { unitAmountDecimal: '3000', tiers: null, taxBehavior: 'unspecified' } } });
    create(book, JAN, ['Desk × 2'], { currency: 'jpy' });
  },
  bundle: (book) => {
    const bundle = [
      { productId: 'prod_Chat', share: '2000' },
      { productId: 'prod_Desk', share: '2900' },
    ];
    for (const name of ['Chat', 'Desk']) sold(book, name, '0');
    sold(book, 'Suite', '4900', { bundle });
    create(book, JAN, ['Suite × 3']);
  },
  versions: (book) => {
    sold(book, 'Desk', '2000', { active: true });
    createPaid(book, JAN, ['Desk']);
    const old = book.prices['Desk'] as Price;
    book.prices['Desk'] = { ...old, active: false };
    book.prices['new'] = { ...old, id: 'new', unitAmountDecimal: '2500' };
    changeItem(book, JAN, 'si_Desk', { quantity: '3' }, { prorationBehavior: 'none' });
    renew(book);
  },
};

/** The lines of an example, as they stand on the page. */
function shown(example: string): string {
  const book = new MemoryBook();
  EXAMPLES[example]?.(book);
  const { lines, currency, total } = book.lastInvoice;
  const rows = lines.map((line) => `| ${line.description} | ${formatAmount(line.amount, currency)} |`);
  const table = [
    '| Line | Amount |',
    '| --- | ---: |',
    ...rows,
    ...(lines.length > 1 ? [`| **Total** | **${formatAmount(total, currency)}** |`] : []),
  ];
  return [...table, '', ...lines.flatMap(({ explanation }) => [`> ${explanation.sentence}`, '>']).slice(0, -1)].join('\n');
}

test.each(Object.keys(EXAMPLES))('docs/pricing.md, %s: the line and its sentence are those that are billed', (example) => {
  const [, rest] = page.split(`<!-- ${example}:start -->\n`);
  expect(rest?.split(`\n<!-- ${example}:end -->`)[0]).toBe(shown(example));
});

test('docs/pricing.md has no example that is not checked', () => {
  expect([...page.matchAll(/<!-- ([\w ]+):start -->/g)].map(([, name]) => name)).toEqual(Object.keys(EXAMPLES));
});
