import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyDiscounts, type DiscountedLine, netOf } from '../../domain/discounts/apply-discounts.ts';
import type { CouponTerms } from '../../domain/discounts/coupon.ts';
import { type Discount, type DiscountWish, endOf } from '../../domain/discounts/discount.ts';
import { decideCustomerDiscount } from '../../domain/discounts/discount-customer.ts';
import { decideNewItem } from '../../domain/invoicing/edit-item.ts';
import { decideOneOff } from '../../domain/invoicing/one-off.ts';
import { recomputeInvoice } from '../../domain/invoicing/recompute.ts';
import { decideScheduledApplication } from '../../domain/subscription/apply-scheduled-change.ts';
import { foresee } from '../../domain/subscription/foresee.ts';
import { decidePendingUpdate } from '../../domain/subscription/resolve-pending-update.ts';
import { isoInstant, localDate } from '../../domain/time.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, changePlan, create, createPaid, pause, payAll, renew, resume } from '../support/subscribe.ts';

const JAN_1 = on('2025-01-01');
const JAN_16 = on('2025-01-16');
const FEB_1 = on('2025-02-01');

function bookWith(parts: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook(parts);
  book.price('pro', '3100');
  book.price('max', '6200');
  book.price('addon', '1000');
  book.coupon('P20', '20');
  book.coupon('P50', '50');
  book.coupon('ALL', '100');
  book.coupon('E5', 500);
  book.coupon('E100', 10_000);
  return book;
}
const coupons = (...ids: string[]): { discounts: DiscountWish[] } => ({ discounts: ids.map((couponId) => ({ couponId })) });
/** Gross and net of each line. */
const amounts = (book: MemoryBook) => book.lastInvoice.lines.map((line) => [line.amount, netOf(line)]);
const setOnCustomer = (book: MemoryBook, at: number, wish: DiscountWish | null) =>
  book.do(at, (snapshot, context) => decideCustomerDiscount(snapshot, { wish }, context));

describe('what is taken off', () => {
  const line = (amount: number, patch: Partial<DiscountedLine> = {}): DiscountedLine => ({
    amount,
    currency: 'eur',
    priceId: 'p',
    productId: 'prod',
    subscriptionItemId: 'si_1',
    invoiceItemId: null,
    creditedLineId: null,
    period: { start: 0, end: 0 },
    proration: false,
    explanation: {
      sentence: '',
      rule: 'full_period',
      unitAmountDecimal: null,
      quantity: null,
      fraction: null,
      exact: '0',
      rounding: 'half_up',
      notes: [],
    },
    ...patch,
  });
  let made = 0;
  const off = (what: string | number, patch: Partial<Discount> = {}, terms: Partial<CouponTerms> = {}): Discount => ({
    id: `di_${++made}`,
    couponId: 'c',
    promotionCodeId: null,
    customerId: 'cus_1',
    subscriptionId: 'sub_1',
    subscriptionItemId: null,
    invoiceItemId: null,
    start: 0,
    end: null,
    endedAt: null,
    terms: {
      name: null,
      percentOff: typeof what === 'string' ? what : null,
      amountOff: typeof what === 'number' ? what : null,
      currency: typeof what === 'number' ? 'eur' : null,
      currencyOptions: {},
      duration: 'forever',
      durationInMonths: null,
      appliesTo: null,
      ...terms,
    },
    ...patch,
  });
  const taken = (lines: DiscountedLine[], discounts: Discount[], how: Parameters<typeof applyDiscounts>[2] = 'whole'): number[][] =>
    applyDiscounts(lines, discounts, how).map((amounts) => amounts.map(({ amount }) => amount));
  const part = { proration: true, explanation: { ...line(0).explanation, fraction: { numerator: 1, denominator: 4, basis: 'day' } } };

  test.each<[string, DiscountedLine[], Discount[], number[][]]>([
    ['a percentage', [line(4900)], [off('20')], [[980]]],
    ['percentages of what is left', [line(4900)], [off('60'), off('60')], [[2940, 1176]]],
    ['all of it, and nothing is left for another', [line(4900)], [off('100'), off('50')], [[4900]]],
    ['half a cent goes up', [line(25)], [off('50')], [[13]]],
    ['a percentage of several lines is rounded once', [line(33), line(33), line(33)], [off('50')], [[17], [17], [16]]],
    ['an amount is spread in proportion', [line(10000), line(5000), line(3000), line(2000)], [off(1000)], [[500], [250], [150], [100]]],
    ['ties go to the earlier line', [line(100), line(100), line(100)], [off(100)], [[34], [33], [33]]],
    ['what is more than the lines is lost', [line(300), line(200)], [off(1000)], [[300], [200]]],
    ['an amount after a percentage', [line(1000)], [off('50'), off(100)], [[500, 100]]],
    ['a percentage after an amount', [line(1000)], [off(100), off('50')], [[100, 450]]],
    [
      'those of items come first, whatever the order',
      [line(8000), line(2000, { subscriptionItemId: 'si_2' })],
      [off(1000), off('25', { subscriptionItemId: 'si_1' })],
      [[2000, 750], [250]],
    ],
    ['credits stay as they are', [line(-1000), line(1000)], [off('50')], [[], [500]]],
    ['nothing is worth nothing', [line(0), line(1000)], [off('50')], [[], [500]]],
    ['some lines take no discounts', [line(1000, { discountable: false }), line(1000)], [off('50')], [[], [500]]],
    [
      'only a product',
      [line(1000), line(1000, { productId: 'other' })],
      [off('10', {}, { appliesTo: { productIds: ['other'], priceIds: [] } })],
      [[], [100]],
    ],
    [
      'only a price',
      [line(1000), line(1000, { priceId: 'other' })],
      [off('10', {}, { appliesTo: { productIds: [], priceIds: ['other'] } })],
      [[], [100]],
    ],
    ['an amount in another currency', [line(1000, { currency: 'usd' })], [off(100)], [[]]],
    ['an amount by currency', [line(1000, { currency: 'usd' })], [off(100, {}, { currencyOptions: { usd: { amountOff: 110 } } })], [[110]]],
  ])('%s', (_, lines, discounts, expected) => {
    expect(taken(lines, discounts)).toEqual(expected);
  });

  test('an amount off counts on a part of a period with the share that the part is', () => {
    expect(taken([line(1000, part), line(1000)], [off(400)], 'share')).toEqual([[100], [400]]);
    expect(taken([line(1000, part)], [off(400)], 'pending')).toEqual([[100]]);
    expect(taken([line(1000, part)], [off(400)], 'whole')).toEqual([[400]]);
    expect(taken([line(1000, part)], [off(400, {}, { duration: 'once' })], 'share')).toEqual([[400]]);
    expect(taken([line(1000, part)], [off(400, {}, { duration: 'once' })], 'pending')).toEqual([[]]);
    expect(taken([line(1000, part)], [off('10')], 'pending')).toEqual([[100]]);
  });

  test('never below zero, never more than the whole, and the order of percentages makes no more than rounding', () => {
    const someLine = fc.record({ amount: fc.integer({ min: -5000, max: 100_000 }), item: fc.integer({ min: 1, max: 3 }) });
    const someDiscount = fc.record({
      percent: fc.option(fc.integer({ min: 1, max: 1_000_000 }).map((n) => String(n / 10_000))),
      amount: fc.integer({ min: 1, max: 120_000 }),
      item: fc.option(fc.integer({ min: 1, max: 3 })),
    });
    fc.assert(
      fc.property(fc.array(someLine, { minLength: 1, maxLength: 8 }), fc.array(someDiscount, { maxLength: 5 }), (given, wished) => {
        const lines = given.map(({ amount, item }) => line(amount, { subscriptionItemId: `si_${item}` }));
        const discounts = wished.map(({ percent, amount, item }) =>
          off(percent ?? amount, { subscriptionItemId: item === null ? null : `si_${item}` }),
        );
        const results = applyDiscounts(lines, discounts, 'whole');
        results.forEach((amountsOff, index) => {
          const sum = amountsOff.reduce((total, { amount }) => total + amount, 0);
          expect(amountsOff.every(({ amount }) => amount > 0)).toBe(true);
          expect(sum).toBeLessThanOrEqual(Math.max(0, lines[index]?.amount ?? 0));
        });
        // What an amount takes off all lines is the amount, or all that was left of its lines.
        for (const discount of discounts.filter(({ terms }) => terms.amountOff !== null)) {
          const whole = results.flat().reduce((total, { discountId, amount }) => total + (discountId === discount.id ? amount : 0), 0);
          expect(whole).toBeLessThanOrEqual(discount.terms.amountOff ?? 0);
        }
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['2025-01-31', 1, '2025-02-28'],
    ['2025-01-31', 3, '2025-04-30'],
    ['2024-02-29', 12, '2025-02-28'],
    ['2024-02-29', 48, '2028-02-29'],
    ['2025-12-31', 2, '2026-02-28'],
  ])('%s and %d months end %s', (start, durationInMonths, end) => {
    const { terms } = off('10', {}, { duration: 'repeating', durationInMonths });
    expect(localDate(endOf(terms, on(start), 'UTC') ?? 0, 'UTC')).toBe(end);
  });

  test('months are those of the zone: an hour of summer time makes no difference', () => {
    const { terms } = off('10', {}, { duration: 'repeating', durationInMonths: 1 });
    expect(isoInstant(endOf(terms, on('2025-03-15T11:00:00Z'), 'Europe/Berlin') ?? 0)).toBe('2025-04-15T10:00:00Z');
  });
});

describe('how long', () => {
  const totals = (book: MemoryBook, renewals: number): number[] => {
    for (let n = 0; n < renewals; n += 1) renew(book);
    return book.allInvoices.map(({ total }) => total);
  };

  test('forever', () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['pro'], coupons('P20'));
    expect(totals(book, 3)).toEqual([2480, 2480, 2480, 2480]);
    expect(book.living.discounts).toHaveLength(1);
  });

  test('once: the first invoice, and then it stands nowhere any more', () => {
    const book = bookWith();
    book.coupon('ONCE', '50', { duration: 'once' });
    const decision = createPaid(book, JAN_1, ['pro'], coupons('ONCE'));
    expect(book.living.discounts).toEqual([]);
    expect(decision.events.map(({ type }) => type)).toEqual([
      'customer.subscription.created',
      'customer.discount.created',
      'invoice.created',
      'invoice.finalized',
      'customer.discount.deleted',
    ]);
    expect(totals(book, 2)).toEqual([1550, 3100, 3100]);
  });

  test('once, and more than the invoice: the rest is lost', () => {
    const book = bookWith();
    book.coupon('ONCE', 5000, { duration: 'once' });
    create(book, JAN_1, ['pro'], coupons('ONCE'));
    expect(totals(book, 1)).toEqual([0, 3100]);
  });

  test('once, on a free trial: it waits for the first invoice with something to take it off', () => {
    const book = bookWith();
    book.coupon('ONCE', '50', { duration: 'once' });
    createPaid(book, JAN_1, ['pro'], { ...coupons('ONCE'), trial: { days: 14 } });
    expect(book.living.discounts).toHaveLength(1);
    expect(totals(book, 2)).toEqual([0, 1550, 3100]);
  });

  test('three months over the ends of months: three invoices', () => {
    const book = bookWith();
    book.coupon('3M', '50', { duration: 'repeating', durationInMonths: 3 });
    createPaid(book, on('2025-01-31'), ['pro'], coupons('3M'));
    expect(book.living.discounts[0]?.end).toBe(on('2025-04-30'));
    expect(totals(book, 4)).toEqual([1550, 1550, 1550, 3100, 3100]);
    expect(book.living.discounts).toEqual([]);
  });

  test('a renewal that is late is discounted as of its boundary', () => {
    const book = bookWith();
    book.coupon('2M', '50', { duration: 'repeating', durationInMonths: 2 });
    createPaid(book, JAN_1, ['pro'], coupons('2M'));
    renew(book, on('2025-06-01'));
    renew(book, on('2025-06-01'));
    expect(book.allInvoices.map(({ total }) => total)).toEqual([1550, 1550, 3100]);
  });

  test('begun in the middle of a period it counts from the next renewal on, and ends by the calendar', () => {
    const book = bookWith();
    book.coupon('2M', '50', { duration: 'repeating', durationInMonths: 2 });
    createPaid(book, JAN_1, ['pro']);
    expect(changePlan(book, JAN_16, coupons('2M')).invoices).toEqual([]);
    expect(totals(book, 3)).toEqual([3100, 1550, 1550, 3100]);
  });
});

describe('where it stands', () => {
  test("the subscription's discounts replace the customer's; those of items come on top", () => {
    const book = bookWith();
    setOnCustomer(book, JAN_1, { couponId: 'P50' });
    createPaid(book, JAN_1, ['pro', 'addon']);
    expect(amounts(book)).toEqual([
      [3100, 1550],
      [1000, 500],
    ]);
    changePlan(book, JAN_16, {
      ...coupons('P20'),
      items: [{ do: 'update', itemId: 'si_addon', ...coupons('ALL') }],
    });
    renew(book);
    expect(amounts(book)).toEqual([
      [3100, 2480],
      [1000, 0],
    ]);
    changePlan(book, FEB_1 + 86_400, { discounts: [] });
    renew(book);
    expect(amounts(book)).toEqual([
      [3100, 1550],
      [1000, 0],
    ]);
    setOnCustomer(book, on('2025-03-10'), null);
    renew(book);
    expect(amounts(book)[0]).toEqual([3100, 3100]);
  });

  test('a customer who changes from one coupon to another is told so', () => {
    const book = bookWith();
    setOnCustomer(book, JAN_1, { couponId: 'P50' });
    const decision = setOnCustomer(book, JAN_16, { couponId: 'P20' });
    expect(decision.events.map(({ type, previous }) => [type, previous?.['couponId']])).toEqual([
      ['customer.discount.updated', 'P50'],
      ['customer.discount.deleted', undefined],
    ]);
    expect(book.customer.discount).toMatchObject({ couponId: 'P20', start: JAN_16 });
  });

  test('naming what stands keeps it as it is, in the order given', () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['pro'], coupons('P20'));
    const [first] = book.living.discounts;
    changePlan(book, JAN_16, { discounts: [{ couponId: 'E5' }, { discountId: first?.id ?? '' }] });
    expect(book.living.discounts.map(({ couponId, start }) => [couponId, start])).toEqual([
      ['E5', JAN_16],
      ['P20', JAN_1],
    ]);
    expect(book.coupons['P20']?.timesRedeemed).toBe(1);
    renew(book);
    expect(book.lastInvoice.total).toBe((3100 - 500) * 0.8);
  });

  test("a customer's discount can be named to count on the subscription, as long as it lasts", () => {
    const book = bookWith();
    book.coupon('3M', '50', { duration: 'repeating', durationInMonths: 3 });
    setOnCustomer(book, JAN_1, { couponId: '3M' });
    create(book, JAN_16, ['pro'], { discounts: [{ discountId: book.customer.discount?.id ?? '' }, { couponId: 'P20' }] });
    expect(book.lastInvoice.total).toBe(1240);
    expect(book.living.discounts[0]).toMatchObject({ couponId: '3M', start: JAN_1, end: on('2025-04-01'), subscriptionId: 'sub_1' });
    expect(book.coupons['3M']?.timesRedeemed).toBe(1);
  });

  test('a removed item takes its discounts with it', () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['pro', 'addon'], {
      items: [
        { id: 'si_pro', priceId: 'pro', quantity: '1', taxRateIds: [] },
        { id: 'si_addon', priceId: 'addon', quantity: '1', taxRateIds: [], ...coupons('P50') },
      ],
    });
    expect(book.lastInvoice.total).toBe(3600);
    changePlan(book, JAN_16, { items: [{ do: 'remove', itemId: 'si_addon' }], prorationBehavior: 'always_invoice' });
    expect(book.lastInvoice.total).toBe(-258);
  });

  test('an invoice item has discounts of its own, or none at all', () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['pro'], coupons('P20'));
    const item = { subscriptionId: 'sub_1', invoiceId: null, amount: 1000, currency: 'eur' };
    book.do(JAN_16, (snapshot, context) => decideNewItem(snapshot, { id: 'ii_own', ...item, ...coupons('P50') }, context));
    book.do(JAN_16, (snapshot, context) => decideNewItem(snapshot, { id: 'ii_none', ...item, discountable: false }, context));
    renew(book);
    expect(amounts(book)).toEqual([
      [1000, 400],
      [1000, 1000],
      [3100, 2480],
    ]);
  });

  test('lines that come to a draft have what its discounts have left for them', () => {
    const book = bookWith({ customer: { currency: 'eur' } });
    setOnCustomer(book, JAN_1, { couponId: 'E5' });
    book.do(JAN_1, (snapshot, context) =>
      decideOneOff(
        snapshot,
        { id: 'in_1', customerId: 'cus_1', pendingItems: 'exclude', description: null, footer: null, metadata: {} },
        context,
      ),
    );
    for (const [id, amount] of [
      ['ii_1', 300],
      ['ii_2', 300],
    ] as const) {
      book.do(
        JAN_1,
        (snapshot, context) => decideNewItem(snapshot, { id, amount, currency: 'eur', subscriptionId: null, invoiceId: 'in_1' }, context),
        { invoiceId: 'in_1' },
      );
    }
    expect(amounts(book)).toEqual([
      [300, 0],
      [300, 100],
    ]);
    expect(book.lastInvoice.total).toBe(100);
  });
});

describe('in proration', () => {
  const ALWAYS = { prorationBehavior: 'always_invoice' } as const;

  test('a credit gives back what was really paid, and is not discounted again', () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['pro'], coupons('P50'));
    changeItem(book, JAN_16, 'si_pro', { priceId: 'max' }, ALWAYS);
    expect(amounts(book)).toEqual([
      [-800, -800],
      [3200, 1600],
    ]);
    expect(book.lastInvoice).toMatchObject({ subtotal: 2400, total: 800 });
    payAll(book, JAN_16);
    cancel(book, JAN_16, { prorate: true, invoiceNow: true });
    expect(book.lastInvoice.total).toBe(-1600);
  });

  test('what waits for the next invoice is discounted when it is made, and only then', () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['pro'], coupons('P50'));
    changeItem(book, JAN_16, 'si_pro', { priceId: 'max' });
    changePlan(book, on('2025-01-20'), { discounts: [] });
    renew(book);
    expect(amounts(book)).toEqual([
      [-800, -800],
      [3200, 1600],
      [6200, 6200],
    ]);
  });

  test('a pending charge that is given back is given back net', () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['pro'], coupons('P50'));
    changeItem(book, JAN_16, 'si_pro', { priceId: 'max' });
    changeItem(book, JAN_16, 'si_pro', { priceId: 'pro' });
    renew(book);
    expect(book.lastInvoice.total).toBe(-800 + 1600 - 1600 + 800 + 1550);
  });

  test('an amount off goes on with its share of the period', () => {
    const book = bookWith();
    book.coupon('E31', 310);
    createPaid(book, JAN_1, ['pro'], coupons('E31'));
    changeItem(book, JAN_16, 'si_pro', { priceId: 'max' }, ALWAYS);
    expect(amounts(book)).toEqual([
      [-1440, -1440],
      [3200, 3040],
    ]);
    // To and fro costs nothing and earns nothing.
    changeItem(book, JAN_16, 'si_pro', { priceId: 'pro' }, ALWAYS);
    changeItem(book, JAN_16, 'si_pro', { priceId: 'max' }, ALWAYS);
    expect(book.customer.balance + book.allInvoices.reduce((sum, { total }) => sum + total, 0)).toBe(book.customer.balance + 2790 + 1600);
  });

  test('a discount that was used once is in the credit and not in the charge', () => {
    const book = bookWith();
    book.coupon('ONCE', '50', { duration: 'once' });
    createPaid(book, JAN_1, ['pro'], coupons('ONCE'));
    changeItem(book, JAN_16, 'si_pro', { priceId: 'max' }, ALWAYS);
    expect(amounts(book)).toEqual([
      [-800, -800],
      [3200, 3200],
    ]);
  });

  test('the books balance: revenue is net of discount', () => {
    const book = bookWith({ account: { defaultTaxRateIds: ['vat'] } });
    book.taxRate('vat', '20');
    create(book, JAN_1, ['pro'], coupons('P50'));
    expect(book.lastInvoice).toMatchObject({ subtotal: 3100, totalExcludingTax: 1550, tax: 310, total: 1860 });
    expect([book.ledger('receivable'), book.ledger('deferred_revenue'), book.ledger('tax_payable')]).toEqual([1860, -1550, -310]);
  });

  test('recomputed with nothing changed there is no difference; with another price it is discounted as it was', () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['pro'], coupons('P50'));
    const again = () => recomputeInvoice(book.snapshot({ invoiceId: book.lastInvoice.id }), [...book.billed.values()]);
    expect(again().lines.map(({ difference }) => difference)).toEqual([0]);
    book.price('pro', '4100');
    expect(again().lines.map(({ difference }) => difference)).toEqual([500]);
  });
});

describe('what must not lose it', () => {
  test('an update that waits for its payment: discounts cannot be pending, and one is used up when it is paid', () => {
    const waiting = () => {
      const book = bookWith();
      book.coupon('ONCE', '25', { duration: 'once' });
      createPaid(book, JAN_1, ['pro']);
      changePlan(book, JAN_1 + 3600, coupons('ONCE'));
      changeItem(
        book,
        JAN_16,
        'si_pro',
        { priceId: 'max' },
        { prorationBehavior: 'always_invoice', paymentBehavior: 'pending_if_incomplete' },
      );
      expect(book.living.discounts).toHaveLength(1);
      return book;
    };
    const paid = waiting();
    paid.pay(paid.lastInvoice.id, JAN_16);
    paid.do(JAN_16, (snapshot, context) => decidePendingUpdate(snapshot, { apply: true }, context));
    expect(paid.living).toMatchObject({ discounts: [], items: [{ priceId: 'max' }] });
    const dropped = waiting();
    dropped.do(JAN_16, (snapshot, context) => decidePendingUpdate(snapshot, { apply: false }, context));
    expect(dropped.living).toMatchObject({ discounts: [{ couponId: 'ONCE' }], items: [{ priceId: 'pro' }] });
    renew(dropped);
    expect(dropped.lastInvoice.total).toBe(2325);
    expect(() => changePlan(dropped, FEB_1, { ...coupons('P20'), paymentBehavior: 'pending_if_incomplete' })).toThrow(
      expect.objectContaining({ code: 'parameter_invalid', param: 'discounts' }),
    );
  });

  test('a scheduled change redeems when its time has come', () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['pro']);
    changePlan(book, JAN_16, { ...coupons('P50'), effectiveAt: 'period_end' });
    expect(book.coupons['P50']?.timesRedeemed).toBe(0);
    const [scheduled] = book.living.scheduledChanges;
    book.do(FEB_1, (snapshot, context) => decideScheduledApplication(snapshot, { changeId: scheduled?.id ?? '' }, context));
    renew(book);
    expect([book.coupons['P50']?.timesRedeemed, book.lastInvoice.total]).toEqual([1, 1550]);
    expect(book.living.discounts[0]?.start).toBe(FEB_1);
  });

  test('a pause and what comes after it', () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['pro'], coupons('P50'));
    pause(book, JAN_16);
    expect(book.lastInvoice.total).toBe(-800);
    changePlan(book, on('2025-01-20'), { discounts: [{ discountId: book.living.discounts[0]?.id ?? '' }, { couponId: 'P20' }] });
    resume(book, FEB_1);
    expect(book.lastInvoice.total).toBe(1240);
  });

  test('a preview is the invoice, for as many periods as one likes', () => {
    const book = bookWith({ account: { defaultTaxRateIds: ['vat'] } });
    book.taxRate('vat', '8.25');
    book.coupon('3M', '33.3333', { duration: 'repeating', durationInMonths: 3 });
    book.coupon('ONCE', 777, { duration: 'once' });
    setOnCustomer(book, JAN_1, { couponId: 'P20' });
    createPaid(book, on('2025-01-31'), ['pro', 'addon'], { ...coupons('3M', 'ONCE'), trial: { days: 10 } });
    let n = 0;
    const foreseen = foresee(book.snapshot(), 6, (prefix) => `${prefix}_f${++n}`).map(({ total }) => total);
    for (let period = 0; period < 6; period += 1) renew(book);
    expect(book.allInvoices.slice(1).map(({ total }) => total)).toEqual(foreseen);
    expect(new Set(foreseen).size).toBe(3);
  });
});

test('whatever the discounts, what is foreseen is what is billed', () => {
  const someCoupon = fc.record({
    off: fc.oneof(
      fc.integer({ min: 1, max: 1_000_000 }).map((n) => String(n / 10_000)),
      fc.integer({ min: 1, max: 6000 }),
    ),
    duration: fc.constantFrom('once', 'repeating', 'forever'),
    months: fc.integer({ min: 1, max: 5 }),
    place: fc.constantFrom('subscription', 'item', 'customer'),
  });
  const zones = fc.constantFrom('UTC', 'America/New_York', 'Pacific/Auckland');
  fc.assert(
    fc.property(
      fc.array(someCoupon, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: on('2024-01-01'), max: on('2026-12-31') }),
      zones,
      fc.option(fc.integer({ min: 1, max: 70 })),
      (wished, start, billingTimezone, days) => {
        const book = bookWith({ account: { defaultTaxRateIds: ['vat'], billingTimezone } });
        book.taxRate('vat', '19');
        const at = (place: string): DiscountWish[] =>
          wished.flatMap(({ off, duration, months, ...coupon }, index) =>
            coupon.place === place
              ? [{ couponId: book.coupon(`c${index}`, off, { duration, durationInMonths: duration === 'repeating' ? months : null }) }]
              : [],
          );
        for (const wish of at('customer')) setOnCustomer(book, start, wish);
        createPaid(book, start, [], {
          billingTimezone,
          discounts: at('subscription'),
          items: [
            { id: 'si_pro', priceId: 'pro', quantity: '1', taxRateIds: [], discounts: at('item') },
            { id: 'si_addon', priceId: 'addon', quantity: '3', taxRateIds: [] },
          ],
          ...(days === null ? {} : { trial: { days } }),
        });
        let n = 0;
        const foreseen = foresee(book.snapshot(), 5, (prefix) => `${prefix}_f${++n}`).map(({ total, tax }) => [total, tax]);
        for (let period = 0; period < 5; period += 1) renew(book);
        expect(book.allInvoices.slice(1).map(({ total, tax }) => [total, tax])).toEqual(foreseen);
        expect(Math.min(...book.allInvoices.map(({ total }) => total))).toBeGreaterThanOrEqual(0);
      },
    ),
    { numRuns: 100 },
  );
});

describe('redemption', () => {
  const refusedWith = (code: string, param: string) => expect.objectContaining({ code, param });

  test('counts, and stops at the maximum, also within one request', () => {
    const book = bookWith();
    book.coupon('TWICE', '10', { maxRedemptions: 2 });
    createPaid(book, JAN_1, ['pro', 'addon'], {
      items: [
        { id: 'si_pro', priceId: 'pro', quantity: '1', taxRateIds: [], ...coupons('TWICE') },
        { id: 'si_addon', priceId: 'addon', quantity: '1', taxRateIds: [], ...coupons('TWICE') },
      ],
    });
    expect(book.coupons['TWICE']?.timesRedeemed).toBe(2);
    expect(() => changePlan(book, JAN_16, coupons('TWICE'))).toThrow(refusedWith('coupon_expired', 'discounts[0][coupon]'));
    const once = bookWith();
    once.coupon('ONE', '10', { maxRedemptions: 1 });
    expect(() =>
      create(once, JAN_1, ['pro'], {
        ...coupons('ONE'),
        items: [{ id: 'si_1', priceId: 'pro', quantity: '1', taxRateIds: [], ...coupons('ONE') }],
      }),
    ).toThrow(refusedWith('coupon_expired', 'items[0][discounts][0][coupon]'));
  });

  test.each<[string, DiscountWish, string, string]>([
    ['no such coupon', { couponId: 'NONE' }, 'resource_missing', '[coupon]'],
    ['a deleted coupon', { couponId: 'GONE' }, 'resource_missing', '[coupon]'],
    ['an expired coupon', { couponId: 'LATE' }, 'coupon_expired', '[coupon]'],
    ['an amount in another currency', { couponId: 'USD' }, 'currency_mismatch', '[coupon]'],
    ['no such code', { promotionCodeId: 'none' }, 'resource_missing', '[promotion_code]'],
    ['a code that is switched off', { promotionCodeId: 'off' }, 'coupon_expired', '[promotion_code]'],
    ['an expired code', { promotionCodeId: 'late' }, 'coupon_expired', '[promotion_code]'],
    ['a used-up code', { promotionCodeId: 'used' }, 'coupon_expired', '[promotion_code]'],
    ['a code of an expired coupon', { promotionCodeId: 'oflate' }, 'coupon_expired', '[promotion_code]'],
    ["somebody else's code", { promotionCodeId: 'others' }, 'promotion_code_restricted', '[promotion_code]'],
    ['too little bought', { promotionCodeId: 'big' }, 'promotion_code_restricted', '[promotion_code]'],
    ['a minimum in another currency', { promotionCodeId: 'dollars' }, 'promotion_code_restricted', '[promotion_code]'],
    ['no such discount', { discountId: 'di_none' }, 'resource_missing', '[discount]'],
  ])('%s', (_, wish, code, param) => {
    const book = bookWith();
    book.coupon('GONE', '10', { deleted: true });
    book.coupon('LATE', '10', { redeemBy: JAN_1 });
    book.coupon('USD', 100, { currency: 'usd' });
    book.promotionCode('off', 'P20', { active: false });
    book.promotionCode('late', 'P20', { expiresAt: JAN_1 });
    book.promotionCode('used', 'P20', { maxRedemptions: 3, timesRedeemed: 3 });
    book.promotionCode('oflate', 'LATE');
    book.promotionCode('others', 'P20', { customerId: 'cus_2' });
    book.promotionCode('big', 'P20', { restrictions: { minimumAmount: 3101, minimumAmountCurrency: 'eur' } });
    book.promotionCode('dollars', 'P20', { restrictions: { minimumAmount: 1, minimumAmountCurrency: 'usd' } });
    expect(() => create(book, JAN_1, ['pro'], { discounts: [wish] })).toThrow(refusedWith(code, `discounts[0]${param}`));
    expect(book.allInvoices).toEqual([]);
  });

  test('a code with a minimum that is met, for a first purchase only', () => {
    const book = bookWith();
    book.promotionCode('first', 'P20', {
      maxRedemptions: 5,
      restrictions: { firstTimeTransaction: true, minimumAmount: 3100, minimumAmountCurrency: 'eur' },
    });
    createPaid(book, JAN_1, ['pro'], { discounts: [{ promotionCodeId: 'first' }] });
    expect([book.lastInvoice.total, book.promotionCodes['first']?.timesRedeemed, book.coupons['P20']?.timesRedeemed]).toEqual([2480, 1, 1]);
    expect(() => changePlan(book, JAN_16, { discounts: [{ promotionCodeId: 'first' }] })).toThrow(
      refusedWith('promotion_code_restricted', 'discounts[0][promotion_code]'),
    );
    expect(() => setOnCustomer(book, JAN_16, { promotionCodeId: 'first' })).toThrow(
      expect.objectContaining({ code: 'promotion_code_restricted' }),
    );
  });

  test('the explanation names each discount and what it takes off', () => {
    const book = bookWith();
    create(book, JAN_1, ['pro', 'addon'], coupons('P20', 'E5'));
    expect(book.lastInvoice.lines.map(({ explanation }) => explanation.notes)).toEqual([
      ['less 20 % (P20) = -EUR 6.20', 'less its share of EUR 5.00 (E5) = -EUR 3.78'],
      ['less 20 % (P20) = -EUR 2.00', 'less its share of EUR 5.00 (E5) = -EUR 1.22'],
    ]);
  });
});
