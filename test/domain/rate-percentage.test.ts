import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MeteredPrice, Percentage } from '../../domain/catalog/price.ts';
import { exactToString } from '../../domain/money.ts';
import { chargeUsage, ratePercentage } from '../../domain/rating/rate-percentage.ts';
import { NO_USAGE, type UsageTotals } from '../../domain/usage/measure.ts';
import { aMeter } from '../api/examples.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { feesOf } from '../support/memory-usage.ts';
import { aPriceOf } from '../support/price-models.ts';
import { createPaid, linesOf, renew } from '../support/subscribe.ts';

const PERCENT: Percentage = { rate: '1.3', fixedAmount: 0, freeAmount: 0, freeEvents: 0, minimumAmount: null, maximumAmount: null };
const METERED = { interval: 'month', intervalCount: 1, usageType: 'metered', meterId: 'mtr_1' } as const;

const totalsOf = (values: readonly number[], terms: Percentage): UsageTotals => ({
  ...NO_USAGE,
  count: values.length,
  sum: String(values.reduce((a, b) => a + b, 0)),
  fees: feesOf(
    values.map((value, at) => ({ at, value })),
    terms,
  ),
});

test.each<[string, Partial<Percentage>, number[], string]>([
  ['nothing', { fixedAmount: 200 }, [], '0'],
  ['1.3 % of each cent', {}, [1], '0.013'],
  ['a fixed amount each', { fixedAmount: 25 }, [1000, 2000], '89'],
  ['what is free of both', { fixedAmount: 200, freeAmount: 25_000, freeEvents: 3 }, [40_000, 10_000, 10_000, 10_000, 10_000], '1115'],
  ['less than what is free', { fixedAmount: 200, freeAmount: 25_000, freeEvents: 3 }, [40, 50], '0'],
  ['a refund', { fixedAmount: 5 }, [1000, -1000], '10'],
  ['more refunds than sales', {}, [1000, -3000], '0'],
  ['a minimum for each', { minimumAmount: 50 }, [1000, 10_000], '180'],
  ['a maximum for each', { fixedAmount: 10, maximumAmount: 100 }, [1000, 10_000], '123'],
  ['both', { minimumAmount: 50, maximumAmount: 100 }, [1000, 5000, 10_000], '215'],
  ['no minimum for what is free', { freeAmount: 1500, minimumAmount: 50 }, [1000, 1000, 1000], '100'],
  ['a minimum that the fixed amount reaches', { fixedAmount: 60, freeEvents: 1, minimumAmount: 50 }, [100, 100], '111.3'],
  ['a refund by itself, which no limit holds', { minimumAmount: 50, maximumAmount: 100 }, [10_000, -1000], '87'],
])('%s', (_, patch, values, expected) => {
  const terms = { ...PERCENT, ...patch };
  expect(exactToString(ratePercentage(terms, totalsOf(values, terms)))).toBe(expected);
});

test('half a cent is rounded once, up', () => {
  const price = aPriceOf('0.005', { recurring: { ...METERED, percentage: { ...PERCENT, rate: '0.5' } } }) as MeteredPrice;
  expect(chargeUsage(price, '300', totalsOf([100, 200], PERCENT))).toEqual({ amount: 2, exact: '1.5', fraction: null, notes: [] });
});

const transactions = fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 20 });
const free = { freeAmount: fc.integer({ min: 0, max: 50_000 }), freeEvents: fc.integer({ min: 0, max: 5 }) };

test('limits that are never reached change nothing, and each limit holds', () => {
  fc.assert(
    fc.property(transactions, fc.record({ fixedAmount: fc.integer({ min: 0, max: 300 }), ...free }), (values, patch) => {
      const terms = { ...PERCENT, ...patch };
      const cost = (more: Partial<Percentage>): number => {
        const limited = { ...terms, ...more };
        return Number(ratePercentage(limited, totalsOf(values, limited)));
      };
      expect(cost({ minimumAmount: 0, maximumAmount: 999_999 })).toBe(cost({}));
      // The limits are those of a transaction in which something is transacted.
      const [sales, others] = [values.filter((value) => value > 0).length, values.filter((value) => value === 0).length];
      expect(cost({ maximumAmount: 40 })).toBeLessThanOrEqual(40 * sales + terms.fixedAmount * others);
      expect(cost({ minimumAmount: 40 })).toBeGreaterThanOrEqual(cost({}));
      const sold = { ...terms, freeAmount: 0, minimumAmount: 40 };
      const whole = Number(ratePercentage(sold, totalsOf(values, sold)));
      expect(whole).toBeGreaterThanOrEqual(40 * values.filter((value) => value > 0).length);
    }),
  );
});

test('without fixed amounts and limits, splitting a transaction changes nothing', () => {
  fc.assert(
    fc.property(transactions, fc.integer({ min: 0, max: 50_000 }), (values, freeAmount) => {
      const terms = { ...PERCENT, freeAmount };
      const split = values.flatMap((value) => [Math.floor(value / 3), value - Math.floor(value / 3)]);
      expect(Number(ratePercentage(terms, totalsOf(split, terms)))).toBe(Number(ratePercentage(terms, totalsOf(values, terms))));
    }),
  );
});

function bookWith(terms: Partial<Percentage>, unit = '0.013'): MemoryBook {
  const book = new MemoryBook();
  book.meters['mtr_1'] = aMeter();
  book.price('Payments', unit, 'month', { recurring: { ...METERED, percentage: { ...PERCENT, ...terms } } });
  book.price('Dynamic', '1', 'month', { recurring: METERED });
  return book;
}
const transact = (book: MemoryBook, date: string, ...values: number[]): void => {
  for (const value of values) book.used.push({ meterId: 'mtr_1', at: on(date), value });
};

test('a line says what was transacted, in how many transactions and what of it is free', () => {
  const book = bookWith({ fixedAmount: 200, freeAmount: 25_000, freeEvents: 3 });
  createPaid(book, on('2025-01-01'), ['Payments']);
  transact(book, '2025-01-15', 40_000, 10_000, 10_000, 10_000, 10_000);
  renew(book);
  expect(linesOf(book.lastInvoice)).toEqual(['EUR 800.00 × Payments (at 1.3% + EUR 2.00 each / month) 1115']);
  expect(book.lastInvoice.lines[0]?.explanation.sentence).toBe(
    '1.3% of EUR 800.00 (EUR 250.00 of it free) + EUR 2.00 x 5 transactions (3 of them free) used 2025-01-01 to 2025-02-01 (sum of 5 events) = EUR 11.15',
  );
});

test('of a late transaction the difference is billed, also where only their number has changed', () => {
  const book = bookWith({ fixedAmount: 200, maximumAmount: 500 });
  createPaid(book, on('2025-01-01'), ['Payments']);
  transact(book, '2025-01-15', 10_000, 90_000);
  renew(book);
  expect(linesOf(book.lastInvoice)).toEqual(['EUR 1000.00 × Payments (at 1.3% + EUR 2.00 each, at most EUR 5.00 each / month) 830']);
  transact(book, '2025-01-16', 0);
  renew(book);
  expect(linesOf(book.lastInvoice)[0]).toBe('Payments, used 1 Jan 2025 to 1 Feb 2025 and reported late 200');
  transact(book, '2025-01-17', 10_000);
  renew(book);
  expect(linesOf(book.lastInvoice)[0]).toBe('EUR 100.00 more × Payments, used 1 Jan 2025 to 1 Feb 2025 and reported late 330');
});

test('an amount that the events report themselves is a sum at a unit amount of 1', () => {
  const book = bookWith({});
  createPaid(book, on('2025-01-01'), ['Dynamic']);
  transact(book, '2025-01-15', 1999, 501);
  renew(book);
  expect(linesOf(book.lastInvoice)).toEqual(['2500 × Dynamic (at EUR 0.01 / month) 2500']);
});
