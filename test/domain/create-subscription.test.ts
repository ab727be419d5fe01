import { describe, expect, test } from 'vitest';
import { decideCreation } from '../../domain/subscription/create-subscription.ts';
import { decideExpiry } from '../../domain/subscription/expire.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { create, createPaid, creation } from '../support/subscribe.ts';

const AT = on('2025-01-31');

function bookWith(parts: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook(parts);
  book.price('pro', '2000');
  book.price('addon', '500');
  book.price('yearly', '20000', 'year');
  book.price('weekly', '500', 'week');
  book.price('bimonthly', '4000', 'month', { intervalCount: 2 });
  book.price('quarterly', '5000', 'month', { intervalCount: 3 });
  book.price('usd', '2000', 'month', { currency: 'usd' });
  book.price('once', '2000', null);
  book.price('old', '2000', 'month', { active: false });
  book.taxRate('vat', '20');
  return book;
}

test('starts and anchors at the instant of the decision and bills its first period', () => {
  const book = bookWith();
  create(book, AT, ['pro × 3', 'addon']);
  expect(book.living).toMatchObject({
    status: 'incomplete',
    currency: 'eur',
    cycle: { interval: 'month', intervalCount: 1 },
    billingCycleAnchor: AT,
    startDate: AT,
    currentPeriodStart: AT,
    currentPeriodEnd: on('2025-02-28'),
    incompleteExpiresAt: AT + 23 * 3600,
    latestInvoiceId: book.lastInvoice.id,
    canceledAt: null,
  });
  expect(book.lastInvoice).toMatchObject({
    billingReason: 'subscription_create',
    total: 6500,
    status: 'open',
    autoAdvance: true,
    periodStart: AT,
    periodEnd: AT,
  });
  expect(book.customer.currency).toBe('eur');
  book.pay(book.lastInvoice.id, AT);
  expect(book.living).toMatchObject({ status: 'active', incompleteExpiresAt: null });
});

test.each(['allow_incomplete', 'default_incomplete', 'error_if_incomplete'] as const)(
  '%s waits for its money as incomplete',
  (paymentBehavior) => {
    const book = bookWith();
    create(book, AT, ['pro'], { paymentBehavior });
    expect(book.living.status).toBe('incomplete');
  },
);

test('nothing due: active at once', () => {
  const book = bookWith();
  create(book, AT, ['pro × 0']);
  expect([book.living.status, book.lastInvoice.status, book.lastInvoice.total]).toEqual(['active', 'paid', 0]);
});

test('the zone is that of the request, the customer, the account', () => {
  const book = bookWith({ account: { billingTimezone: 'Europe/Berlin' }, customer: { billingTimezone: 'Asia/Tokyo' } });
  create(book, AT, ['pro'], { billingTimezone: 'America/New_York' });
  expect(book.living.billingTimezone).toBe('America/New_York');
  const customers = bookWith({ account: { billingTimezone: 'Europe/Berlin' }, customer: { billingTimezone: 'Asia/Tokyo' } });
  create(customers, AT, ['pro']);
  expect(customers.living.billingTimezone).toBe('Asia/Tokyo');
});

test('an end within the first period: only the time until then is billed', () => {
  const book = bookWith();
  create(book, on('2025-01-01'), ['pro'], { cancelAt: on('2025-01-11') });
  expect(book.lastInvoice).toMatchObject({ total: 645 });
  expect(book.living).toMatchObject({ cancelAt: on('2025-01-11'), canceledAt: on('2025-01-01'), currentPeriodEnd: on('2025-02-01') });
  const end = bookWith();
  create(end, on('2025-01-01'), ['pro'], { cancelAtPeriodEnd: true });
  expect(end.lastInvoice.total).toBe(2000);
  expect(end.living).toMatchObject({ cancelAtPeriodEnd: true, cancelAt: on('2025-02-01') });
});

describe('refusals name the parameter at fault', () => {
  const item = (priceId: string, patch = {}) => ({ id: `si_${priceId}`, priceId, quantity: '1', taxRateIds: [], ...patch });
  test.each([
    ['unknown price', { items: [item('nope')] }, 'resource_missing', 'items[0][price]'],
    ['inactive price', { items: [item('pro'), item('old')] }, 'price_inactive', 'items[1][price]'],
    ['one-time price', { items: [item('once')] }, 'price_not_recurring', 'items[0][price]'],
    ['two currencies', { items: [item('pro'), item('usd')] }, 'currency_mismatch', 'items[1][price]'],
    ['another currency than asked for', { items: [item('pro')], currency: 'usd' }, 'currency_mismatch', 'items[0][price]'],
    ['cycles without common boundaries', { items: [item('pro'), item('weekly')] }, 'interval_mismatch', 'items[1][price]'],
    ['a cycle that is no multiple', { items: [item('quarterly'), item('bimonthly')] }, 'interval_mismatch', 'items[1][price]'],
    ['one price twice', { items: [item('pro'), item('pro', { id: 'si_2' })] }, 'item_duplicate_price', 'items[1][price]'],
    ['half a seat', { items: [item('pro', { quantity: '1.5' })] }, 'parameter_invalid', 'items[0][quantity]'],
    ['negative seats', { items: [item('pro', { quantity: '-1' })] }, 'parameter_invalid', 'items[0][quantity]'],
    ['too many seats', { items: [item('pro', { quantity: '1000000000' })] }, 'parameter_invalid', 'items[0][quantity]'],
    ['an unknown tax rate', { items: [item('pro', { taxRateIds: ['nope'] })] }, 'resource_missing', 'items[0][tax_rates]'],
    ['an unknown default tax rate', { items: [item('pro')], defaultTaxRateIds: ['nope'] }, 'resource_missing', 'default_tax_rates'],
    ['an unknown card', { items: [item('pro')], defaultPaymentMethodId: 'pm_nope' }, 'resource_missing', 'default_payment_method'],
    ['no items', { items: [] }, 'parameter_missing', 'items'],
    ['an end in the past', { items: [item('pro')], cancelAt: AT }, 'date_out_of_range', 'cancel_at'],
    ['two ends', { items: [item('pro')], cancelAt: AT + 1, cancelAtPeriodEnd: true }, 'parameter_invalid', 'cancel_at'],
    ['no zone', { items: [item('pro')], billingTimezone: 'Mars/Olympus' }, 'parameter_invalid', 'billing_timezone'],
  ] as const)('%s', (_, patch, code, param) => {
    const book = bookWith();
    const decide = () => decideCreation(book.snapshot(), { ...creation([]), ...structuredClone(patch) } as never, book.context(AT));
    expect(decide).toThrow(expect.objectContaining({ code, param }));
  });

  test('more than 20 items', () => {
    const book = bookWith();
    const items = Array.from({ length: 21 }, (_, index) => book.price(`p${index}`, '100'));
    expect(() => create(book, AT, items)).toThrow(expect.objectContaining({ code: 'parameter_invalid', param: 'items' }));
  });

  test("a deleted customer, another currency than the customer's, no card to charge", () => {
    expect(() => create(bookWith({ customer: { deleted: true } }), AT, ['pro'])).toThrow(
      expect.objectContaining({ code: 'customer_deleted' }),
    );
    expect(() => create(bookWith({ customer: { currency: 'usd' } }), AT, ['pro'])).toThrow(
      expect.objectContaining({ code: 'currency_mismatch', param: 'currency' }),
    );
    const poor = bookWith();
    poor.paymentMethods = [];
    expect(() => create(poor, AT, ['pro'], { paymentBehavior: 'error_if_incomplete' })).toThrow(
      expect.objectContaining({ code: 'no_payment_method' }),
    );
    expect(poor.allInvoices).toEqual([]);
  });
});

test('deciding twice from one snapshot is the same, ids and all (preview equals invoice)', () => {
  const book = bookWith();
  const decide = () => decideCreation(book.snapshot(), creation(['pro × 3', 'addon']), book.context(AT, 'op'));
  expect(decide()).toEqual(decide());
});

describe('expiry', () => {
  test('ends an unpaid subscription and voids its invoice; nothing stays covered or owed', () => {
    const book = bookWith();
    create(book, AT, ['pro']);
    const decision = book.do(AT + 23 * 3600, decideExpiry);
    expect(book.living).toMatchObject({ status: 'incomplete_expired', endedAt: AT + 23 * 3600, incompleteExpiresAt: null });
    expect([book.lastInvoice.status, book.coverage('si_pro'), book.ledger('receivable')]).toEqual(['void', [], 0]);
    expect(decision.events.map((event) => event.type)).toEqual(['invoice.voided', 'customer.subscription.updated']);
  });

  test('is nothing to a paid one', () => {
    const book = bookWith();
    createPaid(book, AT, ['pro']);
    expect(book.do(AT + 23 * 3600, decideExpiry)).toMatchObject({ subscription: null, invoices: [], events: [] });
  });
});
