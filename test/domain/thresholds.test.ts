import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideScheduledApplication } from '../../domain/subscription/apply-scheduled-change.ts';
import { decideThreshold } from '../../domain/subscription/bill-threshold.ts';
import { decideChange } from '../../domain/subscription/change-plan.ts';
import { foresee } from '../../domain/subscription/foresee.ts';
import type { BillingThresholds } from '../../domain/subscription/subscription.ts';
import { aMeter } from '../api/examples.ts';
import { type MemoryBook, on } from '../support/memory-book.ts';
import { METERED, meteredBook, use } from '../support/metered-book.ts';
import {
  cancel,
  change,
  changeItem,
  changePlan,
  create,
  createPaid,
  linesOf,
  pause,
  reactivate,
  renew,
  resume,
  schedule,
} from '../support/subscribe.ts';

const last = (book: MemoryBook): string[] => linesOf(book.lastInvoice);
const look = (book: MemoryBook, date: string) => book.do(on(date), decideThreshold);
const at = (amountGte: number, resetBillingCycleAnchor = false): { billingThresholds: BillingThresholds } => ({
  billingThresholds: { amountGte, resetBillingCycleAnchor },
});
const usageOf = (book: MemoryBook): number =>
  book.allInvoices
    .flatMap(({ lines }) => lines)
    .filter(({ explanation }) => explanation.usage)
    .reduce((sum, { amount }) => sum + amount, 0);

describe('a threshold', () => {
  test('bills what was used once it is worth as much, and the rest at the end of the period; tiers go on', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-31'), ['base', 'tiered'], at(1000));
    use(book, '2025-02-03', 800);
    expect(look(book, '2025-02-03').invoices).toEqual([]);
    use(book, '2025-02-05', 400);
    look(book, '2025-02-05');
    expect(last(book)).toEqual(['1200 × tiered (graduated tiers / month) 1100']);
    expect(book.lastInvoice).toMatchObject({
      billingReason: 'subscription_threshold',
      periodStart: on('2025-01-31'),
      periodEnd: on('2025-02-05'),
    });
    const [early] = book.lastInvoice.lines;
    expect(early?.period).toEqual({ start: on('2025-01-31'), end: on('2025-02-05') });
    expect(book.living).toMatchObject({ currentPeriodEnd: on('2025-02-28'), latestInvoiceId: book.lastInvoice.id });
    // What was billed does not count again, and 900 more at half a cent are worth less.
    use(book, '2025-02-06', 900);
    expect(look(book, '2025-02-06').invoices).toEqual([]);
    // Late, and not told apart: the stretch is rated as a whole.
    use(book, '2025-02-01', 100);
    renew(book);
    expect(last(book)).toEqual(['1000 more × tiered (graduated tiers / month) 500', '1 × base (at EUR 50.00 / month) 5000']);
    expect(book.lastInvoice.lines[0]).toMatchObject({
      quantity: '1000',
      period: { start: on('2025-01-31'), end: on('2025-02-28') },
      explanation: {
        rule: 'usage',
        sentence:
          '2200 seats (EUR 0.01 x 1000 + EUR 0.005 x 1200) used 2025-01-31 to 2025-02-28 (sum of 4 events) = EUR 16.00, less EUR 11.00 billed for 1200 = EUR 5.00',
        usage: { quantity: '2200', corrects: { invoiceLineId: early?.id, quantity: '1200', amount: 1100 } },
      },
    });
    expect([...book.usage.values()]).toMatchObject([
      {
        start: on('2025-01-31'),
        end: on('2025-02-28'),
        quantity: '2200',
        amount: 1600,
        net: 1600,
        runsOn: false,
        invoiceLineId: early?.id,
      },
    ]);
    // Over, it is corrected as any other.
    use(book, '2025-02-10', 10);
    renew(book);
    expect(last(book)[0]).toBe('10 more × tiered, used 31 Jan 2025 to 28 Feb 2025 and reported late 5');
  });

  test('is reached again and again, and asked twice bills once; nothing else is on the invoice', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-01'), ['base', 'calls'], at(100));
    changePlan(book, on('2025-01-02'), { items: [{ do: 'update', itemId: 'si_base', quantity: '2' }] });
    for (const [date, value] of [['2025-01-03', 60] as const, ['2025-01-04', 70] as const]) {
      use(book, date, value);
      look(book, date);
      expect(look(book, date).invoices).toEqual([]);
    }
    expect(book.allInvoices.slice(1).map(linesOf)).toEqual([
      ['60 × calls (at EUR 0.02 / month) 120'],
      ['70 more × calls (at EUR 0.02 / month) 140'],
    ]);
    renew(book);
    expect(last(book)).toContain('0 more × calls (at EUR 0.02 / month) 0');
    expect(book.lastInvoice.lines.some(({ proration }) => proration)).toBe(true);
  });

  test('of units counts those of one item that are not billed yet, and bills all items', () => {
    const book = meteredBook();
    create(book, on('2025-01-01'), [], {
      items: [
        { id: 'si_calls', priceId: 'calls', quantity: '1', taxRateIds: [], usageGte: 100 },
        { id: 'si_dear', priceId: 'dear', quantity: '1', taxRateIds: [] },
      ],
    });
    use(book, '2025-01-10', 99);
    expect(look(book, '2025-01-10').invoices).toEqual([]);
    use(book, '2025-01-11', 1);
    look(book, '2025-01-11');
    expect(last(book)).toEqual(['100 × calls (at EUR 0.02 / month) 200', '100 × dear (at EUR 0.10 / month) 1000']);
    use(book, '2025-01-12', 99);
    expect(look(book, '2025-01-12').invoices).toEqual([]);
    expect(() =>
      changePlan(book, on('2025-01-13'), {
        items: [{ do: 'add', item: { id: 'si_base', priceId: 'base', quantity: '1', taxRateIds: [], usageGte: 1 } }],
      }),
    ).toThrow('not metered');
    changePlan(book, on('2025-01-13'), { items: [{ do: 'update', itemId: 'si_calls', usageGte: null }] });
    use(book, '2025-01-14', 500);
    expect(look(book, '2025-01-14').invoices).toEqual([]);
  });

  test('begins a new period where it is to: the rest of the old one is given back', () => {
    const book = meteredBook({ account: { prorationBasis: 'day' } });
    createPaid(book, on('2025-01-01'), ['base', 'calls'], at(100, true));
    use(book, '2025-01-16', 50);
    look(book, '2025-01-16');
    expect(last(book)).toEqual([
      '50 × calls (at EUR 0.02 / month) 100',
      'Unused time on base after 16 Jan 2025 -2581',
      '1 × base (at EUR 50.00 / month) 5000',
    ]);
    expect(book.living).toMatchObject({
      billingCycleAnchor: on('2025-01-16'),
      currentPeriodStart: on('2025-01-16'),
      currentPeriodEnd: on('2025-02-16'),
    });
    use(book, '2025-01-17', 10);
    renew(book);
    expect(last(book)).toEqual(['10 × calls (at EUR 0.02 / month) 20', '1 × base (at EUR 50.00 / month) 5000']);
  });

  test('is compared before discounts and taxes; what is given back of it is what was paid', () => {
    const book = meteredBook();
    book.coupon('fifty', 50, { duration: 'forever', durationInMonths: null });
    createPaid(book, on('2025-01-01'), ['volume'], { ...at(1000), discounts: [{ couponId: 'fifty' }] });
    use(book, '2025-01-10', 1000);
    look(book, '2025-01-10');
    expect(book.lastInvoice).toMatchObject({ subtotal: 1000, total: 950 });
    // With the unit after them all become cheaper.
    use(book, '2025-01-11', 1);
    renew(book);
    expect(last(book)).toEqual(['1 more × volume (volume tiers / month) -474']);
    expect([...book.usage.values()]).toMatchObject([{ amount: 501, net: 476 }]);
  });

  test('lets a change of price, a pause and an end bill the rest', () => {
    const changed = meteredBook();
    createPaid(changed, on('2025-01-01'), ['tiered'], at(1000));
    use(changed, '2025-01-10', 1000);
    look(changed, '2025-01-10');
    use(changed, '2025-01-12', 100);
    changeItem(changed, on('2025-01-15'), 'si_tiered', { priceId: 'calls' });
    use(changed, '2025-01-16', 5);
    renew(changed);
    expect(last(changed)).toEqual(['100 more × tiered (graduated tiers / month) 50', '5 × calls (at EUR 0.02 / month) 10']);

    const paused = meteredBook();
    createPaid(paused, on('2025-01-01'), ['tiered'], at(1000));
    use(paused, '2025-01-10', 1000);
    look(paused, '2025-01-10');
    use(paused, '2025-01-12', 100);
    pause(paused, on('2025-01-15'));
    expect(last(paused)).toEqual(['100 more × tiered (graduated tiers / month) 50']);
    use(paused, '2025-01-17', 7000);
    expect(look(paused, '2025-01-17').invoices).toEqual([]);
    resume(paused, on('2025-01-20'));
    use(paused, '2025-01-21', 1000);
    look(paused, '2025-01-21');
    expect(last(paused)).toEqual(['1000 × tiered (graduated tiers / month) 1000']);

    const ended = meteredBook();
    createPaid(ended, on('2025-01-01'), ['tiered'], at(1000));
    use(ended, '2025-01-10', 1000);
    look(ended, '2025-01-10');
    use(ended, '2025-01-12', 100);
    cancel(ended, on('2025-01-15'), { invoiceNow: true });
    expect(last(ended)).toEqual(['100 more × tiered (graduated tiers / month) 50']);

    const back = meteredBook();
    createPaid(back, on('2025-01-01'), ['tiered'], at(1000));
    use(back, '2025-01-10', 1000);
    look(back, '2025-01-10');
    use(back, '2025-01-12', 100);
    cancel(back, on('2025-01-15'));
    reactivate(back, on('2025-01-20'));
    use(back, '2025-01-21', 30);
    renew(back);
    expect(last(back)).toEqual(['30 × tiered (graduated tiers / month) 30']);
  });

  test('a price that changes at the end of the period bills what was used before at the price before', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-01'), ['tiered'], at(1000));
    use(book, '2025-01-10', 1000);
    look(book, '2025-01-10');
    changePlan(book, on('2025-01-11'), { items: [{ do: 'update', itemId: 'si_tiered', priceId: 'calls' }], effectiveAt: 'period_end' });
    use(book, '2025-01-12', 100);
    const [scheduled] = book.living.scheduledChanges;
    book.do(on('2025-02-01'), (snapshot, context) => decideScheduledApplication(snapshot, { changeId: scheduled?.id ?? '' }, context));
    renew(book);
    expect(last(book)).toEqual(['100 more × tiered (graduated tiers / month) 50']);
    use(book, '2025-02-12', 5);
    renew(book);
    expect(last(book)).toEqual(['5 × calls (at EUR 0.02 / month) 10']);
  });

  test('a minimum is made up for at the end, a maximum holds, and a level counts for the time that is over', () => {
    const book = meteredBook();
    book.price('limited', '2', 'month', { recurring: { ...METERED.recurring, minimumAmount: 500, maximumAmount: 900 } });
    createPaid(book, on('2025-01-01'), ['limited'], at(200));
    use(book, '2025-01-10', 100);
    look(book, '2025-01-10');
    expect(last(book)).toEqual(['100 × limited (at EUR 0.02 / month) 200']);
    renew(book);
    expect(last(book)).toEqual(['0 more × limited (at EUR 0.02 / month) 0', 'Minimum commitment for limited 300']);
    expect([...book.usage.values()]).toMatchObject([{ amount: 500, net: 500, minimum: 500, maximum: 900 }]);
    use(book, '2025-02-10', 1000);
    look(book, '2025-02-10');
    renew(book);
    expect(book.allInvoices.slice(-2).map(linesOf)).toEqual([
      ['1000 × limited (at EUR 0.02 / month) 900'],
      ['0 more × limited (at EUR 0.02 / month) 0'],
    ]);

    const level = meteredBook({ account: { prorationBasis: 'day' } });
    level.meters['mtr_1'] = { ...aMeter(), formula: 'weighted_sum' };
    createPaid(level, on('2025-04-01'), ['calls'], at(1000));
    use(level, '2025-04-01', 1000);
    expect(look(level, '2025-04-15').invoices).toEqual([]);
    look(level, '2025-04-16');
    expect(last(level)).toEqual(['500 × calls (at EUR 0.02 / month) 1000']);
    renew(level);
    expect(last(level)).toEqual(['500 more × calls (at EUR 0.02 / month) 1000']);
  });

  test('cannot be set for later', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-01'), ['calls']);
    const later = { effectiveAt: 'period_end' } as const;
    expect(() => changePlan(book, on('2025-01-02'), { ...later, ...at(5) })).toThrow('billing_thresholds with effective_at');
    const items = [{ do: 'update', itemId: 'si_calls', usageGte: 5 }] as const;
    expect(() => changePlan(book, on('2025-01-02'), { ...later, items: [...items] })).toThrow(
      'items[0][billing_thresholds] with effective_at',
    );
  });

  test('leaves the rest for the next invoice, as a preview says', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-01'), ['tiered'], at(1000));
    use(book, '2025-01-10', 1200);
    look(book, '2025-01-10');
    use(book, '2025-01-11', 100);
    let made = 0;
    const coming = foresee(book.snapshot({ asOf: on('2025-01-12') }), 2, (prefix) => `${prefix}_p${(made += 1)}`);
    expect(coming.map(linesOf)).toEqual([['100 more × tiered (graduated tiers / month) 50'], ['0 × tiered (graduated tiers / month) 0']]);
  });

  test('waits while it is unpaid, on trial or about to end', () => {
    const trial = meteredBook();
    createPaid(trial, on('2025-01-01'), ['calls'], { ...at(1), trial: { days: 7 } });
    use(trial, '2025-01-03', 100);
    expect(look(trial, '2025-01-03').invoices).toEqual([]);
    const ending = meteredBook();
    createPaid(ending, on('2025-01-01'), ['calls'], at(1));
    schedule(ending, on('2025-01-02'), on('2025-01-10'));
    use(ending, '2025-01-05', 100);
    expect(look(ending, '2025-01-10').invoices).toEqual([]);
    const none = meteredBook();
    createPaid(none, on('2025-01-01'), ['calls'], at(1));
    none.do(on('2025-01-02'), (snapshot, context) => decideChange(snapshot, change({ billingThresholds: null }), context));
    use(none, '2025-01-05', 100);
    expect(look(none, '2025-01-05').invoices).toEqual([]);
  });
});

describe('late usage', () => {
  const late = (lateUsage: 'rerate' | 'next_invoice'): MemoryBook => {
    const book = meteredBook({ account: { lateUsage } });
    createPaid(book, on('2025-01-01'), ['calls']);
    use(book, '2025-01-10', 100);
    renew(book);
    use(book, '2025-02-02', 1000);
    use(book, '2025-01-20', 50);
    return book;
  };

  test('is invoiced at once where the account re-rates, by itself, and once', () => {
    const book = late('rerate');
    const line = book.lastInvoice.lines[0];
    look(book, '2025-02-03');
    expect(last(book)).toEqual(['50 more × calls, used 1 Jan 2025 to 1 Feb 2025 and reported late 100']);
    expect(book.lastInvoice).toMatchObject({
      billingReason: 'subscription_update',
      lines: [{ explanation: { rule: 'late_usage', usage: { corrects: { invoiceLineId: line?.id, quantity: '100', amount: 200 } } } }],
    });
    expect(look(book, '2025-02-03').invoices).toEqual([]);
    for (const event of book.used.splice(0, 1)) book.used.push({ ...event, canceled: true });
    look(book, '2025-02-04');
    expect(last(book)).toEqual(['100 less × calls, used 1 Jan 2025 to 1 Feb 2025 and reported late -200']);
    expect(book.customer.balance).toBe(-200);
    renew(book);
    expect(last(book)).toEqual(['1000 × calls (at EUR 0.02 / month) 2000']);
  });

  test('waits for the next invoice where it does not, which may be that of a threshold', () => {
    const book = late('next_invoice');
    expect(look(book, '2025-02-03').invoices).toEqual([]);
    changePlan(book, on('2025-02-03'), at(2000));
    look(book, '2025-02-03');
    expect(last(book)).toEqual([
      '50 more × calls, used 1 Jan 2025 to 1 Feb 2025 and reported late 100',
      '1000 × calls (at EUR 0.02 / month) 2000',
    ]);
  });
});

test('docs/usage.md shows what is billed', () => {
  const book = meteredBook();
  for (const [id, name] of [['base', 'Platform'] as const, ['tiered', 'API calls'] as const]) {
    const product = book.products[book.prices[id]?.productId ?? ''];
    if (product) book.products[product.id] = { ...product, name, unitLabel: null };
  }
  createPaid(book, on('2025-01-31'), ['base', 'tiered'], at(1000));
  use(book, '2025-02-03', 800);
  use(book, '2025-02-05', 400);
  look(book, '2025-02-05');
  use(book, '2025-02-06', 1000);
  renew(book);
  const page = readFileSync(new URL('../../docs/usage.md', import.meta.url), 'utf8');
  const days = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
  const rows = book.allInvoices
    .slice(1)
    .flatMap(({ createdAt, billingReason, lines }) =>
      lines.map(
        ({ description, amount }) =>
          `| ${days.format(createdAt * 1000)}, ${billingReason} | ${description} | EUR ${(amount / 100).toFixed(2)} |`,
      ),
    );
  expect(rows).toHaveLength(3);
  for (const row of [...rows, `*${book.lastInvoice.lines[0]?.explanation.sentence}*`]) expect(page).toContain(row);
});

test('whatever is used, whenever it is told and however often a threshold is reached, a period costs what it would have cost without', () => {
  const events = fc.array(fc.record({ day: fc.integer({ min: 1, max: 28 }), value: fc.integer({ min: 0, max: 900 }) }), { maxLength: 8 });
  fc.assert(
    fc.property(events, fc.integer({ min: 1, max: 1500 }), fc.constantFrom('tiered', 'volume', 'calls'), (told, threshold, price) => {
      const [early, plain] = [meteredBook(), meteredBook()];
      createPaid(early, on('2025-01-31'), [price], at(threshold));
      createPaid(plain, on('2025-01-31'), [price]);
      told.forEach(({ day, value }, index) => {
        const date = `2025-02-${String(Math.min(day, 27)).padStart(2, '0')}`;
        for (const book of [early, plain]) use(book, date, value);
        look(early, `2025-02-27T00:00:${String(index).padStart(2, '0')}Z`);
      });
      renew(early);
      renew(plain);
      expect(usageOf(early)).toBe(usageOf(plain));
    }),
    { numRuns: 60 },
  );
});
