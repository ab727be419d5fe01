import { describe, expect, test } from 'vitest';
import { decideFinalization } from '../../domain/invoicing/finalize-invoice.ts';
import { decideUncollectible } from '../../domain/invoicing/mark-uncollectible.ts';
import { decideTaxes } from '../../domain/invoicing/record-taxes.ts';
import { decideVoid } from '../../domain/invoicing/void-invoice.ts';
import type { TaxAmount } from '../../domain/tax/tax-rate.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, changePlan, create, createPaid, linesOf, renew } from '../support/subscribe.ts';

const JAN_1 = on('2025-01-01');
const JAN_16 = on('2025-01-16');

function bookWith(parts: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook(parts);
  book.price('pro', '3100');
  book.price('max', '6200');
  book.price('free', '0');
  return book;
}

describe('taxes', () => {
  test('exclusive tax is put on top, inclusive tax is contained', () => {
    const book = bookWith({ account: { defaultTaxRateIds: ['vat'] } });
    book.taxRate('vat', '20');
    create(book, JAN_1, ['pro']);
    expect(book.lastInvoice).toMatchObject({
      subtotal: 3100,
      tax: 620,
      total: 3720,
      totalExcludingTax: 3100,
      amountDue: 3720,
      status: 'open',
      number: 'PER-0001',
    });
    expect([book.ledger('receivable'), book.ledger('deferred_revenue'), book.ledger('tax_payable')]).toEqual([3720, -3100, -620]);

    const inclusive = bookWith({ account: { defaultTaxRateIds: ['vat'] } });
    inclusive.taxRate('vat', '24', true);
    create(inclusive, JAN_1, ['pro']);
    expect(inclusive.lastInvoice).toMatchObject({
      subtotal: 3100,
      subtotalExcludingTax: 2500,
      tax: 600,
      total: 3100,
      totalExcludingTax: 2500,
    });
  });

  test('a credit carries the tax rates of what it credits, also after the default changed', () => {
    const book = bookWith({ account: { defaultTaxRateIds: ['old'] } });
    book.taxRate('old', '10');
    book.taxRate('new', '20');
    createPaid(book, JAN_1, ['pro']);
    book.account.defaultTaxRateIds = ['new'];
    changeItem(book, JAN_16, 'si_pro', { priceId: 'max' }, { prorationBehavior: 'always_invoice' });
    expect(book.lastInvoice.lines.map((line) => [line.amount, line.taxes.map((tax) => [tax.taxRateId, tax.amount])])).toEqual([
      [-1600, [['old', -160]]],
      [3200, [['new', 640]]],
    ]);
  });

  test('the first level that names rates decides: item, subscription, customer, account', () => {
    const book = bookWith({ account: { defaultTaxRateIds: ['a'] }, customer: { defaultTaxRateIds: ['c'] } });
    for (const id of ['a', 'c', 's', 'i']) book.taxRate(id, '5');
    create(book, JAN_1, ['pro', 'max'], {
      defaultTaxRateIds: ['s'],
      items: [
        { id: 'si_1', priceId: 'pro', quantity: '1', taxRateIds: ['i'] },
        { id: 'si_2', priceId: 'max', quantity: '1', taxRateIds: [] },
      ],
    });
    expect(book.lastInvoice.lines.map((line) => line.taxes.map((tax) => tax.taxRateId))).toEqual([['i'], ['s']]);
  });
});

describe('an external tax engine', () => {
  const external = () => {
    const book = bookWith({ account: { taxCalculator: 'fake' }, customer: { balance: -1000, currency: 'eur' } });
    create(book, JAN_1, ['pro']);
    return book;
  };
  const vat: TaxAmount = { taxRateId: null, displayName: 'VAT', percentage: '10', inclusive: false, taxableAmount: 3100, amount: 310 };

  test('leaves a draft without number, journal or balance until its taxes are there', () => {
    const book = external();
    expect(book.lastInvoice).toMatchObject({
      status: 'draft',
      taxStatus: 'pending',
      number: null,
      finalizedAt: null,
      total: 3100,
      startingBalance: -1000,
    });
    expect([book.journal, book.customer.balance, book.living.status]).toEqual([[], -1000, 'incomplete']);
    const finalize = () =>
      book.do(JAN_1, (snapshot, context) => decideFinalization(snapshot, {}, context), { invoiceId: book.lastInvoice.id });
    expect(finalize).toThrow(expect.objectContaining({ code: 'transition_not_allowed' }));
  });

  test('finalises with taxes given, or with those stored on the draft', () => {
    const given = external();
    given.do(JAN_1 + 60, (snapshot, context) => decideFinalization(snapshot, { taxes: [[vat]] }, context), {
      invoiceId: given.lastInvoice.id,
    });
    const stored = external();
    const about = { invoiceId: stored.lastInvoice.id };
    stored.do(JAN_1 + 30, (snapshot, context) => decideTaxes(snapshot, { taxes: [[vat]] }, context), about);
    stored.do(JAN_1 + 60, (snapshot, context) => decideFinalization(snapshot, {}, context), about);
    for (const book of [given, stored]) {
      expect(book.lastInvoice).toMatchObject({
        status: 'open',
        taxStatus: 'complete',
        tax: 310,
        total: 3410,
        amountDue: 2410,
        endingBalance: 0,
        finalizedAt: JAN_1 + 60,
      });
      expect(book.customer.balance).toBe(0);
    }
    const again = () =>
      given.do(JAN_1 + 90, (snapshot, context) => decideFinalization(snapshot, {}, context), { invoiceId: given.lastInvoice.id });
    expect(again).toThrow(expect.objectContaining({ code: 'invoice_not_draft' }));
  });

  test('a first invoice that the balance covers makes the subscription active when it is finalised', () => {
    const book = external();
    book.customer.balance = -5000;
    book.do(JAN_1 + 60, (snapshot, context) => decideFinalization(snapshot, { taxes: [[vat]] }, context), {
      invoiceId: book.lastInvoice.id,
    });
    expect(book.lastInvoice).toMatchObject({ status: 'paid', amountDue: 0, endingBalance: -1590 });
    expect(book.living).toMatchObject({ status: 'active', incompleteExpiresAt: null });
  });

  test('taxes must be those of the lines', () => {
    const book = external();
    const record = () =>
      book.do(JAN_1, (snapshot, context) => decideTaxes(snapshot, { taxes: [] }, context), { invoiceId: book.lastInvoice.id });
    expect(record).toThrow(expect.objectContaining({ code: 'parameter_invalid', param: 'taxes' }));
  });
});

describe('the customer balance', () => {
  test('credit pays first and a debt is collected', () => {
    const credit = bookWith({ customer: { balance: -1000, currency: 'eur' } });
    create(credit, JAN_1, ['pro']);
    expect(credit.lastInvoice).toMatchObject({ startingBalance: -1000, endingBalance: 0, amountDue: 2100, total: 3100 });
    const debt = bookWith({ customer: { balance: 500, currency: 'eur' } });
    create(debt, JAN_1, ['pro']);
    expect(debt.lastInvoice).toMatchObject({ startingBalance: 500, endingBalance: 0, amountDue: 3600, total: 3100 });
  });

  test('nothing due is paid at once', () => {
    const book = bookWith();
    const decision = create(book, JAN_1, ['free']);
    expect(book.lastInvoice).toMatchObject({ status: 'paid', total: 0, amountDue: 0, paidAt: JAN_1, number: 'PER-0001' });
    expect(decision.events.map((event) => event.type)).toEqual([
      'customer.subscription.created',
      'invoice.created',
      'invoice.finalized',
      'invoice.paid',
    ]);
    expect(decision.journal).toEqual([]);
  });
});

describe('a negative total', () => {
  test('goes to the balance where the time was paid', () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['max']);
    changeItem(book, JAN_16, 'si_max', { priceId: 'pro' }, { prorationBehavior: 'always_invoice' });
    expect(book.lastInvoice).toMatchObject({ total: -1600, amountDue: 0, status: 'paid', startingBalance: 0, endingBalance: -1600 });
    expect([book.customer.balance, book.ledger('customer_balance'), book.ledger('receivable')]).toEqual([-1600, -1600, 0]);
  });

  test('goes to the open invoice whose time it gives back: unpaid time is never spendable', () => {
    const book = bookWith({ account: { defaultTaxRateIds: ['vat'] } });
    book.taxRate('vat', '10');
    createPaid(book, JAN_1, ['max']);
    renew(book);
    const unpaid = book.lastInvoice.id;
    changeItem(book, on('2025-02-15'), 'si_max', { priceId: 'pro' }, { prorationBehavior: 'always_invoice' });
    expect(book.lastInvoice).toMatchObject({ subtotal: -1550, tax: -155, total: -1705, status: 'paid', endingBalance: 0 });
    expect(book.invoice(unpaid)).toMatchObject({ status: 'open', amountDue: 6820, amountCredited: 1705, amountRemaining: 5115 });
    expect([book.customer.balance, book.ledger('customer_balance'), book.ledger('receivable')]).toEqual([0, 0, 5115]);
  });

  test('settles the open invoice and gives only the rest to the balance', () => {
    const book = bookWith({ customer: { balance: -6000, currency: 'eur' } });
    createPaid(book, JAN_1, ['pro']);
    renew(book);
    const unpaid = book.lastInvoice.id;
    expect(book.invoice(unpaid).amountRemaining).toBe(200);
    cancel(book, on('2025-02-01'), { prorate: true, invoiceNow: true });
    expect(book.invoice(unpaid)).toMatchObject({
      status: 'paid',
      amountCredited: 200,
      amountPaid: 0,
      amountRemaining: 0,
      paidAt: on('2025-02-01'),
    });
    expect(book.customer.balance).toBe(-2900);
    expect([book.ledger('receivable'), book.ledger('customer_balance')]).toEqual([0, -2900 + 6000]);
  });
});

describe('a negative total, further', () => {
  test('takes from an unpaid invoice only what its own lines give back', () => {
    const book = bookWith();
    book.price('addon', '310');
    createPaid(book, JAN_1, ['max']);
    changePlan(book, JAN_16, {
      items: [{ do: 'add', item: { id: 'si_addon', priceId: 'addon', quantity: '1', taxRateIds: [] } }],
      prorationBehavior: 'always_invoice',
    });
    const unpaid = book.lastInvoice.id;
    expect(book.lastInvoice.total).toBe(160);
    cancel(book, on('2025-01-17'), { prorate: true });
    // 15 days of the paid item are spendable; 15 of the 16 unpaid days of the other are not.
    expect(book.invoice(unpaid)).toMatchObject({ amountCredited: 150, amountRemaining: 10 });
    expect(book.customer.balance).toBe(-3000);
  });

  test("of a draft's time is kept for when it is finalised, and the balance pays only the rest", () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['max']);
    book.subscription = { ...book.living, status: 'unpaid' };
    renew(book);
    const id = book.lastInvoice.id;
    cancel(book, on('2025-02-15'), { prorate: true });
    expect(book.invoice(id)).toMatchObject({ status: 'draft', amountCredited: 3100, amountRemaining: 3100 });
    book.customer.balance = -9000;
    book.do(on('2025-02-16'), (snapshot, context) => decideFinalization(snapshot, {}, context), { invoiceId: id });
    expect(book.invoice(id)).toMatchObject({
      status: 'paid',
      amountDue: 3100,
      amountCredited: 3100,
      amountRemaining: 0,
      endingBalance: -5900,
    });
    expect(book.ledger('receivable')).toBe(0);
  });
});

test('the parties are frozen as they are when the invoice is finalised', () => {
  const book = bookWith();
  create(book, JAN_1, ['pro']);
  expect(book.lastInvoice).toMatchObject({ customer: { name: 'Ada', email: 'ada@buyer.test' }, seller: { name: 'Seller' } });
});

describe('void', () => {
  test('restores the balance and reverses the books; the time is not billed again and gives no credit', () => {
    const book = bookWith({ customer: { balance: -500, currency: 'eur' } });
    createPaid(book, JAN_1, ['pro']);
    book.customer.balance = -700;
    renew(book);
    const id = book.lastInvoice.id;
    expect(book.lastInvoice).toMatchObject({ amountDue: 2400, endingBalance: 0 });
    book.do(on('2025-02-02'), decideVoid, { invoiceId: id });
    expect(book.invoice(id)).toMatchObject({ status: 'void', voidedAt: on('2025-02-02'), number: 'PER-0002' });
    expect([book.customer.balance, book.ledger('receivable')]).toEqual([-700, 0]);
    expect(book.coverage('si_pro')).toEqual([{ start: JAN_1, end: on('2025-03-01') }]);
    const decision = cancel(book, on('2025-02-10'), { prorate: true, invoiceNow: true });
    expect(decision.invoices).toEqual([]);
  });

  test('takes pending credits for the voided time away', () => {
    const book = bookWith();
    createPaid(book, JAN_1, ['max']);
    renew(book);
    const id = book.lastInvoice.id;
    changeItem(book, on('2025-02-15'), 'si_max', { priceId: 'pro' });
    book.do(on('2025-02-16'), decideVoid, { invoiceId: id });
    expect([...book.pendingItems.values()].map((item) => item.line.amount)).toEqual([1550]);
  });

  test('of the first invoice ends an incomplete subscription', () => {
    const book = bookWith();
    create(book, JAN_1, ['pro']);
    book.do(JAN_1 + 60, decideVoid, { invoiceId: book.lastInvoice.id });
    expect(book.living).toMatchObject({ status: 'incomplete_expired', endedAt: JAN_1 + 60, incompleteExpiresAt: null });
  });

  test.each([
    ['paid', 'invoice_already_paid'],
    ['void', 'invoice_not_open'],
    ['draft', 'invoice_not_open'],
    ['uncollectible', 'invoice_not_open'],
  ] as const)('of a %s invoice is refused', (status, code) => {
    const book = bookWith();
    create(book, JAN_1, ['pro']);
    const snapshot = book.snapshot({ invoiceId: book.lastInvoice.id });
    const about = { ...snapshot, invoice: { ...book.lastInvoice, status } };
    expect(() => decideVoid(about, book.context(JAN_1))).toThrow(expect.objectContaining({ code }));
    expect(() => decideUncollectible(about, book.context(JAN_1))).toThrow(expect.objectContaining({ code }));
  });
});

test('uncollectible: bad debt, and a delinquent subscription is active again', () => {
  const book = bookWith();
  createPaid(book, JAN_1, ['pro']);
  renew(book);
  const id = book.lastInvoice.id;
  book.pay(id, on('2025-02-01'), 'declined');
  expect(book.living.status).toBe('past_due');
  book.do(on('2025-02-20'), decideUncollectible, { invoiceId: id });
  expect(book.invoice(id)).toMatchObject({ status: 'uncollectible', markedUncollectibleAt: on('2025-02-20') });
  expect([book.ledger('bad_debt'), book.ledger('receivable'), book.living.status]).toEqual([3100, 0, 'active']);
});

test("lines read like Stripe's, pending ones first", () => {
  const book = bookWith();
  createPaid(book, JAN_1, ['pro']);
  changeItem(book, JAN_16, 'si_pro', { priceId: 'max' });
  renew(book);
  expect(linesOf(book.lastInvoice)).toEqual([
    'Unused time on pro after 16 Jan 2025 -1600',
    'Remaining time on max after 16 Jan 2025 3200',
    '1 × max (at EUR 62.00 / month) 6200',
  ]);
  expect(book.lastInvoice).toMatchObject({
    billingReason: 'subscription_cycle',
    total: 7800,
    periodStart: JAN_1,
    periodEnd: on('2025-02-01'),
  });
  expect([...book.billed.values()].every((row) => row.invoiceId !== null && row.invoiceLineId !== null)).toBe(true);
});
