import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expireGrant, grantCredit, moveExpiry, voidGrant } from '../../domain/credits/edit-grant.ts';
import type { CreditGrant } from '../../domain/credits/grant.ts';
import { planDraws } from '../../domain/credits/plan-draws.ts';
import { sumCredits } from '../../domain/credits/sum-credits.ts';
import { emptyDecision } from '../../domain/decision.ts';
import { Refusal } from '../../domain/errors.ts';
import { decideFinalization } from '../../domain/invoicing/finalize-invoice.ts';
import type { InvoiceLine } from '../../domain/invoicing/invoice.ts';
import { decideVoid } from '../../domain/invoicing/void-invoice.ts';
import { bookGrant, expectedReceivable } from '../../domain/ledger/book.ts';
import { formatAmount } from '../../domain/money.ts';
import { foresee } from '../../domain/subscription/foresee.ts';
import { pinPreview } from '../../domain/subscription/keep-preview.ts';
import { aCreditGrant, aLine, aMeter, aPrice, END, START } from '../api/examples.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { changeItem, createPaid, renew } from '../support/subscribe.ts';

const METERED = { recurring: { interval: 'month', intervalCount: 1, usageType: 'metered', meterId: 'mtr_1' } } as const;
const PRICES = { calls: aPrice({ id: 'calls', ...METERED }), seats: aPrice({ id: 'seats' }), data: aPrice({ id: 'data', ...METERED }) };
const lineOf = (priceId: string | null, amount: number, tax = 0): InvoiceLine =>
  aLine({
    id: `il_${priceId}_${amount}`,
    priceId,
    amount,
    taxes:
      tax === 0 ? [] : [{ taxRateId: null, displayName: 'VAT', percentage: '20', inclusive: false, taxableAmount: amount, amount: tax }],
  });
const grant = (id: string, patch: Partial<CreditGrant> = {}): CreditGrant =>
  aCreditGrant({ id, expiresAt: null, ...patch, ...(patch.amount === undefined ? {} : { remaining: patch.amount }) });
const plan = (grants: CreditGrant[], lines: InvoiceLine[], most = 1_000_000): string[] =>
  planDraws(grants, { lines, currency: 'eur', most, prices: PRICES, at: START }).map(
    ({ grant: { id }, lineId, amount }) => `${id} ${lineId.slice(3).split('_')[0]} ${amount}`,
  );

describe('which grant pays what', () => {
  const usage = [lineOf('calls', 600), lineOf('seats', 5000), lineOf('data', 500)];

  test.each<[string, CreditGrant[], InvoiceLine[], string[]]>([
    ['usage alone by default, line by line', [grant('a', { amount: 1000 })], usage, ['a calls 600', 'a data 400']],
    ['never more than there is to pay', [grant('a', { amount: 9000 })], usage, ['a calls 600', 'a data 500']],
    ['only the prices of its list', [grant('a', { scope: { priceIds: ['data'] } })], usage, ['a data 500']],
    ['seats where it is for what is licensed', [grant('a', { scope: { priceType: 'licensed' } })], usage, ['a seats 1000']],
    ['lines of no price never', [grant('a')], [lineOf(null, 700)], []],
    ['taxes with the lines', [grant('a')], [lineOf('calls', 600, 120)], ['a calls 720']],
    ['less where usage that came late gives back', [grant('a')], [lineOf('calls', 600), lineOf('data', -500)], ['a calls 100']],
    [
      'the lowest priority first',
      [grant('a'), grant('b', { priority: 49, amount: 100 })],
      usage,
      ['b calls 100', 'a calls 500', 'a data 500'],
    ],
    [
      'then what expires soonest',
      [grant('a'), grant('b', { expiresAt: END, amount: 100 })],
      [usage[0] as InvoiceLine],
      ['b calls 100', 'a calls 500'],
    ],
    [
      'then what was given away',
      [grant('a', { amount: 500 }), grant('b', { category: 'promotional', amount: 500 })],
      [usage[0] as InvoiceLine],
      ['b calls 500', 'a calls 100'],
    ],
    [
      'then the oldest',
      [grant('a', { amount: 500, createdAt: START }), grant('b', { amount: 500, createdAt: START - 1 })],
      [usage[0] as InvoiceLine],
      ['b calls 500', 'a calls 100'],
    ],
    ['nothing of another currency', [grant('a', { currency: 'usd' })], usage, []],
    ['nothing before it begins', [grant('a', { effectiveAt: START + 1 })], usage, []],
    ['nothing from the instant at which it expires', [grant('a', { expiresAt: START })], usage, []],
    ['up to the second before', [grant('a', { amount: 5, expiresAt: START + 1 })], usage, ['a calls 5']],
    ['nothing of a voided one', [grant('a', { voidedAt: START })], usage, []],
    [
      'what one has paid, no other pays',
      [grant('a', { amount: 300, scope: { priceIds: ['calls'] }, priority: 0 }), grant('b', { amount: 9000 })],
      usage,
      ['a calls 300', 'b calls 300', 'b data 500'],
    ],
  ])('%s', (_, grants, lines, expected) => {
    expect(plan(grants, lines)).toEqual(expected);
    expect(plan([...grants].reverse(), lines)).toEqual(expected);
  });

  test('no more than is left of the invoice', () => {
    expect(plan([grant('a')], usage, 250)).toEqual(['a calls 250']);
    expect(plan([grant('a')], usage, 0)).toEqual([]);
  });

  const anyGrant = fc.record({
    amount: fc.integer({ min: 1, max: 2000 }),
    priority: fc.integer({ min: 0, max: 2 }),
    category: fc.constantFrom('paid' as const, 'promotional' as const),
    expiresAt: fc.constantFrom(null, START, START + 1, END),
    effectiveAt: fc.constantFrom(START - 1, START, START + 1),
    createdAt: fc.constantFrom(START - 2, START - 1),
    scope: fc.constantFrom<CreditGrant['scope']>({ priceType: 'metered' }, { priceType: 'licensed' }, { priceIds: ['calls', 'seats'] }),
  });
  test('whatever there is: never more than a grant has, nor than a line, its lines or the invoice come to, in whatever order they were granted', () => {
    fc.assert(
      fc.property(
        fc.array(anyGrant, { maxLength: 6 }),
        fc.array(fc.tuple(fc.constantFrom('calls', 'seats', 'data'), fc.integer({ min: -900, max: 2000 })), { maxLength: 6 }),
        fc.integer({ min: 0, max: 5000 }),
        fc.infiniteStream(fc.nat()),
        (given, amounts, most, shuffle) => {
          const grants = given.map((patch, index) => grant(`g${index}`, patch));
          const lines = amounts.map(([priceId, amount], index) => ({ ...lineOf(priceId, amount), id: `il_${index}` }));
          const request = { lines, currency: 'eur', most, prices: PRICES, at: START };
          const draws = planDraws(grants, request);
          const of = (some: typeof draws): number => some.reduce((total, { amount }) => total + amount, 0);
          expect(draws.every(({ amount }) => amount > 0)).toBe(true);
          expect(of(draws)).toBeLessThanOrEqual(most);
          for (const one of grants) expect(of(draws.filter((draw) => draw.grant.id === one.id))).toBeLessThanOrEqual(one.remaining);
          for (const line of lines)
            expect(of(draws.filter(({ lineId }) => lineId === line.id))).toBeLessThanOrEqual(Math.max(0, line.amount));
          const keyed = grants.map((one) => [shuffle.next().value as number, one] as const).sort(([a], [b]) => a - b);
          expect(
            planDraws(
              keyed.map(([, one]) => one),
              request,
            ),
          ).toEqual(draws);
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** A subscription of a fee and usage at EUR 0.02, with 20 % VAT. */
function bookWith(...grants: CreditGrant[]): MemoryBook {
  const book = new MemoryBook({ account: { defaultTaxRateIds: ['vat'] } });
  book.taxRate('vat', '20');
  book.meters['mtr_1'] = aMeter();
  book.price('Platform', '5000');
  book.price('Calls', '2', 'month', METERED);
  for (const one of grants) {
    book.creditGrants.set(one.id, one);
    book.journal.push(...bookGrant(one, book.context(on('2025-01-01'))));
  }
  createPaid(book, on('2025-01-01'), ['Platform', 'Calls']);
  return book;
}
const use = (book: MemoryBook, date: string, value: number): void => void book.used.push({ meterId: 'mtr_1', at: on(date), value });
const left = (book: MemoryBook): number[] => [...book.creditGrants.values()].map(({ remaining }) => remaining);
const granted = (id: string, patch: Partial<CreditGrant> = {}): CreditGrant =>
  grant(id, { effectiveAt: on('2025-01-01'), createdAt: on('2025-01-01'), ...patch });

describe('a usage invoice', () => {
  test('is paid by credit after tax, before the balance; what is left is charged', () => {
    const book = bookWith(granted('paid', { amount: 700 }), granted('free', { amount: 500, category: 'promotional' }));
    expect(left(book)).toEqual([700, 500]);
    use(book, '2025-01-10', 1000);
    book.customer = { ...book.customer, balance: -1000 };
    renew(book);
    const invoice = book.lastInvoice;
    // 2000 of usage and 400 of tax on it; the fee of 5000 and its tax are no usage.
    expect(invoice).toMatchObject({
      subtotal: 7000,
      tax: 1400,
      total: 8400,
      amountDue: 8400 - 1200 - 1000,
      startingBalance: -1000,
      endingBalance: 0,
    });
    expect(invoice.creditDraws).toMatchObject([
      { grantId: 'free', category: 'promotional', amount: 500, invoiceLineId: invoice.lines[0]?.id },
      { grantId: 'paid', category: 'paid', amount: 700 },
    ]);
    expect(left(book)).toEqual([0, 0]);
    expect(book.journal.find(({ invoiceId }) => invoiceId === invoice.id)?.entries).toEqual([
      { ledgerAccount: 'receivable', amount: 6200 },
      { ledgerAccount: 'customer_balance', amount: 1000 },
      { ledgerAccount: 'prepaid_credits', amount: 700 },
      { ledgerAccount: 'promotional_credits', amount: 500 },
      { ledgerAccount: 'deferred_revenue', amount: -7000 },
      { ledgerAccount: 'tax_payable', amount: -1400 },
    ]);
    expect(book.events.filter(({ type }) => type === 'billing.credit_balance_transaction.created')).toHaveLength(2);
  });

  test('that credit pays in full is paid at once', () => {
    const book = bookWith(granted('a', { amount: 99_999, scope: { priceIds: ['Platform', 'Calls'] } }));
    use(book, '2025-01-10', 1000);
    renew(book);
    expect(book.lastInvoice).toMatchObject({ status: 'paid', total: 8400, amountDue: 0, amountPaid: 0 });
    expect(book.ledger('receivable')).toBe(0);
    expect(left(book)).toEqual([99_999 - 6000 - 8400]);
  });

  test('draws nothing while it is a draft, and what there is when it is finalised', () => {
    const book = bookWith(granted('a'));
    use(book, '2025-01-10', 100);
    const at = book.living.currentPeriodEnd;
    book.account = { ...book.account, invoiceGraceSeconds: 3600 };
    renew(book);
    expect([book.lastInvoice.status, book.lastInvoice.creditDraws, left(book)]).toEqual(['draft', undefined, [1000]]);
    const about = { invoiceId: book.lastInvoice.id };
    book.do(at + 3600, (snapshot, context) => decideFinalization(snapshot, { automatic: true }, context), about);
    expect([book.lastInvoice.amountDue, left(book)]).toEqual([6240 - 240, [760]]);
  });

  test('gives the credit back when it is voided, and the books with it', () => {
    const book = bookWith(granted('paid', { amount: 300 }), granted('free', { category: 'promotional' }));
    use(book, '2025-01-10', 1000);
    const before = left(book);
    const accounts = ['receivable', 'deferred_revenue', 'tax_payable', 'prepaid_credits', 'promotional_credits'] as const;
    const booked = accounts.map((account) => book.ledger(account));
    renew(book);
    expect(left(book)).toEqual([0, 0]);
    book.do(on('2025-02-02'), decideVoid, { invoiceId: book.lastInvoice.id });
    expect(left(book)).toEqual(before);
    expect(accounts.map((account) => book.ledger(account))).toEqual(booked);
    expect(book.lastInvoice).toMatchObject({ status: 'void', creditDraws: [{ amount: 1000 }, { amount: 300 }] });
  });

  test('that is voided after a grant has expired gives nothing back: it is lost at once, and revenue where it was paid for', () => {
    const book = bookWith(granted('paid', { amount: 300, expiresAt: on('2025-02-02') }));
    use(book, '2025-01-10', 1000);
    renew(book);
    book.do(on('2025-02-03'), decideVoid, { invoiceId: book.lastInvoice.id });
    expect(left(book)).toEqual([0]);
    expect([book.ledger('revenue'), book.ledger('prepaid_credits')]).toEqual([-300, 0]);
  });

  test('notices what has expired since: it pays nothing and what was paid for it is revenue', () => {
    const book = bookWith(
      granted('paid', { amount: 300, expiresAt: on('2025-02-01') }),
      granted('free', { amount: 400, expiresAt: on('2025-01-31'), category: 'promotional' }),
    );
    use(book, '2025-01-10', 1000);
    const { credits } = renew(book);
    expect(credits.transactions.map(({ type, amount, effectiveAt }) => [type, amount, effectiveAt])).toEqual([
      ['credits_expired', -300, on('2025-02-01')],
      ['credits_expired', -400, on('2025-01-31')],
    ]);
    expect([book.lastInvoice.amountDue, book.ledger('revenue'), left(book)]).toEqual([8400, -300, [0, 0]]);
  });

  test('of a credit takes nothing, and a change is previewed with what it would draw', () => {
    const book = bookWith(granted('a', { scope: { priceType: 'licensed' }, amount: 7000 }));
    expect(left(book)).toEqual([7000 - 6000]);
    changeItem(book, on('2025-01-16'), 'si_Platform', { quantity: '2' }, { prorationBehavior: 'always_invoice' });
    expect(book.lastInvoice.creditDraws).toMatchObject([{ amount: 1000 }]);
    expect(left(book)).toEqual([0]);
  });
});

test('previews draw what the invoices will, one after the other, each with what is left and has not expired by then', () => {
  const book = bookWith(granted('a', { amount: 9000, scope: { priceIds: ['Platform'] }, expiresAt: on('2025-04-01') }));
  const [asOf, newId] = [on('2025-01-10'), book.context(0).newId];
  expect(left(book)).toEqual([3000]);
  book.creditGrants.set('b', granted('b', { amount: 7000, scope: { priceIds: ['Platform'] }, expiresAt: on('2025-04-01') }));
  const foreseen = foresee(book.snapshot({ asOf }), 3, newId);
  expect(foreseen.map(({ amountDue }) => amountDue)).toEqual([0, 2000, 6000]);
  const pins = () =>
    pinPreview(book.snapshot({ asOf }), emptyDecision(), { asOf, newId, digest: (text) => createHash('sha256').update(text).digest('hex') })
      .inputs['credits'];
  const before = pins();
  const [a = granted('a')] = [book.creditGrants.get('a')];
  book.creditGrants.delete('a');
  expect(pins()).not.toBe(before);
  book.creditGrants.set('a', a);
  for (let month = 0; month < 3; month += 1) renew(book);
  expect(book.allInvoices.slice(1).map(({ amountDue }) => amountDue)).toEqual([0, 2000, 6000]);
});

test('random lives: credit never exceeds an invoice, what invoices drew is what grants lost, and the books agree', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          amount: fc.integer({ min: 1, max: 9000 }),
          category: fc.constantFrom('paid' as const, 'promotional' as const),
          months: fc.integer({ min: 0, max: 6 }),
        }),
        { maxLength: 4 },
      ),
      fc.array(fc.record({ used: fc.nat(2000), fate: fc.constantFrom('pay', 'void', 'leave') }), { minLength: 1, maxLength: 6 }),
      (wishes, months) => {
        const book = bookWith();
        for (const [index, { amount, category, months: life }] of wishes.entries()) {
          const expiresAt = life === 0 ? null : on(`2025-0${life + 1}-15`);
          const given = {
            id: `g${index}`,
            customerId: 'cus_1',
            name: null,
            category,
            amount,
            currency: 'eur',
            scope: { priceType: 'metered' as const },
          };
          const change = grantCredit(
            { ...given, priority: 50, metadata: {}, effectiveAt: null, expiresAt },
            book.context(on('2025-01-01')),
          );
          book.creditGrants.set(change.grant.id, change.grant);
          book.journal.push(...change.journal);
        }
        const moved = new Map<string, number>();
        for (const { used, fate } of months) {
          book.used.push({ meterId: 'mtr_1', at: book.living.currentPeriodStart + 60, value: used });
          const { currentPeriodEnd: at } = book.living;
          for (const { grantId, amount } of renew(book).credits.transactions) moved.set(grantId, (moved.get(grantId) ?? 0) + amount);
          const invoice = book.lastInvoice;
          const drawn = (invoice.creditDraws ?? []).reduce((total, { amount }) => total + amount, 0);
          expect(drawn).toBeLessThanOrEqual(Math.max(0, invoice.total));
          if (invoice.status === 'open' && fate === 'pay') book.pay(invoice.id, at);
          if (invoice.status === 'open' && fate === 'void')
            for (const { grantId, amount } of book.do(at, decideVoid, { invoiceId: invoice.id }).credits.transactions)
              moved.set(grantId, (moved.get(grantId) ?? 0) + amount);
        }
        for (const { id, amount, remaining } of book.creditGrants.values()) expect(amount + (moved.get(id) ?? 0)).toBe(remaining);
        const owed = [...book.creditGrants.values()]
          .filter(({ category }) => category === 'paid')
          .reduce((total, { remaining }) => total - remaining, 0);
        expect(book.ledger('prepaid_credits')).toBe(owed === 0 ? 0 : owed);
        expect(book.ledger('receivable')).toBe(book.allInvoices.reduce((total, invoice) => total + expectedReceivable(invoice), 0));
      },
    ),
    { numRuns: 60 },
  );
});

describe('a grant', () => {
  const context = (asOf = START) => ({ asOf, newId: (prefix: string) => `${prefix}_x` });
  const wish = {
    id: 'credgr_9',
    customerId: 'cus_1',
    name: null,
    category: 'paid',
    amount: 500,
    currency: 'eur',
    scope: { priceType: 'metered' },
    priority: 50,
    metadata: {},
  } as const;
  const entriesOf = ({ journal }: { journal: { entries: object[] }[] }) => journal.flatMap(({ entries }) => entries);

  test('that was paid for is owed: its sale moves from deferred revenue; one that is given away is booked when it is drawn', () => {
    const bought = grantCredit({ ...wish, effectiveAt: END, expiresAt: null }, context());
    expect(bought.grant).toMatchObject({ remaining: 500, effectiveAt: END, createdAt: START });
    expect(bought.transactions).toMatchObject([{ type: 'credits_granted', amount: 500, effectiveAt: END, createdAt: START }]);
    expect(entriesOf(bought)).toEqual([
      { ledgerAccount: 'deferred_revenue', amount: 500 },
      { ledgerAccount: 'prepaid_credits', amount: -500 },
    ]);
    expect(grantCredit({ ...wish, category: 'promotional', effectiveAt: null, expiresAt: null }, context()).journal).toEqual([]);
  });

  test.each<[string, () => unknown, string, string?]>([
    [
      'begin in the past',
      () => grantCredit({ ...wish, effectiveAt: START - 1, expiresAt: null }, context()),
      'date_out_of_range',
      'effective_at',
    ],
    [
      'end before it begins',
      () => grantCredit({ ...wish, effectiveAt: END, expiresAt: END }, context()),
      'date_out_of_range',
      'expires_at',
    ],
    ['be moved to end in the past', () => moveExpiry(grant('a'), START, context()), 'date_out_of_range', 'expires_at'],
    ['be revived', () => moveExpiry(grant('a', { expiresAt: START }), END, context()), 'transition_not_allowed'],
    ['expire twice', () => expireGrant(grant('a', { expiresAt: START }), context()), 'transition_not_allowed'],
    ['be voided twice', () => voidGrant(grant('a', { voidedAt: START }), context()), 'transition_not_allowed'],
    ['be voided once something of it is used', () => voidGrant(aCreditGrant({ remaining: 999 }), context()), 'transition_not_allowed'],
  ])('cannot %s', (_, act, code, param) => {
    const error = (() => {
      try {
        return act();
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(Refusal);
    expect(error).toMatchObject({ code, ...(param === undefined ? {} : { param }) });
  });

  test('expires with what is left of it, and is voided whole', () => {
    const over = expireGrant(aCreditGrant({ remaining: 400 }), context());
    expect(over).toMatchObject({ grant: { remaining: 0, expiresAt: START }, transactions: [{ type: 'credits_expired', amount: -400 }] });
    expect(entriesOf(over)).toEqual([
      { ledgerAccount: 'revenue', amount: -400 },
      { ledgerAccount: 'prepaid_credits', amount: 400 },
    ]);
    expect(expireGrant(aCreditGrant({ remaining: 0 }), context())).toMatchObject({ transactions: [], journal: [] });
    const gone = voidGrant(aCreditGrant(), context());
    expect(gone).toMatchObject({ grant: { remaining: 0, voidedAt: START }, transactions: [{ type: 'credits_voided', amount: -1000 }] });
    expect(entriesOf(gone)).toContainEqual({ ledgerAccount: 'deferred_revenue', amount: -1000 });
  });

  test('balances are of what pays for the scope, per currency; what begins later is owed and not available', () => {
    const grants = [
      grant('a', { amount: 100 }),
      grant('b', { amount: 20, effectiveAt: END }),
      grant('c', { amount: 3, scope: { priceIds: ['calls'] } }),
      grant('d', { amount: 4, currency: 'usd' }),
      grant('e', { amount: 50_000, expiresAt: START }),
    ];
    const metered = { scope: { priceType: 'metered' as const } };
    expect(sumCredits(grants, metered, [], START)).toEqual([
      { currency: 'eur', available: 100, ledger: 120 },
      { currency: 'usd', available: 4, ledger: 4 },
    ]);
    expect(sumCredits(grants, { scope: { priceIds: ['calls'] } }, [PRICES.calls], START)[0]).toMatchObject({ available: 103 });
    expect(sumCredits(grants, { grantId: 'c' }, [], START)).toEqual([{ currency: 'eur', available: 3, ledger: 3 }]);
  });
});

test('docs/credits.md: the invoice is the one that is billed', () => {
  const page = readFileSync(new URL('../../docs/credits.md', import.meta.url), 'utf8');
  const book = bookWith(
    granted('Welcome', { name: 'Welcome', amount: 500, category: 'promotional', expiresAt: on('2025-03-01') }),
    granted('Pack of 20', { name: 'Pack of 20', amount: 2000 }),
  );
  use(book, '2025-01-10', 1000);
  renew(book);
  const money = (amount: number): string => formatAmount(amount, 'eur').replace('EUR ', '');
  const { lines, total, amountDue, creditDraws = [] } = book.lastInvoice;
  const table = [
    '| | net | VAT |',
    '| --- | ---: | ---: |',
    ...lines.map((line) => `| ${line.description} | ${money(line.amount)} | ${money(line.taxes[0]?.amount ?? 0)} |`),
    `| **Total ${formatAmount(total, 'eur')}** | | |`,
    ...creditDraws.map(({ grantId, amount }) => `| ${grantId} | -${money(amount)} | |`),
    `| **Due ${formatAmount(amountDue, 'eur')}** | | |`,
  ].join('\n');
  expect(page.split('<!-- invoice:start -->\n')[1]?.split('\n<!-- invoice:end -->')[0]).toBe(table);
});
