import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideScheduledPause } from '../../domain/subscription/pause.ts';
import { pauseStart, scheduledEnd } from '../../domain/subscription/paused-time.ts';
import { decideRenewal } from '../../domain/subscription/renew.ts';
import { decideScheduledResumption } from '../../domain/subscription/resume.ts';
import { hasEnded } from '../../domain/subscription/transitions.ts';
import type { Instant } from '../../domain/time.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changeItem, createPaid, pause, payAll, reactivate, resume } from '../support/subscribe.ts';

const step = fc.record({
  kind: fc.constantFrom(
    'pause',
    'pause',
    'pause',
    'pause',
    'resume',
    'resume',
    'resume',
    'resume',
    'change',
    'pay',
    'cancel',
    'reactivate',
  ),
  days: fc.double({ min: 0, max: 9, noNaN: true }),
  unusedTime: fc.constantFrom('credit', 'extend'),
  anchor: fc.constantFrom('now', 'unchanged', null),
  behavior: fc.constantFrom('create_prorations', 'always_invoice'),
  later: fc.constantFrom('now', 'now', 'now', 'period_end', 'date'),
  back: fc.option(fc.double({ min: 0.1, max: 90, noNaN: true })),
  quantity: fc.integer({ min: 1, max: 9 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const SECONDS = 86_400;

/** One item at one price of one minor unit a second, so that money is time: what was billed less what was credited is what was lived, to the second. */
class Life {
  readonly book = new MemoryBook({ account: { prorationBasis: 'second' } });
  now: Instant;
  /** Stretches in which it ran, as a person with a stopwatch has them. */
  readonly lived: { from: Instant; to: Instant }[] = [];
  private running: Instant | null;

  constructor(start: Instant, zone: string) {
    this.book.account = { ...this.book.account, billingTimezone: zone };
    this.book.price('week', String(7 * SECONDS), 'week');
    this.now = start;
    createPaid(this.book, start, ['week']);
    this.running = start;
  }

  /** Whatever falls due on the way, each at its own instant. */
  pass(to: Instant): void {
    for (;;) {
      const { status, currentPeriodEnd, pause: paused } = this.book.living;
      if (hasEnded(status)) break;
      const begins = pauseStart(this.book.living) ?? Number.POSITIVE_INFINITY;
      const resumes = status === 'paused' ? (paused?.resumesAt ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
      const renews = Math.min(
        status === 'paused' ? Number.POSITIVE_INFINITY : currentPeriodEnd,
        scheduledEnd(this.book.living) ?? Number.POSITIVE_INFINITY,
      );
      const next = Math.min(begins, resumes, renews);
      if (next > to) break;
      this.now = next;
      this.book.do(next, next === begins ? decideScheduledPause : next === resumes ? decideScheduledResumption : decideRenewal);
      this.watch();
    }
    this.now = Math.max(this.now, to);
  }

  watch(): void {
    const runs = this.book.living.status !== 'paused' && !hasEnded(this.book.living.status);
    if (runs && this.running === null) this.running = this.now;
    if (!runs && this.running !== null) {
      this.lived.push({ from: this.running, to: this.now });
      this.running = null;
    }
  }

  take(given: Step): void {
    const { book } = this;
    this.pass(this.now + Math.floor(given.days * SECONDS));
    const { status, pause: paused, currentPeriodEnd } = book.living;
    const ended = hasEnded(status);
    switch (given.kind) {
      case 'pause': {
        if (ended || status === 'paused') break;
        const at = given.later === 'date' ? this.now + 3 * SECONDS : given.later;
        const begins = at === 'now' ? this.now : at === 'period_end' ? currentPeriodEnd : at;
        const resumesAt = given.back === null ? null : begins + Math.floor(given.back * SECONDS);
        const unusedTime = given.unusedTime;
        const billingCycleAnchor = unusedTime === 'extend' && given.anchor === 'unchanged' ? null : given.anchor;
        pause(book, this.now, { at, unusedTime, resumesAt, resume: { billingCycleAnchor, prorationBehavior: given.behavior } });
        break;
      }
      case 'resume': {
        if (ended || !paused) break;
        const billingCycleAnchor = paused.unusedTime === 'extend' && given.anchor === 'unchanged' ? null : given.anchor;
        resume(book, this.now, { billingCycleAnchor, prorationBehavior: given.behavior });
        break;
      }
      case 'change':
        // To another quantity and back, which costs nothing and must leave the coverage as it was.
        if (ended || status === 'paused') break;
        changeItem(book, this.now, 'si_week', { quantity: String(given.quantity) });
        changeItem(book, this.now, 'si_week', { quantity: '1' });
        break;
      case 'pay':
        payAll(book, this.now);
        break;
      case 'cancel':
        if (!ended) cancel(book, this.now, { prorate: true });
        break;
      case 'reactivate':
        if (status === 'canceled') reactivate(book, this.now);
        break;
    }
    this.watch();
  }

  end(): void {
    if (!hasEnded(this.book.living.status)) cancel(this.book, this.now, { prorate: true });
    this.watch();
  }
}

const ZONES = ['UTC', 'America/New_York', 'Europe/Berlin'] as const;

test('paused time is never billed, and what was billed less what was credited is the time that was lived', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: on('2024-01-01'), max: on('2025-12-31') }),
      fc.constantFrom(...ZONES),
      fc.array(step, { maxLength: 20 }),
      (start, zone, steps) => {
        const life = new Life(start, zone);
        for (const given of steps) life.take(given);
        life.end();
        const { book } = life;
        const lived = life.lived.reduce((sum, { from, to }) => sum + to - from, 0);
        const billed = [...book.billed.values()];
        const covered = book.coverage('si_week');
        const stretches = life.lived
          .filter(({ from, to }) => to > from)
          .reduce<{ start: Instant; end: Instant }[]>((joined, { from, to }) => {
            const last = joined.at(-1);
            if (last?.end === from) last.end = to;
            else joined.push({ start: from, end: to });
            return joined;
          }, []);
        expect(covered, 'covered is what was lived').toEqual(stretches);
        const net = billed.reduce((sum, row) => sum + row.amount - row.credited, 0);
        // A week with a change of clocks is an hour longer or shorter and costs the same.
        const weeks = billed.length;
        expect(Math.abs(net - lived)).toBeLessThanOrEqual(zone === 'UTC' ? weeks : weeks * 3600 + weeks);
        const money = book.allInvoices.reduce((sum, { subtotal }) => sum + subtotal, 0);
        const pending = [...book.pendingItems.values()]
          .filter(({ invoiceId }) => invoiceId === null)
          .reduce((sum, { line }) => sum + line.amount, 0);
        expect(Math.abs(money + pending - net), 'invoices say the same').toBeLessThanOrEqual(weeks);
        expect(book.ledger('customer_balance')).toBe(book.customer.balance);
      },
    ),
    { numRuns: 300 },
  );
});
