import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Refusal } from '../../domain/errors.ts';
import { decideScheduledApplication } from '../../domain/subscription/apply-scheduled-change.ts';
import type { ChangePlan } from '../../domain/subscription/commands.ts';
import { applyDecision, foresee } from '../../domain/subscription/foresee.ts';
import { decidePendingUpdate } from '../../domain/subscription/resolve-pending-update.ts';
import { decideUnscheduling } from '../../domain/subscription/schedule-change.ts';
import { nextScheduled } from '../../domain/subscription/scheduled-change.ts';
import { type Instant, localDate } from '../../domain/time.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, change, changeItem, changePlan, create, createPaid, linesOf, payAll, renew, schedule } from '../support/subscribe.ts';

const JAN_1 = on('2025-01-01');
const JAN_10 = on('2025-01-10');
const FEB_1 = on('2025-02-01');
const ALWAYS = { prorationBehavior: 'always_invoice' } as const;

function paidBook(items = ['pro'], at = JAN_1): MemoryBook {
  const book = new MemoryBook();
  book.price('pro', '3100');
  book.price('max', '6200');
  book.price('addon', '310');
  book.price('dear', '31000');
  book.price('year', '36500', 'year');
  createPaid(book, at, items);
  return book;
}

const toPrice = (priceId: string, patch: Partial<ChangePlan> = {}): Partial<ChangePlan> => ({
  items: [{ do: 'update', itemId: 'si_pro', priceId }],
  effectiveAt: 'period_end',
  ...patch,
});

const coming = (book: MemoryBook): string[] =>
  book.living.scheduledChanges.map(({ effectiveAt, change: { items = [] } }) => {
    const [item] = items;
    const what = item?.do === 'update' ? (item.priceId ?? item.quantity) : item?.do;
    return `${localDate(effectiveAt, 'UTC')} ${what}`;
  });
const ended = (book: MemoryBook): string[] => [...book.scheduledChanges.values()].map(({ status }) => status);
const told = (book: MemoryBook): string[] =>
  book.events.flatMap(({ type }) =>
    type.includes('scheduled_change') ? [type.slice('customer.subscription.scheduled_change.'.length)] : [],
  );

/** Does by itself what is due by `until`, as the workflow does. */
function live(book: MemoryBook, until: Instant): void {
  for (;;) {
    const next = nextScheduled(book.living);
    const at = next?.effectiveAt ?? Math.min(book.living.currentPeriodEnd, book.living.cancelAt ?? book.living.currentPeriodEnd);
    if (at > until || book.living.status === 'canceled') return;
    if (next) book.do(at, (snapshot, context) => decideScheduledApplication(snapshot, { changeId: next.id }, context));
    else renew(book, at);
    payAll(book, at);
  }
}

/** Ids that differ, as those of a database do. */
const numbered = () => {
  let made = 0;
  return (prefix: string): string => `${prefix}_${++made}`;
};

describe('at the end of the period', () => {
  test('a downgrade is kept until then, and the renewal bills it', () => {
    const book = paidBook(['max']);
    const decision = changePlan(book, JAN_10, { items: [{ do: 'update', itemId: 'si_max', priceId: 'pro' }], effectiveAt: 'period_end' });
    expect([decision.invoices, decision.billed.insert, decision.pendingItems.insert]).toEqual([[], [], []]);
    expect(decision.events.map(({ type }) => type)).toEqual([
      'customer.subscription.updated',
      'customer.subscription.scheduled_change.created',
    ]);
    expect(book.living.items[0]?.priceId).toBe('max');
    expect(book.living.scheduledChanges).toMatchObject([{ effectiveAt: FEB_1, atPeriodEnd: true, status: 'scheduled', createdAt: JAN_10 }]);
    live(book, FEB_1);
    expect(linesOf(book.lastInvoice)).toEqual(['1 × pro (at EUR 31.00 / month) 3100']);
    expect([book.allInvoices.length, coming(book), ended(book), told(book)]).toEqual([2, [], ['applied'], ['created', 'applied']]);
    expect(book.coverage('si_max')).toEqual([{ start: JAN_1, end: on('2025-03-01') }]);
  });

  test('another interval begins with the new period, on the same day', () => {
    const book = paidBook(['pro'], on('2025-01-31'));
    changePlan(book, on('2025-02-10'), toPrice('year'));
    live(book, on('2025-02-28'));
    expect(linesOf(book.lastInvoice)).toEqual(['1 × year (at EUR 365.00 / year) 36500']);
    expect(book.living).toMatchObject({ currentPeriodStart: on('2025-02-28'), currentPeriodEnd: on('2026-02-28') });
    expect(book.living.cycle.interval).toBe('year');
  });

  test('the day of an anchor outlives a change of the price alone', () => {
    const book = paidBook(['pro'], on('2025-01-31'));
    changePlan(book, on('2025-02-10'), toPrice('max'));
    live(book, on('2025-03-31'));
    expect(book.living).toMatchObject({ billingCycleAnchor: on('2025-01-31'), currentPeriodStart: on('2025-03-31') });
  });

  test('items come and go', () => {
    const book = paidBook(['pro', 'addon']);
    const item = { id: 'si_new', priceId: 'max', quantity: '2', taxRateIds: [] };
    changePlan(book, JAN_10, {
      items: [
        { do: 'remove', itemId: 'si_addon' },
        { do: 'add', item },
      ],
      effectiveAt: 'period_end',
    });
    live(book, FEB_1);
    expect(linesOf(book.lastInvoice)).toEqual(['1 × pro (at EUR 31.00 / month) 3100', '2 × max (at EUR 62.00 / month) 12400']);
  });

  test('moves with the end of the period', () => {
    const book = paidBook();
    changePlan(book, JAN_10, toPrice('max'));
    changePlan(book, on('2025-01-12'), { billingCycleAnchor: on('2025-01-20') });
    expect([coming(book), told(book)]).toEqual([['2025-01-20 max'], ['created', 'updated']]);
    live(book, on('2025-01-20'));
    expect(book.living.items[0]?.priceId).toBe('max');
    expect(book.lastInvoice.lines.at(-1)?.amount).toBe(6200);
  });

  test('previews of what comes next have it in them', () => {
    const book = paidBook();
    changePlan(book, JAN_10, toPrice('max'));
    changePlan(book, JAN_10, { items: [{ do: 'update', itemId: 'si_pro', quantity: '3' }], effectiveAt: on('2025-02-15'), ...ALWAYS });
    const seen = foresee(book.snapshot(), 3, numbered());
    live(book, on('2025-03-01'));
    expect(seen.map(linesOf)).toEqual(book.allInvoices.slice(1).map(linesOf));
    expect(seen).toHaveLength(3);
  });
});

describe('at a date', () => {
  test('an upgrade is priced from its instant on, as if it were asked for then', () => {
    const [later, then] = [paidBook(), paidBook()];
    changePlan(later, JAN_10, toPrice('max', { effectiveAt: on('2025-01-16'), ...ALWAYS }));
    live(later, on('2025-01-16'));
    changeItem(then, on('2025-01-16'), 'si_pro', { priceId: 'max' }, ALWAYS);
    expect(linesOf(later.lastInvoice)).toEqual(linesOf(then.lastInvoice));
    expect(later.lastInvoice).toMatchObject({ createdAt: on('2025-01-16'), total: 1600 });
  });

  test('in a later period', () => {
    const book = paidBook();
    changePlan(book, JAN_10, toPrice('max', { effectiveAt: on('2025-03-16') }));
    live(book, on('2025-04-01'));
    expect(linesOf(book.lastInvoice)).toEqual([
      'Unused time on pro after 16 Mar 2025 -1600',
      'Remaining time on max after 16 Mar 2025 3200',
      '1 × max (at EUR 62.00 / month) 6200',
    ]);
  });

  test('exactly at a boundary is like the end of the period', () => {
    const book = paidBook();
    changePlan(book, JAN_10, toPrice('max', { effectiveAt: on('2025-03-01') }));
    live(book, on('2025-03-01'));
    expect(book.allInvoices.map(linesOf).slice(1)).toEqual([
      ['1 × pro (at EUR 31.00 / month) 3100'],
      ['1 × max (at EUR 62.00 / month) 6200'],
    ]);
  });

  test('steps one after another, each from where the last one has led', () => {
    const book = paidBook();
    for (const [month, quantity] of [
      ['02', '2'],
      ['03', '4'],
      ['04', '8'],
    ])
      changePlan(book, JAN_10, {
        items: [{ do: 'update', itemId: 'si_pro', quantity: quantity as string }],
        effectiveAt: on(`2025-${month}-01`),
      });
    expect(coming(book)).toEqual(['2025-02-01 2', '2025-03-01 4', '2025-04-01 8']);
    live(book, on('2025-04-01'));
    expect(book.allInvoices.map(({ total }) => total)).toEqual([3100, 6200, 12400, 24800]);
  });

  test('a later step may change what an earlier one adds', () => {
    const book = paidBook();
    const item = { id: 'si_new', priceId: 'addon', quantity: '1', taxRateIds: [] };
    changePlan(book, JAN_10, { items: [{ do: 'add', item }], effectiveAt: on('2025-02-01') });
    changePlan(book, JAN_10, { items: [{ do: 'update', itemId: 'si_new', quantity: '5' }], effectiveAt: on('2025-03-01') });
    live(book, on('2025-03-01'));
    expect(book.lastInvoice.total).toBe(3100 + 5 * 310);
  });

  test('settings, too', () => {
    const book = paidBook();
    book.taxRate('vat', '10');
    changePlan(book, JAN_10, { defaultTaxRateIds: ['vat'], effectiveAt: 'period_end' });
    live(book, FEB_1);
    expect(book.lastInvoice.total).toBe(3410);
  });
});

describe('a later change of the same thing', () => {
  test('scheduled for the same time takes its place', () => {
    const book = paidBook();
    changePlan(book, JAN_10, toPrice('max'));
    changePlan(book, JAN_10 + 60, toPrice('addon'));
    expect([coming(book), told(book)]).toEqual([['2025-02-01 addon'], ['created', 'replaced', 'created']]);
    const [first, second] = [...book.scheduledChanges.values()];
    expect(first).toMatchObject({ status: 'replaced', replacedBy: second?.id, closedAt: JAN_10 + 60 });
  });

  test('made at once takes its place', () => {
    const book = paidBook();
    changePlan(book, JAN_10, toPrice('addon'));
    changeItem(book, JAN_10 + 60, 'si_pro', { priceId: 'max' });
    expect([coming(book), ended(book), [...book.scheduledChanges.values()][0]?.replacedBy]).toEqual([[], ['replaced'], null]);
    live(book, FEB_1);
    expect(book.lastInvoice.lines.at(-1)?.amount).toBe(6200);
  });

  test('of another thing leaves it alone', () => {
    const book = paidBook(['pro', 'addon']);
    changePlan(book, JAN_10, toPrice('max'));
    changeItem(book, JAN_10, 'si_addon', { quantity: '2' });
    changeItem(book, JAN_10, 'si_pro', { quantity: '3' });
    expect([coming(book), told(book)]).toEqual([['2025-02-01 max'], ['created']]);
    live(book, FEB_1);
    expect(book.lastInvoice.lines.slice(-2).map(({ amount }) => amount)).toEqual([18_600, 620]);
  });

  test('that waits for its payment leaves it alone', () => {
    const book = paidBook();
    changePlan(book, JAN_10, toPrice('addon'));
    changeItem(book, JAN_10 + 60, 'si_pro', { priceId: 'max' }, { ...ALWAYS, paymentBehavior: 'pending_if_incomplete' });
    expect([book.living.pendingUpdate === null, coming(book)]).toEqual([false, ['2025-02-01 addon']]);
  });
});

describe('taken back, or not to come', () => {
  const unschedule = (book: MemoryBook, changeId: string) =>
    book.do(JAN_10 + 60, (snapshot, context) => decideUnscheduling(snapshot, { changeId }, context));

  test('a canceled one does not happen', () => {
    const book = paidBook();
    changePlan(book, JAN_10, toPrice('max'));
    const [scheduled] = book.living.scheduledChanges;
    unschedule(book, scheduled?.id as string);
    expect([...book.scheduledChanges.values()]).toMatchObject([{ status: 'canceled', cancellationReason: 'requested' }]);
    live(book, FEB_1);
    expect(book.lastInvoice.total).toBe(3100);
    expect(() => unschedule(book, scheduled?.id as string)).toThrow(expect.objectContaining({ code: 'transition_not_allowed' }));
    expect(told(book)).toEqual(['created', 'canceled']);
  });

  test.each<[string, (book: MemoryBook) => void]>([
    ['now', (book) => cancel(book, JAN_10 + 60)],
    [
      'at the end of the period',
      (book) => {
        schedule(book, JAN_10 + 60, 'period_end');
        live(book, FEB_1);
      },
    ],
  ])('the end of the subscription %s drops it', (_, end) => {
    const book = paidBook();
    changePlan(book, JAN_10, toPrice('max'));
    changePlan(book, JAN_10, toPrice('addon', { effectiveAt: on('2025-06-01') }));
    end(book);
    expect([book.living.status, coming(book), ended(book)]).toEqual(['canceled', [], ['canceled', 'canceled']]);
    expect([...book.scheduledChanges.values()][0]?.cancellationReason).toBe('subscription_ended');
  });

  test('applied twice, or when it is gone: nothing', () => {
    const book = paidBook();
    changePlan(book, JAN_10, toPrice('max'));
    const [scheduled] = book.living.scheduledChanges;
    const apply = () => decideScheduledApplication(book.snapshot(), { changeId: scheduled?.id as string }, book.context(FEB_1));
    book.record(apply());
    expect(apply()).toMatchObject({ subscription: null, events: [], scheduledChanges: [] });
    expect(applyDecision(book.snapshot(), apply())).toEqual(book.snapshot());
  });
});

describe('what has become impossible', () => {
  test.each<[string, (book: MemoryBook) => void, string, string]>([
    [
      'a price that was archived',
      (book) => {
        (book.prices['max'] as { active: boolean }).active = false;
      },
      'price_inactive',
      'items[0][price]',
    ],
    [
      'an item that is gone',
      (book) => {
        changePlan(book, JAN_10 + 60, {
          items: [
            { do: 'add', item: { id: 'si_other', priceId: 'dear', quantity: '1', taxRateIds: [] } },
            { do: 'remove', itemId: 'si_pro' },
          ],
          paymentBehavior: 'pending_if_incomplete',
          ...ALWAYS,
        });
        book.pay(book.living.pendingUpdate?.invoiceId as string, JAN_10 + 120);
        book.do(JAN_10 + 120, (snapshot, context) => decidePendingUpdate(snapshot, { apply: true }, context));
      },
      'item_missing',
      'items[0][id]',
    ],
  ])('%s fails with the reason, and the subscription goes on', (_, happens, code, param) => {
    for (const effectiveAt of ['period_end', on('2025-01-20')] as const) {
      const book = paidBook();
      changePlan(book, JAN_10, toPrice('max', { effectiveAt }));
      happens(book);
      live(book, on('2025-03-01'));
      expect([...book.scheduledChanges.values()]).toMatchObject([{ status: 'failed', failure: { code, param } }]);
      expect([told(book), book.living.status]).toEqual([['created', 'failed'], 'active']);
      expect(book.living.currentPeriodStart).toBe(on('2025-03-01'));
    }
  });

  test('a pending update in the way', () => {
    const book = paidBook(['pro', 'addon']);
    changePlan(book, JAN_10, toPrice('max', { effectiveAt: JAN_10 + 7200 }));
    changeItem(book, JAN_10 + 60, 'si_addon', { quantity: '9' }, { ...ALWAYS, paymentBehavior: 'pending_if_incomplete' });
    live(book, JAN_10 + 7200);
    expect([...book.scheduledChanges.values()]).toMatchObject([
      { status: 'failed', failure: { code: 'pending_update_exists', param: null } },
    ]);
  });
});

describe('is refused at once', () => {
  test.each<[string, Partial<ChangePlan>, string, string]>([
    ['in the past', toPrice('max', { effectiveAt: JAN_10 - 1 }), 'date_out_of_range', 'effective_at'],
    ['now, as a date', toPrice('max', { effectiveAt: JAN_10 }), 'date_out_of_range', 'effective_at'],
    ['without a change', { effectiveAt: 'period_end' }, 'parameter_invalid', 'effective_at'],
    ['with an end', toPrice('max', { cancellation: { at: 'period_end' } }), 'parameter_invalid', 'cancel_at'],
    ['with a proration date', toPrice('max', { prorationDate: JAN_10 }), 'parameter_invalid', 'proration_date'],
    ['with an anchor at a date', toPrice('max', { billingCycleAnchor: FEB_1 }), 'parameter_invalid', 'billing_cycle_anchor'],
    ['where somebody must wait', toPrice('max', { paymentBehavior: 'error_if_incomplete' }), 'parameter_invalid', 'payment_behavior'],
    ['of an unknown price', toPrice('nothing'), 'resource_missing', 'items[0][price]'],
    ['of an unknown item', { effectiveAt: 'period_end', items: [{ do: 'remove', itemId: 'si_nothing' }] }, 'item_missing', 'items[0][id]'],
  ])('%s', (_, patch, code, param) => {
    expect(() => changePlan(paidBook(), JAN_10, patch)).toThrow(expect.objectContaining({ code, param }));
  });

  test('after the end of the subscription, of an incomplete one, and beyond twenty', () => {
    const ending = paidBook();
    schedule(ending, JAN_10, on('2025-03-10'));
    expect(() => changePlan(ending, JAN_10, toPrice('max', { effectiveAt: on('2025-03-10') }))).toThrow(
      expect.objectContaining({ code: 'date_out_of_range', param: 'effective_at' }),
    );
    const unpaid = new MemoryBook();
    unpaid.price('pro', '3100');
    create(unpaid, JAN_1, ['pro']);
    expect(() => changePlan(unpaid, JAN_1 + 60, change({ ...toPrice('pro'), effectiveAt: 'period_end' }))).toThrow(
      expect.objectContaining({ code: 'subscription_incomplete' }),
    );
    const book = paidBook();
    const step = (n: number) => () =>
      changePlan(book, JAN_10, { items: [{ do: 'update', itemId: 'si_pro', quantity: String(n) }], effectiveAt: FEB_1 + n });
    for (let n = 1; n <= 20; n += 1) step(n)();
    expect(step(21)).toThrow(expect.objectContaining({ code: 'parameter_invalid', param: 'effective_at' }));
  });
});

test('whatever is scheduled, what is foreseen is what is billed, and every item is covered without a gap', () => {
  const step = fc.record({
    day: fc.option(fc.integer({ min: 1, max: 120 }), { freq: 3 }),
    kind: fc.constantFrom('price', 'quantity', 'addon', 'year', 'anchor'),
    pick: fc.integer({ min: 0, max: 9 }),
    prorationBehavior: fc.constantFrom('create_prorations', 'always_invoice', 'none'),
  });
  const wish = ({ kind, pick }: { kind: string; pick: number }): Partial<ChangePlan> => {
    if (kind === 'anchor') return { billingCycleAnchor: 'now' };
    if (kind === 'addon') return { items: [{ do: 'add', item: { id: `si_add${pick}`, priceId: 'addon', quantity: '1', taxRateIds: [] } }] };
    const to = kind === 'quantity' ? { quantity: String(pick) } : { priceId: kind === 'year' ? 'year' : pick % 2 === 0 ? 'pro' : 'max' };
    return { items: [{ do: 'update', itemId: 'si_pro', ...to }] };
  };
  fc.assert(
    fc.property(fc.array(step, { maxLength: 6 }), fc.constantFrom('second', 'day', 'fixed_30'), (steps, basis) => {
      const book = paidBook();
      book.account = { ...book.account, prorationBasis: basis };
      for (const { day, prorationBehavior, ...what } of steps) {
        const effectiveAt = day === null ? 'period_end' : JAN_1 + day * 86_400 + what.pick;
        try {
          changePlan(book, JAN_1 + 3600, { ...wish(what), effectiveAt, prorationBehavior });
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
        }
      }
      const seen = foresee(book.snapshot(), 4, numbered());
      const last = seen.at(-1)?.createdAt ?? JAN_1;
      live(book, last);
      expect(seen.map(linesOf)).toEqual(book.allInvoices.slice(1, seen.length + 1).map(linesOf));
      for (const { id } of book.living.items) expect(book.coverage(id).length, id).toBeLessThanOrEqual(1);
      expect(book.living.scheduledChanges.every(({ effectiveAt }) => effectiveAt >= last)).toBe(true);
    }),
    { numRuns: 60 },
  );
});
