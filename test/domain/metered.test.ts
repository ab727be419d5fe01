import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BillingSnapshot } from '../../domain/billing-snapshot.ts';
import type { DecisionContext } from '../../domain/invoicing/draft-decision.ts';
import { decideChange } from '../../domain/subscription/change-plan.ts';
import { foresee } from '../../domain/subscription/foresee.ts';
import { decideAsPreviewed, pinPreview } from '../../domain/subscription/keep-preview.ts';
import { decideRenewal } from '../../domain/subscription/renew.ts';
import { decidePendingUpdate } from '../../domain/subscription/resolve-pending-update.ts';
import { instant } from '../../domain/time.ts';
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
  payAll,
  reactivate,
  renew,
  resume,
  schedule,
} from '../support/subscribe.ts';

const last = (book: MemoryBook): string[] => linesOf(book.lastInvoice);

describe('a renewal', () => {
  test('bills what was used in the period that ends beside the fees of the next, each instant once', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-31'), ['base', 'tiered']);
    expect(last(book)).toEqual(['1 × base (at EUR 50.00 / month) 5000']);
    use(book, '2025-01-30T23:59:59Z', 1_000_000);
    use(book, '2025-01-31', 800);
    use(book, '2025-02-27T23:59:59Z', 700);
    use(book, '2025-02-28', 20);
    renew(book);
    expect(last(book)).toEqual(['1500 × tiered (graduated tiers / month) 1250', '1 × base (at EUR 50.00 / month) 5000']);
    expect(book.lastInvoice.lines[0]).toMatchObject({
      quantity: '1500',
      proration: false,
      period: { start: on('2025-01-31'), end: on('2025-02-28') },
      explanation: {
        rule: 'usage',
        tiers: [{ amount: 1000 }, { amount: 250 }],
        usage: { events: 2, quantity: '1500', watermark: 4, corrects: null },
      },
    });
    renew(book);
    expect(last(book)[0]).toBe('20 × tiered (graduated tiers / month) 20');
    expect(book.lastInvoice.lines[0]?.period).toEqual({ start: on('2025-02-28'), end: on('2025-03-31') });
  });

  test('asked twice it bills once, and late it bills to its boundary', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-01'), ['base', 'calls']);
    use(book, '2025-01-15', 5);
    use(book, '2025-02-02', 7);
    renew(book, on('2025-02-03'));
    expect(last(book)[0]).toBe('5 × calls (at EUR 0.02 / month) 10');
    const again = decideRenewal(book.snapshot({ asOf: on('2025-02-03') }), book.context(on('2025-02-03')));
    expect(again).toMatchObject({ invoices: [], usage: { insert: [], change: [] } });
  });

  test('two periods late, the first stretch ends where the first period does', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-01'), ['base', 'calls']);
    use(book, '2025-01-15', 5);
    use(book, '2025-02-15', 7);
    renew(book, on('2025-03-02'));
    expect(last(book)[0]).toBe('5 × calls (at EUR 0.02 / month) 10');
    renew(book, on('2025-03-02'));
    expect(last(book)[0]).toBe('7 × calls (at EUR 0.02 / month) 14');
  });

  test('of a day on which the clocks change has 23 or 25 hours of usage', () => {
    const book = meteredBook({ account: { billingTimezone: 'Europe/Berlin' } });
    book.price('daily', '1', 'day', { recurring: { ...METERED.recurring, interval: 'day' } });
    createPaid(book, instant('2025-03-29T23:00:00Z'), ['daily']);
    use(book, '2025-03-30T21:59:59Z', 3);
    use(book, '2025-03-30T22:00:00Z', 4);
    renew(book);
    expect(book.lastInvoice.lines[0]?.period).toEqual({ start: instant('2025-03-29T23:00:00Z'), end: instant('2025-03-30T22:00:00Z') });
    expect(last(book)).toEqual(['3 × daily (at EUR 0.01 / day) 3']);
  });

  test('bills an item of a longer interval at the end of its own', () => {
    const book = meteredBook();
    book.price('quarter', '1', 'month', { recurring: { ...METERED.recurring, intervalCount: 3 } });
    createPaid(book, on('2025-01-31'), ['base', 'quarter']);
    for (const date of ['2025-02-10', '2025-03-10', '2025-04-10']) use(book, date, 10);
    renew(book);
    renew(book);
    expect(book.allInvoices.flatMap(linesOf).filter((line) => line.includes('quarter'))).toEqual([]);
    renew(book);
    expect(last(book)[0]).toBe('30 × quarter (at EUR 0.01 / 3 months) 30');
    renew(book);
    expect(last(book)).toEqual(['1 × base (at EUR 50.00 / month) 5000']);
  });

  test('is foreseen with what has been used so far, and nothing of what is to come', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-01'), ['base', 'tiered']);
    use(book, '2025-01-15', 1500);
    const snapshot = book.snapshot({ asOf: on('2025-01-20') });
    let n = 0;
    const foreseen = foresee(snapshot, 2, (prefix) => `${prefix}_${(n += 1)}`);
    expect(foreseen.map(linesOf)).toEqual([
      ['1500 × tiered (graduated tiers / month) 1250', '1 × base (at EUR 50.00 / month) 5000'],
      ['0 × tiered (graduated tiers / month) 0', '1 × base (at EUR 50.00 / month) 5000'],
    ]);
  });
});

describe('events that come late', () => {
  test('are a line that points at the one they correct, once', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-01'), ['base', 'tiered']);
    use(book, '2025-01-15', 1500);
    renew(book);
    const [used] = book.lastInvoice.lines;
    use(book, '2025-01-20', 100);
    renew(book);
    expect(last(book)).toEqual([
      '100 more × tiered, used 1 Jan 2025 to 1 Feb 2025 and reported late 50',
      '0 × tiered (graduated tiers / month) 0',
      '1 × base (at EUR 50.00 / month) 5000',
    ]);
    expect(book.lastInvoice.lines[0]?.explanation).toMatchObject({
      rule: 'late_usage',
      usage: {
        quantity: '1600',
        corrects: { invoiceId: used && book.allInvoices[1]?.id, invoiceLineId: used?.id, quantity: '1500', amount: 1250 },
      },
    });
    renew(book);
    expect(last(book)[0]).toBe('0 × tiered (graduated tiers / month) 0');
  });

  test('give back where events are cancelled, at what was paid for them', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-01'), ['base', 'tiered']);
    use(book, '2025-01-15', 1200);
    use(book, '2025-01-16', 300);
    renew(book);
    const [period] = book.usage.values();
    // As if a fifth of it had been taken off by a coupon.
    if (period) book.usage.set(period.id, { ...period, net: 1000 });
    for (const event of book.used.splice(1)) book.used.push({ ...event, canceled: true });
    renew(book);
    expect(last(book)[0]).toBe('300 less × tiered, used 1 Jan 2025 to 1 Feb 2025 and reported late -120');
    expect(book.lastInvoice.lines[0]?.explanation.notes).toEqual(['given back at what was paid for it after discounts']);
    expect([...book.usage.values()][0]).toMatchObject({ quantity: '1200', amount: 1100, net: 880 });
  });

  test('come with whatever begins a period: the end of a pause, and a new anchor', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-01'), ['base', 'tiered']);
    use(book, '2025-01-15', 1500);
    pause(book, on('2025-01-20'));
    use(book, '2025-01-16', 100);
    resume(book, on('2025-06-01'), { billingCycleAnchor: 'now' });
    expect(last(book)[0]).toMatch(/^100 more × tiered, used 1 Jan 2025 to .* and reported late 50$/);
    use(book, '2025-01-17', 20);
    changePlan(book, on('2025-06-10'), { billingCycleAnchor: 'now', prorationBehavior: 'none' });
    expect(last(book)[0]).toMatch(/^20 more × tiered, used 1 Jan 2025 to .* and reported late 10$/);
    renew(book);
    expect(last(book)).toEqual(['0 × tiered (graduated tiers / month) 0', '1 × base (at EUR 50.00 / month) 5000']);
  });
});

describe('a change', () => {
  test('of the price bills what was used until then at the old one', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-01'), ['base', 'calls']);
    use(book, '2025-01-10', 100);
    changeItem(book, on('2025-01-16'), 'si_calls', { priceId: 'dear' });
    expect([...book.pendingItems.values()].map(({ line }) => `${line.description} ${line.amount}`)).toEqual([
      '100 × calls (at EUR 0.02 / month) 200',
    ]);
    use(book, '2025-01-20', 50);
    renew(book);
    expect(last(book)).toEqual([
      '100 × calls (at EUR 0.02 / month) 200',
      '50 × dear (at EUR 0.10 / month) 500',
      '1 × base (at EUR 50.00 / month) 5000',
    ]);
    expect([...book.usage.values()].map(({ invoiceId }) => invoiceId)).toEqual([book.lastInvoice.id, book.lastInvoice.id]);
  });

  test('invoiced now takes it along; removing bills it, and a licensed item that becomes metered is so from then on', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-01'), ['base', 'calls']);
    use(book, '2025-01-10', 100);
    changePlan(book, on('2025-01-16'), { items: [{ do: 'remove', itemId: 'si_calls' }], prorationBehavior: 'always_invoice' });
    expect(last(book)).toEqual(['100 × calls (at EUR 0.02 / month) 200']);
    changeItem(book, on('2025-01-17'), 'si_base', { priceId: 'dear' }, { prorationBehavior: 'none' });
    use(book, '2025-01-18', 3);
    renew(book);
    expect(last(book)).toContain('3 × dear (at EUR 0.10 / month) 30');
  });

  test('to a new interval ends the stretch with the period', () => {
    const book = meteredBook();
    book.price('yearly', '50000', 'year');
    book.price('callsYear', '2', 'year', { recurring: { ...METERED.recurring, interval: 'year' } });
    createPaid(book, on('2025-01-01'), ['base', 'calls']);
    use(book, '2025-01-10', 100);
    changePlan(book, on('2025-01-16'), {
      items: [
        { do: 'update', itemId: 'si_base', priceId: 'yearly' },
        { do: 'update', itemId: 'si_calls', priceId: 'callsYear' },
      ],
    });
    expect(last(book)[0]).toBe('100 × calls (at EUR 0.02 / month) 200');
    use(book, '2025-06-01', 7);
    renew(book, on('2026-01-16'));
    expect(last(book)[0]).toBe('7 × callsYear (at EUR 0.02 / year) 14');
  });

  test('that waits for its payment bills it when it is applied, and not where it is dropped', () => {
    const paid = meteredBook();
    createPaid(paid, on('2025-01-01'), ['base', 'calls']);
    paid.price('plus', '9000');
    const upgrade = change({
      items: [
        { do: 'update', itemId: 'si_base', priceId: 'plus' },
        { do: 'update', itemId: 'si_calls', priceId: 'dear' },
      ],
      prorationBehavior: 'always_invoice',
      paymentBehavior: 'pending_if_incomplete',
    });
    use(paid, '2025-01-10', 100);
    paid.do(on('2025-01-16'), (snapshot, context) => decideChange(snapshot, upgrade, context));
    expect(last(paid).some((line) => line.includes('calls'))).toBe(false);
    use(paid, '2025-01-16T01:00:00Z', 1);
    payAll(paid, on('2025-01-16T02:00:00Z'));
    if (paid.living.pendingUpdate)
      paid.do(on('2025-01-16T02:00:00Z'), (snapshot, context) => decidePendingUpdate(snapshot, { apply: true }, context));
    use(paid, '2025-01-20', 10);
    renew(paid);
    expect(last(paid).filter((line) => /calls|dear/.test(line))).toEqual([
      '101 × calls (at EUR 0.02 / month) 202',
      '10 × dear (at EUR 0.10 / month) 100',
    ]);
  });

  test('is applied as it was previewed, also where usage has come meanwhile; not where it would be billed another amount', () => {
    const upgrade = change({ items: [{ do: 'update', itemId: 'si_base', priceId: 'plus' }] });
    const swap = change({ items: [{ do: 'update', itemId: 'si_calls', priceId: 'dear' }], prorationBehavior: 'always_invoice' });
    for (const [command, late, isApplied] of [
      [upgrade, '2025-01-16', true],
      [swap, '2025-01-16T00:05:00Z', true],
      [swap, '2025-01-15', false],
    ] as const) {
      const book = meteredBook();
      book.price('plus', '9000');
      createPaid(book, on('2025-01-01'), ['base', 'calls']);
      use(book, '2025-01-10', 100);
      const asOf = on('2025-01-16');
      const at = (now: number) => ({ ...book.context(now), digest: (text: string) => text });
      const decide = (snapshot: BillingSnapshot, context: DecisionContext) => decideChange(snapshot, command, context);
      const snapshot = book.snapshot({ asOf });
      const pinned = pinPreview(snapshot, decide(snapshot, at(asOf)), at(asOf));
      const pins = { ...pinned, expiresAt: asOf + 3600, customerId: 'cus_1', subscriptionId: 'sub_1' };
      use(book, late, 50);
      const apply = () => decideAsPreviewed(pins, book.snapshot({ asOf }), at(asOf + 600), decide);
      if (isApplied) expect(apply().subscription).not.toBeNull();
      else expect(apply).toThrow(/no longer holds/);
    }
  });

  test('cannot set the quantity of what is measured', () => {
    const book = meteredBook();
    expect(() => create(book, on('2025-01-01'), ['calls × 2'])).toThrow(/its quantity is what is used/);
    createPaid(book, on('2025-01-01'), ['base × 3', 'calls']);
    expect(() => changeItem(book, on('2025-01-02'), 'si_calls', { quantity: '5' })).toThrow(/its quantity is what is used/);
    changeItem(book, on('2025-01-02'), 'si_base', { priceId: 'dear' });
    expect(book.living.items[0]?.quantity).toBe('1');
  });
});

describe('an end', () => {
  test('at the end of the period bills the last of it; without an invoice nothing, as at Stripe', () => {
    const atPeriodEnd = (book: MemoryBook): void => {
      schedule(book, on('2025-01-05'), 'period_end');
      renew(book);
    };
    for (const [end, expected] of [
      [atPeriodEnd, ['10 × calls (at EUR 0.02 / month) 20']],
      [(book: MemoryBook) => void cancel(book, on('2025-01-16'), { invoiceNow: true }), ['10 × calls (at EUR 0.02 / month) 20']],
      [(book: MemoryBook) => void cancel(book, on('2025-01-16')), ['1 × base (at EUR 50.00 / month) 5000']],
    ] as const) {
      const book = meteredBook();
      createPaid(book, on('2025-01-01'), ['base', 'calls']);
      use(book, '2025-01-16', 10);
      end(book);
      expect(last(book)).toEqual(expected);
    }
  });

  test('that is undone leaves what was used in between to nobody', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-01'), ['base', 'calls']);
    cancel(book, on('2025-01-10'), { invoiceNow: true });
    use(book, '2025-01-12', 1000);
    reactivate(book, on('2025-01-15'));
    use(book, '2025-01-15', 3);
    renew(book);
    expect(last(book)[0]).toBe('3 × calls (at EUR 0.02 / month) 6');
  });

  test('a pause bills what was used before it, and nothing of what is used in it', () => {
    const book = meteredBook();
    createPaid(book, on('2025-01-01'), ['calls']);
    use(book, '2025-01-10', 10);
    pause(book, on('2025-01-10'));
    expect(last(book)).toEqual(['10 × calls (at EUR 0.02 / month) 20']);
    use(book, '2025-01-12', 1000);
    resume(book, on('2025-01-20'));
    use(book, '2025-01-21', 4);
    renew(book);
    expect(last(book)).toEqual(['4 × calls (at EUR 0.02 / month) 8']);
  });
});

test('however usage is spread over events, and whenever the item is touched, it is all billed once', () => {
  const day = 86_400;
  fc.assert(
    fc.property(
      fc.array(fc.record({ at: fc.integer({ min: 0, max: 89 * day }), value: fc.integer({ min: 0, max: 500 }) }), { maxLength: 20 }),
      fc.uniqueArray(fc.integer({ min: 1, max: 85 }), { maxLength: 4 }),
      fc.array(fc.record({ at: fc.integer({ min: 0, max: 89 * day }), value: fc.integer({ min: 0, max: 500 }) }), { maxLength: 5 }),
      (events, touches, late) => {
        const book = meteredBook();
        const start = on('2025-01-01');
        // Two prices of the same amount, so that a change of price changes nothing of the sum.
        book.price('same', '2', 'month', METERED);
        createPaid(book, start, ['base', 'calls']);
        const steps = [...touches.map((days) => start + days * day + 3600), on('2025-02-01'), on('2025-03-01'), on('2025-04-01')].sort(
          (a, b) => a - b,
        );
        let told = 0;
        const inOrder = [...events].sort((a, b) => a.at - b.at);
        for (const at of steps) {
          for (; told < inOrder.length && start + (inOrder[told]?.at ?? 0) < at; told += 1)
            book.used.push({ meterId: 'mtr_1', at: start + (inOrder[told]?.at ?? 0), value: inOrder[told]?.value ?? 0 });
          if (book.living.currentPeriodEnd <= at) renew(book, at);
          else {
            const item = book.living.items.find(({ id }) => id === 'si_calls');
            changeItem(book, at, 'si_calls', { priceId: item?.priceId === 'calls' ? 'same' : 'calls' });
          }
        }
        for (const { at, value } of late) book.used.push({ meterId: 'mtr_1', at: start + at, value });
        renew(book);
        const lines = book.allInvoices.flatMap(({ lines: all }) => all).filter(({ explanation }) => explanation.usage !== undefined);
        const expected = book.used.filter(({ at }) => at < on('2025-05-01')).reduce((sum, { value }) => sum + value * 2, 0);
        expect(lines.reduce((sum, { amount }) => sum + amount, 0)).toBe(expected);
      },
    ),
    { numRuns: 60 },
  );
});
