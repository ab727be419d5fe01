import { describe, expect, test } from 'vitest';
import { type DueItem, type SettleInput, settle } from '../../domain/invoicing/settle.ts';
import type { BilledPeriod } from '../../domain/subscription/subscription.ts';
import { MemoryBook, on } from '../support/memory-book.ts';

const book = new MemoryBook();
book.price('pro', '2000');
book.price('max', '5000');
const JAN = { start: on('2025-01-01'), end: on('2025-02-01') };

const dueItem = (patch: Partial<DueItem> = {}): DueItem => ({
  itemId: 'si_1',
  priceId: 'pro',
  quantity: '3',
  taxRateIds: [],
  from: JAN.start,
  to: JAN.end,
  cycleStart: JAN.start,
  cycleEnd: JAN.end,
  ...patch,
});

const billedRow = (patch: Partial<BilledPeriod> = {}): BilledPeriod => ({
  id: 'bp_0',
  subscriptionItemId: 'si_1',
  priceId: 'pro',
  quantity: '3',
  start: JAN.start,
  end: JAN.end,
  originalStart: JAN.start,
  originalEnd: JAN.end,
  cycleStart: JAN.start,
  cycleEnd: JAN.end,
  amount: 6000,
  credited: 0,
  taxRateIds: ['txr_1'],
  component: null,
  invoiceId: 'in_0',
  invoiceLineId: 'il_0',
  invoiceItemId: null,
  ...patch,
});

function run(patch: Partial<SettleInput>) {
  let n = 0;
  return settle({
    due: [],
    billed: [],
    at: JAN.start,
    unused: 'credit',
    charge: 'bill',
    terms: { basis: 'day', zone: 'UTC' },
    currency: 'eur',
    prices: book.prices,
    products: book.products,
    newId: (prefix) => `${prefix}_${++n}`,
    ...patch,
  });
}

test('a whole cycle is billed at the whole price, without a proration flag', () => {
  const { lines, shrinks, carried } = run({ due: [dueItem()] });
  expect(lines).toHaveLength(1);
  expect(lines[0]?.line).toMatchObject({
    description: '3 × pro (at EUR 20.00 / month)',
    amount: 6000,
    proration: false,
    period: JAN,
    quantity: '3',
    unitAmountDecimal: '2000',
  });
  expect(lines[0]?.line.explanation).toMatchObject({
    rule: 'full_period',
    fraction: null,
    exact: '6000',
    sentence: 'EUR 20.00 x 3 seats for one month (2025-01-01 to 2025-02-01) = EUR 60.00',
  });
  expect(lines[0]?.covers).toMatchObject({ start: JAN.start, end: JAN.end, amount: 6000, credited: 0 });
  expect([shrinks, carried]).toEqual([[], []]);
});

test('what is covered at the same price, quantity and cycle is not billed again', () => {
  expect(run({ due: [dueItem()], billed: [billedRow({ quantity: '3' })] })).toEqual({ lines: [], shrinks: [], carried: [] });
});

test('an upgrade in mid-period: first the credit of what was billed, then the rest of the new price', () => {
  const at = on('2025-01-16');
  const { lines, shrinks } = run({ at, due: [dueItem({ from: at, priceId: 'max' })], billed: [billedRow()] });
  expect(lines.map(({ line }) => line.description)).toEqual([
    'Unused time on 3 × pro after 16 Jan 2025',
    'Remaining time on 3 × max after 16 Jan 2025',
  ]);
  expect(lines.map(({ line }) => line.amount)).toEqual([-3097, 7742]);
  expect(lines.every(({ line }) => line.proration)).toBe(true);
  expect(lines[0]?.line).toMatchObject({ creditedInvoiceId: 'in_0', creditedLineId: 'il_0', period: { start: at, end: JAN.end } });
  expect(lines[0]?.taxRateIds).toEqual(['txr_1']);
  expect(lines[0]?.line.explanation).toMatchObject({
    rule: 'prorated_credit',
    fraction: { numerator: 16, denominator: 31, basis: 'day' },
    sentence: '16 of 31 days (2025-01-16 to 2025-02-01) of EUR 60.00 billed for 3 seats = -EUR 30.97',
  });
  expect(lines[1]?.line.explanation.sentence).toBe('EUR 50.00 x 3 seats for 16 of 31 days (2025-01-16 to 2025-02-01) = EUR 77.42');
  expect(shrinks).toEqual([{ id: 'bp_0', end: at, credited: 3097 }]);
});

test('the sentence of a second basis counts seconds', () => {
  const at = on('2025-01-16T12:00:00Z');
  const { lines } = run({ at, due: [dueItem({ from: at, priceId: 'max', quantity: '1' })], terms: { basis: 'second', zone: 'UTC' } });
  expect(lines[0]?.line.explanation.sentence).toBe(
    'EUR 50.00 x 1 seat for 1339200 of 2678400 seconds (2025-01-16 to 2025-02-01) = EUR 25.00',
  );
});

describe('credits', () => {
  test('are of what was billed net of earlier credits, and capped at what is left', () => {
    const at = on('2025-01-16');
    const { lines, shrinks } = run({ at, billed: [billedRow({ credited: 5000 })] });
    expect(lines[0]?.line.amount).toBe(-1000);
    expect(lines[0]?.line.explanation.notes).toEqual(['capped at what earlier credits left of the line']);
    expect(shrinks).toEqual([{ id: 'bp_0', end: at, credited: 6000 }]);
  });

  test('give the exact remainder when all of the row goes', () => {
    const { lines, shrinks } = run({ at: JAN.start, billed: [billedRow({ amount: 1000, end: on('2025-01-11'), credited: 677 })] });
    expect(lines[0]?.line.amount).toBe(-323);
    expect(shrinks).toEqual([{ id: 'bp_0', end: JAN.start, credited: 1000 }]);
  });

  test('of nothing make no line, but the time is free again', () => {
    expect(run({ at: on('2025-01-16'), billed: [billedRow({ amount: 0 })] })).toEqual({
      lines: [],
      shrinks: [{ id: 'bp_0', end: on('2025-01-16'), credited: 0 }],
      carried: [],
    });
  });

  test('cut the row where the item is due only for a part', () => {
    const { lines, shrinks } = run({
      at: on('2025-01-10'),
      due: [dueItem({ from: on('2025-01-10'), to: on('2025-01-20') })],
      billed: [billedRow()],
    });
    expect(lines.map(({ line }) => [line.amount, line.period])).toEqual([[-2323, { start: on('2025-01-20'), end: JAN.end }]]);
    expect(shrinks).toEqual([{ id: 'bp_0', end: on('2025-01-20'), credited: 2323 }]);
  });
});

test('forfeited time is uncovered and nothing is given back; kept time stays', () => {
  const at = on('2025-01-16');
  expect(run({ at, billed: [billedRow()], unused: 'forfeit' })).toEqual({
    lines: [],
    shrinks: [{ id: 'bp_0', end: at, credited: 0 }],
    carried: [],
  });
  expect(run({ at, billed: [billedRow()], unused: 'keep' })).toEqual({ lines: [], shrinks: [], carried: [] });
});

test('a gap in the coverage is charged, around what is covered', () => {
  const billed = [billedRow({ start: on('2025-01-05'), originalStart: on('2025-01-05'), end: on('2025-01-10') })];
  const { lines } = run({ due: [dueItem()], billed });
  expect(lines.map(({ line }) => line.period)).toEqual([
    { start: JAN.start, end: on('2025-01-05') },
    { start: on('2025-01-10'), end: JAN.end },
  ]);
});

describe('carried time (proration_behavior none)', () => {
  const at = on('2025-01-16');

  test('moves the value to the new price without a line', () => {
    const { lines, shrinks, carried } = run({
      at,
      due: [dueItem({ from: at, priceId: 'max' })],
      billed: [billedRow()],
      charge: 'carry',
      unused: 'forfeit',
    });
    expect(lines).toEqual([]);
    expect(shrinks).toEqual([{ id: 'bp_0', end: at, credited: 3097 }]);
    expect(carried).toMatchObject([
      {
        priceId: 'max',
        start: at,
        end: JAN.end,
        amount: 3097,
        credited: 0,
        invoiceId: 'in_0',
        invoiceLineId: 'il_0',
        taxRateIds: ['txr_1'],
      },
    ]);
  });

  test('of a new item is worth nothing', () => {
    const { lines, carried } = run({ at, due: [dueItem({ from: at })], charge: 'carry', unused: 'forfeit' });
    expect(lines).toEqual([]);
    expect(carried).toMatchObject([{ start: at, end: JAN.end, amount: 0, invoiceId: null }]);
  });
});

test('a stub inside one calendar day is measured in seconds rather than in no days', () => {
  const stub = { start: on('2025-01-01T08:00:00Z'), end: on('2025-01-01T20:00:00Z') };
  const row = billedRow({ ...stub, originalStart: stub.start, originalEnd: stub.end, amount: 100 });
  const { lines } = run({ at: on('2025-01-01T17:00:00Z'), billed: [row] });
  expect(lines[0]?.line).toMatchObject({ amount: -25, explanation: { fraction: { basis: 'second' } } });
});

test('an amount beyond what an invoice can hold is refused', () => {
  book.price('huge', '99999999999');
  expect(() => run({ due: [dueItem({ priceId: 'huge', quantity: '999999' })] })).toThrow(
    expect.objectContaining({ code: 'amount_out_of_range' }),
  );
});
