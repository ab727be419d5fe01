import { describe, expect, test } from 'vitest';
import { foresee } from '../../domain/subscription/foresee.ts';
import { checkMigration, decideMigration, type MigrationStep, sumMigration } from '../../domain/subscription/migrate-price.ts';
import { decideCommandedChange } from '../../domain/subscription/schedule-change.ts';
import type { Instant } from '../../domain/time.ts';
import { aPrice } from '../api/examples.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, createPaid, linesOf, renew, schedule } from '../support/subscribe.ts';

const PLAN = { fromPriceId: 'pro', toPriceId: 'pro2', effectiveAt: 'period_end', prorationBehavior: 'create_prorations' } as const;

function paidBook(at: Instant, items = ['pro × 3']): MemoryBook {
  const book = new MemoryBook();
  book.price('pro', '1000');
  book.price('pro2', '1200');
  book.price('addon', '310');
  createPaid(book, at, items);
  return book;
}

const migrate = (book: MemoryBook, at: Instant, plan: Partial<Parameters<typeof decideMigration>[1]> = {}): MigrationStep =>
  decideMigration(book.living, { ...PLAN, ...plan }, at);

function obey(book: MemoryBook, at: Instant, step: MigrationStep): void {
  if (step.do !== 'change') throw new Error(step.reason.message);
  book.do(at, (snapshot, context) => decideCommandedChange(snapshot, step.command, context));
}

describe('which change a subscription gets', () => {
  test('its item keeps quantity and neighbours, at the end of its own period; the anchor of a 31st does not drift', () => {
    const book = paidBook(on('2024-01-31'), ['pro × 3', 'addon']);
    obey(book, on('2024-02-10'), migrate(book, on('2024-02-10')));
    expect(book.living.scheduledChanges.map(({ effectiveAt, atPeriodEnd }) => [effectiveAt, atPeriodEnd])).toEqual([
      [on('2024-02-29'), true],
    ]);
    const seen = foresee(book.snapshot(), 2, (prefix) => `${prefix}_${Math.random()}`);
    expect(seen.map(({ createdAt, total }) => [createdAt, total])).toEqual([
      [on('2024-02-29'), 3910],
      [on('2024-03-31'), 3910],
    ]);
  });
  test('at once, and at a date', () => {
    const book = paidBook(on('2025-01-01'));
    expect(migrate(book, on('2025-01-10'), { effectiveAt: 'now', prorationBehavior: 'none' })).toEqual({
      do: 'change',
      command: {
        items: [{ do: 'update', itemId: 'si_pro', priceId: 'pro2' }],
        prorationBehavior: 'none',
        paymentBehavior: 'allow_incomplete',
      },
    });
    expect(migrate(book, on('2025-01-10'), { effectiveAt: on('2025-06-15') })).toMatchObject({
      command: { effectiveAt: on('2025-06-15') },
    });
  });
  test('one that was asked twice does not change twice', () => {
    const book = paidBook(on('2025-01-01'));
    obey(book, on('2025-01-10'), migrate(book, on('2025-01-10'), { effectiveAt: 'now' }));
    expect(migrate(book, on('2025-01-11'))).toMatchObject({ do: 'skip', reason: { code: 'item_missing' } });
    expect(renew(book).invoices.map(linesOf)[0]).toContain('3 × pro2 (at EUR 12.00 / month) 3600');
  });
});

describe('which get none', () => {
  const AT = on('2025-01-10');
  test.each<[string, (book: MemoryBook) => void, object]>([
    ['one that has ended', (book) => cancel(book, AT), { do: 'skip', reason: { code: 'subscription_canceled' } }],
    ['one that ends with its period', (book) => schedule(book, AT, 'period_end'), { do: 'skip', reason: { code: 'date_out_of_range' } }],
    [
      'one whose price is to change already',
      (book) => changeItem(book, AT, 'si_pro', { priceId: 'addon' }, { effectiveAt: on('2025-05-01') }),
      { do: 'refuse', reason: { code: 'transition_not_allowed' } },
    ],
    [
      'one with an update that waits for its payment',
      (book) =>
        changeItem(
          book,
          AT,
          'si_pro',
          { quantity: '9' },
          { paymentBehavior: 'pending_if_incomplete', prorationBehavior: 'always_invoice' },
        ),
      { do: 'refuse', reason: { code: 'pending_update_exists' } },
    ],
  ])('%s', (_, prepare, step) => {
    const book = paidBook(on('2025-01-01'));
    prepare(book);
    expect(migrate(book, AT)).toMatchObject(step);
  });
  test('a change of the quantity that is scheduled stays, and so does the migration', () => {
    const book = paidBook(on('2025-01-01'));
    changeItem(book, AT, 'si_pro', { quantity: '5' }, { effectiveAt: 'period_end' });
    obey(book, AT, migrate(book, AT));
    expect(foresee(book.snapshot(), 1, (prefix) => `${prefix}_${Math.random()}`)[0]?.total).toBe(6000);
  });
});

describe('prices that cannot follow each other', () => {
  const from = aPrice({ id: 'price_1' });
  const monthly = { interval: 'month', intervalCount: 1, usageType: 'licensed', meterId: null } as const;
  test.each([
    ['itself', from, 'parameter_invalid'],
    ['a one-time one', aPrice({ id: 'price_2', recurring: null }), 'price_not_recurring'],
    ['an inactive one', aPrice({ id: 'price_2', active: false }), 'price_inactive'],
    ['one of another currency', aPrice({ id: 'price_2', currency: 'usd' }), 'currency_mismatch'],
    ['one of another interval', aPrice({ id: 'price_2', recurring: { ...monthly, interval: 'week' } }), 'interval_mismatch'],
    ['a metered one', aPrice({ id: 'price_2', recurring: { ...monthly, usageType: 'metered', meterId: 'mtr_1' } }), 'parameter_invalid'],
  ])('%s', (_, to, code) => {
    expect(() => checkMigration(from, to)).toThrow(expect.objectContaining({ code, param: 'to_price' }));
  });
  test('twelve months are a year', () => {
    const [year, months] = [
      { ...monthly, interval: 'year' },
      { ...monthly, intervalCount: 12 },
    ] as const;
    expect(() => checkMigration(aPrice({ recurring: year }), aPrice({ id: 'price_2', recurring: months }))).not.toThrow();
  });
});

test('sums are of rounded lines, by currency', () => {
  const eur = { currency: 'eur', unitAmountDecimal: '0.5', tiers: null };
  const from = aPrice({ ...eur, currencyOptions: { usd: { unitAmountDecimal: '200', tiers: null, taxBehavior: 'exclusive' } } });
  const to = aPrice({
    id: 'price_2',
    currency: 'eur',
    unitAmountDecimal: '2',
    currencyOptions: { usd: { unitAmountDecimal: '150', tiers: null, taxBehavior: 'exclusive' } },
  });
  expect(
    sumMigration(from, to, [
      { currency: 'usd', quantity: '2', count: 10 },
      { currency: 'eur', quantity: '1', count: 1000 },
      { currency: 'eur', quantity: '3', count: 1 },
    ]),
  ).toEqual([
    { currency: 'eur', before: 1002, after: 2006, difference: 1004 },
    { currency: 'usd', before: 4000, after: 3000, difference: -1000 },
  ]);
});
