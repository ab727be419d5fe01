import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Recurring } from '../../domain/catalog/price.ts';
import { isFree } from '../../domain/subscription/change-items.ts';
import { aMeter } from '../api/examples.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, create, createPaid, linesOf, pause, renew, resume } from '../support/subscribe.ts';

const METERED = { interval: 'month', intervalCount: 1, usageType: 'metered', meterId: 'mtr_1' } as const;

function bookWith(limits: Partial<Recurring>, parts: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook(parts);
  book.meters['mtr_1'] = aMeter();
  book.price('calls', '2', 'month', { recurring: { ...METERED, ...limits } });
  book.price('plain', '3', 'month', { recurring: METERED });
  return book;
}
const use = (book: MemoryBook, date: string, value: number): void => void book.used.push({ meterId: 'mtr_1', at: on(date), value });
const last = (book: MemoryBook): string[] => linesOf(book.lastInvoice);

describe('a minimum', () => {
  test('is made up for at the end of the period, by a line of its own', () => {
    const book = bookWith({ minimumAmount: 10_000 });
    createPaid(book, on('2025-01-31'), ['calls']);
    use(book, '2025-02-10', 1000);
    renew(book);
    expect(last(book)).toEqual(['1000 × calls (at EUR 0.02 / month) 2000', 'Minimum commitment for calls 8000']);
    expect(book.lastInvoice.lines[1]).toMatchObject({
      quantity: null,
      period: { start: on('2025-01-31'), end: on('2025-02-28') },
      explanation: {
        rule: 'minimum_commitment',
        sentence: 'a minimum of EUR 100.00 for one month (2025-01-31 to 2025-02-28), less EUR 20.00 for what was used = EUR 80.00',
      },
    });
    expect([...book.usage.values()]).toMatchObject([{ quantity: '1000', amount: 10_000, net: 10_000, minimum: 10_000, maximum: null }]);
    use(book, '2025-03-01', 5000);
    renew(book);
    expect(last(book)).toEqual(['5000 × calls (at EUR 0.02 / month) 10000']);
  });

  test('holds late events too: they cost what goes beyond it, and cancelled ones give back no more', () => {
    const book = bookWith({ minimumAmount: 10_000 });
    createPaid(book, on('2025-01-01'), ['calls']);
    use(book, '2025-01-10', 1000);
    renew(book);
    use(book, '2025-01-20', 1000);
    renew(book);
    expect(last(book)).toEqual(['0 × calls (at EUR 0.02 / month) 0', 'Minimum commitment for calls 10000']);
    use(book, '2025-01-21', 4000);
    renew(book);
    expect(last(book)[0]).toBe('4000 more × calls, used 1 Jan 2025 to 1 Feb 2025 and reported late 2000');
    expect(book.lastInvoice.lines[0]?.explanation.usage?.corrects).toMatchObject({ quantity: '2000', amount: 10_000 });
    for (const event of book.used.splice(0)) book.used.push({ ...event, canceled: true });
    renew(book);
    expect(last(book)[0]).toBe('6000 less × calls, used 1 Jan 2025 to 1 Feb 2025 and reported late -2000');
  });

  test('is for its share of a period that is cut: by an anchor, a change of price, a pause or an end', () => {
    const stub = bookWith({ minimumAmount: 3100 }, { account: { prorationBasis: 'day' } });
    create(stub, on('2025-01-21'), [], {
      items: [{ id: 'si_calls', priceId: 'calls', quantity: '1', taxRateIds: [] }],
      billingCycleAnchor: on('2025-02-01'),
    });
    renew(stub);
    expect(last(stub)).toEqual(['0 × calls (at EUR 0.02 / month) 0', 'Minimum commitment for calls 1100']);
    expect(stub.lastInvoice.lines[1]?.explanation.sentence).toBe(
      '11 of 31 days (2025-01-21 to 2025-02-01) of a minimum of EUR 31.00 = EUR 11.00, less EUR 0.00 for what was used = EUR 11.00',
    );

    const changed = bookWith({ minimumAmount: 3100 }, { account: { prorationBasis: 'day' } });
    createPaid(changed, on('2025-01-01'), ['calls']);
    use(changed, '2025-01-05', 10);
    changeItem(changed, on('2025-01-11'), 'si_calls', { priceId: 'plain' });
    renew(changed);
    expect(last(changed)).toEqual([
      '10 × calls (at EUR 0.02 / month) 20',
      'Minimum commitment for calls 980',
      '0 × plain (at EUR 0.03 / month) 0',
    ]);
    expect([...changed.usage.values()][0]).toMatchObject({ amount: 1000, net: 1000, invoiceId: changed.lastInvoice.id });

    const paused = bookWith({ minimumAmount: 3100 }, { account: { prorationBasis: 'day' } });
    createPaid(paused, on('2025-01-01'), ['calls']);
    pause(paused, on('2025-01-11'));
    expect(last(paused)).toEqual(['Minimum commitment for calls 1000']);
    expect([...paused.usage.values()]).toMatchObject([{ quantity: '0', amount: 1000, net: 1000, invoiceId: paused.lastInvoice.id }]);
    resume(paused, on('2025-01-21'));
    renew(paused);
    // The period that begins then is a whole one.
    expect(last(paused)).toEqual(['0 × calls (at EUR 0.02 / month) 0', 'Minimum commitment for calls 3100']);
    expect(paused.lastInvoice.lines[1]?.period).toEqual({ start: on('2025-01-21'), end: on('2025-02-21') });

    const ended = bookWith({ minimumAmount: 3100 }, { account: { prorationBasis: 'day' } });
    createPaid(ended, on('2025-01-01'), ['calls']);
    cancel(ended, on('2025-01-16'), { invoiceNow: true });
    expect(last(ended)).toEqual(['Minimum commitment for calls 1500']);
  });
});

test('what costs nothing but a minimum is not free', () => {
  for (const [limits, free] of [[{}, true] as const, [{ minimumAmount: 0 }, true] as const, [{ minimumAmount: 1 }, false] as const]) {
    const book = bookWith({});
    book.price('idle', '0', 'month', { recurring: { ...METERED, ...limits } });
    createPaid(book, on('2025-01-01'), ['idle']);
    expect(isFree(book.snapshot({ asOf: on('2025-01-02') }), book.living.items, 'eur')).toBe(free);
  }
});

describe('a maximum', () => {
  test('caps what is used, and late events with it', () => {
    const book = bookWith({ minimumAmount: 100, maximumAmount: 3000 });
    createPaid(book, on('2025-01-01'), ['calls']);
    use(book, '2025-01-10', 1400);
    renew(book);
    expect(last(book)).toEqual(['1400 × calls (at EUR 0.02 / month) 2800']);
    use(book, '2025-01-11', 5000);
    use(book, '2025-02-11', 2000);
    renew(book);
    expect(last(book)).toEqual([
      '5000 more × calls, used 1 Jan 2025 to 1 Feb 2025 and reported late 200',
      '2000 × calls (at EUR 0.02 / month) 3000',
    ]);
    expect(book.lastInvoice.lines[1]?.explanation.sentence).toBe(
      'EUR 0.02 x 2000 seats used 2025-02-01 to 2025-03-01 (sum of 1 event), at most EUR 30.00 = EUR 30.00',
    );
  });
});

test('whatever is used and whenever it is told, a period costs what is used within its limits', () => {
  const values = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 4 });
  fc.assert(
    fc.property(values, values, fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 5000 }), (events, late, least, more) => {
      const book = bookWith({ minimumAmount: least, maximumAmount: least + more });
      createPaid(book, on('2025-01-01'), ['calls']);
      for (const value of events) use(book, '2025-01-10', value);
      renew(book);
      for (const value of late) use(book, '2025-01-20', value);
      renew(book);
      const lines = book.allInvoices.flatMap(({ lines: all }) => all).filter(({ period }) => period.start === on('2025-01-01'));
      const used = [...events, ...late].reduce((sum, value) => sum + value * 2, 0);
      expect(lines.reduce((sum, { amount }) => sum + amount, 0)).toBe(Math.min(Math.max(used, least), least + more));
    }),
    { numRuns: 40 },
  );
});
