import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Price } from '../../domain/catalog/price.ts';
import type { Decision } from '../../domain/decision.ts';
import { netOf } from '../../domain/discounts/apply-discounts.ts';
import { decideFinalization } from '../../domain/invoicing/finalize-invoice.ts';
import { decideUncollectible } from '../../domain/invoicing/mark-uncollectible.ts';
import { decideVoid } from '../../domain/invoicing/void-invoice.ts';
import { isFree } from '../../domain/subscription/change-items.ts';
import { decideChange } from '../../domain/subscription/change-plan.ts';
import type { ChangePlan, CreateSubscription, ItemChange } from '../../domain/subscription/commands.ts';
import { decideRenewal } from '../../domain/subscription/renew.ts';
import { decidePendingUpdate } from '../../domain/subscription/resolve-pending-update.ts';
import { type Instant, periodContaining } from '../../domain/time.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { tiered } from '../support/price-models.ts';
import { cancel, change, createPaid, payAll, schedule } from '../support/subscribe.ts';

const MODELS: Record<string, Partial<Price>> = {
  mgraduated: tiered('graduated', [
    [3, 0],
    [10, '333.3333', 250],
    [null, 100, 75],
  ]),
  mvolume: tiered('volume', [
    [5, 900, 100],
    [20, 800],
    [null, null, 20_000],
  ]),
  mpacks: { unitAmountDecimal: '1999.5', transformQuantity: { divideBy: 4, round: 'up' } },
  ypacks: { unitAmountDecimal: '36501', transformQuantity: { divideBy: 7, round: 'down' } },
};
const MONTHLY = ['m0', 'm7', 'm999', 'm3100', 'm12345', 'mfraction', 'mgraduated', 'mvolume', 'mpacks'];
const YEARLY = ['y0', 'y9999', 'y36500', 'ypacks'];
const BASES = ['second', 'day', 'fixed_30'] as const;
const ZONES = ['UTC', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Auckland'];

function bookWith(basis: (typeof BASES)[number], zone: string, tax: 'none' | 'exclusive' | 'inclusive'): MemoryBook {
  const book = new MemoryBook({
    account: { prorationBasis: basis, billingTimezone: zone, defaultTaxRateIds: tax === 'none' ? [] : ['vat'] },
  });
  book.taxRate('vat', '8.25', tax === 'inclusive');
  for (const id of [...MONTHLY, ...YEARLY])
    book.price(id, id.slice(1) === 'fraction' ? '333.3333' : id.slice(1), id.startsWith('m') ? 'month' : 'year', MODELS[id]);
  book.coupon('third', '33.3333');
  book.coupon('amount', 777);
  book.coupon('once', 250, { duration: 'once' });
  book.coupon('halfOnce', '50', { duration: 'once' });
  book.coupon('two', '12.5', { duration: 'repeating', durationInMonths: 2 });
  return book;
}
const COUPONS = ['third', 'amount', 'once', 'halfOnce', 'two'];

/** Steps are data, and mean something whatever the state is: choices are taken modulo what there is to choose from. */
const step = fc.record({
  kind: fc.constantFrom(
    'renew',
    'renew',
    'price',
    'price',
    'quantity',
    'add',
    'remove',
    'cycle',
    'anchor',
    'date',
    'schedule',
    'pay',
    'decline',
    'void',
    'uncollectible',
    'unpaid',
    'finalize',
    'discount',
    'discount',
  ),
  /** Part of the period that has passed since the step before. */
  wait: fc.double({ min: 0, max: 0.6, noNaN: true }),
  pick: fc.nat(1000),
  quantity: fc.integer({ min: 0, max: 40 }),
  prorationBehavior: fc.constantFrom('create_prorations', 'always_invoice', 'none'),
  paymentBehavior: fc.constantFrom('allow_incomplete', 'allow_incomplete', 'pending_if_incomplete'),
  /** How far back the proration date lies, as a part of what has passed of the period. */
  back: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 3, nil: null }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Anchors and starts of their own: at once, a date within 28 days, a day of the month, a start up to 200 days ago. */
const beginning: fc.Arbitrary<(start: Instant) => Partial<CreateSubscription>> = fc
  .record({
    anchor: fc.oneof(
      fc.constant(null),
      fc.integer({ min: 1, max: 27 * 86_400 }),
      fc.record({ dayOfMonth: fc.integer({ min: 1, max: 31 }), hour: fc.option(fc.integer({ min: 0, max: 23 })) }),
    ),
    back: fc.option(fc.integer({ min: 1, max: 200 * 86_400 })),
    prorationBehavior: fc.constantFrom('create_prorations', 'create_prorations', 'none'),
  })
  .map(({ anchor, back, prorationBehavior }) => (start: Instant) => ({
    ...(typeof anchor === 'number' ? { billingCycleAnchor: start + anchor } : {}),
    ...(anchor !== null && typeof anchor === 'object'
      ? { billingCycleAnchorConfig: { month: null, minute: null, second: null, ...anchor } }
      : {}),
    ...(back === null ? {} : { backdateStartDate: start - back }),
    prorationBehavior,
  }));

/** What coverage should be: from when on each item is due, and until when it is billed. */
type Life = Map<string, { from: Instant; until: Instant }>;

class Simulation {
  readonly book: MemoryBook;
  readonly life: Life = new Map();
  now: Instant;
  added = 0;

  constructor(book: MemoryBook, start: Instant, beginning: Partial<CreateSubscription> = {}) {
    this.book = book;
    this.now = start;
    createPaid(book, start, ['m3100 × 3', 'm999'], beginning);
    this.extend(beginning.prorationBehavior === 'none' ? book.living.currentPeriodStart : book.living.startDate);
  }

  get limit(): Instant {
    const { currentPeriodEnd, cancelAt } = this.book.living;
    return Math.min(currentPeriodEnd, cancelAt ?? currentPeriodEnd);
  }

  /** All items are billed from `at` until the limit. */
  extend(at: Instant, ids?: Set<string>): void {
    for (const { id } of this.book.living.items) {
      if (ids && !ids.has(id)) continue;
      const known = this.life.get(id);
      this.life.set(id, { from: Math.min(known?.from ?? at, at), until: Math.max(at, this.limit) });
    }
  }

  take(given: Step): void {
    const { book } = this;
    const { currentPeriodEnd } = book.living;
    if (given.kind === 'renew') {
      this.now = this.limit;
      const before = book.living.currentPeriodStart;
      book.do(this.now, decideRenewal);
      expect(decideRenewal(book.snapshot(), book.context(this.now)), 'billing twice adds nothing').toMatchObject({
        invoices: [],
        events: [],
      });
      if (book.living.currentPeriodStart !== before) this.extend(book.living.currentPeriodStart);
      else for (const [id, { from, until }] of this.life) this.life.set(id, { from, until: Math.max(from, Math.min(until, this.now)) });
      return;
    }
    this.now = Math.min(this.limit - 1, this.now + Math.floor((currentPeriodEnd - this.now) * given.wait));
    const open = book.allInvoices.filter((invoice) => invoice.status === 'open');
    const chosen = open[given.pick % Math.max(1, open.length)];
    switch (given.kind) {
      case 'pay':
        payAll(book, this.now);
        return;
      case 'decline':
        if (chosen) book.pay(chosen.id, this.now, 'declined');
        return;
      case 'void':
        if (chosen) book.do(this.now, decideVoid, { invoiceId: chosen.id });
        return;
      case 'uncollectible':
        if (chosen) book.do(this.now, decideUncollectible, { invoiceId: chosen.id });
        return;
      case 'unpaid':
        if (book.living.status === 'past_due') book.subscription = { ...book.living, status: 'unpaid' };
        return;
      case 'finalize': {
        const draft = book.allInvoices.find((invoice) => invoice.status === 'draft');
        if (draft) book.do(this.now, (snapshot, context) => decideFinalization(snapshot, {}, context), { invoiceId: draft.id });
        return;
      }
      case 'schedule': {
        const ends = ['period_end', 'never', this.now + 1 + given.pick * 86_400] as const;
        const { prorationBehavior } = given;
        schedule(book, this.now, ends[given.pick % 3] as (typeof ends)[number], { prorationBehavior });
        for (const { id } of book.living.items) {
          const known = this.life.get(id) as { from: Instant; until: Instant };
          this.life.set(id, { ...known, until: prorationBehavior === 'none' ? Math.max(known.until, this.limit) : this.limit });
        }
        return;
      }
      case 'discount':
        this.discount(given);
        return;
      default:
        this.change(given);
    }
  }

  /** Some of the coupons on the subscription, and one or none on an item; nothing is billed. */
  discount({ pick }: Step): void {
    const { book } = this;
    const { items } = book.living;
    const item = items[pick % items.length] as (typeof items)[number];
    const some = COUPONS.filter((_, index) => (pick >> index) % 2 === 1).map((couponId) => ({ couponId }));
    const command = change({
      discounts: some,
      items: [{ do: 'update', itemId: item.id, discounts: pick % 3 === 0 ? [] : [{ couponId: COUPONS[pick % COUPONS.length] as string }] }],
    });
    const decision = book.do(this.now, (snapshot, context) => decideChange(snapshot, command, context));
    expect([decision.invoices, decision.pendingItems.insert]).toEqual([[], []]);
  }

  change(given: Step): void {
    const { book } = this;
    const before = book.living;
    const command = this.commandFor(given);
    const context = book.context(this.now);
    const preview = decideChange(book.snapshot(), command, book.context(this.now));
    const decision = decideChange(book.snapshot(), command, context);
    expect(linesIn(decision), 'preview equals invoice').toEqual(linesIn(preview));
    book.record(decision);
    if (book.living.pendingUpdate) {
      const { invoiceId } = book.living.pendingUpdate;
      const paid = given.pick % 2 === 0;
      if (paid) book.pay(invoiceId, this.now);
      book.do(this.now, (snapshot, resolving) => decidePendingUpdate(snapshot, { apply: paid }, resolving));
      if (!paid) return;
    }
    this.follow(before, command, command.prorationDate ?? this.now);
    const again = decideChange(
      book.snapshot(),
      { ...command, items: command.items?.filter((item) => item.do === 'update') ?? [], billingCycleAnchor: 'unchanged' },
      book.context(this.now),
    );
    expect([again.invoices, again.pendingItems.insert, again.billed.insert], 'the same change twice adds nothing').toEqual([[], [], []]);
  }

  commandFor({ kind, pick, quantity, prorationBehavior, paymentBehavior, back }: Step): ChangePlan {
    const { book } = this;
    const { items, currentPeriodStart, cycle } = book.living;
    const item = items[pick % items.length] as (typeof items)[number];
    const family = cycle.interval === 'month' ? MONTHLY : YEARLY;
    const unused = family.filter((id) => !items.some((candidate) => candidate.priceId === id));
    const priceId = unused[pick % Math.max(1, unused.length)];
    const changes: ItemChange[] = [];
    if (kind === 'price' && priceId) changes.push({ do: 'update', itemId: item.id, priceId, quantity: String(quantity) });
    if (kind === 'quantity') changes.push({ do: 'update', itemId: item.id, quantity: String(quantity) });
    if (kind === 'add' && priceId)
      changes.push({ do: 'add', item: { id: `si_added${++this.added}`, priceId, quantity: String(quantity), taxRateIds: [] } });
    if (kind === 'remove' && items.length > 1) changes.push({ do: 'remove', itemId: item.id });
    if (kind === 'cycle') {
      const other = family === MONTHLY ? YEARLY : MONTHLY;
      items.slice(0, other.length).forEach((candidate, index) => {
        changes.push({ do: 'update', itemId: candidate.id, priceId: other[(pick + index) % other.length] as string });
      });
      for (const { id } of items.slice(other.length)) changes.push({ do: 'remove', itemId: id });
    }
    // Backdating a new period must not leave the present outside of it; 20 days back are always inside.
    const restarts = kind === 'cycle' || kind === 'anchor';
    const begun = restarts ? Math.max(currentPeriodStart, this.now - 20 * 86_400) : currentPeriodStart;
    // An anchor at a date moves the end of the period only, and bills nobody before their time.
    const youngest = Math.max(...items.map(({ id }) => this.life.get(id)?.from ?? 0));
    const earliest = kind === 'date' ? Math.max(begun, youngest) : begun;
    const prorationDate = back === null ? {} : { prorationDate: Math.max(earliest, this.now - Math.floor((this.now - earliest) * back)) };
    return change({
      items: changes,
      prorationBehavior,
      paymentBehavior,
      ...prorationDate,
      ...(kind === 'anchor' ? { billingCycleAnchor: 'now' as const } : {}),
      ...(kind === 'date' ? { billingCycleAnchor: this.dateFor(pick) } : {}),
    });
  }

  /** Anywhere from now to the end of the next cycle. */
  dateFor(pick: number): Instant {
    const { billingCycleAnchor, cycle, billingTimezone, currentPeriodEnd } = this.book.living;
    const latest = periodContaining(billingCycleAnchor, cycle, billingTimezone, currentPeriodEnd).end;
    return this.now + 1 + Math.floor(((latest - this.now - 1) * pick) / 1000);
  }

  follow(before: MemoryBook['living'], command: ChangePlan, at: Instant): void {
    const after = this.book.living;
    const restarted =
      after.billingCycleAnchor !== before.billingCycleAnchor ||
      after.currentPeriodStart !== before.currentPeriodStart ||
      command.billingCycleAnchor === 'now' ||
      // A free plan that becomes paid begins a new period, perhaps at the instant at which this one began.
      (this.isFree(before) && !this.isFree(after));
    const kept = new Set(after.items.map(({ id }) => id));
    for (const { id } of before.items) {
      const known = this.life.get(id);
      if (!kept.has(id) && known) this.life.set(id, { from: known.from, until: Math.max(known.from, Math.min(known.until, at)) });
    }
    const old = new Map(before.items.map((item) => [item.id, item]));
    const touched = after.items.filter(
      (item) => old.get(item.id)?.priceId !== item.priceId || old.get(item.id)?.quantity !== item.quantity,
    );
    this.extend(at, restarted ? kept : new Set(touched.map(({ id }) => id)));
  }

  isFree({ items, currency }: MemoryBook['living']): boolean {
    return isFree(this.book.snapshot(), items, currency);
  }

  check(): void {
    const { book } = this;
    for (const [id, { from, until }] of this.life) {
      expect(book.coverage(id), `coverage of ${id}`).toEqual(from < until ? [{ start: from, end: until }] : []);
    }
    // A draft is not owed yet, but what was credited against it is booked already.
    const owed = book.allInvoices.reduce(
      (sum, { status, amountRemaining, amountCredited }) =>
        sum + (status === 'open' ? amountRemaining : status === 'draft' ? -amountCredited : 0),
      0,
    );
    expect(book.ledger('receivable'), 'the receivable is what is owed').toBe(owed);
    expect(book.ledger('customer_balance'), 'the balance is in the books').toBe(book.customer.balance);
    for (const row of book.billed.values()) expect(row.amount).toBeGreaterThanOrEqual(row.credited);
    for (const line of book.allInvoices.flatMap(({ lines }) => lines)) {
      const net = netOf(line);
      expect(line.amount > 0 ? net >= 0 && net <= line.amount : net === line.amount, 'a discount is between nothing and the line').toBe(
        true,
      );
    }
  }
}

/** Lines without their ids. */
const linesIn = ({ invoices, pendingItems }: Decision) => [
  ...invoices.flatMap((invoice) =>
    invoice.lines.map(({ description, amount, period, explanation, taxes }) => ({
      description,
      amount,
      period,
      explanation,
      taxes,
      total: invoice.total,
    })),
  ),
  ...pendingItems.insert.map(({ line }) => ({ ...line })),
];

test('over any life the coverage of every item is exactly its life, and the books agree with the invoices', () => {
  fc.assert(
    fc.property(
      fc.record({
        basis: fc.constantFrom(...BASES),
        zone: fc.constantFrom(...ZONES),
        tax: fc.constantFrom('none', 'exclusive', 'inclusive'),
      }),
      fc.integer({ min: on('2024-01-01'), max: on('2025-12-31') }),
      beginning,
      fc.array(step, { maxLength: 25 }),
      ({ basis, zone, tax }, start, begins, steps) => {
        const simulation = new Simulation(bookWith(basis, zone, tax as 'none'), start, begins(start));
        for (const given of steps) {
          if (simulation.book.living.status === 'canceled' || simulation.book.living.status === 'incomplete_expired') return;
          simulation.take(given);
          simulation.check();
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('upgrade and back at one instant nets zero up to one minor unit a line', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...BASES),
      fc.constantFrom(...ZONES),
      fc.integer({ min: on('2024-01-01'), max: on('2025-12-31') }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      // From nothing to something a new period begins, and that is no way back.
      fc.constantFrom(...MONTHLY.filter((id) => id !== 'm0' && id !== 'mgraduated')),
      fc.integer({ min: 1, max: 500 }),
      (basis, zone, start, part, price, quantity) => {
        const book = bookWith(basis, zone, 'none');
        createPaid(book, start, ['m3100 × 3']);
        const at = start + Math.floor((book.living.currentPeriodEnd - start) * part);
        const to = (target: { priceId: string; quantity: string }) =>
          book.do(at, (snapshot, context) =>
            decideChange(snapshot, change({ items: [{ do: 'update', itemId: 'si_m3100', ...target }] }), context),
          );
        to({ priceId: price, quantity: String(quantity) });
        to({ priceId: 'm3100', quantity: '3' });
        const lines = [...book.pendingItems.values()].map((item) => item.line.amount);
        expect(Math.abs(lines.reduce((a, b) => a + b, 0))).toBeLessThanOrEqual(lines.length);
      },
    ),
    { numRuns: 300 },
  );
});

test('a paid life that is cancelled with credit costs what was used: never more than was billed, never negative', () => {
  fc.assert(
    fc.property(fc.constantFrom(...BASES), fc.array(step, { maxLength: 12 }), (basis, steps) => {
      const simulation = new Simulation(bookWith(basis, 'UTC', 'none'), on('2025-01-31'));
      for (const given of steps) {
        if (simulation.book.living.status === 'canceled') return;
        if (['void', 'uncollectible', 'schedule', 'unpaid'].includes(given.kind)) continue;
        simulation.take({ ...given, back: null });
        payAll(simulation.book, simulation.now);
      }
      const { book } = simulation;
      cancel(book, simulation.now, { prorate: true, invoiceNow: true });
      payAll(book, simulation.now);
      for (const { id, status } of book.allInvoices)
        if (status === 'draft')
          book.do(simulation.now, (snapshot, context) => decideFinalization(snapshot, {}, context), { invoiceId: id });
      payAll(book, simulation.now);
      const cost = book.allInvoices.filter((invoice) => invoice.status === 'paid').reduce((sum, invoice) => sum + invoice.total, 0);
      expect(cost).toBeGreaterThanOrEqual(0);
      expect(book.ledger('cash:sandbox') + book.customer.balance).toBe(cost);
    }),
    { numRuns: 200 },
  );
});
