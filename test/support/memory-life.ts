import { discountOf } from '../../domain/discounts/apply-discounts.ts';
import type { Invoice } from '../../domain/invoicing/invoice.ts';
import { decideScheduledApplication } from '../../domain/subscription/apply-scheduled-change.ts';
import { decideThreshold } from '../../domain/subscription/bill-threshold.ts';
import { isoInstant } from '../../domain/time.ts';
import { aMeter } from '../api/examples.ts';
import type { Act, Bill, Item, Life } from '../reference/life.ts';
import { METERED_LIST, PRICE_LIST } from '../reference/prices.ts';
import type { MemoryBook } from './memory-book.ts';
import { cancel, changePlan, createPaid, pause, payAll, renew, resume, schedule } from './subscribe.ts';

/** A life that is lived by the decisions that the engine makes, in a book in memory. */
export class MemoryLife {
  readonly book: MemoryBook;
  readonly #life: Life;
  readonly #name: string;
  #items: Item[] = [];

  /** `name`: of the subscription, as its id and those of its items say it. */
  constructor(life: Life, book: MemoryBook, name = '1') {
    this.#life = life;
    this.#name = name;
    this.book = book;
    fill(book, life);
  }

  /** When its period ends; infinity: never. */
  get endsAt(): number {
    const { subscription } = this.book;
    return subscription && ['active', 'trialing'].includes(subscription.status) ? subscription.currentPeriodEnd : Number.POSITIVE_INFINITY;
  }

  pass(): void {
    const due = this.book.living.currentPeriodEnd;
    for (const { id } of this.book.living.scheduledChanges) {
      this.book.do(due, (snapshot, context) => decideScheduledApplication(snapshot, { changeId: id }, context));
    }
    renew(this.book, due);
    payAll(this.book, due);
  }

  act(given: Act, at: number): void {
    const { book } = this;
    const { coupon, threshold } = this.#life;
    if (given.do === 'use') {
      book.used.push(...given.units.map((value) => ({ meterId: 'mtr_1', at: at - (given.ago ?? 0), value })));
      book.do(at, decideThreshold);
    } else if (given.do === 'subscribe') {
      createPaid(book, at, [], {
        subscriptionId: `sub_${this.#name}`,
        items: given.items.map((item) => this.#wish(item)),
        ...(given.anchor === undefined ? {} : { billingCycleAnchor: given.anchor }),
        ...(threshold === null ? {} : { billingThresholds: { amountGte: threshold.amount, resetBillingCycleAnchor: threshold.resets } }),
        ...(coupon === null ? {} : { discounts: [{ couponId: 'c' }] }),
        ...(given.trialDays === undefined ? {} : { trial: { days: given.trialDays } }),
      });
    } else if (given.do === 'change') changePlan(book, at, { items: this.#changesTo(given.items), prorationBehavior: given.proration });
    else if (given.do === 'change at period end') changePlan(book, at, { items: this.#changesTo(given.items), effectiveAt: 'period_end' });
    else if (given.do === 'cancel') cancel(book, at, { prorate: given.prorate, invoiceNow: given.invoiceNow });
    else if (given.do === 'cancel at period end') schedule(book, at, 'period_end');
    else if (given.do === 'pause') pause(book, at);
    else resume(book, at, { billingCycleAnchor: 'now' });
    if ('items' in given) this.#items = given.items;
    payAll(book, at);
  }

  #idOf({ name }: Item): string {
    return `si_${this.#name}_${name}`;
  }

  #wish(item: Item) {
    return { id: this.#idOf(item), priceId: item.price, quantity: String(item.quantity), taxRateIds: [] };
  }

  #changesTo(after: readonly Item[]) {
    const before = this.#items;
    const gone = before.filter(({ name }) => !after.some((item) => item.name === name));
    return [
      ...gone.map((item) => ({ do: 'remove' as const, itemId: this.#idOf(item) })),
      ...after.map((item) =>
        before.some(({ name }) => name === item.name)
          ? { do: 'update' as const, itemId: this.#idOf(item), priceId: item.price, quantity: String(item.quantity) }
          : { do: 'add' as const, item: this.#wish(item) },
      ),
    ];
  }
}

/** What the price list, the tax and the coupon of a life are to the engine. */
function fill(book: MemoryBook, { tax, coupon, late }: Life): void {
  book.account = { ...book.account, prorationBasis: 'second', defaultTaxRateIds: tax === null ? [] : ['vat'], lateUsage: late };
  book.taxRate('vat', '20');
  book.meters['mtr_1'] = aMeter();
  if (coupon) {
    const { percent, months } = coupon;
    book.coupon('c', percent, months === null ? {} : { duration: 'repeating', durationInMonths: months });
  }
  for (const { id, months, cost, metered } of [...PRICE_LIST, ...METERED_LIST]) {
    book.price(id, 'unit' in cost ? cost.unit : '0', 'month', {
      intervalCount: months,
      ...(metered ? { recurring: { interval: 'month', intervalCount: months, usageType: 'metered', meterId: 'mtr_1' } } : {}),
      ...('tiers' in cost
        ? {
            billingScheme: 'tiered',
            unitAmountDecimal: null,
            tiersMode: cost.model,
            tiers: cost.tiers.map(({ upTo, unit, flat }) => ({
              upTo: upTo === null ? null : String(upTo),
              unitAmountDecimal: unit,
              flatAmountDecimal: flat,
            })),
          }
        : {}),
      ...(cost.model === 'package' ? { transformQuantity: { divideBy: cost.size, round: cost.round } } : {}),
    });
  }
}

/** Invoices in the words of the other biller, which knows none that still waits. */
export const billsOf = (invoices: readonly Invoice[]): Bill[] =>
  invoices
    .filter(({ status }) => status !== 'draft')
    .map(
      (invoice): Bill => ({
        at: invoice.createdAt,
        reason: invoice.billingReason,
        lines: invoice.lines.map((line) => ({
          price: line.priceId ?? '?',
          quantity: Number(line.quantity),
          ...line.period,
          amount: line.amount,
          off: discountOf(line),
        })),
        total: invoice.total,
        due: invoice.amountDue,
      }),
    );

/** To be compared: dates that can be read, and an order of its own for what is of one instant. */
export const inWords = (bills: readonly Bill[]) =>
  bills
    .map(({ at, reason, lines, total, due }) => ({
      bill: `${isoInstant(at)} ${reason} ${total} due ${due}`,
      lines: lines
        .map(
          ({ price, quantity, start, end, amount, off }) =>
            `${price} x ${quantity} ${isoInstant(start)} ${isoInstant(end)} ${amount} - ${off}`,
        )
        .sort(),
    }))
    .sort((a, b) => (a.bill < b.bill ? -1 : 1));
