import { describe, expect, test } from 'vitest';
import type { CreditTopUp, LowCredit } from '../../domain/credits/low-credit.ts';
import { decideTopUp, lookAhead } from '../../domain/credits/top-up.ts';
import { decideVoid } from '../../domain/invoicing/void-invoice.ts';
import { bookGrant } from '../../domain/ledger/book.ts';
import { decideAttempt } from '../../domain/payments/start-attempt.ts';
import { decideThreshold } from '../../domain/subscription/bill-threshold.ts';
import { aCreditGrant, aCreditTopUp, aMeter } from '../api/examples.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { createPaid, renew } from '../support/subscribe.ts';

const METERED = { recurring: { interval: 'month', intervalCount: 1, usageType: 'metered', meterId: 'mtr_1' } } as const;
const AT = on('2025-01-10');

/** Calls at EUR 0.10, EUR 10.00 of credit, and EUR 20.00 bought whenever less than EUR 5.00 is left. */
function bookOf(patch: Partial<CreditTopUp> = {}, credit = 1000): MemoryBook {
  const book = new MemoryBook();
  book.meters['mtr_1'] = aMeter();
  book.price('Calls', '10', 'month', METERED);
  createPaid(book, on('2025-01-01'), ['Calls']);
  book.customer = { ...book.customer, currency: 'eur' };
  const grant = aCreditGrant({ amount: credit, remaining: credit, effectiveAt: on('2025-01-01'), expiresAt: null });
  if (credit > 0) {
    book.creditGrants.set(grant.id, grant);
    book.journal.push(...bookGrant(grant, book.context(on('2025-01-01'))));
  }
  book.topUps.set('crtopup_1', aCreditTopUp(patch));
  return book;
}
const use = (book: MemoryBook, at: number, value: number): void => void book.used.push({ meterId: 'mtr_1', at, value });
const seen = (book: MemoryBook, asOf = AT): LowCredit | null => lookAhead(book.snapshot({ asOf }), book.context(asOf));
const buy = (book: MemoryBook, number: number, asOf = AT) =>
  book.do(asOf, (snapshot, context) => decideTopUp(snapshot, { topUpId: 'crtopup_1', number }, context));
const topUpOf = (book: MemoryBook): CreditTopUp => book.topUps.get('crtopup_1') as CreditTopUp;
const left = (book: MemoryBook): number[] => [...book.creditGrants.values()].map(({ remaining }) => remaining);

describe('credit is low', () => {
  test.each<[string, Partial<CreditTopUp>, used: number, boolean]>([
    ['below the threshold', {}, 51, true],
    ['and at it there is enough', {}, 50, false],
    ['also where more is used than there is credit', {}, 5000, true],
    ['and nobody wants more', { active: false }, 100, false],
    ['and the last purchase was declined', { pendingInvoiceId: 'in_9', suspendedAt: AT }, 100, false],
    ['and the month has had its number', { maxPerMonth: 2, month: '2025-01', monthCount: 2 }, 100, false],
    ['and that was the month before', { maxPerMonth: 2, month: '2024-12', monthCount: 2 }, 100, true],
    ['of another scope, whoever has some for this', { scope: { priceType: 'licensed' } }, 0, true],
    ['in a currency that the customer does not have', { currency: 'usd' }, 0, false],
  ])('%s', (_, patch, used, expected) => {
    const book = bookOf(patch);
    use(book, AT - 60, used);
    expect(seen(book)).toEqual(expected ? { topUpId: 'crtopup_1', number: 1 } : null);
  });

  test('is told by the look at what is used, which writes nothing, and by the invoice that draws', () => {
    const book = bookOf();
    use(book, AT - 60, 60);
    const looked = book.do(AT, decideThreshold);
    expect(looked).toMatchObject({ invoices: [], lowCredit: { topUpId: 'crtopup_1', number: 1 } });
    expect(renew(book)).toMatchObject({ lowCredit: { topUpId: 'crtopup_1', number: 1 } });
    expect(left(book)).toEqual([400]);
  });
});

describe('a purchase', () => {
  test('is one invoice of one line without tax; its credit comes with the payment, and the books agree', () => {
    const book = bookOf({ expiresAfter: { interval: 'month', intervalCount: 1 } });
    book.taxRate('vat', '20');
    book.account = { ...book.account, defaultTaxRateIds: ['vat'] };
    const at = on('2025-01-31');
    use(book, at - 60, 60);
    buy(book, 1, at);
    expect(book.lastInvoice).toMatchObject({
      ...{ status: 'open', subscriptionId: null, total: 2000, tax: 0, amountDue: 2000, autoAdvance: true },
      lines: [{ description: 'Pack', amount: 2000, priceId: null }],
    });
    expect(topUpOf(book)).toMatchObject({ count: 1, month: '2025-01', monthCount: 1, pendingInvoiceId: book.lastInvoice.id });
    // Until it is paid it is the same one that is due, for whoever goes on with it.
    expect([left(book), seen(book, at)]).toEqual([[1000], { topUpId: 'crtopup_1', number: 1 }]);
    book.pay(book.lastInvoice.id, at);
    expect([...book.creditGrants.values()][1]).toMatchObject({
      ...{ category: 'paid', amount: 2000, remaining: 2000, name: 'Pack', scope: { priceType: 'metered' } },
      ...{ effectiveAt: at, expiresAt: on('2025-02-28') },
    });
    expect(topUpOf(book)).toMatchObject({ pendingInvoiceId: null, suspendedAt: null, latestInvoiceId: book.lastInvoice.id });
    expect(['receivable', 'deferred_revenue', 'prepaid_credits'].map((account) => book.ledger(account as 'receivable'))).toEqual([
      0, 1000, -3000,
    ]);
    expect(book.events.filter(({ type }) => type.startsWith('billing.credit_top_up')).map(({ type }) => type.split('.').at(-1))).toEqual([
      'triggered',
      'succeeded',
    ]);
  });

  test('of a crossing is made once, and none where it is not due any more', () => {
    const book = bookOf();
    expect(buy(book, 1).invoices).toEqual([]);
    use(book, AT - 60, 60);
    expect(buy(book, 2).invoices).toEqual([]);
    buy(book, 1);
    expect(buy(book, 1).invoices).toEqual([]);
    expect(buy(book, 2).invoices).toEqual([]);
    book.pay(book.lastInvoice.id, AT);
    expect(buy(book, 2).invoices).toEqual([]);
  });

  test('that the balance of the customer pays is granted at once', () => {
    const book = bookOf({}, 0);
    book.customer = { ...book.customer, balance: -5000 };
    buy(book, 1);
    expect([book.lastInvoice.status, left(book), topUpOf(book).pendingInvoiceId]).toEqual(['paid', [2000], null]);
  });

  test('that is declined stops all others until it is paid, or voided', () => {
    const book = bookOf({}, 0);
    buy(book, 1);
    book.pay(book.lastInvoice.id, AT, 'declined');
    expect(topUpOf(book)).toMatchObject({ suspendedAt: AT, pendingInvoiceId: book.lastInvoice.id });
    expect([seen(book), left(book)]).toEqual([null, []]);
    book.pay(book.lastInvoice.id, AT + 60);
    expect([topUpOf(book).suspendedAt, left(book)]).toEqual([null, [2000]]);

    const voided = bookOf({}, 0);
    buy(voided, 1);
    voided.pay(voided.lastInvoice.id, AT, 'declined');
    voided.do(AT + 60, decideVoid, { invoiceId: voided.lastInvoice.id });
    expect([topUpOf(voided), left(voided)]).toMatchObject([{ suspendedAt: null, pendingInvoiceId: null }, []]);
    expect(seen(voided)).toEqual({ topUpId: 'crtopup_1', number: 2 });
  });

  test('is charged to its own payment method while that is attached', () => {
    const book = bookOf({ paymentMethodId: 'pm_2' }, 0);
    const [first] = book.paymentMethods;
    if (first === undefined) throw new Error('the book has no payment method');
    buy(book, 1);
    const chosen = (customerId: string | null) => {
      const second = { ...first, id: 'pm_2', customerId };
      const snapshot = { ...book.snapshot({ asOf: AT, invoiceId: book.lastInvoice.id }), paymentMethods: [first, second] };
      return decideAttempt(snapshot, { paymentMethodId: null, operationId: 'op' }, book.context(AT)).attempt?.paymentMethodId;
    };
    expect([chosen(first.customerId), chosen(null)]).toEqual(['pm_2', first.id]);
  });
});
