import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { decideDunningEnd } from '../../domain/dunning/end-dunning.ts';
import { Refusal } from '../../domain/errors.ts';
import { decideScheduleEdit } from '../../domain/schedule/edit-schedule.ts';
import { itemsOfPhase, type PhaseTerms, type ScheduleCreation, type ScheduleEdit } from '../../domain/schedule/schedule.ts';
import { decideStart } from '../../domain/schedule/start-schedule.ts';
import {
  drawScheduleTransitions,
  isScheduleOver,
  nextScheduleStatus,
  SCHEDULE_EVENTS,
  SCHEDULE_STATUSES,
  SCHEDULE_TRANSITIONS,
} from '../../domain/schedule/transitions.ts';
import { applyDecision, foresee } from '../../domain/subscription/foresee.ts';
import { nextOccasion } from '../../domain/subscription/next-by-itself.ts';
import { hasEnded } from '../../domain/subscription/transitions.ts';
import { type Instant, localDate } from '../../domain/time.ts';
import { aMeter } from '../api/examples.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, changePlan, createPaid, linesOf, payAll, renew, schedule as scheduleEnd } from '../support/subscribe.ts';

const JAN_1 = on('2025-01-01');
const JAN_31 = on('2025-01-31');
const month = (intervalCount = 1): Pick<PhaseTerms, 'duration'> => ({ duration: { interval: 'month', intervalCount } });
const phase = (items: string, patch: Partial<PhaseTerms> = {}): PhaseTerms => ({
  items: items.split(' + ').map((text) => {
    const [priceId = '', quantity = '1'] = text.split(' × ');
    return { priceId, quantity, taxRateIds: [] };
  }),
  ...patch,
});

function newBook(parts: ConstructorParameters<typeof MemoryBook>[0] = {}): MemoryBook {
  const book = new MemoryBook(parts);
  for (const [id, amount] of Object.entries({ start: '1000', grow: '2000', scale: '3100', addon: '500' })) book.price(id, amount);
  book.price('year', '36500', 'year');
  return book;
}

const edit = (book: MemoryBook, at: Instant, asked: ScheduleEdit) =>
  book.do(at, (snapshot, context) => decideScheduleEdit(snapshot, asked, context));

function open(book: MemoryBook, at: Instant, phases: PhaseTerms[], patch: Partial<ScheduleCreation> = {}): void {
  edit(book, at, {
    ...{
      do: 'create',
      scheduleId: 'sub_sched_1',
      subscriptionId: 'sub_1',
      customerId: 'cus_1',
      start: 'now',
      phases,
      endBehavior: 'release',
    },
    ...{ settings: { billingCycleAnchor: 'automatic', defaultPaymentMethodId: null }, metadata: {} },
    ...patch,
  });
}

/** Does by itself what is due by `until`, as the workflow does. */
function live(book: MemoryBook, until: Instant): void {
  const waiting = book.schedule;
  if (waiting?.status === 'not_started' && waiting.startsAt <= until) {
    book.do(waiting.startsAt, decideStart);
    if (book.subscription) payAll(book, waiting.startsAt);
  }
  while (book.subscription !== null && !hasEnded(book.subscription.status)) {
    const next = nextOccasion(book.subscription);
    if (next === null || next.at > until) return;
    book.do(next.at, next.decide);
    payAll(book, next.at);
  }
}

function run(book: MemoryBook, at: Instant, phases: PhaseTerms[], patch: Partial<ScheduleCreation> = {}): void {
  open(book, at, phases, patch);
  live(book, at);
}

const totals = (book: MemoryBook): string[] => book.allInvoices.map(({ createdAt, total }) => `${localDate(createdAt, 'UTC')} ${total}`);
const dates = (book: MemoryBook): string[] =>
  (book.schedule?.phases ?? []).map(({ start, end }) => `${localDate(start, 'UTC')} ${localDate(end, 'UTC')}`);
const told = (book: MemoryBook): string[] =>
  book.events.flatMap(({ type }) => (type.startsWith('subscription_schedule.') ? [type.slice('subscription_schedule.'.length)] : []));
const status = (book: MemoryBook) => [book.schedule?.status, book.schedule?.currentPhase, book.living.status, book.living.scheduleId];

function refusal(work: () => unknown): { code: string; param: string | undefined } {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code, param: error.param };
    throw error;
  }
  throw new Error('it was not refused');
}

describe('ramps', () => {
  test('three phases on the renewals: each renewal bills its phase, and the schedule is then over', () => {
    const book = newBook();
    run(book, JAN_1, [phase('start × 5', month(2)), phase('grow × 5', month()), phase('scale × 8', month())]);
    expect(dates(book)).toEqual(['2025-01-01 2025-03-01', '2025-03-01 2025-04-01', '2025-04-01 2025-05-01']);
    expect(status(book)).toEqual(['active', 0, 'active', 'sub_sched_1']);
    const item = book.living.items[0]?.id;
    live(book, on('2025-06-01'));
    expect(totals(book)).toEqual([
      ...['2025-01-01 5000', '2025-02-01 5000', '2025-03-01 10000', '2025-04-01 24800', '2025-05-01 24800', '2025-06-01 24800'],
    ]);
    expect(book.allInvoices.flatMap(({ lines }) => lines).every(({ proration }) => !proration)).toBe(true);
    expect(book.living.items).toMatchObject([{ id: item, priceId: 'scale', quantity: '8' }]);
    expect(status(book)).toEqual(['completed', 2, 'active', null]);
    expect(book.schedule?.completedAt).toBe(on('2025-05-01'));
    expect(told(book)).toEqual(['created', 'updated', 'updated', 'updated', 'expiring', 'completed']);
  });

  test.each([
    ['none', ['2025-01-01 1000', '2025-02-01 2000']],
    ['create_prorations', ['2025-01-01 1000', '2025-02-01 2549']],
    ['always_invoice', ['2025-01-01 1000', '2025-01-15 549', '2025-02-01 2000']],
  ] as const)('a step within a period, %s', (prorationBehavior, expected) => {
    const book = newBook();
    run(book, JAN_1, [phase('start', { end: on('2025-01-15') }), phase('grow', { ...month(2), prorationBehavior })]);
    live(book, on('2025-02-01'));
    expect(totals(book)).toEqual(expected);
  });

  test('a phase may start a new period, by its own anchor or by the setting', () => {
    const book = newBook();
    run(book, JAN_1, [
      phase('start', { end: on('2025-01-15') }),
      phase('start', { ...month(), billingCycleAnchor: 'phase_start', prorationBehavior: 'none' }),
    ]);
    live(book, on('2025-02-15'));
    expect(totals(book)).toEqual(['2025-01-01 1000', '2025-01-15 1000', '2025-02-15 1000']);
  });

  test('another interval takes over with its phase', () => {
    const book = newBook();
    run(book, JAN_1, [phase('start', month(1)), phase('year', { duration: { interval: 'year', intervalCount: 1 } })]);
    live(book, on('2026-02-01'));
    expect(totals(book)).toEqual(['2025-01-01 1000', '2025-02-01 36500', '2026-02-01 36500']);
  });

  test('a ramp that begins on the 31st keeps to the ends of months, over a leap February and a change of clocks', () => {
    const book = newBook({ account: { billingTimezone: 'Europe/Berlin' } });
    run(book, on('2027-12-31T11:00:00Z'), [
      phase('start', month()),
      phase('grow', month()),
      phase('scale', month()),
      phase('start', month(2)),
    ]);
    const local = book.schedule?.phases.map(({ end }) => localDate(end, 'Europe/Berlin'));
    expect(local).toEqual(['2028-01-31', '2028-02-29', '2028-03-31', '2028-05-31']);
    live(book, on('2028-04-01'));
    expect(totals(book)).toEqual(['2027-12-31 1000', '2028-01-31 2000', '2028-02-29 3100', '2028-03-31 1000']);
    expect(book.allInvoices.flatMap(({ lines }) => lines).filter(({ proration }) => proration)).toEqual([]);
  });

  test('what the look-ahead shows is what the schedule then bills', () => {
    const book = newBook();
    open(book, JAN_1, [phase('start', month()), phase('grow', month()), phase('scale', month())]);
    let made = 0;
    const newId = (prefix: string) => `${prefix}_${++made}`;
    const snapshot = book.snapshot();
    const decision = decideStart(snapshot, { asOf: JAN_1, newId });
    const seen = [...decision.invoices, ...foresee(applyDecision(snapshot, decision), 3, newId)].map(({ total }) => total);
    live(book, on('2025-04-01'));
    expect(seen).toEqual(book.allInvoices.map(({ total }) => total));
  });
});

describe('what a phase brings besides its items', () => {
  const bringsBook = (): MemoryBook => {
    const book = newBook();
    book.price('setup', '5000', null);
    book.coupon('TEN', '10');
    book.coupon('HALF', '50');
    book.coupon('ONCE', 300, { duration: 'once' });
    return book;
  };
  const off = (...ids: string[]) => ({ discounts: ids.map((couponId) => ({ couponId })) });
  const sold = (priceId: string, quantity = '1') => ({ addInvoiceItems: [{ priceId, quantity, taxRateIds: [] }] });

  test('discounts of the phase come with it and go with it', () => {
    const book = bringsBook();
    run(book, JAN_31, [
      phase('grow', { ...month(), ...off('TEN') }),
      phase('grow', { ...month(2), ...off('HALF', 'ONCE') }),
      phase('grow', month()),
    ]);
    live(book, on('2025-05-31'));
    expect(totals(book)).toEqual(['2025-01-31 1800', '2025-02-28 700', '2025-03-31 1000', '2025-04-30 2000', '2025-05-31 2000']);
    expect(book.living.discounts).toEqual([]);
  });

  test('discounts of an item of the phase', () => {
    const book = bringsBook();
    const discounted = phase('start + grow', month());
    const [first, second] = discounted.items;
    if (!first || !second) throw new Error('a phase of two items');
    run(book, JAN_1, [{ ...discounted, items: [first, { ...second, ...off('HALF') }] }, phase('start + grow', month())]);
    live(book, on('2025-02-01'));
    expect(totals(book)).toEqual(['2025-01-01 2000', '2025-02-01 3000']);
  });

  test('a discount that somebody gave the subscription stays where no phase speaks of discounts', () => {
    const book = bringsBook();
    run(book, JAN_1, [phase('start', month()), phase('grow', month())]);
    changePlan(book, on('2025-01-10'), off('TEN'));
    live(book, on('2025-02-01'));
    expect(totals(book)).toEqual(['2025-01-01 1000', '2025-02-01 1800']);
  });

  test('a running phase that is changed redeems only what is new', () => {
    const book = bringsBook();
    const first = phase('start', { ...month(2), ...off('TEN') });
    run(book, JAN_1, [first]);
    const redeemed = () => book.coupons['TEN']?.timesRedeemed;
    const edited = (patch: Partial<PhaseTerms>): ScheduleEdit => ({
      do: 'change',
      phases: [{ ...first, start: JAN_1, ...patch }],
      prorationBehavior: 'none',
    });
    edit(book, on('2025-01-10'), edited({ items: phase('start × 2').items }));
    expect([redeemed(), book.living.discounts.length]).toEqual([1, 1]);
    edit(book, on('2025-01-11'), edited({ items: phase('start × 2').items, ...off('HALF') }));
    live(book, on('2025-02-01'));
    expect([redeemed(), totals(book)]).toEqual([1, ['2025-01-01 900', '2025-02-01 1000']]);
  });

  test.each([
    ['create_prorations', ['2025-01-01 6000', '2025-02-01 11000']],
    ['always_invoice', ['2025-01-01 6000', '2025-01-15 10000', '2025-02-01 1000']],
  ] as const)('items sold once: with the start, and within a period (%s)', (prorationBehavior, expected) => {
    const book = bringsBook();
    run(book, JAN_1, [
      phase('start', { end: on('2025-01-15'), ...sold('setup') }),
      phase('start', { ...month(2), prorationBehavior, ...sold('setup', '2') }),
    ]);
    live(book, on('2025-02-01'));
    expect(totals(book)).toEqual(expected);
  });

  test('sold once with a renewal, it is on its invoice', () => {
    const book = bringsBook();
    run(book, JAN_31, [phase('start', month()), phase('start', { ...month(), ...sold('setup') }), phase('start', month())]);
    live(book, on('2025-03-31'));
    expect(totals(book)).toEqual(['2025-01-31 1000', '2025-02-28 6000', '2025-03-31 1000']);
  });

  test('how it is paid: by the phase, else as the schedule says, else automatically', () => {
    const book = bringsBook();
    run(
      book,
      JAN_1,
      [
        phase('start', { ...month(), collectionMethod: 'charge_automatically' }),
        phase('start', month()),
        phase('start', { ...month(), daysUntilDue: 60 }),
      ],
      {
        settings: { billingCycleAnchor: 'automatic', defaultPaymentMethodId: null, collectionMethod: 'send_invoice', daysUntilDue: 14 },
      },
    );
    live(book, on('2025-03-01'));
    expect(book.allInvoices.map(({ collectionMethod, dueDate }) => [collectionMethod, dueDate])).toEqual([
      ['charge_automatically', null],
      ['send_invoice', on('2025-02-15')],
      ['send_invoice', on('2025-04-30')],
    ]);
  });

  test.each([
    [off('NOPE'), 'resource_missing', 'phases[1][discounts][0][coupon]'],
    [{ discounts: [{ discountId: 'di_1' }] }, 'resource_missing', 'phases[1][discounts][0][discount]'],
    [sold('grow'), 'parameter_invalid', 'phases[1][add_invoice_items][0][price]'],
    [{ daysUntilDue: 3 }, 'parameter_invalid', 'phases[1][invoice_settings][days_until_due]'],
    [{ collectionMethod: 'send_invoice' as const }, 'parameter_missing', 'phases[1][invoice_settings][days_until_due]'],
  ])('%j is refused about its parameter', (patch, code, param) => {
    expect(refusal(() => open(bringsBook(), JAN_1, [phase('start', month()), phase('start', { ...month(), ...patch })]))).toEqual({
      code,
      param,
    });
  });
});

describe('the start', () => {
  test('in the future: nothing is billed until then, and then as of that instant', () => {
    const book = newBook();
    open(
      book,
      JAN_1,
      [phase('start', { ...month(), metadata: { step: 'one' } }), phase('grow', { ...month(), metadata: { step: '', next: 'two' } })],
      {
        start: JAN_31,
      },
    );
    expect([book.subscription, book.schedule?.status, book.schedule?.startsAt]).toEqual([null, 'not_started', JAN_31]);
    live(book, on('2025-01-30'));
    expect(book.subscription).toBeNull();
    live(book, JAN_31);
    expect(book.living).toMatchObject({ startDate: JAN_31, createdAt: JAN_31, metadata: { step: 'one' } });
    live(book, on('2025-02-28'));
    expect(book.living.metadata).toEqual({ next: 'two' });
    expect(totals(book)).toEqual(['2025-01-31 1000', '2025-02-28 2000']);
  });

  test('in the past: the time since then is billed, and periods are counted from there', () => {
    const book = newBook();
    run(book, on('2025-03-10'), [phase('start', month(3)), phase('grow', month())], { start: JAN_31 });
    expect(book.living).toMatchObject({ startDate: JAN_31, currentPeriodStart: on('2025-02-28'), currentPeriodEnd: on('2025-03-31') });
    expect(totals(book)).toEqual(['2025-03-10 2000']);
    live(book, on('2025-05-01'));
    expect(totals(book).slice(1)).toEqual(['2025-03-31 1000', '2025-04-30 2000']);
  });

  test('what has become impossible cancels the schedule and says why; a second try does nothing', () => {
    const book = newBook();
    open(book, JAN_1, [phase('start', month())], { start: JAN_31 });
    book.price('start', '1000', 'month', { active: false });
    live(book, JAN_31);
    expect(book.schedule).toMatchObject({ status: 'canceled', canceledAt: JAN_31, failure: { code: 'price_inactive' } });
    expect([book.subscription, told(book)]).toEqual([null, ['created', 'aborted']]);
    expect(book.do(JAN_31, decideStart).events).toEqual([]);
  });

  test('on trial over the first phases', () => {
    const book = newBook();
    run(book, JAN_1, [phase('start', { ...month(), trial: true }), phase('grow', { ...month(), trialEnd: on('2025-02-10') })]);
    expect(book.living).toMatchObject({ status: 'trialing', trialEnd: on('2025-02-10') });
    live(book, on('2025-02-10'));
    expect(totals(book)).toEqual(['2025-01-01 0', '2025-02-10 2000']);
  });
});

describe('the end', () => {
  test('cancel: the subscription ends with the last phase, billed until then', () => {
    const book = newBook();
    run(book, JAN_1, [phase('start', month()), phase('grow', { end: on('2025-02-15') })], { endBehavior: 'cancel' });
    expect(book.living.cancelAt).toBe(on('2025-02-15'));
    live(book, on('2025-05-01'));
    expect(totals(book)).toEqual(['2025-01-01 1000', '2025-02-01 1000']);
    expect(status(book)).toEqual(['completed', 1, 'canceled', null]);
    expect(told(book).at(-1)).toBe('completed');
  });

  test('a subscription that is canceled takes its schedule along', () => {
    const book = newBook();
    run(book, JAN_1, [phase('start', month()), phase('grow', month())]);
    cancel(book, on('2025-01-10'), {});
    expect([...status(book), told(book).at(-1)]).toEqual(['canceled', 0, 'canceled', null, 'canceled']);
  });

  test('one whose dunning gave up aborts it', () => {
    const book = newBook();
    run(book, JAN_1, [phase('start', month(2))]);
    renew(book);
    const { id } = book.lastInvoice;
    book.pay(id, on('2025-02-01'), 'declined');
    book.do(on('2025-02-10'), decideDunningEnd, { invoiceId: id });
    expect([...status(book), told(book).at(-1)]).toEqual(['canceled', 0, 'canceled', null, 'aborted']);
  });

  test('canceled: with its subscription, the unused time given back; before the start: nothing was billed', () => {
    const book = newBook();
    run(book, JAN_1, [phase('scale', month()), phase('grow', month())]);
    edit(book, on('2025-01-11'), { do: 'cancel', prorate: true, invoiceNow: true });
    expect([status(book), book.lastInvoice.total]).toEqual([['canceled', 0, 'canceled', null], -2100]);
    const waiting = newBook();
    open(waiting, JAN_1, [phase('start', month())], { start: JAN_31 });
    edit(waiting, on('2025-01-10'), { do: 'cancel', prorate: true, invoiceNow: true });
    live(waiting, on('2025-03-01'));
    expect([waiting.schedule?.status, waiting.subscription, told(waiting)]).toEqual(['canceled', null, ['created', 'canceled']]);
  });

  test.each([
    [false, null],
    [true, on('2025-03-01')],
  ])('released, preserve_cancel_date %s: the subscription goes on as it is', (preserveCancelDate, cancelAt) => {
    const book = newBook();
    run(book, JAN_1, [phase('start', month()), phase('grow', month())], { endBehavior: 'cancel' });
    edit(book, on('2025-01-10'), { do: 'release', preserveCancelDate });
    expect([...status(book), book.living.cancelAt]).toEqual(['released', 0, 'active', null, cancelAt]);
    live(book, on('2025-02-01'));
    expect([totals(book), told(book).at(-1)]).toEqual([['2025-01-01 1000', '2025-02-01 1000'], 'released']);
  });
});

describe('its end is told seven days before', () => {
  const toldAt = (book: MemoryBook): string[] =>
    [...book.scheduledChanges.values()].flatMap(({ change, closedAt }) =>
      change.phase?.expiring && closedAt !== null ? [localDate(closedAt, 'UTC')] : [],
    );

  test.each(['release', 'cancel'] as const)(
    'whether it then lets go or cancels (%s), within a period that is billed as ever',
    (endBehavior) => {
      const book = newBook();
      run(book, JAN_31, [phase('start', month()), phase('grow', month())], { endBehavior });
      live(book, on('2025-03-23'));
      expect(told(book).slice(-1)).toEqual(['updated']);
      live(book, on('2025-03-24'));
      expect([told(book).at(-1), toldAt(book), totals(book)]).toEqual(['expiring', ['2025-03-24'], ['2025-01-31 1000', '2025-02-28 2000']]);
      live(book, on('2025-03-31'));
      expect(told(book).filter((name) => name !== 'updated')).toEqual(['created', 'expiring', 'completed']);
    },
  );

  test('once: the end that moves is told anew, one that is planned in its last week is not', () => {
    const book = newBook();
    run(book, JAN_1, [phase('start', month())]);
    live(book, on('2025-01-26'));
    const until = (day: string): ScheduleEdit => ({
      do: 'change',
      phases: [phase('start', { start: JAN_1, end: on(day) })],
      prorationBehavior: 'none',
    });
    edit(book, on('2025-01-27'), until('2025-03-01'));
    live(book, on('2025-02-25'));
    edit(book, on('2025-02-25'), until('2025-03-02'));
    live(book, on('2025-03-02'));
    expect([toldAt(book), told(book).filter((name) => name === 'expiring').length]).toEqual([['2025-01-25', '2025-02-22'], 2]);
  });
});

describe('changes', () => {
  const ramp = (): MemoryBook => {
    const book = newBook();
    run(book, JAN_1, [phase('start', month()), phase('grow', month()), phase('scale', month())]);
    return book;
  };
  const changed = (book: MemoryBook, at: Instant, phases: PhaseTerms[], prorationBehavior: 'none' | 'create_prorations' = 'none') =>
    edit(book, at, { do: 'change', phases, prorationBehavior });

  test('what is to come is scheduled anew, and the past stays', () => {
    const book = ramp();
    live(book, on('2025-02-01'));
    changed(book, on('2025-02-10'), [phase('grow', { ...month(2), start: on('2025-02-01') }), phase('addon', month())]);
    expect(dates(book)).toEqual(['2025-01-01 2025-02-01', '2025-02-01 2025-04-01', '2025-04-01 2025-05-01']);
    live(book, on('2025-05-01'));
    expect(totals(book)).toEqual([...['2025-01-01 1000', '2025-02-01 2000', '2025-03-01 2000', '2025-04-01 500', '2025-05-01 500']]);
    expect([...book.scheduledChanges.values()].map((scheduled) => scheduled.status).sort()).toEqual([
      ...['applied', 'applied', 'applied', 'applied', 'replaced', 'replaced', 'replaced'],
    ]);
  });

  test('of the current phase: at once, billed as the change says', () => {
    const book = ramp();
    changed(book, on('2025-01-11'), [phase('scale', { ...month(), start: JAN_1 }), phase('scale', month())], 'create_prorations');
    live(book, on('2025-02-01'));
    expect(book.lastInvoice.total).toBe(3100 - 677 + 2100);
  });

  test('the current phase ends now, and the next begins', () => {
    const book = ramp();
    changed(book, on('2025-01-11'), [
      phase('start', { start: JAN_1, end: 'now' }),
      phase('scale', { ...month(), prorationBehavior: 'always_invoice' }),
    ]);
    expect([dates(book), status(book)]).toEqual([
      ['2025-01-01 2025-01-11', '2025-01-11 2025-02-11'],
      ['active', 1, 'active', 'sub_sched_1'],
    ]);
    expect(book.lastInvoice.total).toBe(2100 - 677);
  });

  test('a direct change of the subscription holds until the next phase', () => {
    const book = ramp();
    changeItem(book, on('2025-01-10'), book.living.items[0]?.id ?? '', { quantity: '3' }, { prorationBehavior: 'none' });
    changePlan(book, on('2025-01-10'), {
      items: [{ do: 'add', item: { id: 'si_addon', priceId: 'addon', quantity: '1', taxRateIds: [] } }],
      prorationBehavior: 'none',
    });
    live(book, on('2025-02-01'));
    expect(book.living.items).toMatchObject([{ priceId: 'grow', quantity: '1' }]);
    expect(linesOf(book.lastInvoice)).toEqual(['1 × grow (at EUR 20.00 / month) 2000']);
  });

  test('the end can be set and taken back', () => {
    const book = ramp();
    edit(book, on('2025-01-10'), { do: 'change', endBehavior: 'cancel', prorationBehavior: 'create_prorations' });
    expect(book.living.cancelAt).toBe(on('2025-04-01'));
    edit(book, on('2025-01-11'), { do: 'change', endBehavior: 'release', prorationBehavior: 'create_prorations' });
    live(book, on('2025-05-01'));
    expect([totals(book).length, ...status(book)]).toEqual([5, 'completed', 2, 'active', null]);
  });

  test('before the start: dates and phases', () => {
    const book = newBook();
    open(book, JAN_1, [phase('start', month())], { start: JAN_31 });
    changed(book, on('2025-01-02'), [phase('grow', { ...month(), start: on('2025-02-10') })]);
    expect(book.schedule?.startsAt).toBe(on('2025-02-10'));
    live(book, on('2025-02-10'));
    expect(totals(book)).toEqual(['2025-02-10 2000']);
  });

  test('a running subscription is taken over, and its phases are planned from there', () => {
    const book = newBook();
    createPaid(book, JAN_1, ['start']);
    edit(book, on('2025-01-10'), { do: 'adopt', scheduleId: 'sub_sched_1', subscriptionId: 'sub_1', metadata: {} });
    expect([dates(book), status(book), book.schedule?.endBehavior]).toEqual([
      ['2025-01-01 2025-02-01'],
      ['active', 0, 'active', 'sub_sched_1'],
      'release',
    ]);
    changed(book, on('2025-01-10'), [phase('start', { ...month(), start: JAN_1 }), phase('grow', month())]);
    live(book, on('2025-03-01'));
    expect([totals(book), status(book)]).toEqual([
      ['2025-01-01 1000', '2025-02-01 2000', '2025-03-01 2000'],
      ['completed', 1, 'active', null],
    ]);
  });
});

describe('refusals', () => {
  const start = { start: JAN_31 };
  test.each<[string, PhaseTerms[], Partial<ScheduleCreation>, string, string]>([
    ['no phase', [], {}, 'parameter_missing', 'phases'],
    ['too many phases', Array.from({ length: 11 }, () => phase('start', month())), {}, 'parameter_invalid', 'phases'],
    ['an unknown price', [phase('start', month()), phase('none', month())], {}, 'resource_missing', 'phases[1][items][0][price]'],
    ['a quantity of a half', [phase('start × 0.5', month())], {}, 'parameter_invalid', 'phases[0][items][0][quantity]'],
    ['both an end and a duration', [phase('start', { ...month(), end: on('2025-03-01') })], {}, 'parameter_invalid', 'phases[0][duration]'],
    ['an end before the start', [phase('start', { end: on('2025-01-20') })], start, 'date_out_of_range', 'phases[0][end_date]'],
    [
      'a gap',
      [phase('start', month()), phase('grow', { ...month(), start: on('2025-03-02') })],
      {},
      'parameter_invalid',
      'phases[1][start_date]',
    ],
    [
      'a late trial',
      [phase('start', month()), phase('grow', { ...month(), trial: true })],
      {},
      'parameter_invalid',
      'phases[1][trial_end]',
    ],
    [
      'both kinds of trial',
      [phase('start', { ...month(), trial: true, trialEnd: on('2025-01-10') })],
      {},
      'parameter_invalid',
      'phases[0][trial]',
    ],
    ['a first phase that is over', [phase('start', month())], { start: on('2024-11-01') }, 'date_out_of_range', 'phases[0][end_date]'],
    [
      'two currencies',
      [phase('start', month()), phase('grow', { ...month(), currency: 'usd' })],
      {},
      'currency_mismatch',
      'phases[1][currency]',
    ],
    [
      'a foreign card',
      [phase('start', { ...month(), defaultPaymentMethodId: 'pm_9' })],
      {},
      'resource_missing',
      'phases[0][default_payment_method]',
    ],
    [
      'a foreign card as a setting',
      [phase('start', month())],
      { settings: { billingCycleAnchor: 'automatic', defaultPaymentMethodId: 'pm_9' } },
      'resource_missing',
      'default_settings[default_payment_method]',
    ],
  ])('%s', (_, phases, patch, code, param) => {
    const book = newBook();
    expect(refusal(() => open(book, JAN_1, [...phases], patch))).toEqual({ code, param });
    expect(book.schedule).toBeNull();
  });

  test('what its schedule decides is not decided on the subscription', () => {
    const book = newBook();
    run(book, JAN_1, [phase('start', month()), phase('grow', month())]);
    const at = on('2025-01-10');
    expect(refusal(() => scheduleEnd(book, at, 'period_end'))).toEqual({ code: 'transition_not_allowed', param: 'cancel_at_period_end' });
    expect(refusal(() => changePlan(book, at, { effectiveAt: 'period_end', defaultTaxRateIds: [] })).param).toBe('effective_at');
    const adopted: ScheduleEdit = { do: 'adopt', scheduleId: 'sub_sched_2', subscriptionId: 'sub_1', metadata: {} };
    expect(refusal(() => edit(book, at, adopted))).toEqual({ code: 'transition_not_allowed', param: 'from_subscription' });
  });

  test.each<[string, PhaseTerms[], string]>([
    ['without a date to join to', [phase('start', month())], 'phases[0][start_date]'],
    ['with a past that was not', [phase('start', { ...month(), start: on('2024-12-01') })], 'phases[0][start_date]'],
    ['after the end', [phase('start', { ...month(), start: on('2025-09-01') })], 'phases[0][start_date]'],
    ['with another past', [phase('scale', { start: JAN_1, end: on('2025-02-01') }), phase('grow', month())], 'phases[0]'],
    ['that are over', [phase('start', { start: JAN_1, end: on('2025-02-01') })], 'phases'],
  ])('phases %s', (_, phases, param) => {
    const book = newBook();
    run(book, JAN_1, [phase('start', month()), phase('grow', month(2))]);
    live(book, on('2025-02-01'));
    const asked: ScheduleEdit = { do: 'change', phases, prorationBehavior: 'none' };
    expect(refusal(() => edit(book, on('2025-02-10'), asked)).param).toBe(param);
  });

  test('one that is over takes nothing any more', () => {
    const book = newBook();
    run(book, JAN_1, [phase('start', month())]);
    live(book, on('2025-02-01'));
    const asked: ScheduleEdit[] = [
      { do: 'change', prorationBehavior: 'none' },
      { do: 'cancel', prorate: true, invoiceNow: true },
      { do: 'release', preserveCancelDate: false },
    ];
    for (const one of asked) expect(refusal(() => edit(book, on('2025-02-02'), one)).code).toBe('transition_not_allowed');
  });
});

describe('the table', () => {
  test('every status leads to an end, and no end leads on', () => {
    expect(SCHEDULE_STATUSES.filter(isScheduleOver)).toEqual(['completed', 'released', 'canceled']);
    for (const from of SCHEDULE_STATUSES) {
      for (const event of SCHEDULE_EVENTS) {
        const to = SCHEDULE_TRANSITIONS[from][event];
        if (to === undefined) expect(() => nextScheduleStatus('sub_sched_1', from, event)).toThrow(Refusal);
        else expect(nextScheduleStatus('sub_sched_1', from, event)).toBe(to);
      }
    }
  });

  test('the page draws it', async () => {
    const page = await readFile(new URL('../../docs/schedules.md', import.meta.url), 'utf8');
    expect(page).toContain(drawScheduleTransitions());
  });
});

test('the items of a phase: what stays keeps its item, steps stay on theirs, the rest comes and goes', () => {
  const item = (id: string, priceId: string, quantity = '1') => ({ id, priceId, quantity, taxRateIds: [], metadata: {}, createdAt: 0 });
  const wish = (priceId: string, quantity = '1') => ({ priceId, quantity, taxRateIds: [] });
  const of = (present: ReturnType<typeof item>[], wanted: ReturnType<typeof wish>[]) => itemsOfPhase(present, wanted, () => 'si_new');
  expect(of([item('si_1', 'a'), item('si_2', 'b')], [wish('b'), wish('a')])).toEqual([]);
  expect(of([item('si_1', 'a')], [wish('b', '4')])).toEqual([{ do: 'update', itemId: 'si_1', priceId: 'b', quantity: '4' }]);
  expect(of([item('si_1', 'a'), item('si_2', 'b')], [wish('b')])).toEqual([{ do: 'remove', itemId: 'si_1' }]);
  expect(of([item('si_1', 'a')], [wish('b'), wish('a', '2')])).toEqual([
    { do: 'add', item: { id: 'si_new', ...wish('b') } },
    { do: 'update', itemId: 'si_1', quantity: '2' },
  ]);
});

test('thresholds come and go with the phases that bring them; what is set otherwise stays', () => {
  const book = newBook();
  book.meters['mtr_1'] = aMeter();
  book.price('calls', '10', 'month', { recurring: { interval: 'month', intervalCount: 1, usageType: 'metered', meterId: 'mtr_1' } });
  const thresholds = (amountGte: number) => ({ amountGte, resetBillingCycleAnchor: false });
  const calls = (usageGte?: number) => [
    { priceId: 'calls', quantity: '1', taxRateIds: [], ...(usageGte === undefined ? {} : { usageGte }) },
  ];
  const now = () => [book.living.billingThresholds ?? null, book.living.items[0]?.usageGte ?? null];
  run(book, JAN_31, [
    { items: calls(100), billingThresholds: thresholds(5000), ...month() },
    { items: calls(), billingThresholds: thresholds(9000), ...month() },
    { items: calls(), ...month() },
    { items: calls(), ...month() },
  ]);
  expect(now()).toEqual([thresholds(5000), 100]);
  live(book, on('2025-02-28'));
  expect(now()).toEqual([thresholds(9000), null]);
  live(book, on('2025-03-31'));
  expect(now()).toEqual([null, null]);
  changePlan(book, on('2025-04-01'), { billingThresholds: thresholds(700) });
  live(book, on('2025-04-30'));
  expect(now()).toEqual([thresholds(700), null]);
  const [phase] = [{ start: on('2025-04-30'), items: calls(7), billingThresholds: thresholds(800), ...month() }];
  edit(book, on('2025-05-01'), { do: 'change', phases: [phase], prorationBehavior: 'none' });
  expect(now()).toEqual([thresholds(800), 7]);
  expect(() => open(newBook(), JAN_1, [{ items: [{ priceId: 'start', quantity: '1', taxRateIds: [], usageGte: 1 }], ...month() }])).toThrow(
    expect.objectContaining({ param: 'phases[0][items][0][billing_thresholds]' }),
  );
});
