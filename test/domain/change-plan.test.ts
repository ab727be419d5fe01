import { describe, expect, test } from 'vitest';
import { decideChange } from '../../domain/subscription/change-plan.ts';
import type { ChangePlan } from '../../domain/subscription/commands.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, change, changeItem, changePlan, create, createPaid, linesOf, payAll, renew, schedule } from '../support/subscribe.ts';

const JAN_1 = on('2025-01-01');
const JAN_16 = on('2025-01-16');
const FEB_1 = on('2025-02-01');
const ALWAYS = { prorationBehavior: 'always_invoice' } as const;
const NONE = { prorationBehavior: 'none' } as const;

function paidBook(items = ['pro'], parts: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook(parts);
  book.price('pro', '3100');
  book.price('max', '6200');
  book.price('addon', '310');
  book.price('free', '0');
  book.price('yearly', '36500', 'year');
  book.price('weekly', '700', 'week');
  book.price('usd', '1', 'month', { currency: 'usd' });
  book.price('old', '3100', 'month', { active: false });
  createPaid(book, JAN_1, items);
  return book;
}

describe('create_prorations', () => {
  test('keeps the lines for the next invoice', () => {
    const book = paidBook();
    const decision = changeItem(book, JAN_16, 'si_pro', { priceId: 'max' });
    expect(decision.invoices).toEqual([]);
    expect([...book.pendingItems.values()].map((item) => [item.line.description, item.line.amount, item.date])).toEqual([
      ['Unused time on pro after 16 Jan 2025', -1600, JAN_16],
      ['Remaining time on max after 16 Jan 2025', 3200, JAN_16],
    ]);
    expect(decision.events.map((event) => event.type)).toEqual([
      'invoiceitem.created',
      'invoiceitem.created',
      'customer.subscription.updated',
    ]);
    expect(book.living.items).toMatchObject([{ id: 'si_pro', priceId: 'max' }]);
  });

  test('a quantity, an added and a removed item', () => {
    const book = paidBook(['pro', 'addon']);
    changePlan(book, JAN_16, {
      items: [
        { do: 'update', itemId: 'si_pro', quantity: '4' },
        { do: 'remove', itemId: 'si_addon' },
        { do: 'add', item: { id: 'si_new', priceId: 'max', quantity: '2', taxRateIds: [] } },
      ],
    });
    expect([...book.pendingItems.values()].map((item) => `${item.line.description} ${item.line.amount}`)).toEqual([
      'Unused time on addon after 16 Jan 2025 -160',
      'Unused time on pro after 16 Jan 2025 -1600',
      'Remaining time on 4 × pro after 16 Jan 2025 6400',
      'Remaining time on 2 × max after 16 Jan 2025 6400',
    ]);
    expect(book.coverage('si_addon')).toEqual([{ start: JAN_1, end: JAN_16 }]);
    expect(book.coverage('si_new')).toEqual([{ start: JAN_16, end: FEB_1 }]);
  });

  test('items that are not touched are left alone', () => {
    const book = paidBook(['pro', 'addon']);
    changeItem(book, JAN_16, 'si_addon', { quantity: '2' });
    expect([...book.pendingItems.values()].every((item) => item.line.subscriptionItemId === 'si_addon')).toBe(true);
  });
});

test('always_invoice bills now, with what was pending', () => {
  const book = paidBook();
  changeItem(book, on('2025-01-11'), 'si_pro', { quantity: '2' });
  changeItem(book, JAN_16, 'si_pro', { quantity: '3' }, ALWAYS);
  expect(linesOf(book.lastInvoice)).toEqual([
    'Unused time on pro after 11 Jan 2025 -2100',
    'Remaining time on 2 × pro after 11 Jan 2025 4200',
    'Unused time on 2 × pro after 16 Jan 2025 -3200',
    'Remaining time on 3 × pro after 16 Jan 2025 4800',
  ]);
  expect(book.lastInvoice).toMatchObject({ billingReason: 'subscription_update', total: 3700, status: 'open' });
  payAll(book, JAN_16);
  renew(book);
  expect(book.lastInvoice.total).toBe(9300);
});

describe('none', () => {
  test('makes no lines; the new price counts from the next period', () => {
    const book = paidBook();
    const decision = changeItem(book, JAN_16, 'si_pro', { priceId: 'max', quantity: '2' }, NONE);
    expect([decision.invoices, decision.pendingItems.insert]).toEqual([[], []]);
    renew(book);
    expect(linesOf(book.lastInvoice)).toEqual(['2 × max (at EUR 62.00 / month) 12400']);
    expect(book.coverage('si_pro')).toEqual([{ start: JAN_1, end: on('2025-03-01') }]);
  });

  test('what is credited later is what was really paid', () => {
    const book = paidBook();
    changeItem(book, on('2025-01-11'), 'si_pro', { priceId: 'max' }, NONE);
    changeItem(book, JAN_16, 'si_pro', { priceId: 'pro' }, ALWAYS);
    expect(book.lastInvoice.lines.map((line) => line.amount)).toEqual([-1600, 1600]);
  });

  test('a removed item gives nothing back, an added one is free until the next period', () => {
    const book = paidBook(['pro', 'addon']);
    changePlan(book, JAN_16, {
      items: [
        { do: 'remove', itemId: 'si_addon' },
        { do: 'add', item: { id: 'si_max', priceId: 'max', quantity: '1', taxRateIds: [] } },
      ],
      ...NONE,
    });
    cancel(book, on('2025-01-20'), { prorate: true });
    expect(linesOf(book.lastInvoice)).toEqual(['Unused time on pro after 20 Jan 2025 -1200']);
  });
});

describe('the proration date', () => {
  test('is the instant from which the change is priced', () => {
    const book = paidBook();
    changeItem(book, JAN_16, 'si_pro', { priceId: 'max' }, { ...ALWAYS, prorationDate: on('2025-01-11') });
    expect(book.lastInvoice.lines.map((line) => line.amount)).toEqual([-2100, 4200]);
    expect(book.lastInvoice.createdAt).toBe(JAN_16);
  });

  test('may lie before an earlier change, which then gives all of its time back; what is still billed at the price stays', () => {
    const book = paidBook();
    changeItem(book, JAN_16, 'si_pro', { priceId: 'max' });
    changeItem(book, on('2025-01-20'), 'si_pro', { priceId: 'pro' }, { ...ALWAYS, prorationDate: on('2025-01-11') });
    expect(book.lastInvoice.total).toBe(0);
    expect(book.lastInvoice.lines.map((line) => line.amount)).toEqual([-1600, 3200, -3200, 1600]);
  });

  test.each([JAN_1 - 1, FEB_1])('outside the current period is refused', (prorationDate) => {
    expect(() => changeItem(paidBook(), JAN_16, 'si_pro', { priceId: 'max' }, { prorationDate })).toThrow(
      expect.objectContaining({ code: 'date_out_of_range', param: 'proration_date' }),
    );
  });
});

describe('a new period', () => {
  test('a new cycle starts one: all of it is billed now, the unused time credited', () => {
    const book = paidBook();
    changeItem(book, JAN_16, 'si_pro', { priceId: 'yearly' });
    expect(linesOf(book.lastInvoice)).toEqual(['Unused time on pro after 16 Jan 2025 -1600', '1 × yearly (at EUR 365.00 / year) 36500']);
    expect(book.living).toMatchObject({
      billingCycleAnchor: JAN_16,
      currentPeriodStart: JAN_16,
      currentPeriodEnd: on('2026-01-16'),
      cycle: { interval: 'year', intervalCount: 1 },
    });
  });

  test('so does the anchor now, for all items at their price', () => {
    const book = paidBook(['pro', 'addon']);
    changePlan(book, JAN_16, { billingCycleAnchor: 'now' });
    expect(book.lastInvoice.lines.map((line) => [line.amount, line.proration])).toEqual([
      [-1600, true],
      [3100, false],
      [-160, true],
      [310, false],
    ]);
    expect(book.living).toMatchObject({ billingCycleAnchor: JAN_16, currentPeriodEnd: on('2025-02-16') });
    payAll(book, JAN_16);
    renew(book);
    expect(book.lastInvoice.total).toBe(3410);
    expect(book.coverage('si_pro')).toEqual([{ start: JAN_1, end: on('2025-03-16') }]);
  });

  test('without prorations the unused time is forfeited and the new period billed all the same', () => {
    const book = paidBook();
    changePlan(book, JAN_16, { billingCycleAnchor: 'now', ...NONE });
    expect(linesOf(book.lastInvoice)).toEqual(['1 × pro (at EUR 31.00 / month) 3100']);
  });

  test('begins at the proration date where one is given, so a preview with it is the invoice', () => {
    const book = paidBook();
    changeItem(book, JAN_16, 'si_pro', { priceId: 'yearly' }, { prorationDate: JAN_16 - 3600 });
    expect(book.living.billingCycleAnchor).toBe(JAN_16 - 3600);
    expect(() => changePlan(paidBook(), JAN_16, { billingCycleAnchor: 'now', prorationDate: JAN_16 + 1 })).toThrow(
      expect.objectContaining({ code: 'date_out_of_range' }),
    );
  });

  test('of items that go with it: their unused time is credited, once', () => {
    const book = paidBook(['pro', 'addon']);
    changePlan(book, on('2025-01-11'), { items: [{ do: 'remove', itemId: 'si_addon' }], ...ALWAYS });
    changePlan(book, JAN_16, {
      items: [
        { do: 'add', item: { id: 'si_max', priceId: 'max', quantity: '1', taxRateIds: [] } },
        { do: 'remove', itemId: 'si_pro' },
      ],
      billingCycleAnchor: 'now',
    });
    expect(book.lastInvoice.lines.map((line) => line.amount)).toEqual([-1600, 6200]);
    expect(book.coverage('si_addon')).toEqual([{ start: JAN_1, end: on('2025-01-11') }]);
  });

  test("moves the end at the period's end with it", () => {
    const book = paidBook();
    schedule(book, JAN_16, 'period_end');
    changePlan(book, JAN_16, { billingCycleAnchor: 'now' });
    expect(book.living).toMatchObject({ cancelAtPeriodEnd: true, cancelAt: on('2025-02-16') });
  });

  test('free to paid starts one and is invoiced at once; paid to free does not', () => {
    const book = paidBook(['free']);
    changeItem(book, JAN_16, 'si_free', { priceId: 'pro' });
    expect(linesOf(book.lastInvoice)).toEqual(['1 × pro (at EUR 31.00 / month) 3100']);
    expect(book.living).toMatchObject({ billingCycleAnchor: JAN_16, status: 'active' });
    payAll(book, JAN_16);
    const decision = changeItem(book, on('2025-01-20'), 'si_free', { priceId: 'free' });
    expect([decision.invoices, book.living.billingCycleAnchor]).toEqual([[], JAN_16]);
    const unchanged = paidBook(['free']);
    expect(changeItem(unchanged, JAN_16, 'si_free', { priceId: 'pro' }, { billingCycleAnchor: 'unchanged' }).invoices).toEqual([]);
  });

  test('cannot be avoided by an unchanged anchor', () => {
    expect(() => changeItem(paidBook(), JAN_16, 'si_pro', { priceId: 'yearly' }, { billingCycleAnchor: 'unchanged' })).toThrow(
      expect.objectContaining({ code: 'parameter_invalid', param: 'billing_cycle_anchor' }),
    );
  });
});

describe('settings and the end', () => {
  test('change without billing', () => {
    const book = paidBook();
    book.taxRate('vat', '20');
    const decision = changePlan(book, JAN_16, {
      defaultPaymentMethodId: null,
      defaultTaxRateIds: ['vat'],
      cancellation: { at: 'period_end' },
    });
    expect(book.living).toMatchObject({ defaultTaxRateIds: ['vat'], cancelAtPeriodEnd: true });
    expect([decision.invoices, decision.billed.insert]).toEqual([[], []]);
    expect(decision.events.map((event) => event.type)).toEqual(['customer.subscription.updated']);
  });

  test('a touched item is billed until the end it will have, and of the others what lies beyond it is given back', () => {
    const book = paidBook(['pro', 'addon']);
    changePlan(book, on('2025-01-11'), {
      items: [{ do: 'update', itemId: 'si_pro', priceId: 'max' }],
      cancellation: { at: JAN_16 },
      ...ALWAYS,
    });
    expect(linesOf(book.lastInvoice)).toEqual([
      'Unused time on pro after 11 Jan 2025 -2100',
      'Remaining time on max after 11 Jan 2025 1000',
      'Unused time on addon after 16 Jan 2025 -160',
    ]);
  });

  test.each([
    {},
    { items: [] },
    { items: [{ do: 'update', itemId: 'si_pro', quantity: '1', priceId: 'pro' }] },
    { defaultTaxRateIds: [], ...ALWAYS },
  ] as Partial<ChangePlan>[])('nothing changed: an empty decision (%#)', (patch) => {
    const decision = changePlan(paidBook(), JAN_16, patch);
    expect(decision).toMatchObject({
      subscription: null,
      invoices: [],
      events: [],
      pendingItems: { insert: [] },
      billed: { insert: [], shrink: [] },
    });
  });
});

describe('refusals name the parameter at fault', () => {
  test.each([
    [
      'the last item',
      [
        { do: 'remove', itemId: 'si_pro' },
        { do: 'remove', itemId: 'si_addon' },
      ],
      'last_item_removal',
      'items',
    ],
    ['an unknown item', [{ do: 'update', itemId: 'si_nope', quantity: '2' }], 'item_missing', 'items[0][id]'],
    ['an unknown item to remove', [{ do: 'remove', itemId: 'si_nope' }], 'item_missing', 'items[0][id]'],
    [
      'an item named twice',
      [
        { do: 'remove', itemId: 'si_pro' },
        { do: 'update', itemId: 'si_pro', quantity: '2' },
      ],
      'parameter_invalid',
      'items[1][id]',
    ],
    ['one price twice', [{ do: 'update', itemId: 'si_addon', priceId: 'pro' }], 'item_duplicate_price', 'items[0][price]'],
    ['a cycle that is no multiple', [{ do: 'update', itemId: 'si_addon', priceId: 'weekly' }], 'interval_mismatch', 'items[0][price]'],
    ['another currency', [{ do: 'update', itemId: 'si_addon', priceId: 'usd' }], 'currency_mismatch', 'items[0][price]'],
    ['an inactive price', [{ do: 'update', itemId: 'si_addon', priceId: 'old' }], 'price_inactive', 'items[0][price]'],
    ['half a seat', [{ do: 'update', itemId: 'si_addon', quantity: '0.5' }], 'parameter_invalid', 'items[0][quantity]'],
  ] as const)('%s', (_, items, code, param) => {
    const book = paidBook(['pro', 'addon']);
    expect(() => changePlan(book, JAN_16, { items: structuredClone(items) as never })).toThrow(expect.objectContaining({ code, param }));
  });

  test('an inactive price may be kept', () => {
    const book = paidBook();
    book.prices['pro'] = { ...(book.prices['pro'] as NonNullable<(typeof book.prices)['pro']>), active: false };
    changeItem(book, JAN_16, 'si_pro', { quantity: '2' });
  });

  test('an incomplete or ended subscription', () => {
    const book = paidBook();
    const incomplete = new MemoryBook();
    incomplete.price('pro', '3100');
    create(incomplete, JAN_1, ['pro']);
    expect(() => changeItem(incomplete, JAN_16, 'si_pro', { quantity: '2' })).toThrow(
      expect.objectContaining({ code: 'subscription_incomplete' }),
    );
    cancel(book, JAN_16);
    expect(() => changeItem(book, JAN_16, 'si_pro', { quantity: '2' })).toThrow(expect.objectContaining({ code: 'subscription_canceled' }));
  });
});

test('past due: a downgrade whose credit pays the open invoice makes it active again', () => {
  const book = paidBook(['max']);
  renew(book);
  book.pay(book.lastInvoice.id, FEB_1, 'declined');
  book.customer.balance = 0;
  const unpaid = book.lastInvoice.id;
  changeItem(book, FEB_1, 'si_max', { priceId: 'free' }, ALWAYS);
  expect([book.invoice(unpaid).status, book.invoice(unpaid).amountCredited, book.living.status]).toEqual(['paid', 6200, 'active']);
});

test('deciding twice from one snapshot is the same, ids and all (preview equals invoice)', () => {
  const book = paidBook();
  const decide = () =>
    decideChange(
      book.snapshot(),
      change({ items: [{ do: 'update', itemId: 'si_pro', priceId: 'max' }], ...ALWAYS }),
      book.context(JAN_16, 'op'),
    );
  expect(decide()).toEqual(decide());
});
