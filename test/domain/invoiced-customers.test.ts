import { describe, expect, test } from 'vitest';
import { decideDunningEnd } from '../../domain/dunning/end-dunning.ts';
import { nextOverdueStep } from '../../domain/dunning/next-step.ts';
import { DEFAULT_DUNNING_POLICY } from '../../domain/dunning/policy.ts';
import { decideFinalization } from '../../domain/invoicing/finalize-invoice.ts';
import { decideOverdue } from '../../domain/invoicing/mark-overdue.ts';
import { decideUncollectible } from '../../domain/invoicing/mark-uncollectible.ts';
import { decideOneOff, type OneOff } from '../../domain/invoicing/one-off.ts';
import { decideSending } from '../../domain/invoicing/send-invoice.ts';
import { decideOutOfBandPayment } from '../../domain/payments/pay-out-of-band.ts';
import type { CreateSubscription } from '../../domain/subscription/commands.ts';
import { decideRenewal } from '../../domain/subscription/renew.ts';
import { instant, isoInstant } from '../../domain/time.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, changePlan, create, linesOf, pause, reactivate, renew, resume } from '../support/subscribe.ts';

const DAY = 86_400;
const SENT = { collectionMethod: 'send_invoice', daysUntilDue: 30 } as const;
const refusal = (code: string, param?: string) => expect.objectContaining({ code, ...(param === undefined ? {} : { param }) });

/** Nobody has a card here. */
function bookOn(
  date: string,
  given: Partial<CreateSubscription> = {},
  patch: ConstructorParameters<typeof MemoryBook>[0] = {},
): MemoryBook {
  const book = new MemoryBook(patch);
  book.paymentMethods = [];
  book.price('pro', '3100');
  book.price('max', '6200');
  create(book, on(date), ['pro'], { ...SENT, ...given });
  return book;
}
const last = (book: MemoryBook) => ({ invoiceId: book.lastInvoice.id });
const overdue = (book: MemoryBook, id = book.lastInvoice.id) => book.do(book.invoice(id).dueDate ?? 0, decideOverdue, { invoiceId: id });
const transfer = (book: MemoryBook, at: number, id = book.lastInvoice.id) => book.do(at, decideOutOfBandPayment, { invoiceId: id });
const date = (at: number | null) => isoInstant(at ?? 0).slice(0, 10);

describe('a subscription whose invoices are sent', () => {
  test('is active at once, with an open invoice that is due in thirty days, whatever the payment behaviour', () => {
    for (const paymentBehavior of ['allow_incomplete', 'default_incomplete', 'error_if_incomplete'] as const) {
      const book = bookOn('2025-01-31', { paymentBehavior });
      expect(book.living).toMatchObject({ status: 'active', incompleteExpiresAt: null, ...SENT });
      expect(book.lastInvoice).toMatchObject({ status: 'open', collectionMethod: 'send_invoice', attempted: false, overdueAt: null });
      expect(date(book.lastInvoice.dueDate)).toBe('2025-03-02');
    }
  });

  test('a due date across a change of clocks keeps its local time; no days are due at once; leap years count', () => {
    const berlin = bookOn('2025-03-15', { billingTimezone: 'Europe/Berlin' });
    expect((berlin.lastInvoice.dueDate ?? 0) - berlin.lastInvoice.createdAt).toBe(30 * DAY - 3600);
    expect(bookOn('2025-03-15', { daysUntilDue: 0 }).lastInvoice).toMatchObject({ status: 'open', dueDate: on('2025-03-15') });
    expect(date(bookOn('2024-01-31').lastInvoice.dueDate)).toBe('2024-03-01');
  });

  test('days are needed, and only for what is sent', () => {
    const book = new MemoryBook();
    book.price('pro', '3100');
    const created = (given: Partial<CreateSubscription>) => () => create(book, on('2025-01-01'), ['pro'], given);
    expect(created({ collectionMethod: 'send_invoice' })).toThrow(refusal('parameter_missing', 'days_until_due'));
    expect(created({ daysUntilDue: 5 })).toThrow(refusal('parameter_invalid', 'days_until_due'));
    expect(created({ ...SENT, daysUntilDue: 9999 })).toThrow(refusal('parameter_invalid', 'days_until_due'));
  });

  test('is past due from the due date on, and active again when the money has come', () => {
    const book = bookOn('2025-01-31');
    expect(book.do(on('2025-03-01'), decideOverdue, last(book))).toMatchObject({ invoices: [], events: [] });
    const told = overdue(book);
    expect(told.events.map(({ type }) => type)).toEqual(['invoice.overdue', 'customer.subscription.updated']);
    expect(book.living.status).toBe('past_due');
    expect(overdue(book).events).toEqual([]);
    const paid = transfer(book, on('2025-03-05'));
    expect(paid.events.map(({ type }) => type)).toEqual(['invoice.paid', 'customer.subscription.updated']);
    expect(book.living.status).toBe('active');
    expect(book.lastInvoice).toMatchObject({ status: 'paid', amountPaid: 3100, amountRemaining: 0, attempted: false });
    expect(book.ledger('cash:out_of_band')).toBe(3100);
    expect(book.ledger('receivable')).toBe(0);
    expect(() => transfer(book, on('2025-03-06'))).toThrow(refusal('invoice_already_paid'));
  });

  test('an invoice that is not due yet keeps nobody past due, one that is does', () => {
    const book = bookOn('2025-01-31', { daysUntilDue: 40 });
    const first = book.lastInvoice.id;
    renew(book);
    overdue(book, first);
    expect(book.living.status).toBe('past_due');
    transfer(book, on('2025-03-13'), first);
    expect(book.living.status).toBe('active');
    renew(book);
    overdue(book, book.allInvoices[1]?.id);
    transfer(book, on('2025-04-15'));
    expect(book.living.status).toBe('past_due');
  });

  test('a card that is declined before the due date leaves it active, and one that works pays', () => {
    const book = bookOn('2025-01-31');
    book.paymentMethods = new MemoryBook().paymentMethods;
    book.pay(book.lastInvoice.id, on('2025-02-10'), 'declined');
    expect(book.living.status).toBe('active');
    expect(book.lastInvoice).toMatchObject({ status: 'open', attempted: true });
    book.pay(book.lastInvoice.id, on('2025-02-11'));
    expect(book.lastInvoice.status).toBe('paid');
    expect(overdue(book).events).toEqual([]);
  });

  test('paid out of band after it was written off, the bad debt is taken back', () => {
    const book = bookOn('2025-01-31');
    book.do(on('2025-02-10'), decideUncollectible, last(book));
    transfer(book, on('2025-02-11'));
    expect(book.ledger('bad_debt')).toBe(0);
    expect(book.lastInvoice.status).toBe('paid');
  });

  test('is sent once more by hand; what is charged is not sent', () => {
    const book = bookOn('2025-01-31');
    expect(book.do(on('2025-02-01'), decideSending, last(book)).events).toMatchObject([{ type: 'invoice.sent' }]);
    transfer(book, on('2025-02-02'));
    expect(() => book.do(on('2025-02-03'), decideSending, last(book))).toThrow(refusal('invoice_already_paid'));
    const charged = new MemoryBook();
    charged.price('pro', '3100');
    create(charged, on('2025-01-31'), ['pro']);
    expect(() => charged.do(on('2025-02-01'), decideSending, last(charged))).toThrow(refusal('transition_not_allowed'));
  });
});

describe('what follows when it stays unpaid', () => {
  const policy = (terminalAction: 'cancel' | 'unpaid' | 'past_due') => ({
    account: { dunningPolicy: { ...DEFAULT_DUNNING_POLICY, overdue: { delay: 10 * DAY, terminalAction } } },
  });

  test('the policy says when; nothing where nobody wants it', () => {
    const due = { dueDate: 1000, isOverdue: false, givesUp: true };
    expect(nextOverdueStep(DEFAULT_DUNNING_POLICY, due)).toEqual({ do: 'tell_overdue', at: 1000 });
    expect(nextOverdueStep(DEFAULT_DUNNING_POLICY, { ...due, isOverdue: true })).toEqual({ do: 'give_up', at: 1000 + 30 * DAY });
    expect(nextOverdueStep(policy('cancel').account.dunningPolicy, { ...due, isOverdue: true })?.at).toBe(1000 + 10 * DAY);
    expect(nextOverdueStep(DEFAULT_DUNNING_POLICY, { ...due, isOverdue: true, givesUp: false })).toBeNull();
  });

  test.each([
    ['cancel', 'canceled'],
    ['unpaid', 'unpaid'],
    ['past_due', 'past_due'],
  ] as const)('%s: %s', (action, status) => {
    const book = bookOn('2025-01-31', {}, policy(action));
    overdue(book);
    book.do(on('2025-03-12'), decideDunningEnd, last(book));
    expect(book.living.status).toBe(status);
    expect(book.lastInvoice).toMatchObject({ status: 'open', autoAdvance: false });
  });

  test('without a wish of the account it stays past due, unlike one whose card fails', () => {
    const book = bookOn('2025-01-31');
    overdue(book);
    book.do(on('2025-04-12'), decideDunningEnd, last(book));
    expect(book.living.status).toBe('past_due');
  });
});

describe('the method is switched', () => {
  test('from the next invoice on; those that are out stay as they were sent', () => {
    const book = bookOn('2025-01-31');
    book.paymentMethods = new MemoryBook().paymentMethods;
    changePlan(book, on('2025-02-10'), { collectionMethod: 'charge_automatically' });
    expect(book.living).toMatchObject({ collectionMethod: 'charge_automatically', daysUntilDue: null, status: 'active' });
    expect(book.lastInvoice).toMatchObject({ collectionMethod: 'send_invoice', status: 'open' });
    renew(book);
    expect(book.lastInvoice).toMatchObject({ collectionMethod: 'charge_automatically', dueDate: null });
    changePlan(book, on('2025-03-01'), { ...SENT, daysUntilDue: 7 });
    renew(book);
    expect(date(book.lastInvoice.dueDate)).toBe('2025-04-07');
    changePlan(book, on('2025-04-01'), { daysUntilDue: 14 });
    expect(book.living).toMatchObject({ collectionMethod: 'send_invoice', daysUntilDue: 14 });
  });

  test('not without days, not for later, and not while the first payment is waited for', () => {
    const book = new MemoryBook();
    book.price('pro', '3100');
    create(book, on('2025-01-31'), ['pro']);
    expect(() => changePlan(book, on('2025-01-31'), SENT)).toThrow(refusal('subscription_incomplete'));
    book.pay(book.lastInvoice.id, on('2025-01-31'));
    expect(() => changePlan(book, on('2025-02-01'), { collectionMethod: 'send_invoice' })).toThrow(
      refusal('parameter_missing', 'days_until_due'),
    );
    expect(() => changePlan(book, on('2025-02-01'), { daysUntilDue: 3 })).toThrow(refusal('parameter_invalid', 'days_until_due'));
    expect(() => changePlan(book, on('2025-02-01'), { ...SENT, effectiveAt: 'period_end' })).toThrow(
      refusal('parameter_invalid', 'collection_method'),
    );
  });

  test('a change is in force at once, also where a payment would be waited for', () => {
    const book = bookOn('2025-01-31');
    changeItem(
      book,
      on('2025-02-10'),
      'si_pro',
      { priceId: 'max' },
      { prorationBehavior: 'always_invoice', paymentBehavior: 'pending_if_incomplete' },
    );
    expect(book.living).toMatchObject({ pendingUpdate: null, items: [{ priceId: 'max' }] });
    expect(book.lastInvoice).toMatchObject({ status: 'open', billingReason: 'subscription_update' });
  });
});

describe('the rest of a life', () => {
  test('a trial ends with an invoice, and nobody asks for a payment method', () => {
    for (const trialMissingPaymentMethod of ['create_invoice', 'pause', 'cancel'] as const) {
      const book = bookOn('2025-01-31', { trial: { days: 10 }, trialMissingPaymentMethod });
      expect(book.living).toMatchObject({ status: 'trialing', incompleteExpiresAt: null });
      renew(book);
      expect(book.living.status).toBe('active');
      expect(book.lastInvoice).toMatchObject({ status: 'open', dueDate: on('2025-02-10') + 30 * DAY });
    }
  });

  test('a short trial is told of at once', () => {
    const book = bookOn('2025-01-31', { trial: { days: 2 } });
    expect(book.events.map(({ type }) => type)).toContain('customer.subscription.trial_will_end');
  });

  test('paused with credit, what was not paid is owed less; resumed, a new invoice is sent', () => {
    const book = bookOn('2025-01-01');
    const first = book.lastInvoice.id;
    pause(book, on('2025-01-11'));
    expect(book.invoice(first)).toMatchObject({ status: 'open', amountCredited: 2100, amountRemaining: 1000 });
    expect(book.customer.balance).toBe(0);
    overdue(book, first);
    expect(book.living.status).toBe('paused');
    resume(book, on('2025-03-01'));
    expect(book.living.status).toBe('past_due');
    expect(book.lastInvoice).toMatchObject({ status: 'open', dueDate: on('2025-03-31'), amountRemaining: 3100 });
    transfer(book, on('2025-03-02'), first);
    expect(book.living.status).toBe('active');
  });

  test('paused with extension, the sent invoice stays as it is', () => {
    const book = bookOn('2025-01-01');
    pause(book, on('2025-01-11'), { unusedTime: 'extend' });
    resume(book, on('2025-01-21'));
    expect(book.allInvoices).toHaveLength(1);
    expect(book.living).toMatchObject({ status: 'active', currentPeriodEnd: on('2025-02-11') });
    expect(book.lastInvoice).toMatchObject({ status: 'open', amountRemaining: 3100 });
  });

  test.each([
    ['keep_as_draft', 'draft'],
    ['void', 'void'],
    ['mark_uncollectible', 'uncollectible'],
  ] as const)('pause_collection %s: %s', (behavior, status) => {
    const book = bookOn('2025-01-01');
    changePlan(book, on('2025-01-10'), { pauseCollection: { behavior, resumesAt: null } });
    renew(book);
    expect(book.lastInvoice).toMatchObject({ status, collectionMethod: 'send_invoice' });
    expect(book.living.status).toBe('active');
  });

  test('cancelled, an open invoice stays owed and the credit goes to it first', () => {
    const book = bookOn('2025-01-01');
    const first = book.lastInvoice.id;
    cancel(book, on('2025-01-11'), { prorate: true, invoiceNow: true });
    expect(book.invoice(first)).toMatchObject({ status: 'open', amountRemaining: 1000, autoAdvance: false });
    expect(overdue(book, first).subscription).toBeNull();
    reactivate(book, on('2025-02-11'));
    expect(book.living.status).toBe('past_due');
  });

  test('in the draft window the due date counts from the invoice; one that waited longer gives its days again', () => {
    const book = bookOn('2025-01-31', { daysUntilDue: 5 }, { account: { invoiceGraceSeconds: 3600 } });
    renew(book);
    const draft = book.lastInvoice;
    expect(draft).toMatchObject({ status: 'draft', dueDate: on('2025-03-05') });
    book.do(draft.createdAt + 3600, (snapshot, context) => decideFinalization(snapshot, { automatic: true }, context), last(book));
    expect(book.lastInvoice).toMatchObject({ status: 'open', dueDate: on('2025-03-05') });
    changePlan(book, on('2025-03-10'), { pauseCollection: { behavior: 'keep_as_draft', resumesAt: null } });
    book.do(on('2025-03-31'), decideRenewal);
    book.do(on('2025-05-31'), (snapshot, context) => decideFinalization(snapshot, {}, context), last(book));
    expect(date(book.lastInvoice.dueDate)).toBe('2025-06-05');
  });

  test('what a credit pays for is never overdue', () => {
    const book = bookOn('2025-01-31', {}, { customer: { balance: -5000, currency: 'eur' } });
    expect(book.lastInvoice).toMatchObject({ status: 'paid', dueDate: on('2025-03-02') });
    expect(linesOf(book.lastInvoice)).toEqual(['1 × pro (at EUR 31.00 / month) 3100']);
  });
});

describe('an invoice of no subscription', () => {
  const AT = instant('2025-01-31T00:00:00Z');
  const oneOff = (given: Partial<OneOff>) => {
    const book = new MemoryBook({ customer: { currency: 'eur' } });
    book.do(AT, (snapshot, context) =>
      decideOneOff(
        { ...snapshot, subscription: null },
        { id: 'in_own', customerId: 'cus_1', pendingItems: 'exclude', description: null, footer: null, metadata: {}, ...given },
        context,
      ),
    );
    return book.invoice('in_own');
  };

  test('is sent with days or a date', () => {
    expect(oneOff({ collectionMethod: 'send_invoice', daysUntilDue: 14 }).dueDate).toBe(AT + 14 * DAY);
    expect(oneOff({ collectionMethod: 'send_invoice', dueDate: AT + 5 }).dueDate).toBe(AT + 5);
    expect(oneOff({})).toMatchObject({ collectionMethod: 'charge_automatically', dueDate: null });
  });

  test('with one of the two, ahead, and only where it is sent', () => {
    expect(() => oneOff({ collectionMethod: 'send_invoice' })).toThrow(refusal('parameter_missing', 'days_until_due'));
    expect(() => oneOff({ collectionMethod: 'send_invoice', daysUntilDue: 1, dueDate: AT + 5 })).toThrow(
      refusal('parameter_invalid', 'due_date'),
    );
    expect(() => oneOff({ collectionMethod: 'send_invoice', dueDate: AT })).toThrow(refusal('date_out_of_range', 'due_date'));
    expect(() => oneOff({ dueDate: AT + 5 })).toThrow(refusal('parameter_invalid', 'due_date'));
  });
});
