import { describe, expect, test } from 'vitest';
import { decideVoid } from '../../domain/invoicing/void-invoice.ts';
import type { ChangePlan } from '../../domain/subscription/commands.ts';
import { decidePendingUpdate } from '../../domain/subscription/resolve-pending-update.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, changePlan, createPaid, renew } from '../support/subscribe.ts';

const JAN_1 = on('2025-01-01');
const JAN_16 = on('2025-01-16');
const FEB_1 = on('2025-02-01');
const ALWAYS = { prorationBehavior: 'always_invoice' } as const;

function paidBook(items = ['pro'], parts: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook(parts);
  book.price('pro', '3100');
  book.price('max', '6200');
  book.price('addon', '310');
  book.price('free', '0');
  book.price('yearly', '36500', 'year');
  book.price('usd', '1', 'month', { currency: 'usd' });
  book.price('old', '3100', 'month', { active: false });
  createPaid(book, JAN_1, items);
  return book;
}

describe('an update that waits for its payment', () => {
  const waiting = (paymentBehavior: ChangePlan['paymentBehavior'], book = paidBook()) => {
    changeItem(book, JAN_16, 'si_pro', { priceId: 'max' }, { ...ALWAYS, paymentBehavior });
    return book;
  };

  test.each(['error_if_incomplete', 'pending_if_incomplete'] as const)('%s leaves the subscription as it is', (paymentBehavior) => {
    const book = waiting(paymentBehavior);
    expect(book.living).toMatchObject({
      items: [{ priceId: 'pro' }],
      pendingUpdate: { invoiceId: book.lastInvoice.id, expiresAt: JAN_16 + 23 * 3600 },
      latestInvoiceId: book.lastInvoice.id,
    });
    expect(book.lastInvoice).toMatchObject({ status: 'open', total: 1600 });
    expect([...book.billed.values()]).toHaveLength(1);
  });

  test('paid: items, period and coverage become as decided', () => {
    const book = waiting('pending_if_incomplete');
    book.pay(book.lastInvoice.id, JAN_16 + 60);
    const decision = book.do(JAN_16 + 60, (snapshot, context) => decidePendingUpdate(snapshot, { apply: true }, context));
    expect(book.living).toMatchObject({ items: [{ priceId: 'max' }], pendingUpdate: null, status: 'active' });
    expect(decision.events.map((event) => event.type)).toEqual([
      'customer.subscription.pending_update_applied',
      'customer.subscription.updated',
    ]);
    renew(book);
    expect(book.lastInvoice.total).toBe(6200);
    expect(book.coverage('si_pro')).toEqual([{ start: JAN_1, end: on('2025-03-01') }]);
  });

  test('not paid: dropped with its invoice, the balance it took comes back', () => {
    const start = paidBook();
    start.customer.balance = -100;
    const book = waiting('pending_if_incomplete', start);
    book.pay(book.lastInvoice.id, JAN_16, 'declined');
    expect(book.living.status).toBe('active');
    book.do(JAN_16 + 23 * 3600, (snapshot, context) => decidePendingUpdate(snapshot, { apply: false }, context));
    expect(book.living).toMatchObject({ items: [{ priceId: 'pro' }], pendingUpdate: null, status: 'active' });
    expect([book.lastInvoice.status, book.customer.balance, book.ledger('receivable')]).toEqual(['void', -100, 0]);
    const again = book.do(JAN_16 + 23 * 3600, (snapshot, context) => decidePendingUpdate(snapshot, { apply: false }, context));
    expect(again.events).toEqual([]);
    expect(cancel(book, on('2025-01-20'), { prorate: true }).invoices[0]?.total).toBe(-1200);
  });

  test('money decides: asked to drop a paid one, it is applied; asked to apply an unpaid one, it refuses', () => {
    const book = waiting('pending_if_incomplete');
    expect(() => book.do(JAN_16, (snapshot, context) => decidePendingUpdate(snapshot, { apply: true }, context))).toThrow(
      expect.objectContaining({ code: 'transition_not_allowed' }),
    );
    book.pay(book.lastInvoice.id, JAN_16);
    book.do(JAN_16, (snapshot, context) => decidePendingUpdate(snapshot, { apply: false }, context));
    expect(book.living.items).toMatchObject([{ priceId: 'max' }]);
  });

  test('voiding its invoice drops it; other changes of items are refused until then', () => {
    const book = waiting('pending_if_incomplete');
    expect(() => changeItem(book, JAN_16, 'si_pro', { quantity: '2' })).toThrow(expect.objectContaining({ code: 'pending_update_exists' }));
    changePlan(book, JAN_16, { defaultPaymentMethodId: 'pm_1' });
    book.do(JAN_16 + 60, decideVoid, { invoiceId: book.lastInvoice.id });
    expect(book.living).toMatchObject({ pendingUpdate: null, defaultPaymentMethodId: 'pm_1', status: 'active' });
    changeItem(book, JAN_16, 'si_pro', { quantity: '2' });
  });

  test('does not outlive its period or its subscription', () => {
    const late = paidBook();
    changeItem(late, FEB_1 - 3600, 'si_pro', { priceId: 'max' }, { ...ALWAYS, paymentBehavior: 'pending_if_incomplete' });
    expect(late.living.pendingUpdate?.expiresAt).toBe(FEB_1);
    renew(late);
    expect(late.lastInvoice.total).toBe(3100);
    expect(late.living.pendingUpdate).toBeNull();
    const canceled = waiting('pending_if_incomplete');
    const update = canceled.lastInvoice.id;
    cancel(canceled, on('2025-01-17'));
    expect([canceled.invoice(update).status, canceled.living.status]).toEqual(['void', 'canceled']);
  });

  test('nothing to pay: applied at once; so is allow_incomplete', () => {
    const down = paidBook(['max']);
    changeItem(down, JAN_16, 'si_max', { priceId: 'pro' }, { ...ALWAYS, paymentBehavior: 'pending_if_incomplete' });
    expect(down.living).toMatchObject({ items: [{ priceId: 'pro' }], pendingUpdate: null });
    expect(waiting('allow_incomplete').living).toMatchObject({ items: [{ priceId: 'max' }], pendingUpdate: null });
  });

  test('bills only the change itself: what was pending stays pending', () => {
    const start = paidBook();
    changeItem(start, on('2025-01-11'), 'si_pro', { quantity: '2' });
    const book = waiting('pending_if_incomplete', start);
    expect(book.snapshot().pendingItems).toHaveLength(2);
    expect(book.lastInvoice.lines).toHaveLength(2);
  });

  test('a delinquent subscription recovers by its own invoices, whatever becomes of the update', () => {
    const book = paidBook();
    renew(book);
    const owed = book.lastInvoice.id;
    book.pay(owed, FEB_1, 'declined');
    changeItem(book, FEB_1, 'si_pro', { priceId: 'max' }, { ...ALWAYS, paymentBehavior: 'pending_if_incomplete' });
    book.pay(owed, FEB_1 + 60);
    expect(book.living).toMatchObject({ status: 'active', pendingUpdate: { invoiceId: book.lastInvoice.id } });
  });

  test('a new cycle waits as a whole', () => {
    const book = paidBook();
    changeItem(book, JAN_16, 'si_pro', { priceId: 'yearly' }, { paymentBehavior: 'error_if_incomplete' });
    expect(book.living).toMatchObject({ cycle: { interval: 'month' }, currentPeriodEnd: FEB_1 });
    book.pay(book.lastInvoice.id, JAN_16);
    book.do(JAN_16, (snapshot, context) => decidePendingUpdate(snapshot, { apply: true }, context));
    expect(book.living).toMatchObject({ cycle: { interval: 'year' }, billingCycleAnchor: JAN_16, currentPeriodEnd: on('2026-01-16') });
  });
});
