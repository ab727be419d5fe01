import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatAmount } from '../../domain/money.ts';
import type { ProrationBasis } from '../../domain/subscription/subscription.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, changePlan, create, createPaid, renew, schedule } from '../support/subscribe.ts';

const page = readFileSync(new URL('../../docs/proration.md', import.meta.url), 'utf8');
const BASES = ['second', 'day', 'fixed_30'] as const satisfies readonly ProrationBasis[];
const NOON = on('2025-01-16T12:00:00Z');
const ALWAYS = { prorationBehavior: 'always_invoice' } as const;

/** Each example of the page, and what it bills: the lines of its last invoice. */
const EXAMPLES: Record<string, (book: MemoryBook) => void> = {
  upgrade: (book) => changeItem(paid(book, 'basic'), NOON, 'si_basic', { priceId: 'pro' }, ALWAYS),
  downgrade: (book) => changeItem(paid(book, 'pro'), NOON, 'si_pro', { priceId: 'basic' }, ALWAYS),
  quantity: (book) => changeItem(paid(book, 'basic'), NOON, 'si_basic', { quantity: '4' }, ALWAYS),
  'second change': (book) => {
    changeItem(paid(book, 'basic'), NOON, 'si_basic', { priceId: 'pro' }, ALWAYS);
    changeItem(book, on('2025-01-25'), 'si_basic', { quantity: '2' }, ALWAYS);
  },
  stub: (book) => create(book, on('2025-03-05'), ['basic'], { billingCycleAnchor: on('2025-03-20') }),
  backdated: (book) => create(book, on('2025-04-15'), ['basic'], { backdateStartDate: on('2025-02-01') }),
  'anchor moved earlier': (book) => changePlan(paid(book, 'basic'), on('2025-01-10'), { billingCycleAnchor: NOON, ...ALWAYS }),
  'anchor moved later': (book) => changePlan(paid(book, 'basic'), on('2025-01-10'), { billingCycleAnchor: on('2025-02-15'), ...ALWAYS }),
  'cancel now': (book) => cancel(paid(book, 'basic'), NOON, { prorate: true }),
  'cancel at a date': (book) => {
    schedule(paid(book, 'basic'), on('2025-01-10'), NOON);
    renew(book, NOON);
  },
};

function paid(book: MemoryBook, item: string): MemoryBook {
  createPaid(book, on('2025-01-01'), [item]);
  return book;
}

function billed(example: string, basis: ProrationBasis) {
  const book = new MemoryBook({ account: { prorationBasis: basis } });
  book.price('basic', '3000');
  book.price('pro', '9000');
  EXAMPLES[example]?.(book);
  return book.lastInvoice;
}

/** The table of an example, as it stands on the page. */
function tableOf(example: string): string {
  const invoices = BASES.map((basis) => billed(example, basis));
  const money = (amount: number): string => formatAmount(amount, 'eur').replace('EUR ', '');
  const rows = (invoices[0]?.lines ?? []).map(
    (line, index) => `| ${line.description} | ${invoices.map(({ lines }) => money(lines[index]?.amount ?? 0)).join(' | ')} |`,
  );
  const total = `| **Total** | ${invoices.map(({ total }) => `**${money(total)}**`).join(' | ')} |`;
  return ['| EUR | `second` | `day` | `fixed_30` |', '| --- | ---: | ---: | ---: |', ...rows, total].join('\n');
}

test.each(Object.keys(EXAMPLES))('docs/proration.md, %s: the numbers are those that are billed', (example) => {
  const [, shown] = page.split(`<!-- ${example}:start -->\n`);
  expect(shown?.split(`\n<!-- ${example}:end -->`)[0]).toBe(tableOf(example));
});

test('docs/proration.md has no example that is not checked, and its sentences are those of the lines', () => {
  const shown = [...page.matchAll(/<!-- ([\w ]+):start -->/g)].map(([, name]) => name);
  expect(shown).toEqual(Object.keys(EXAMPLES));
  for (const basis of BASES) for (const { explanation } of billed('upgrade', basis).lines) expect(page).toContain(explanation.sentence);
});
