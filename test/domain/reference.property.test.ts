import { expect, test } from 'vitest';
import { discountOf } from '../../domain/discounts/apply-discounts.ts';
import { decideScheduledApplication } from '../../domain/subscription/apply-scheduled-change.ts';
import { isoInstant } from '../../domain/time.ts';
import { aMeter } from '../api/examples.ts';
import { type Act, type Bill, billLife, type Item, type Life } from '../reference/biller.ts';
import { makeInstants, makeLife } from '../reference/make-life.ts';
import { METERED_LIST, PRICE_LIST } from '../reference/prices.ts';
import KEPT from '../reference/seeds.json' with { type: 'json' };
import { MemoryBook, on } from '../support/memory-book.ts';
import { cancel, changePlan, createPaid, pause, payAll, renew, resume, schedule } from '../support/subscribe.ts';

const START = on('2027-10-31');
const END = START + 366 * 86_400;

function newBook({ tax, coupon }: Life): MemoryBook {
  const book = new MemoryBook({ account: { prorationBasis: 'second', defaultTaxRateIds: tax === null ? [] : ['vat'] } });
  book.taxRate('vat', String(tax ?? 0));
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
  return book;
}

const idOf = ({ name }: Item): string => `si_${name}`;
const wish = (item: Item) => ({ id: idOf(item), priceId: item.price, quantity: String(item.quantity), taxRateIds: [] });

function changesOf(before: readonly Item[], after: readonly Item[]) {
  const gone = before.filter(({ name }) => !after.some((item) => item.name === name));
  return [
    ...gone.map((item) => ({ do: 'remove' as const, itemId: idOf(item) })),
    ...after.map((item) =>
      before.some(({ name }) => name === item.name)
        ? { do: 'update' as const, itemId: idOf(item), priceId: item.price, quantity: String(item.quantity) }
        : { do: 'add' as const, item: wish(item) },
    ),
  ];
}

/** The life, by the decisions that the engine makes. */
function live(seed: number): { bills: Bill[]; expected: Bill[]; told: string } {
  const life = makeLife(seed, makeInstants(seed % 7, START));
  const book = newBook(life);
  let items: Item[] = [];
  const renewUntil = (at: number): void => {
    while (book.subscription && ['active', 'trialing'].includes(book.living.status) && book.living.currentPeriodEnd <= at) {
      const due = book.living.currentPeriodEnd;
      for (const { id } of book.living.scheduledChanges) {
        book.do(due, (snapshot, context) => decideScheduledApplication(snapshot, { changeId: id }, context));
      }
      renew(book, due);
      payAll(book, due);
    }
  };
  const act = (given: Act, at: number): void => {
    if (given.do === 'use') book.used.push(...given.units.map((value) => ({ meterId: 'mtr_1', at, value })));
    else if (given.do === 'subscribe') {
      createPaid(book, at, [], {
        items: given.items.map(wish),
        ...(given.anchor === undefined ? {} : { billingCycleAnchor: given.anchor }),
        ...(life.coupon === null ? {} : { discounts: [{ couponId: 'c' }] }),
        ...(given.trialDays === undefined ? {} : { trial: { days: given.trialDays } }),
      });
    } else if (given.do === 'change') changePlan(book, at, { items: changesOf(items, given.items), prorationBehavior: given.proration });
    else if (given.do === 'change at period end') changePlan(book, at, { items: changesOf(items, given.items), effectiveAt: 'period_end' });
    else if (given.do === 'cancel') cancel(book, at, { prorate: given.prorate, invoiceNow: given.invoiceNow });
    else if (given.do === 'cancel at period end') schedule(book, at, 'period_end');
    else if (given.do === 'pause') pause(book, at);
    else resume(book, at, { billingCycleAnchor: 'now' });
    if ('items' in given) items = given.items;
  };
  for (const { at, act: given } of life.acts) {
    renewUntil(at);
    act(given, at);
    payAll(book, at);
  }
  renewUntil(END);
  const bills = book.allInvoices.map(
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
  return { bills, expected: billLife(life, END), told: JSON.stringify(life) };
}

const inWords = (bills: readonly Bill[]) =>
  bills.map(({ at, reason, lines, total, due }) => ({
    bill: `${isoInstant(at)} ${reason} ${total} due ${due}`,
    lines: lines
      .map(
        ({ price, quantity, start, end, amount, off }) =>
          `${price} x ${quantity} ${isoInstant(start)} ${isoInstant(end)} ${amount} - ${off}`,
      )
      .sort(),
  }));

test('random subscription-years are decided as the reference bills them', () => {
  const years = Number(process.env['DECIDE_YEARS'] ?? 60);
  for (const seed of [...(KEPT as number[]), ...Array.from({ length: years }, (_, n) => n + 1)]) {
    const { bills, expected, told } = live(seed);
    expect(inWords(bills), `seed ${seed}: ${told}`).toEqual(inWords(expected));
  }
});
