import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CreditGrant, CreditTransaction, RecurringCredit, Rollover } from '../../domain/credits/grant.ts';
import { decideFinalization } from '../../domain/invoicing/finalize-invoice.ts';
import { decideVoid } from '../../domain/invoicing/void-invoice.ts';
import { foresee } from '../../domain/subscription/foresee.ts';
import { aCreditGrant, aMeter } from '../api/examples.ts';
import { Household } from '../support/household.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changePlan, create, createPaid, pause, payAll, renew } from '../support/subscribe.ts';

const METERED = { recurring: { interval: 'month', intervalCount: 1, usageType: 'metered', meterId: 'mtr_1' } } as const;
const ALL: Rollover = { percent: '100', maxAmount: null, maxPeriods: null };
const credit = (rollover: Rollover | null, patch: Partial<RecurringCredit> = {}): RecurringCredit => ({
  ...{ name: 'Included', category: 'promotional', amount: 1000, scope: { priceType: 'metered' }, priority: 50, rollover },
  ...patch,
});

/** A fee whose price gives credit for each period, and calls at EUR 0.10. */
function bookOf(given: RecurringCredit, at = '2025-01-31'): MemoryBook {
  const book = new MemoryBook();
  book.meters['mtr_1'] = aMeter();
  book.price('Fee', '2000', 'month', { creditGrant: given });
  book.price('Calls', '10', 'month', METERED);
  createPaid(book, on(at), ['Fee', 'Calls']);
  return book;
}

/** Calls of the running period, then its end. @returns what the invoice asks for, what it drew, and what is left of each grant in the order of their periods */
function month(book: MemoryBook, calls: number): [due: number, drawn: number, left: number[]] {
  book.used.push({ meterId: 'mtr_1', at: book.living.currentPeriodStart + 60, value: calls });
  renew(book);
  const { amountDue, creditDraws = [] } = book.lastInvoice;
  return [amountDue, creditDraws.reduce((sum, { amount }) => sum + amount, 0), left(book)];
}
const inOrder = (book: MemoryBook): CreditGrant[] => [...book.creditGrants.values()].sort((a, b) => a.effectiveAt - b.effectiveAt);
const left = (book: MemoryBook): number[] => inOrder(book).map(({ remaining }) => remaining);

describe('the credit of a period', () => {
  test('begins and ends with it, pays what is used in it, and not what the next one uses', () => {
    const book = bookOf(credit(null));
    expect(inOrder(book)).toMatchObject([
      { amount: 1000, effectiveAt: on('2025-01-31'), expiresAt: on('2025-02-28'), category: 'promotional', name: 'Included' },
    ]);
    expect(month(book, 60)).toEqual([2000, 600, [0, 1000]]);
    expect(month(book, 250)).toEqual([2000 + 1500, 1000, [0, 0, 1000]]);
    // The 31st is clamped where a month is shorter, and comes back.
    expect(inOrder(book).map(({ expiresAt }) => expiresAt)).toEqual([on('2025-02-28'), on('2025-03-31'), on('2025-04-30')]);
    expect(book.events.filter(({ type }) => type === 'billing.credit_grant.created')).toHaveLength(3);
  });

  test('is of each unit of what is licensed, and grows with the next period', () => {
    const book = bookOf(credit(null));
    changePlan(book, on('2025-02-10'), { items: [{ do: 'update', itemId: 'si_Fee', quantity: '3' }] });
    expect(left(book)).toEqual([1000]);
    renew(book);
    expect(left(book)).toEqual([0, 3000]);
  });

  test.each<[string, Rollover, [used: number, left: number[]][]]>([
    [
      'all of it',
      ALL,
      [
        [60, [400, 1000]],
        [120, [0, 200, 1000]],
        [0, [0, 200, 1000, 1000]],
      ],
    ],
    [
      'up to a cap',
      { ...ALL, maxAmount: 300 },
      [
        [60, [300, 1000]],
        [0, [0, 300, 1000]],
      ],
    ],
    [
      'a share, rounded down',
      { ...ALL, percent: '33.3333' },
      [
        [0, [333, 1000]],
        [0, [110, 333, 1000]],
      ],
    ],
    [
      'once',
      { ...ALL, maxPeriods: 1 },
      [
        [60, [400, 1000]],
        [0, [0, 1000, 1000]],
      ],
    ],
    [
      'twice',
      { ...ALL, maxPeriods: 2 },
      [
        [60, [400, 1000]],
        [0, [400, 1000, 1000]],
        [10, [0, 1000, 1000, 1000]],
      ],
    ],
  ])('rolls over: %s', (_, rollover, months) => {
    const book = bookOf(credit(rollover));
    for (const [calls, expected] of months) expect(month(book, calls)[2]).toEqual(expected);
  });

  test('that was rolled over is drawn before that of the new period, by the usage of the new period', () => {
    const book = bookOf(credit({ ...ALL, maxPeriods: 1 }));
    month(book, 60);
    expect(inOrder(book)[0]).toMatchObject({ remaining: 400, expiresAt: on('2025-03-31'), recurring: { periodsRolledOver: 1 } });
    expect(month(book, 70)).toEqual([2000, 700, [0, 700, 1000]]);
  });

  test('waits for a draft: the usage of its period is paid when that is finalised, and what is left rolls over then', () => {
    const book = bookOf(credit(ALL));
    book.account = { ...book.account, invoiceGraceSeconds: 3600 };
    const end = book.living.currentPeriodEnd;
    expect(month(book, 60)[2]).toEqual([1000, 1000]);
    expect(inOrder(book)[0]?.expiresAt).toBe(end);
    book.do(end + 3600, (snapshot, context) => decideFinalization(snapshot, { automatic: true }, context), {
      invoiceId: book.lastInvoice.id,
    });
    expect([book.lastInvoice.amountDue, left(book)]).toEqual([2000, [400, 1000]]);
    expect(inOrder(book)[0]?.expiresAt).toBe(book.living.currentPeriodEnd);
  });

  test('comes back from a voided invoice and goes on where it would have', () => {
    const book = bookOf(credit({ ...ALL, maxAmount: 500 }));
    month(book, 60);
    const [asOf, about] = [on('2025-03-01'), { invoiceId: book.lastInvoice.id }];
    expect(left(book)).toEqual([400, 1000]);
    book.do(asOf, decideVoid, about);
    expect(left(book)).toEqual([1000, 1000]);
    month(book, 0);
    expect(left(book)).toEqual([0, 500, 1000]);
  });

  test('is given when the first invoice is paid, and not in a trial, a pause or after the end', () => {
    const unpaid = new MemoryBook();
    unpaid.price('Fee', '2000', 'month', { creditGrant: credit(ALL) });
    create(unpaid, on('2025-01-01'), ['Fee'], { paymentBehavior: 'default_incomplete' });
    expect(left(unpaid)).toEqual([]);
    unpaid.pay(unpaid.lastInvoice.id, on('2025-01-01') + 60);
    expect(inOrder(unpaid)).toMatchObject([{ amount: 1000, effectiveAt: on('2025-01-01'), expiresAt: on('2025-02-01') }]);
    pause(unpaid, on('2025-01-10'));
    expect(left(unpaid)).toEqual([1000]);

    const trial = new MemoryBook();
    trial.price('Fee', '2000', 'month', { creditGrant: credit(ALL) });
    create(trial, on('2025-01-01'), ['Fee'], { trial: { end: on('2025-01-15') } });
    expect(left(trial)).toEqual([]);
    renew(trial);
    expect(inOrder(trial)).toMatchObject([{ effectiveAt: on('2025-01-15'), expiresAt: on('2025-02-15') }]);

    const ended = bookOf(credit(ALL));
    cancel(ended, on('2025-02-10'));
    expect(inOrder(ended)).toMatchObject([{ remaining: 1000, recurring: null, expiresAt: on('2025-02-28') }]);
  });

  test('is cut short with its period, so that starting anew gives no more', () => {
    const book = bookOf(credit(null));
    for (const date of ['2025-02-03', '2025-02-04', '2025-02-05'])
      changePlan(book, on(date), { billingCycleAnchor: 'now', prorationBehavior: 'always_invoice' });
    expect(left(book)).toEqual([0, 0, 0, 1000]);
  });

  test('that is paid for is owed until it is used or lost', () => {
    const book = bookOf(credit({ ...ALL, percent: '50' }, { category: 'paid' }));
    expect(book.ledger('prepaid_credits')).toBe(-1000);
    month(book, 60);
    expect([left(book), book.ledger('prepaid_credits'), book.ledger('revenue')]).toEqual([[200, 1000], -1200, -200]);
  });

  test('of a quarter is given once a quarter beside a monthly fee', () => {
    const book = new MemoryBook();
    book.price('Fee', '2000');
    book.price('Support', '9000', 'month', {
      intervalCount: 3,
      creditGrant: credit(null, { scope: { priceType: 'licensed' }, amount: 500 }),
    });
    createPaid(book, on('2025-01-31'), ['Fee', 'Support']);
    for (let n = 0; n < 3; n += 1) renew(book);
    expect(inOrder(book).map(({ effectiveAt, expiresAt }) => [effectiveAt, expiresAt])).toEqual([
      [on('2025-01-31'), on('2025-04-30')],
      [on('2025-04-30'), on('2025-07-31')],
    ]);
  });

  test('is foreseen: previews draw it period by period', () => {
    const book = bookOf(credit(ALL, { scope: { priceIds: ['Seat'] }, amount: 700 }));
    book.price('Seat', '900');
    changePlan(book, on('2025-02-01'), {
      items: [{ do: 'add', item: { id: 'si_Seat', priceId: 'Seat', quantity: '1', taxRateIds: [] } }],
      prorationBehavior: 'none',
    });
    const foreseen = foresee(book.snapshot({ asOf: on('2025-02-02') }), 3, book.context(0).newId).map(({ amountDue }) => amountDue);
    for (let n = 0; n < 3; n += 1) renew(book);
    expect(foreseen).toEqual(book.allInvoices.slice(-3).map(({ amountDue }) => amountDue));
  });
});

test('of a subscription that shares its invoice it waits for that, whoever finalises it', () => {
  const home = new Household();
  const [seats, support] = [home.add('seats', on('2025-01-15'), '1200'), home.add('support', on('2025-01-15'), '500')];
  const price = support.prices['support'];
  const item = support.living.items[0];
  if (price === undefined || item === undefined) throw new Error('there is no support');
  support.prices['support'] = { ...price, creditGrant: credit(ALL, { scope: { priceType: 'licensed' }, amount: 700 }) };
  const [start, end] = [on('2025-01-15'), on('2025-02-15')];
  const recurring = { subscriptionId: 'sub_support', itemId: item.id, priceId: 'support', rollover: ALL, periodsRolledOver: 0 };
  const grant = aCreditGrant({ remaining: 400, effectiveAt: start, expiresAt: end, scope: { priceType: 'licensed' }, recurring });
  // The credit is the customer's, whose books these are.
  support.creditGrants.set(grant.id, grant);
  Object.assign(seats, { creditGrants: support.creditGrants });
  home.renew('support');
  expect(inOrder(support).map(({ remaining, expiresAt }) => [remaining, expiresAt])).toEqual([
    [400, end],
    [700, on('2025-03-15')],
  ]);
  const finalised = home.renew('seats');
  // Seats and support begin with the new period, so its credit pays for them; that of the last one goes on after them.
  expect(seats.lastInvoice).toMatchObject({ total: 1700, amountDue: 1000, creditDraws: [{ amount: 700 }] });
  expect(inOrder(support).map(({ remaining, expiresAt }) => [remaining, expiresAt])).toEqual([
    [400, on('2025-03-15')],
    [0, on('2025-03-15')],
  ]);
  expect(finalised.events.map(({ type }) => type)).toContain('billing.credit_grant.updated');
});

test('random lives: what was given is what was drawn, lost and is left; never more is carried than the terms say; the books agree', () => {
  const terms = fc.record({
    percent: fc.constantFrom('100', '50', '12.5'),
    maxAmount: fc.option(fc.integer({ min: 1, max: 2500 })),
    maxPeriods: fc.option(fc.integer({ min: 1, max: 3 })),
  });
  fc.assert(
    fc.property(
      fc.option(terms),
      fc.constantFrom('paid' as const, 'promotional' as const),
      fc.array(fc.tuple(fc.nat(300), fc.constantFrom('renew', 'anew', 'void')), { minLength: 1, maxLength: 8 }),
      (rollover, category, periods) => {
        const book = bookOf(credit(rollover, { category }));
        const moves: CreditTransaction[] = [];
        for (const [calls, fate] of periods) {
          book.used.push({ meterId: 'mtr_1', at: book.living.currentPeriodStart + 60, value: calls });
          const at = book.living.currentPeriodStart + 86_400;
          const done = [
            fate === 'anew' ? changePlan(book, at, { billingCycleAnchor: 'now', prorationBehavior: 'always_invoice' }) : renew(book),
            ...(fate === 'void' && book.lastInvoice.status === 'open'
              ? [book.do(book.lastInvoice.createdAt, decideVoid, { invoiceId: book.lastInvoice.id })]
              : []),
          ];
          moves.push(...done.flatMap(({ credits }) => credits.transactions));
          payAll(book, book.lastInvoice.createdAt);
        }
        for (const { id, amount, remaining, recurring } of book.creditGrants.values()) {
          const own = moves.filter(({ grantId, type }) => grantId === id && type !== 'credits_granted');
          expect(amount + own.reduce((sum, move) => sum + move.amount, 0)).toBe(remaining);
          expect(recurring?.periodsRolledOver ?? 0).toBeLessThanOrEqual(rollover?.maxPeriods ?? (rollover ? periods.length : 0));
        }
        // What comes back from a voided invoice is held to the terms at the next boundary.
        const isSettled = periods.every(([, fate]) => fate !== 'void');
        const carried = inOrder(book).filter(({ recurring }) => (recurring?.periodsRolledOver ?? 0) > 0);
        const sum = (grants: CreditGrant[]): number => grants.reduce((total, { remaining }) => total + remaining, 0);
        if (isSettled) expect(sum(carried)).toBeLessThanOrEqual(rollover ? (rollover.maxAmount ?? Number.POSITIVE_INFINITY) : 0);
        expect(book.ledger('prepaid_credits') + (category === 'paid' ? sum(inOrder(book)) : 0)).toBe(0);
      },
    ),
    { numRuns: 200 },
  );
});
