import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { netOf } from '../../domain/discounts/apply-discounts.ts';
import type { InvoiceLine } from '../../domain/invoicing/invoice.ts';
import { formatAmount } from '../../domain/money.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { create } from '../support/subscribe.ts';

const money = (amount: number): string => formatAmount(amount, 'eur').replace('EUR ', '');
const sum = (amounts: number[]): number => amounts.reduce((a, b) => a + b, 0);

test('docs/discounts.md: the invoice is the one that is billed', () => {
  const page = readFileSync(new URL('../../docs/discounts.md', import.meta.url), 'utf8');
  const book = new MemoryBook({ account: { defaultTaxRateIds: ['vat'] } });
  book.taxRate('vat', '20');
  book.price('Pro', '3100');
  book.price('Analytics', '1000');
  const NAMES = ['ANALYTICS', 'SPRING', 'FIVE'];
  book.coupon('ANALYTICS', '25');
  book.coupon('SPRING', '20');
  book.coupon('FIVE', 500);
  create(book, on('2025-01-01'), [], {
    items: [
      { id: 'si_1', priceId: 'Pro', quantity: '1', taxRateIds: [] },
      { id: 'si_2', priceId: 'Analytics', quantity: '1', taxRateIds: [], discounts: [{ couponId: 'ANALYTICS' }] },
    ],
    discounts: [{ couponId: 'SPRING' }, { couponId: 'FIVE' }],
  });
  const { lines, total } = book.lastInvoice;
  const off = (some: InvoiceLine[], name: string): number =>
    sum(some.flatMap((line) => (line.discountAmounts ?? []).filter(({ couponId }) => couponId === name).map(({ amount }) => -amount)));
  const row = (title: string, some: InvoiceLine[]): string => {
    const discounts = NAMES.map((name) => off(some, name)).map((amount) => (amount === 0 ? '' : `${money(amount)} `));
    const numbers = [sum(some.map(netOf)), sum(some.flatMap(({ taxes }) => taxes.map(({ amount }) => amount)))].map(money);
    return `| ${title} | ${money(sum(some.map(({ amount }) => amount)))} | ${discounts.join('| ')}| ${numbers.join(' | ')} |`;
  };
  const table = [
    `| | gross | ${NAMES.join(' | ')} | net | VAT |`,
    `| --- |${' ---: |'.repeat(NAMES.length + 3)}`,
    ...lines.map((line) => row(line.description, [line])),
    row(`**Total ${formatAmount(total, 'eur')}**`, lines),
  ].join('\n');
  expect(page.split('<!-- invoice:start -->\n')[1]?.split('\n<!-- invoice:end -->')[0]).toBe(table);
});
