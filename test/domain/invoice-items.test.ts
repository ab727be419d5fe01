import { describe, expect, test } from 'vitest';
import { decideItemChange, decideItemRemoval, decideNewItem, type ItemTerms, type NewItem } from '../../domain/invoicing/edit-item.ts';
import { decideFinalization } from '../../domain/invoicing/finalize-invoice.ts';
import type { Instant } from '../../domain/time.ts';
import { anAccount, MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, create, createPaid, linesOf, payAll, renew } from '../support/subscribe.ts';

function bookWith(patch: Parameters<typeof anAccount>[0] = {}): MemoryBook {
  const book = new MemoryBook({ account: anAccount({ invoiceGraceSeconds: 3600, ...patch }) });
  book.price('pro', '3100');
  book.price('max', '6200');
  book.price('setup', '4999', null);
  book.price('grain', '0.125', null);
  return book;
}

/** Two months in: the second period has begun, its invoice is a draft. */
function renewed(patch: Parameters<typeof anAccount>[0] = {}): MemoryBook {
  const book = bookWith(patch);
  createPaid(book, on('2025-01-01'), ['pro']);
  renew(book);
  return book;
}

const LATE = on('2025-02-01') + 600;
let n = 0;

const add = (book: MemoryBook, at: Instant, given: Partial<NewItem>) => {
  const item: NewItem = { id: `ii_${++n}`, subscriptionId: null, invoiceId: null, ...given };
  const about = item.invoiceId === null ? {} : { invoiceId: item.invoiceId };
  return { id: item.id, decision: book.do(at, (snapshot, context) => decideNewItem(snapshot, item, context), about) };
};
const aboutItem = (book: MemoryBook, itemId: string) => {
  const invoiceId = book.pendingItems.get(itemId)?.invoiceId ?? null;
  return { itemId, ...(invoiceId === null ? {} : { invoiceId }) };
};
const change = (book: MemoryBook, at: Instant, id: string, terms: ItemTerms) =>
  book.do(at, (snapshot, context) => decideItemChange(snapshot, terms, context), aboutItem(book, id));
const remove = (book: MemoryBook, at: Instant, id: string) =>
  book.do(at, (snapshot, context) => decideItemRemoval(snapshot, context), aboutItem(book, id));
const finalize = (book: MemoryBook, at: Instant, invoiceId: string) =>
  book.do(at, (snapshot, context) => decideFinalization(snapshot, {}, context), { invoiceId });

describe('what an item costs', () => {
  test.each<[string, Partial<NewItem>, number, string]>([
    ['an amount', { amount: 1500, currency: 'eur' }, 1500, 'EUR 15.00, as given'],
    ['a credit', { amount: -1500, currency: 'eur' }, -1500, '-EUR 15.00, as given'],
    ['nothing', { amount: 0, currency: 'eur' }, 0, 'EUR 0.00, as given'],
    ['a one-time price', { priceId: 'setup' }, 4999, 'EUR 49.99 x 1 = EUR 49.99'],
    ['three of it', { priceId: 'setup', quantity: '3' }, 14_997, 'EUR 49.99 x 3 = EUR 149.97'],
    ['a unit price rounded once, half up', { priceId: 'grain', quantity: '4' }, 1, 'EUR 0.00125 x 4 = EUR 0.01'],
    ['a unit amount', { unitAmountDecimal: '33.5', quantity: '3', currency: 'eur' }, 101, 'EUR 0.335 x 3 = EUR 1.01'],
    ['its mirror', { unitAmountDecimal: '-33.5', quantity: '3', currency: 'eur' }, -101, 'EUR -0.335 x 3 = -EUR 1.01'],
  ])('%s', (_, given, amount, sentence) => {
    const book = renewed();
    const { id } = add(book, LATE, given);
    expect(book.pendingItems.get(id)?.line).toMatchObject({
      amount,
      explanation: { sentence },
      proration: false,
      period: { start: LATE, end: LATE },
    });
  });

  test.each<[string, Partial<NewItem>, object]>([
    ['nothing at all', {}, { code: 'parameter_missing', param: 'amount' }],
    ['two ways', { amount: 1, priceId: 'setup', currency: 'eur' }, { code: 'parameter_invalid', param: 'pricing[price]' }],
    ['an amount times three', { amount: 1, quantity: '3', currency: 'eur' }, { code: 'parameter_invalid', param: 'quantity' }],
    ['no currency', { amount: 1 }, { code: 'parameter_missing', param: 'currency' }],
    ['another currency', { amount: 1, currency: 'usd' }, { code: 'currency_mismatch', param: 'currency' }],
    ['a recurring price', { priceId: 'pro' }, { code: 'parameter_invalid', param: 'pricing[price]' }],
    ['too much', { unitAmountDecimal: '999999999999', quantity: '2', currency: 'eur' }, { code: 'amount_out_of_range' }],
    [
      'a period backwards',
      { amount: 1, currency: 'eur', period: { start: 2, end: 1 } },
      { code: 'date_out_of_range', param: 'period[end]' },
    ],
    ['a draft that is none', { amount: 1, currency: 'eur', invoiceId: 'first' }, { code: 'invoice_not_draft', param: 'invoice' }],
  ])('%s is refused', (_, given, refusal) => {
    const book = renewed();
    const first = book.allInvoices[0]?.id ?? '';
    const invoiceId = given.invoiceId === 'first' ? first : null;
    expect(() => add(book, LATE, { ...given, invoiceId })).toThrow(expect.objectContaining(refusal));
  });
});

describe('onto the draft of a renewal', () => {
  test('it becomes a line of it and is billed with it; taxes are rounded over all lines together', () => {
    const book = bookWith();
    const vat = book.taxRate('vat', '19');
    createPaid(book, on('2025-01-01'), ['pro'], { defaultTaxRateIds: [vat] });
    renew(book);
    const draft = book.lastInvoice;
    const { decision } = add(book, LATE, {
      invoiceId: draft.id,
      unitAmountDecimal: '133',
      quantity: '1',
      currency: 'eur',
      description: 'Call-out',
    });
    expect(decision.events.map(({ type }) => type)).toEqual(['invoiceitem.created', 'invoice.updated']);
    expect(book.lastInvoice).toMatchObject({ status: 'draft', subtotal: 3233, tax: 614, total: 3847, amountDue: 3847 });
    expect(linesOf(book.lastInvoice)).toEqual(['1 × pro (at EUR 31.00 / month) 3100', 'Call-out 133']);
    finalize(book, on('2025-02-01') + 3600, draft.id);
    expect(book.lastInvoice).toMatchObject({
      status: 'open',
      total: 3847,
      taxes: [{ taxRateId: 'vat', amount: 614, taxableAmount: 3233 }],
    });
    expect(book.ledger('receivable')).toBe(3847);
  });

  test('changed and taken away again', () => {
    const book = renewed();
    const { id: invoiceId } = book.lastInvoice;
    const rate = book.taxRate('vat', '10');
    const { id } = add(book, LATE, { invoiceId, priceId: 'setup', quantity: '2' });
    expect(book.lastInvoice.total).toBe(3100 + 9998);
    change(book, LATE, id, { quantity: '1', taxRateIds: [rate], description: 'Setup', metadata: { a: 'b' } });
    expect(book.lastInvoice).toMatchObject({ subtotal: 8099, tax: 500, total: 8599 });
    expect(book.lastInvoice.lines[1]).toMatchObject({ description: 'Setup', metadata: { a: 'b' }, invoiceItemId: id });
    expect(change(book, LATE, id, { quantity: '1' })).toMatchObject({ events: [], invoices: [] });
    change(book, LATE, id, { amount: -500 });
    expect(book.lastInvoice).toMatchObject({ subtotal: 2600, tax: -50, total: 2550 });
    expect(() => change(book, LATE, id, { quantity: '2' })).toThrow('is an amount');
    const { events } = remove(book, LATE, id);
    expect(events.map(({ type }) => type)).toEqual(['invoiceitem.deleted', 'invoice.updated']);
    expect(book.lastInvoice).toMatchObject({ total: 3100, tax: 0 });
    expect(linesOf(book.lastInvoice)).toHaveLength(1);
  });

  test('not once its time has come, nor once it is final', () => {
    const book = renewed();
    const { id: invoiceId } = book.lastInvoice;
    const { id } = add(book, LATE, { invoiceId, amount: 100, currency: 'eur' });
    expect(() => add(book, on('2025-02-01') + 3600, { invoiceId, amount: 1, currency: 'eur' })).toThrow('being finalized');
    finalize(book, on('2025-02-01') + 3600, invoiceId);
    expect(() => change(book, on('2025-02-02'), id, { amount: 1 })).toThrow('Only a draft');
    expect(() => remove(book, on('2025-02-02'), id)).toThrow('Only a draft');
  });

  test('a draft that is less than nothing gives its credit to the balance', () => {
    const book = renewed();
    const { id: invoiceId } = book.lastInvoice;
    add(book, LATE, { invoiceId, amount: -4000, currency: 'eur' });
    expect(book.lastInvoice).toMatchObject({ total: -900, amountDue: 0 });
    finalize(book, on('2025-02-01') + 3600, invoiceId);
    expect(book.lastInvoice).toMatchObject({ status: 'paid', total: -900, endingBalance: -900 });
    expect(book.customer.balance).toBe(-900);
  });

  test('an external engine has to be asked again', () => {
    const book = bookWith({ taxCalculator: 'elsewhere' });
    create(book, on('2025-01-01'), ['pro']);
    const first = book.lastInvoice;
    book.do(on('2025-01-01'), (snapshot, context) => decideFinalization(snapshot, { taxes: [[]] }, context), { invoiceId: first.id });
    payAll(book, on('2025-01-01'));
    renew(book);
    const { id: invoiceId } = book.lastInvoice;
    add(book, LATE, { invoiceId, amount: 100, currency: 'eur' });
    expect(book.lastInvoice).toMatchObject({ taxStatus: 'pending', total: 3200 });
  });
});

describe('waiting for the next invoice', () => {
  test("the subscription's next, or the customer's next of that currency", () => {
    const book = renewed();
    const draft = book.lastInvoice;
    add(book, LATE, { subscriptionId: 'sub_1', amount: 500, currency: 'eur', description: 'Of the subscription' });
    add(book, LATE, { priceId: 'setup', description: 'Of the customer' });
    expect(book.invoice(draft.id).lines).toHaveLength(1);
    finalize(book, on('2025-02-01') + 3600, draft.id);
    payAll(book, on('2025-02-01') + 3600);
    renew(book);
    expect(linesOf(book.lastInvoice)).toEqual(['Of the subscription 500', 'Of the customer 4999', '1 × pro (at EUR 31.00 / month) 3100']);
    expect([...book.pendingItems.values()].every(({ invoiceId }) => invoiceId === book.lastInvoice.id)).toBe(true);
  });

  test('what waits for the customer is on the first invoice of a new subscription', () => {
    const book = bookWith();
    add(book, on('2024-12-31'), { priceId: 'setup' });
    create(book, on('2025-01-01'), ['pro']);
    expect(linesOf(book.lastInvoice)).toEqual(['setup 4999', '1 × pro (at EUR 31.00 / month) 3100']);
    expect(book.lastInvoice.amountDue).toBe(8099);
  });

  test('changed, taken away, and gone with a subscription that ends without a final invoice', () => {
    const book = renewed();
    const { id } = add(book, LATE, { subscriptionId: 'sub_1', amount: 500, currency: 'eur' });
    change(book, LATE, id, { amount: 700, period: { start: 1, end: 2 } });
    expect(book.pendingItems.get(id)?.line).toMatchObject({ amount: 700, period: { start: 1, end: 2 }, currency: 'eur' });
    remove(book, LATE, id);
    expect(book.pendingItems.has(id)).toBe(false);
    const own = add(book, LATE, { subscriptionId: 'sub_1', amount: 500, currency: 'eur' });
    const loose = add(book, LATE, { amount: 600, currency: 'eur' });
    cancel(book, LATE);
    expect(book.pendingItems.has(own.id)).toBe(false);
    expect(book.pendingItems.has(loose.id)).toBe(true);
    expect(() => add(book, LATE, { subscriptionId: 'sub_1', amount: 1, currency: 'eur' })).toThrow('has ended');
  });

  test('what a proration costs is not changed; taken away, its time is worth nothing', () => {
    const book = renewed();
    finalize(book, on('2025-02-01') + 3600, book.lastInvoice.id);
    payAll(book, on('2025-02-02'));
    changeItem(book, on('2025-02-15'), 'si_pro', { priceId: 'max' });
    const charge = [...book.pendingItems.values()].find(({ line }) => line.amount > 0);
    const id = charge?.id ?? '';
    expect(() => change(book, on('2025-02-16'), id, { amount: 1 })).toThrow('proration');
    change(book, on('2025-02-16'), id, { description: 'Half a month of max' });
    remove(book, on('2025-02-16'), id);
    changeItem(book, on('2025-02-20'), 'si_pro', { priceId: 'pro' });
    const credits = [...book.pendingItems.values()].filter(({ line }) => line.amount < 0);
    expect(credits).toHaveLength(1);
  });

  test('at most 250 lines', () => {
    const book = renewed();
    for (let i = 0; i < 250; i += 1) add(book, LATE, { amount: 1, currency: 'eur' });
    expect(() => add(book, LATE, { amount: 1, currency: 'eur' })).toThrow('at most 250');
  });
});
