import { describe, expect, test } from 'vitest';
import type { Discount } from '../../domain/discounts/discount.ts';
import { decideDunningEnd } from '../../domain/dunning/end-dunning.ts';
import { CONSOLIDATION_WINDOW } from '../../domain/invoicing/consolidate.ts';
import { decideFinalization } from '../../domain/invoicing/finalize-invoice.ts';
import type { Invoice } from '../../domain/invoicing/invoice.ts';
import { decideOverdue } from '../../domain/invoicing/mark-overdue.ts';
import { decideDeletion } from '../../domain/invoicing/one-off.ts';
import { recomputeInvoice } from '../../domain/invoicing/recompute.ts';
import { decideAutoAdvance } from '../../domain/invoicing/set-auto-advance.ts';
import { decideVoid } from '../../domain/invoicing/void-invoice.ts';
import { decideAttemptOutcome } from '../../domain/payments/settle-attempt.ts';
import { decideAttempt } from '../../domain/payments/start-attempt.ts';
import { decideCancellation } from '../../domain/subscription/cancel.ts';
import { Household } from '../support/household.ts';
import { on } from '../support/memory-book.ts';

/** Seats for 12.00 and support for 5.00, from the same instant on. */
function two(parts: ConstructorParameters<typeof Household>[0] = {}, start = '2025-01-15'): Household {
  const home = new Household(parts);
  home.add('seats', on(start), '1200');
  home.add('support', on(start), '500');
  return home;
}

const last = (home: Household, name: string): Invoice => home.of(name).lastInvoice;
const owned = (invoice: Invoice) => invoice.lines.map((line) => [line.subscriptionId, line.amount]);

/** Both have contributed; what asks for the money is declined, or not. */
function billed(home = two()): { home: Household; invoice: Invoice } {
  home.renew('seats');
  home.renew('support');
  return { home, invoice: last(home, 'support') };
}

function charge(home: Household, id: string, at: number, kind: 'succeeded' | 'declined') {
  home.about(id, at, (snapshot, context) => {
    const started = decideAttempt(snapshot, { paymentMethodId: null, operationId: 'op' }, context);
    const { attempt } = started;
    if (!attempt) throw new Error('nothing to charge');
    const result = { kind, reference: 'ch_1', declineCode: kind === 'declined' ? 'card_declined' : null, message: null };
    const invoice = started.decision.invoices[0] ?? snapshot.invoice;
    return decideAttemptOutcome({ ...snapshot, invoice, attempts: [attempt] }, { attemptId: attempt.id, result }, context).decision;
  });
}

describe('who shares', () => {
  test('the first makes a draft that waits, the last adds its lines and finalises it', () => {
    const home = two();
    const first = home.renew('seats');
    expect(first.events.map(({ type }) => type)).toEqual(['invoice.created', 'customer.subscription.updated']);
    expect(last(home, 'seats')).toMatchObject({
      status: 'draft',
      subscriptionId: null,
      subscriptionIds: ['sub_seats'],
      total: 1200,
      automaticallyFinalizesAt: on('2025-02-15') + CONSOLIDATION_WINDOW,
    });
    const second = home.renew('support');
    expect(second.events.map(({ type }) => type)).toEqual(['invoice.updated', 'invoice.finalized', 'customer.subscription.updated']);
    const invoice = last(home, 'support');
    expect(invoice).toMatchObject({ id: last(home, 'seats').id, status: 'open', total: 1700, automaticallyFinalizesAt: null });
    expect(owned(invoice)).toEqual([
      ['sub_seats', 1200],
      ['sub_support', 500],
    ]);
    for (const name of ['seats', 'support']) {
      expect(home.of(name).living.latestInvoiceId).toBe(invoice.id);
      const row = [...home.of(name).billed.values()].find(({ start }) => start === on('2025-02-15'));
      expect(invoice.lines.find(({ id }) => id === row?.invoiceLineId)?.subscriptionId).toBe(`sub_${name}`);
    }
    expect(second.journal.map(({ kind }) => kind)).toHaveLength(1);
  });

  test('months that clamp meet where they do: the 28th and the 31st in February, and not in March', () => {
    const home = new Household();
    home.add('seats', on('2025-01-31'), '1200');
    home.add('support', on('2025-01-28'), '500');
    home.renew('support');
    home.renew('seats');
    expect(last(home, 'seats')).toMatchObject({ status: 'open', total: 1700 });
    home.renew('support');
    home.renew('seats');
    expect(last(home, 'support')).toMatchObject({ status: 'open', total: 500, subscriptionId: 'sub_support' });
    expect(last(home, 'seats')).toMatchObject({ status: 'open', total: 1200, subscriptionId: 'sub_seats' });
  });

  test('29 February and a yearly one meet in leap years as in others', () => {
    const home = new Household();
    home.add('platform', on('2024-02-29'), '9900', { interval: 'year' });
    home.add('seats', on('2025-01-31'), '1200');
    home.renew('seats');
    home.renew('platform');
    expect(last(home, 'platform')).toMatchObject({ total: 11_100, createdAt: on('2025-02-28') });
  });

  test("the day is the customer's: late in the evening and the next noon are one day in Berlin", () => {
    const born = (billingTimezone: string) => {
      const home = new Household({ customer: { billingTimezone } });
      // Summer time begins between this and the renewals, which keep their local times.
      home.add('seats', on('2025-02-28T23:30:00Z'), '1200');
      home.add('support', on('2025-03-01T11:00:00Z'), '500');
      home.renew('seats');
      const waits = last(home, 'seats');
      home.renew('support');
      return { waits, both: last(home, 'support') };
    };
    const berlin = born('Europe/Berlin');
    expect(berlin.waits).toMatchObject({ status: 'draft', automaticallyFinalizesAt: on('2025-04-01T10:00:00Z') + CONSOLIDATION_WINDOW });
    expect(berlin.both).toMatchObject({ total: 1700, periodEnd: on('2025-04-01T10:00:00Z') });
    expect(born('UTC').both).toMatchObject({ total: 500, subscriptionId: 'sub_support' });
  });

  test.each([
    ['another collection method', { collectionMethod: 'send_invoice', daysUntilDue: 14 }],
    ['another payment method', { defaultPaymentMethodId: 'pm_2' }],
    ['unpaid', { status: 'unpaid' }],
    ['paused', { status: 'paused' }],
    ['with its collection paused', { pauseCollection: { behavior: 'void', resumesAt: null, since: 0 } }],
    ['ending then', { cancelAtPeriodEnd: true }],
    ['of another currency', { currency: 'usd' }],
  ] as const)('not with one that is %s', (_, patch) => {
    const home = two();
    const other = home.of('support');
    other.subscription = { ...other.living, ...patch };
    home.renew('seats');
    expect(last(home, 'seats')).toMatchObject({ status: 'open', subscriptionId: 'sub_seats', total: 1200 });
    expect(last(home, 'seats').subscriptionIds).toBeUndefined();
  });
});

describe('one that is late', () => {
  test('does not keep the others waiting beyond the window, and bills on its own', () => {
    const home = two();
    home.add('stuck', on('2025-01-15'), '300');
    home.renew('seats');
    home.renew('support');
    const { id } = last(home, 'support');
    const due = on('2025-02-15') + CONSOLIDATION_WINDOW;
    const finalize = (at: number) => home.about(id, at, (snapshot, context) => decideFinalization(snapshot, { automatic: true }, context));
    expect(() => finalize(due - 1)).toThrow('waits for somebody');
    finalize(due);
    expect(last(home, 'seats')).toMatchObject({ id, status: 'open', total: 1700 });
    home.renew('stuck');
    expect(last(home, 'stuck')).toMatchObject({ status: 'open', subscriptionId: 'sub_stuck', total: 300 });
  });

  test('a grace period of the account keeps the draft though nobody is to come', () => {
    const { invoice } = billed(two({ account: { invoiceGraceSeconds: 86_400 } }));
    expect(invoice).toMatchObject({ status: 'draft', total: 1700, automaticallyFinalizesAt: on('2025-02-16') });
  });

  test('a draft that somebody holds back is joined by nobody, and does not go on by itself again', () => {
    const home = two();
    home.renew('seats');
    const { id } = last(home, 'seats');
    home.about(id, on('2025-02-15'), (snapshot, context) => decideAutoAdvance(snapshot, { autoAdvance: false }, context));
    home.renew('support');
    expect(last(home, 'support')).toMatchObject({ total: 500, subscriptionId: 'sub_support' });
    expect(() =>
      home.about(id, on('2025-02-15'), (snapshot, context) => decideAutoAdvance(snapshot, { autoAdvance: true }, context)),
    ).toThrow('finalize it');
  });

  test('is not deleted: the time it bills would be lost', () => {
    const home = two();
    home.renew('seats');
    const { id } = last(home, 'seats');
    expect(() => home.about(id, on('2025-02-15'), (snapshot, context) => decideDeletion(snapshot, context))).toThrow('cannot be deleted');
  });

  test('one that has nothing to bill any more completes the draft', () => {
    const home = two();
    home.renew('seats');
    const book = home.of('support');
    // All that is left of it is metered, say, and was not used.
    book.subscription = { ...book.living, items: [] };
    const decision = home.renew('support');
    expect(decision.invoices).toMatchObject([{ status: 'open', total: 1200, subscriptionIds: ['sub_seats'] }]);
  });
});

describe('sums', () => {
  test('the tax of a rate is rounded once over all lines', () => {
    const home = new Household();
    for (const name of ['a', 'b', 'c']) home.add(name, on('2025-01-15'), '50', { defaultTaxRateIds: ['vat'] });
    for (const name of ['a', 'b', 'c']) home.renew(name);
    // 3 × 9.5 is 28.5; rounded by line it would be 30.
    expect(last(home, 'c')).toMatchObject({ subtotal: 150, tax: 29, total: 179 });
  });

  test.each([
    ['a percentage used once counts for all of it', { percentOff: '50', amountOff: null }, 850],
    ['an amount off counts once', { percentOff: null, amountOff: 1500 }, 1500],
  ])("of the customer's discount, %s", (_, off, taken) => {
    const home = two();
    const discount: Discount = {
      ...{ id: 'di_1', couponId: 'co', promotionCodeId: null, customerId: 'cus_1', subscriptionId: null, subscriptionItemId: null },
      ...{ invoiceItemId: null, start: on('2025-01-20'), end: null, endedAt: null },
      terms: { name: 'co', currency: 'eur', currencyOptions: {}, duration: 'once', durationInMonths: null, appliesTo: null, ...off },
    };
    for (const book of home.books.values()) {
      book.customer = { ...book.customer, discount };
      book.discounts.set(discount.id, discount);
    }
    home.renew('seats');
    home.renew('support');
    const invoice = last(home, 'support');
    expect(invoice.total).toBe(1700 - taken);
    expect(home.of('support').customer.discount).toBeNull();
  });
});

test('recomputed, each line is taxed as its own subscription is today', () => {
  const { home, invoice } = billed();
  const book = home.of('support');
  book.subscription = { ...book.living, defaultTaxRateIds: ['vat'] };
  const coverage = [...home.books.values()].flatMap((each) => [...each.billed.values()]);
  const recompute = () => {
    const members = [...home.books.values()].map((each) => each.snapshot());
    const prices = Object.assign({}, ...members.map((member) => member.prices));
    return recomputeInvoice({ ...book.snapshot({ invoiceId: invoice.id }), subscription: null, prices, members }, coverage);
  };
  expect(recompute().charge.map(({ line, total }) => [line.subscriptionId, total])).toEqual([['sub_support', 95]]);
  book.subscription = { ...book.living, defaultTaxRateIds: [] };
  expect(recompute().charge).toEqual([]);
});

describe('what becomes of it happens to each', () => {
  test('declined, each is past due; paid, each is active', () => {
    const { home, invoice } = billed();
    charge(home, invoice.id, on('2025-02-15'), 'declined');
    expect(home.status('seats', 'support')).toEqual(['past_due', 'past_due']);
    charge(home, invoice.id, on('2025-02-18'), 'succeeded');
    expect(home.status('seats', 'support')).toEqual(['active', 'active']);
    expect(last(home, 'seats').status).toBe('paid');
  });

  test('who owes another invoice stays past due', () => {
    const { home, invoice } = billed();
    charge(home, invoice.id, on('2025-02-15'), 'declined');
    const book = home.of('support');
    book.invoices.set('in_own', { ...invoice, id: 'in_own', subscriptionId: 'sub_support', subscriptionIds: undefined as never });
    charge(home, invoice.id, on('2025-02-18'), 'succeeded');
    expect(home.status('seats', 'support')).toEqual(['active', 'past_due']);
  });

  test.each([
    ['cancel', 'canceled'],
    ['unpaid', 'unpaid'],
    ['past_due', 'past_due'],
  ] as const)('given up with %s, each is %s', (terminalAction, status) => {
    const { home, invoice } = billed(two({ account: { dunningPolicy: { retryDelays: [1], hardDeclines: [], terminalAction } } }));
    charge(home, invoice.id, on('2025-02-15'), 'declined');
    const decision = home.about(invoice.id, on('2025-02-20'), decideDunningEnd);
    expect(home.status('seats', 'support')).toEqual([status, status]);
    const types = decision.events.filter(({ objectType }) => objectType === 'subscription').map(({ type }) => type);
    if (status === 'canceled') expect(types).toEqual(Array(2).fill('customer.subscription.deleted'));
    expect(last(home, 'seats')).toMatchObject({ status: 'open', autoAdvance: false });
  });

  test('voided, each is active and the time of each is worth nothing', () => {
    const { home, invoice } = billed();
    charge(home, invoice.id, on('2025-02-15'), 'declined');
    home.about(invoice.id, on('2025-02-16'), decideVoid);
    expect(home.status('seats', 'support')).toEqual(['active', 'active']);
    for (const name of ['seats', 'support']) {
      const rows = [...home.of(name).billed.values()].filter((row) => row.invoiceId === invoice.id);
      expect(rows.map(({ amount, credited }) => amount - credited)).toEqual([0]);
    }
  });

  test('sent and overdue, each is past due', () => {
    const home = new Household();
    for (const name of ['seats', 'support'])
      home.add(name, on('2025-01-15'), '500', { collectionMethod: 'send_invoice', daysUntilDue: 14 });
    const { invoice } = billed(home);
    expect(invoice.dueDate).toBe(on('2025-03-01'));
    home.about(invoice.id, on('2025-03-01'), decideOverdue);
    expect(home.status('seats', 'support')).toEqual(['past_due', 'past_due']);
  });

  test('what one gives back lowers what is owed for it, and the rest is chased on', () => {
    const { home, invoice } = billed();
    charge(home, invoice.id, on('2025-02-15'), 'declined');
    home.do('seats', on('2025-02-15'), (snapshot, context) => decideCancellation(snapshot, { prorate: true, invoiceNow: true }, context));
    expect(home.status('seats', 'support')).toEqual(['canceled', 'past_due']);
    expect(last(home, 'support')).toMatchObject({ id: invoice.id, status: 'open', amountRemaining: 500, autoAdvance: true });
    const both = home.do('support', on('2025-02-15'), (snapshot, context) =>
      decideCancellation(snapshot, { prorate: true, invoiceNow: true }, context),
    );
    expect(both.invoices.find(({ id }) => id === invoice.id)).toMatchObject({ status: 'paid', amountRemaining: 0 });
    expect(home.of('support').customer.balance).toBe(0);
  });
});
