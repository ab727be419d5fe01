import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linesToday, type Recomputation, recomputeInvoice } from '../../domain/invoicing/recompute.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { tiered } from '../support/price-models.ts';
import { cancel, changeItem, create, createPaid, payAll, renew } from '../support/subscribe.ts';

const JAN_1 = on('2025-01-01');
const JAN_16 = on('2025-01-16');

function world(inclusive = false): MemoryBook {
  const book = new MemoryBook({ account: { defaultTaxRateIds: ['vat'] } });
  book.taxRate('vat', '20', inclusive);
  book.price('pro', '3100');
  book.price('max', '6200');
  return book;
}

function recompute(book: MemoryBook, invoiceId = book.lastInvoice.id): Recomputation {
  const before = structuredClone([book.invoices, book.billed, book.customer]);
  const answer = recomputeInvoice(
    book.snapshot({ invoiceId }),
    [...book.billed.values()].filter((row) => row.invoiceId === invoiceId),
  );
  expect([book.invoices, book.billed, book.customer]).toEqual(before);
  const { billed, now, lines, credit, charge } = answer;
  const sums = [lines.map(({ difference }) => difference), charge.map(({ total }) => total), credit.map(({ total }) => -total)];
  const [perLine = 0, asked = 0, given = 0] = sums.map((amounts) => amounts.reduce((a, b) => a + b, 0));
  expect([perLine, asked + given]).toEqual([now.total - billed.total, now.total - billed.total]);
  expect(answer.prePaymentAmount + answer.postPaymentAmount).toBe(-given || 0);
  for (const { amount, taxes, total } of [...credit, ...charge]) {
    expect(amount + taxes.filter((tax) => !tax.inclusive).reduce((a, tax) => a + tax.amount, 0)).toBe(total);
  }
  for (const { difference, reasons } of lines) if (difference !== 0) expect(reasons).not.toEqual([]);
  return answer;
}
const told = ({ credit, charge, prePaymentAmount, postPaymentAmount, lines }: Recomputation) => ({
  credit: credit.map(({ amount, total }) => [amount, total]),
  charge: charge.map(({ amount, total }) => [amount, total]),
  paid: [prePaymentAmount, postPaymentAmount],
  reasons: lines.flatMap(({ reasons }) => reasons),
});
const reprice = (book: MemoryBook, unitAmountDecimal: string): void => {
  book.prices['pro'] = { ...book.prices['pro']!, unitAmountDecimal };
};

describe('a finalised invoice with the inputs of today', () => {
  test('is what it was for prices with tiers, in packages and in another currency; another tax is told', () => {
    const book = world();
    book.price(
      'tiers',
      '0',
      'month',
      tiered('graduated', [
        [2, 1000, 50],
        [null, '333.3333'],
      ]),
    );
    book.price('packs', '2500', 'month', { transformQuantity: { divideBy: 5, round: 'up' } });
    createPaid(book, JAN_1, ['tiers × 5', 'packs × 6']);
    expect(told(recompute(book))).toEqual({ credit: [], charge: [], paid: [0, 0], reasons: [] });
    changeItem(book, JAN_16, 'si_tiers', { quantity: '7' }, { prorationBehavior: 'always_invoice' });
    expect(told(recompute(book))).toEqual({ credit: [], charge: [], paid: [0, 0], reasons: [] });
    book.account.defaultTaxRateIds = [];
    expect(told(recompute(book)).reasons).toContainEqual(expect.stringMatching(/no tax/));

    const yen = world();
    yen.price('both', '2000', 'month', {
      currencyOptions: { jpy: { unitAmountDecimal: '3000', tiers: null, taxBehavior: 'unspecified' } },
    });
    createPaid(yen, JAN_1, ['both × 2'], { currency: 'jpy' });
    expect(told(recompute(yen))).toEqual({ credit: [], charge: [], paid: [0, 0], reasons: [] });
  });

  test('is what it was while nothing has changed', () => {
    const book = world();
    createPaid(book, JAN_1, ['pro × 3']);
    expect(told(recompute(book))).toEqual({ credit: [], charge: [], paid: [0, 0], reasons: [] });
  });

  test('a lower price is given back: off what is still owed, or after payment', () => {
    const book = world();
    create(book, JAN_1, ['pro × 3']);
    reprice(book, '2600');
    expect(told(recompute(book))).toEqual({
      credit: [[1500, 1800]],
      charge: [],
      paid: [1800, 0],
      reasons: ['The price pro is EUR 26.00 and was EUR 31.00 when this was billed.', 'The tax follows the amount.'],
    });
    payAll(book, JAN_1);
    expect(told(recompute(book)).paid).toEqual([0, 1800]);
  });

  test('a higher price is proposed as an extra charge', () => {
    const book = world();
    createPaid(book, JAN_1, ['pro × 3']);
    reprice(book, '3200');
    expect(told(recompute(book))).toMatchObject({ credit: [], charge: [[300, 360]], paid: [0, 0] });
  });

  test('what a later invoice gave back is not given back again', () => {
    const book = world();
    createPaid(book, JAN_1, ['pro']);
    const first = book.lastInvoice.id;
    changeItem(book, JAN_16, 'si_pro', { priceId: 'max' }, { prorationBehavior: 'always_invoice' });
    reprice(book, '2480');
    // 15 of 31 days are left of the line: EUR 15.00, EUR 12.00 at the new price.
    expect(told(recompute(book, first))).toMatchObject({ credit: [[300, 360]] });
    expect(told(recompute(book)), 'the credit stays what it is').toMatchObject({ credit: [], charge: [] });
  });

  test('other tax rates, by line and by name; an exemption; each tax on credits too', () => {
    const book = world();
    book.taxRate('new', '10');
    createPaid(book, JAN_1, ['pro']);
    book.account = { ...book.account, defaultTaxRateIds: ['new'] };
    expect(told(recompute(book))).toEqual({
      credit: [[0, 310]],
      charge: [],
      paid: [0, 310],
      reasons: ['It would be taxed with new 10 % instead of vat 20 %.'],
    });
    book.account = { ...book.account, defaultTaxRateIds: ['vat'] };
    changeItem(book, JAN_16, 'si_pro', { quantity: '3' }, { prorationBehavior: 'always_invoice' });
    payAll(book, JAN_16);
    book.customer = { ...book.customer, taxExempt: 'reverse' };
    const both = book.allInvoices.map(({ id }) => recompute(book, id));
    expect(both.map(told)).toMatchObject([{ credit: [[0, 620]] }, { credit: [[0, 960]], charge: [[0, 320]] }]);
    // All that was paid is the net of it then.
    const paid = book.allInvoices.reduce((all, invoice) => all + invoice.total, 0);
    expect(paid + both.reduce((all, { now, billed }) => all + now.total - billed.total, 0)).toBe(3100 - 1600 + 4800);
    expect(both[0]!.lines[0]!.reasons).toEqual(["The customer's tax_exempt is reverse now."]);
  });

  test('a quantity that was changed without proration is billed as it is now', () => {
    const book = world(true);
    createPaid(book, JAN_1, ['pro × 2']);
    changeItem(book, JAN_16, 'si_pro', { quantity: '1' }, { prorationBehavior: 'none' });
    const answer = recompute(book, book.allInvoices[0]!.id);
    expect(told(answer)).toEqual({
      credit: [[1600, 1600]],
      charge: [],
      paid: [0, 1600],
      reasons: [
        'A later change without proration made it 1 × pro at EUR 31.00; 2 × pro at EUR 31.00 was billed.',
        'The tax follows the amount.',
      ],
    });
    expect(answer.credit[0]!.taxes).toMatchObject([{ inclusive: true, amount: 266, taxableAmount: 1334 }]);
  });

  test('what was sold once, beside a trial that costs nothing', () => {
    const book = world();
    book.price('setup', '900', null);
    create(book, JAN_1, ['pro'], { trial: { days: 7 }, addInvoiceItems: [{ priceId: 'setup', quantity: '2', taxRateIds: [] }] });
    expect(told(recompute(book))).toMatchObject({ credit: [], charge: [], reasons: [] });
    reprice(book, '1');
    book.prices['setup'] = { ...book.prices['setup']!, unitAmountDecimal: '800' };
    expect(told(recompute(book))).toEqual({
      credit: [[200, 240]],
      charge: [],
      paid: [240, 0],
      reasons: ['The price setup is EUR 8.00 and was EUR 9.00 when this was billed.', 'The tax follows the amount.'],
    });
  });

  test('a draft and a void invoice are refused', () => {
    const book = world();
    create(book, JAN_1, ['pro']);
    for (const status of ['draft', 'void'] as const) {
      book.invoices.set(book.lastInvoice.id, { ...book.lastInvoice, status });
      expect(() => recompute(book)).toThrow(expect.objectContaining({ code: 'invoice_not_open' }));
    }
  });
});

const step = fc.record({
  do: fc.constantFrom('quantity', 'price', 'renew', 'pay'),
  wait: fc.integer({ min: 1, max: 20 * 86_400 }),
  quantity: fc.integer({ min: 0, max: 9 }),
  prorationBehavior: fc.constantFrom('create_prorations', 'always_invoice'),
});

test('property: with unchanged inputs no invoice of a life differs by a cent', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 8 }),
      fc.constantFrom('second', 'day', 'fixed_30'),
      fc.boolean(),
      fc.constantFrom('8.25', '19', '33.3333'),
      (steps, prorationBasis, inclusive, percentage) => {
        const book = new MemoryBook({ account: { prorationBasis, defaultTaxRateIds: ['vat'] } });
        book.taxRate('vat', percentage, inclusive);
        book.price('odd', '333.3333');
        book.price('even', '1001');
        createPaid(book, on('2024-01-31T13:00:00Z'), ['odd × 3']);
        let at = on('2024-01-31T13:00:00Z');
        for (const { do: what, wait, quantity, prorationBehavior } of steps) {
          at = Math.min(at + wait, book.living.currentPeriodEnd - 1);
          if (what === 'pay') payAll(book, at);
          else if (what === 'renew') renew(book, (at = book.living.currentPeriodEnd));
          else {
            const to = what === 'price' ? { priceId: quantity % 2 ? 'odd' : 'even' } : { quantity: String(quantity) };
            changeItem(book, at, 'si_odd', to, { prorationBehavior });
          }
        }
        cancel(book, Math.min(at + 1, book.living.currentPeriodEnd - 1), { prorate: true });
        for (const { id } of book.allInvoices) {
          expect(told(recompute(book, id))).toEqual({ credit: [], charge: [], paid: [0, 0], reasons: [] });
        }
      },
    ),
    { numRuns: 100 },
  );
});

describe('taxes that an external engine calculated', () => {
  const tax = (percentage: string, amount: number, displayName = 'USt') => ({
    ...{ taxRateId: null, displayName, percentage, inclusive: false },
    ...{ taxableAmount: 3100, amount },
  });
  /** An invoice of 31.00 whose engine said these taxes, and what they are today. */
  function external(then: ReturnType<typeof tax>[], today: ReturnType<typeof tax>[]): Recomputation {
    const book = world();
    createPaid(book, JAN_1, ['pro']);
    const snapshot = book.snapshot({ invoiceId: book.lastInvoice.id });
    const invoice = {
      ...book.lastInvoice,
      taxCalculator: 'theirs',
      lines: book.lastInvoice.lines.map((line) => ({ ...line, taxes: then })),
    };
    const coverage = [...book.billed.values()];
    expect(linesToday({ ...snapshot, invoice }, coverage)).toEqual(invoice.lines);
    return recomputeInvoice({ ...snapshot, invoice }, coverage, [today]);
  }

  test('are compared with what it says today', () => {
    expect(told(external([tax('19', 589)], [tax('19', 589)]))).toEqual({ credit: [], charge: [], paid: [0, 0], reasons: [] });
    expect(told(external([tax('19', 589)], [tax('7', 217)]))).toEqual({
      ...{ credit: [[0, 372]], charge: [], paid: [0, 372] },
      reasons: ['It would be taxed with USt 7 % instead of USt 19 %.'],
    });
    expect(told(external([tax('19', 589)], []))).toMatchObject({
      credit: [[0, 589]],
      reasons: ['It would be taxed with no tax instead of USt 19 %.'],
    });
    expect(told(external([tax('19', 589)], [tax('19', 590)]))).toMatchObject({
      ...{ charge: [[0, 1]], reasons: ['The tax calculator theirs arrives at another amount today.'] },
    });
  });

  test('two of one percentage are two taxes', () => {
    const [state, city] = [tax('1', 31, 'State'), tax('1', 31, 'City')];
    const [proposed] = external([state, city], [state]).credit;
    expect(proposed).toMatchObject({ total: 31, taxes: [{ displayName: 'City', amount: 31 }] });
  });

  test('must be those of its lines, and only what is final is asked about', () => {
    const book = world();
    createPaid(book, JAN_1, ['pro']);
    const snapshot = book.snapshot({ invoiceId: book.lastInvoice.id });
    expect(() => recomputeInvoice(snapshot, [], [])).toThrow('Taxes of 0 lines');
    expect(() => linesToday({ ...snapshot, invoice: { ...book.lastInvoice, status: 'draft' } }, [])).toThrow('Only a finalised invoice');
  });
});
