import { describe, expect, test } from 'vitest';
import type { Price, Product } from '../../domain/catalog/price.ts';
import { decideItemChange, decideNewItem, type NewItem } from '../../domain/invoicing/edit-item.ts';
import { decideCreation } from '../../domain/subscription/create-subscription.ts';
import { pinPreview } from '../../domain/subscription/keep-preview.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { tiered, tiersOf } from '../support/price-models.ts';
import { cancel, changeItem, changePlan, create, createPaid, creation, linesOf, pause, renew, resume } from '../support/subscribe.ts';

const JAN = on('2025-01-01');
const MID = on('2025-01-16T12:00:00Z');
const ALWAYS = { prorationBehavior: 'always_invoice' } as const;
const GRADUATED = tiered('graduated', [
  [10, 1000, 200],
  [20, 500, 300],
  [null, 250],
]);
const STAIRS = tiered('volume', [
  [10, null, 5000],
  [null, null, 20000],
]);
const PACKS = { unitAmountDecimal: '2500', transformQuantity: { divideBy: 5, round: 'up' } } as const satisfies Partial<Price>;
const YEN = { jpy: { unitAmountDecimal: '3000', tiers: null, taxBehavior: 'inclusive' } } as const satisfies Price['currencyOptions'];

function bookWith(prices: Record<string, Partial<Price>>, parts: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook({ account: { prorationBasis: 'day' }, ...parts });
  for (const [id, patch] of Object.entries(prices)) book.price(id, '2000', patch.recurring === null ? null : 'month', patch);
  return book;
}
const sentences = (book: MemoryBook): string[] => book.lastInvoice.lines.map(({ explanation }) => explanation.sentence);

describe('lines', () => {
  test.each<[string, Partial<Price>, string, string, string]>([
    [
      'graduated',
      GRADUATED,
      '22',
      '22 × p (graduated tiers / month)',
      '22 seats (EUR 10.00 x 10 + EUR 2.00 flat + EUR 5.00 x 10 + EUR 3.00 flat + EUR 2.50 x 2) for one month (2025-01-01 to 2025-02-01) = EUR 160.00',
    ],
    [
      'stairstep',
      STAIRS,
      '11',
      '11 × p (volume tiers / month)',
      '11 seats (EUR 200.00 flat) for one month (2025-01-01 to 2025-02-01) = EUR 200.00',
    ],
    [
      'packages',
      PACKS,
      '11',
      '11 × p (at EUR 25.00 per 5 / month)',
      'EUR 25.00 x 3 packages of 5 (11 seats, rounded up) for one month (2025-01-01 to 2025-02-01) = EUR 75.00',
    ],
    [
      'one package',
      PACKS,
      '1',
      '1 × p (at EUR 25.00 per 5 / month)',
      'EUR 25.00 x 1 package of 5 (1 seat, rounded up) for one month (2025-01-01 to 2025-02-01) = EUR 25.00',
    ],
  ])('%s', (_, patch, quantity, description, sentence) => {
    const book = bookWith({ p: patch });
    create(book, JAN, [`p × ${quantity}`]);
    expect(book.lastInvoice.lines.map((line) => line.description)).toEqual([description]);
    expect(sentences(book)).toEqual([sentence]);
  });

  test('a line shows what each tier contributes, rounded together', () => {
    const book = bookWith({
      p: tiered('graduated', [
        [1, '0.5'],
        [2, '0.5'],
        [null, '0.5'],
      ]),
    });
    create(book, JAN, ['p × 3']);
    const [line] = book.lastInvoice.lines;
    expect(line).toMatchObject({ amount: 2, unitAmountDecimal: null, explanation: { exact: '1.5', unitAmountDecimal: null } });
    expect(line?.explanation.tiers).toEqual([
      { from: '0', upTo: '1', quantity: '1', unitAmountDecimal: '0.5', flatAmountDecimal: null, amount: 1 },
      { from: '1', upTo: '2', quantity: '1', unitAmountDecimal: '0.5', flatAmountDecimal: null, amount: 1 },
      { from: '2', upTo: null, quantity: '1', unitAmountDecimal: '0.5', flatAmountDecimal: null, amount: 0 },
    ]);
  });

  test('on trial a price with tiers costs nothing, and then what its tiers say', () => {
    const book = bookWith({ p: GRADUATED });
    create(book, JAN, ['p × 12'], { trial: { days: 14 } });
    expect(book.lastInvoice.lines).toMatchObject([{ amount: 0, unitAmountDecimal: null }]);
    renew(book);
    expect(book.lastInvoice.total).toBe(10_200 + 1_300);
  });
});

describe('proration', () => {
  test('seats of a price with tiers: the whole of all tiers, flat amounts too, times the fraction', () => {
    const book = bookWith({ p: GRADUATED });
    createPaid(book, JAN, ['p × 10']);
    changeItem(book, MID, 'si_p', { quantity: '12' }, ALWAYS);
    // 16 of 31 days: of 10200 back, of 11500 charged.
    expect(linesOf(book.lastInvoice)).toEqual([
      'Unused time on 10 × p after 16 Jan 2025 -5265',
      'Remaining time on 12 × p after 16 Jan 2025 5935',
    ]);
    expect(book.lastInvoice.lines[1]?.explanation.tiers?.map(({ amount }) => amount)).toEqual([5264, 671]);
    expect(sentences(book)[1]).toBe(
      '12 seats (EUR 10.00 x 10 + EUR 2.00 flat + EUR 5.00 x 2 + EUR 3.00 flat) for 16 of 31 days (2025-01-16 to 2025-02-01) = EUR 59.35',
    );
    renew(book);
    expect(book.lastInvoice.total).toBe(11_500);
  });

  test('a seat more within a package costs nothing more, and the next package its share', () => {
    const book = bookWith({ p: PACKS });
    createPaid(book, JAN, ['p × 3']);
    changeItem(book, MID, 'si_p', { quantity: '5' }, ALWAYS);
    expect(book.lastInvoice.total).toBe(0);
    changeItem(book, MID, 'si_p', { quantity: '6' }, ALWAYS);
    expect(book.lastInvoice.total).toBe(2581 - 1290);
  });

  test('without proration the new tiers count from the next period', () => {
    const book = bookWith({ p: GRADUATED, q: STAIRS });
    createPaid(book, JAN, ['p × 10']);
    changeItem(book, MID, 'si_p', { priceId: 'q' }, { prorationBehavior: 'none' });
    cancel(book, on('2025-01-31'), { prorate: true });
    expect(book.lastInvoice.total).toBe(-Math.round((10_200 * 1) / 31));
  });

  test('a pause gives back what is left of all tiers', () => {
    const book = bookWith({ p: GRADUATED });
    createPaid(book, JAN, ['p × 12']);
    pause(book, MID);
    expect(book.lastInvoice.total).toBe(-Math.round((11_500 * 16) / 31));
    resume(book, on('2025-03-10'));
    expect(book.lastInvoice.total).toBe(11_500);
  });
});

describe('freemium', () => {
  const FREE = tiered('graduated', [
    [3, 0],
    [null, 900],
  ]);

  test('seats beyond the free tier start a paid period at once; the history stays', () => {
    const book = bookWith({ p: FREE });
    create(book, JAN, ['p × 3']);
    expect(book.living.status).toBe('active');
    renew(book);
    renew(book);
    expect(book.allInvoices.map(({ total }) => total)).toEqual([0, 0, 0]);
    changeItem(book, on('2025-03-10'), 'si_p', { quantity: '5' });
    expect(book.lastInvoice).toMatchObject({ total: 1800, billingReason: 'subscription_update' });
    expect([book.living.billingCycleAnchor, book.living.startDate, book.allInvoices.length]).toEqual([on('2025-03-10'), JAN, 4]);
  });

  test('a flat amount of the first tier is no free plan, not even for nobody', () => {
    const book = bookWith({ p: STAIRS, q: { unitAmountDecimal: '0' } });
    create(book, JAN, ['p × 0']);
    expect([book.living.status, book.lastInvoice.total]).toEqual(['incomplete', 5000]);
  });
});

describe('currencies', () => {
  test('a subscription takes the option of its currency, and its items stay in it', () => {
    const book = bookWith({
      p: { currencyOptions: YEN },
      q: { currencyOptions: { jpy: { ...YEN.jpy, unitAmountDecimal: '9000' } } },
      r: {},
    });
    createPaid(book, JAN, ['p × 2'], { currency: 'jpy' });
    expect(book.lastInvoice).toMatchObject({ currency: 'jpy', total: 6000 });
    expect(sentences(book)).toEqual(['JPY 3000 x 2 seats for one month (2025-01-01 to 2025-02-01) = JPY 6000']);
    expect(book.customer.currency).toBe('jpy');
    changeItem(book, MID, 'si_p', { priceId: 'q' }, ALWAYS);
    expect(linesOf(book.lastInvoice).map((line) => line.split(' ').at(-1))).toEqual(['-3097', '9290']);
    expect(() => changeItem(book, MID, 'si_p', { priceId: 'r' })).toThrow(
      expect.objectContaining({ code: 'currency_mismatch', param: 'items[0][price]' }),
    );
  });

  test('tiers of another currency', () => {
    const book = bookWith({
      p: {
        ...GRADUATED,
        currencyOptions: {
          jpy: {
            unitAmountDecimal: null,
            tiers: tiersOf([
              [5, 100],
              [null, 50, 30],
            ]),
            taxBehavior: 'unspecified',
          },
        },
      },
    });
    create(book, JAN, ['p × 7'], { currency: 'jpy' });
    expect(book.lastInvoice.total).toBe(500 + 100 + 30);
  });

  test('the currency a customer was first billed in is taken where the price has it, and refused where not', () => {
    const yen = { customer: { currency: 'jpy' } };
    const book = bookWith({ p: { currencyOptions: YEN } }, yen);
    create(book, JAN, ['p']);
    expect(book.lastInvoice.currency).toBe('jpy');
    const euro = bookWith({ p: {} }, yen);
    expect(() => create(euro, JAN, ['p'])).toThrow(expect.objectContaining({ code: 'currency_mismatch', param: 'currency' }));
    expect(() => create(bookWith({ p: {} }), JAN, ['p'], { currency: 'jpy' })).toThrow(
      expect.objectContaining({ code: 'currency_mismatch', param: 'items[0][price]' }),
    );
  });

  test('what is sold once beside it is in the same currency', () => {
    const once = (quantity: string) => [{ priceId: 'once', quantity, taxRateIds: [] }];
    const book = bookWith({ p: { currencyOptions: YEN }, once: { recurring: null, currencyOptions: YEN } });
    create(book, JAN, ['p'], { currency: 'jpy', addInvoiceItems: once('2') });
    expect(book.lastInvoice.lines.map(({ amount, currency }) => [amount, currency])).toEqual([
      [6000, 'jpy'],
      [3000, 'jpy'],
    ]);
    const other = bookWith({ p: { currencyOptions: YEN }, once: { recurring: null } });
    expect(() => create(other, JAN, ['p'], { currency: 'jpy', addInvoiceItems: once('1') })).toThrow(
      expect.objectContaining({ code: 'currency_mismatch', param: 'add_invoice_items[0][price]' }),
    );
  });
});

describe('prices made in passing', () => {
  const inline = (madeFor: string, patch: Partial<Price> = {}): Partial<Price> => ({
    active: false,
    madeFor,
    unitAmountDecimal: '777',
    ...patch,
  });

  test('the item it was made for may have it, though it is inactive, and no other', () => {
    const book = bookWith({ p: {}, mine: inline('si_p'), theirs: inline('si_other') });
    createPaid(book, JAN, ['p']);
    changeItem(book, JAN, 'si_p', { priceId: 'mine' }, ALWAYS);
    renew(book);
    expect(book.lastInvoice.total).toBe(777);
    const refusal = expect.objectContaining({ code: 'price_inactive', param: 'items[0][price]' });
    expect(() => changeItem(book, book.living.currentPeriodStart, 'si_p', { priceId: 'theirs' })).toThrow(refusal);
    const item = { id: 'si_new', priceId: 'mine', quantity: '1', taxRateIds: [] };
    expect(() => changePlan(book, book.living.currentPeriodStart, { items: [{ do: 'add', item }] })).toThrow(refusal);
  });

  test('what is sold once: for this subscription, or as this invoice item', () => {
    const book = bookWith({ p: {}, once: inline('sub_1', { recurring: null }), item: inline('ii_1', { recurring: null }) });
    createPaid(book, JAN, ['p'], { addInvoiceItems: [{ priceId: 'once', quantity: '2', taxRateIds: [] }] });
    expect(book.lastInvoice.total).toBe(2000 + 2 * 777);
    const add = (id: string, priceId: string) => {
      const given: NewItem = { id, priceId, subscriptionId: 'sub_1', invoiceId: null };
      return book.do(MID, (snapshot, context) => decideNewItem(snapshot, given, context));
    };
    expect(() => add('ii_2', 'item')).toThrow(expect.objectContaining({ code: 'price_inactive', param: 'pricing[price]' }));
    add('ii_1', 'item');
    renew(book);
    expect(book.lastInvoice.total).toBe(2777);
  });
});

test('a preview with a price made in passing holds under the id it is made with, and for no other amount', () => {
  const digest = (text: string): string => text;
  const outcome = (priceId: string, unitAmountDecimal: string): string => {
    const book = bookWith({ [priceId]: { active: false, madeFor: `si_${priceId}`, unitAmountDecimal } });
    for (const price of Object.values(book.prices)) price.productId = 'prod_x';
    book.products['prod_x'] = { ...(book.products[`prod_${priceId}`] as Product), id: 'prod_x' };
    const [snapshot, context] = [book.snapshot(), { ...book.context(JAN, 'x'), digest }];
    return pinPreview(snapshot, decideCreation(snapshot, creation([priceId]), context), context).outcome;
  };
  expect(outcome('price_tried', '777')).toBe(outcome('price_made', '777'));
  expect(outcome('price_tried', '777')).not.toBe(outcome('price_made', '778'));
});

test('an invoice item of a price with tiers is priced anew for another quantity', () => {
  const book = bookWith({ p: {}, once: { ...GRADUATED, recurring: null } });
  createPaid(book, JAN, ['p']);
  const given: NewItem = { id: 'ii_1', priceId: 'once', quantity: '10', subscriptionId: 'sub_1', invoiceId: null };
  book.do(MID, (snapshot, context) => decideNewItem(snapshot, given, context));
  expect(book.pendingItems.get('ii_1')?.line).toMatchObject({ amount: 10_200, unitAmountDecimal: null });
  book.do(MID, (snapshot, context) => decideItemChange(snapshot, { quantity: '12' }, context), { itemId: 'ii_1' });
  const { line } = book.pendingItems.get('ii_1') ?? {};
  expect(line).toMatchObject({ amount: 11_500, quantity: '12' });
  expect(line?.explanation.tiers?.map(({ amount }) => amount)).toEqual([10_200, 1_300]);
});
