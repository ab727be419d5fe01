import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BillingSnapshot } from '../../domain/billing-snapshot.ts';
import type { Decision } from '../../domain/decision.ts';
import { Refusal } from '../../domain/errors.ts';
import type { DecisionContext } from '../../domain/invoicing/draft-decision.ts';
import type { Invoice } from '../../domain/invoicing/invoice.ts';
import { decideCancellation } from '../../domain/subscription/cancel.ts';
import { decideChange } from '../../domain/subscription/change-plan.ts';
import { decideCreation } from '../../domain/subscription/create-subscription.ts';
import { applyDecision, foresee, madeBy } from '../../domain/subscription/foresee.ts';
import { decideAsPreviewed, type PreviewPins, pinPreview } from '../../domain/subscription/keep-preview.ts';
import { decideTrialReminder } from '../../domain/subscription/remind-of-trial-end.ts';
import { decideScheduledCancellation } from '../../domain/subscription/schedule-cancellation.ts';
import type { Instant } from '../../domain/time.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { change, changeItem, createPaid, creation, payAll, renew, schedule } from '../support/subscribe.ts';

type Decide = (snapshot: BillingSnapshot, context: DecisionContext) => Decision;
const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
const HOUR = 3600;

interface Preview {
  pins: PreviewPins;
  shown: Invoice | undefined;
}

/** What the API does: tries on a snapshot, shows the first invoice, pins. */
function preview(book: MemoryBook, at: Instant, decide: Decide): Preview {
  const snapshot = book.snapshot();
  const context = { ...book.context(at), digest };
  const decision = decide(snapshot, context);
  const shown = madeBy(decision, snapshot) ?? foresee(applyDecision(snapshot, decision), 1, context.newId)[0];
  const pins = { customerId: snapshot.customer.id, subscriptionId: snapshot.subscription?.id ?? null, expiresAt: at + HOUR };
  return { pins: { ...pinPreview(snapshot, decision, context), ...pins }, shown };
}

/** What the activity does. @returns the refusal, or null when it was applied */
function apply(book: MemoryBook, at: Instant, pins: PreviewPins | undefined, decide: Decide): Refusal | null {
  const before = structuredClone([book.subscription, book.customer, book.allInvoices, [...book.pendingItems], [...book.billed]]);
  try {
    book.do(at, (snapshot, context) => decideAsPreviewed(pins, snapshot, { ...context, digest }, decide));
    return null;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    expect([book.subscription, book.customer, book.allInvoices, [...book.pendingItems], [...book.billed]]).toEqual(before);
    return error;
  }
}

const money = (invoice: Invoice | undefined) =>
  invoice && {
    lines: invoice.lines.map(({ priceId, quantity, amount, period, proration, taxes, description }) => ({
      ...{ priceId, quantity, amount, period, proration, taxes, description },
    })),
    ...{ total: invoice.total, tax: invoice.tax, due: invoice.amountDue, start: invoice.startingBalance, end: invoice.endingBalance },
  };

const toSeats =
  (quantity: string, behavior: 'always_invoice' | 'create_prorations' = 'always_invoice'): Decide =>
  (snapshot, context) =>
    decideChange(snapshot, change({ items: [{ do: 'update', itemId: 'si_pro', quantity }], prorationBehavior: behavior }), context);

function world(): MemoryBook {
  const book = new MemoryBook({ account: { prorationBasis: 'second', defaultTaxRateIds: ['vat'] } });
  book.taxRate('vat', '19');
  book.price('pro', '2000');
  book.price('max', '5000');
  createPaid(book, on('2025-01-31'), ['pro × 3']);
  return book;
}
const AT = on('2025-02-10T07:00:00Z');

describe('a preview is applied as it was shown', () => {
  test('at the instant it was made for, dated when it is written', () => {
    const book = world();
    const { pins, shown } = preview(book, AT, toSeats('5'));
    expect(apply(book, AT + 1800, pins, toSeats('5'))).toBeNull();
    expect(money(book.lastInvoice)).toEqual(money(shown));
    expect(book.lastInvoice).toMatchObject({ createdAt: AT + 1800, finalizedAt: AT + 1800, periodEnd: AT });
    expect(book.journal.at(-1)?.effectiveAt).toBe(AT + 1800);
    const later = preview(book, AT + 1800, toSeats('5'));
    expect(later.shown?.lines.map((line) => line.amount)).not.toEqual(shown?.lines.map((line) => line.amount));
  });

  test('where it waits for the renewal, which is then the one that was shown', () => {
    const book = world();
    const { pins, shown } = preview(book, AT, toSeats('1', 'create_prorations'));
    expect(apply(book, AT + 60, pins, toSeats('1', 'create_prorations'))).toBeNull();
    renew(book);
    expect(money(book.lastInvoice)).toEqual(money(shown));
  });

  test('of a new subscription, whatever its ids are, and of a cancellation', () => {
    const book = new MemoryBook();
    book.price('pro', '2000');
    const make =
      (id: string): Decide =>
      (snapshot, context) =>
        decideCreation(snapshot, { ...creation(['pro × 2']), subscriptionId: id }, context);
    const created = preview(book, AT, make('sub_tried'));
    expect(apply(book, AT + 5, created.pins, make('sub_1'))).toBeNull();
    expect(money(book.lastInvoice)).toEqual(money(created.shown));
    expect(book.living.startDate).toBe(AT);
    payAll(book, AT + 5);
    const cancel: Decide = (snapshot, context) => decideCancellation(snapshot, { prorate: true, invoiceNow: true }, context);
    const canceled = preview(book, AT + 86_400, cancel);
    expect(apply(book, AT + 86_500, canceled.pins, cancel)).toBeNull();
    expect(money(book.lastInvoice)).toEqual(money(canceled.shown));
    expect(book.living.endedAt).toBe(AT + 86_400);
  });
});

describe('a preview that no longer holds is refused, and says why', () => {
  const between: [string, (book: MemoryBook) => void, RegExp][] = [
    ['the price', (book) => void (book.prices['pro'] = { ...book.prices['pro']!, unitAmountDecimal: '2000.5' }), /price pro has changed/],
    ['the tax rate', (book) => void (book.taxRates['vat'] = { ...book.taxRates['vat']!, percentage: '19.5' }), /tax rate vat has changed/],
    ['the balance', (book) => void (book.customer = { ...book.customer, balance: -1 }), /balance is -1 and was 0/],
    ['the exemption', (book) => void (book.customer = { ...book.customer, taxExempt: 'reverse' }), /customer's tax settings/],
    ['the proration basis', (book) => void (book.account = { ...book.account, prorationBasis: 'day' }), /account's tax rates/],
    ['another change', (book) => void changeItem(book, AT + 5, 'si_pro', { quantity: '4' }), /has been changed or renewed/],
    ['an end', (book) => void schedule(book, AT + 5, AT + 86_400), /has been changed or renewed/],
  ];
  test.each(between)('%s', (_, happens, message) => {
    const book = world();
    const { pins } = preview(book, AT, toSeats('5'));
    happens(book);
    expect(apply(book, AT + 10, pins, toSeats('5'))).toMatchObject({ code: 'preview_outdated', param: 'preview_token', message });
  });

  test('a renewal that came between', () => {
    const book = world();
    const late = book.living.currentPeriodEnd - 5;
    const { pins } = preview(book, late, toSeats('5'));
    renew(book);
    expect(apply(book, late + 10, pins, toSeats('5'))).toMatchObject({ code: 'preview_outdated' });
  });

  test('too late, another request, another subscription', () => {
    const book = world();
    const { pins } = preview(book, AT, toSeats('5'));
    expect(apply(book, AT + HOUR + 1, pins, toSeats('5'))).toMatchObject({ code: 'preview_outdated', message: /expired/ });
    expect(apply(book, AT, pins, toSeats('6'))).toMatchObject({ code: 'preview_outdated', message: /not the one that was previewed/ });
    expect(apply(book, AT, { ...pins, subscriptionId: 'sub_2' }, toSeats('5'))).toMatchObject({ code: 'parameter_invalid' });
    expect(apply(book, AT, { ...pins, customerId: 'cus_2' }, toSeats('5'))).toMatchObject({ param: 'preview_token' });
    expect(apply(book, AT + HOUR, pins, toSeats('5'))).toBeNull();
    expect(apply(book, AT + HOUR, pins, toSeats('5')), 'twice').toMatchObject({ code: 'preview_outdated' });
  });

  test('words do not matter: a product may be renamed', () => {
    const book = world();
    const { pins } = preview(book, AT, toSeats('5'));
    book.products['prod_pro'] = { ...book.products['prod_pro']!, name: 'Professional' };
    expect(apply(book, AT + 10, pins, toSeats('5'))).toBeNull();
  });
});

const happening = fc.record({
  kind: fc.constantFrom(
    ...(['nothing', 'nothing', 'price', 'tax', 'balance', 'exempt', 'quantity'] as const),
    ...(['end', 'renew', 'pay', 'rename', 'default', 'trial', 'remind'] as const),
  ),
  wait: fc.integer({ min: 0, max: 2 * HOUR }),
  pick: fc.nat(6),
});
const asked = fc.record({
  what: fc.constantFrom('seats', 'seats', 'price', 'anchor', 'anchor date', 'trial', 'trial over', 'end', 'cancel', 'both'),
  behavior: fc.constantFrom('create_prorations', 'always_invoice', 'none'),
  pick: fc.nat(6),
  prorate: fc.boolean(),
});

function decideOn({ what, behavior, pick, prorate }: typeof asked extends fc.Arbitrary<infer T> ? T : never, end: Instant): Decide {
  const items = [{ do: 'update', itemId: 'si_pro', quantity: String(pick), ...(what === 'price' ? { priceId: 'max' } : {}) }] as const;
  const plan = { prorationBehavior: behavior } as const;
  switch (what) {
    case 'cancel':
      return (snapshot, context) => decideCancellation(snapshot, { prorate, invoiceNow: true }, context);
    case 'end':
      return (snapshot, context) => decideScheduledCancellation(snapshot, { at: prorate ? 'period_end' : end + pick * 86_400 }, context);
    case 'anchor':
      return (snapshot, context) => decideChange(snapshot, change({ ...plan, billingCycleAnchor: 'now' }), context);
    case 'anchor date':
      return (snapshot, context) => decideChange(snapshot, change({ ...plan, billingCycleAnchor: end - pick * 4 * 86_400 }), context);
    case 'trial':
      return (snapshot, context) => decideChange(snapshot, change({ ...plan, trialEnd: end + pick * 86_400 }), context);
    case 'trial over':
      return (snapshot, context) => decideChange(snapshot, change({ ...plan, items: [...items], trialEnd: 'now' }), context);
    case 'both':
      return (snapshot, context) =>
        decideChange(snapshot, change({ ...plan, items: [...items], cancellation: { at: 'period_end' } }), context);
    default:
      return (snapshot, context) => decideChange(snapshot, change({ ...plan, items: [...items] }), context);
  }
}

/** What cannot happen does not. */
function happen(book: MemoryBook, at: Instant, event: { kind: string; pick: number }): void {
  try {
    make(book, at, event);
  } catch (error) {
    expect(error).toBeInstanceOf(Refusal);
  }
}

function make(book: MemoryBook, at: Instant, { kind, pick }: { kind: string; pick: number }): void {
  switch (kind) {
    case 'price':
      book.prices['pro'] = { ...book.prices['pro']!, unitAmountDecimal: String(2000 + (pick % 2)) };
      return;
    case 'tax':
      book.taxRates['vat'] = { ...book.taxRates['vat']!, percentage: String(19 + (pick % 2)) };
      return;
    case 'balance':
      book.customer = { ...book.customer, balance: pick % 2 ? -700 : 0 };
      return;
    case 'exempt':
      book.customer = { ...book.customer, taxExempt: pick % 2 ? 'reverse' : 'none' };
      return;
    case 'rename':
      book.products['prod_pro'] = { ...book.products['prod_pro']!, name: `Pro ${pick}` };
      return;
    case 'quantity':
      changeItem(book, at, 'si_pro', { quantity: String(pick) });
      return;
    case 'default':
      book.account = { ...book.account, defaultTaxRateIds: pick % 2 ? ['vat'] : [] };
      return;
    case 'trial':
      book.do(at, (snapshot, context) => decideChange(snapshot, change({ trialEnd: at + pick * 86_400 + 60 }), context));
      return;
    case 'remind':
      book.do(at, decideTrialReminder);
      return;
    case 'end':
      schedule(book, at, pick % 2 ? 'period_end' : 'never');
      return;
    case 'renew':
      if (at >= book.living.currentPeriodEnd) renew(book);
      return;
    case 'pay':
      payAll(book, at);
  }
}

test('property: applied line by line as previewed, or refused with nothing written, whatever happens between', () => {
  let applied = 0;
  let refused = 0;
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 27 * 86_400 }),
      fc.array(happening, { maxLength: 3 }),
      asked,
      fc.array(happening, { maxLength: 3 }),
      (start, before, wish, between) => {
        const book = world();
        let at = on('2025-01-31') + start;
        for (const event of before) happen(book, (at += event.wait % 600), event);
        if (at >= book.living.currentPeriodEnd) renew(book);
        const decide = decideOn(wish, at + 40 * 86_400);
        let previewed: Preview;
        try {
          previewed = preview(book, at, decide);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
          return;
        }
        for (const event of between) happen(book, (at += event.wait), event);
        const known = new Set(book.allInvoices.map(({ id }) => id));
        const refusal = apply(book, at, previewed.pins, decide);
        if (refusal) {
          refused += 1;
          if (between.every(({ kind }) => ['nothing', 'pay', 'rename', 'remind'].includes(kind)) && at <= previewed.pins.expiresAt) {
            expect(
              between.some(({ kind }) => kind === 'pay'),
              refusal.message,
            ).toBe(true);
          }
          return;
        }
        applied += 1;
        const made = book.allInvoices.find(({ id }) => !known.has(id));
        if (made)
          expect({ ...money(made), lines: withoutWords(made) }).toEqual({
            ...money(previewed.shown),
            lines: withoutWords(previewed.shown),
          });
        else if (previewed.shown) {
          renew(book, Math.min(book.living.currentPeriodEnd, book.living.cancelAt ?? book.living.currentPeriodEnd));
          expect(withoutWords(book.lastInvoice)).toEqual(withoutWords(previewed.shown));
          expect(book.lastInvoice.amountDue).toBe(previewed.shown.amountDue);
        }
      },
    ),
    { numRuns: 250 },
  );
  expect(applied).toBeGreaterThan(20);
  expect(refused).toBeGreaterThan(20);
});

const withoutWords = (invoice: Invoice | undefined) => money(invoice)?.lines.map(({ description: _, ...line }) => line);
