import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { prorateCharge, prorateCredit } from '../../domain/rating/prorate.ts';
import { ratePercentage } from '../../domain/rating/rate-percentage.ts';
import { ratePrice } from '../../domain/rating/rate-price.ts';
import { decideThreshold } from '../../domain/subscription/bill-threshold.ts';
import type { BilledPeriod } from '../../domain/subscription/subscription.ts';
import { applyTaxRates } from '../../domain/tax/apply-tax-rates.ts';
import { boundary, instant, localDate } from '../../domain/time.ts';
import { NO_USAGE } from '../../domain/usage/measure.ts';
import { aMeter } from '../api/examples.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { aPriceOf, tiered } from '../support/price-models.ts';
import { cancel, changeItem, changePlan, create, createPaid, pause, renew, resume } from '../support/subscribe.ts';

/*
 * Worked examples from peers' documents and tests: minor units, ends exclusive, day basis unless stated.
 * Which are left out, and why, is told by peer-examples-report.test.ts.
 */
/** Each example has a shape of its own, as its source has. */
type Example = Record<string, ReturnType<typeof JSON.parse>> & { id: string };
const examples = new Map(
  readFileSync(new URL('../vectors/peer-examples.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Example)
    .map((example) => [example.id, example]),
);
const example = (id: string): Example => examples.get(id) as Example;

const DAY = { basis: 'day', zone: 'UTC' } as const;
const dayOfMonth = (day: number) => ({ dayOfMonth: day, month: null, hour: null, minute: null, second: null });
const span = ([start, end]: string[]) => ({ start: on(start as string), end: on(end as string) });
const amounts = (book: MemoryBook) => book.lastInvoice.lines.map((line) => line.amount);

function priced(unit: number) {
  const book = new MemoryBook();
  book.price('p', String(unit));
  return book.prices['p'] as NonNullable<(typeof book.prices)['p']>;
}

const billed = (period: string[], amount: number): BilledPeriod => {
  const { start, end } = span(period);
  return {
    ...{
      id: 'bp',
      subscriptionItemId: 'si',
      priceId: 'p',
      quantity: '1',
      start,
      end,
      originalStart: start,
      originalEnd: end,
      cycleStart: start,
      cycleEnd: end,
      amount,
    },
    ...{ credited: 0, taxRateIds: [], component: null, invoiceId: null, invoiceLineId: null, invoiceItemId: null },
  };
};

test('P01: two changes in one month, each crediting what was billed; the balance pays the renewal', () => {
  const { billed, steps, period } = example('P01');
  const book = new MemoryBook();
  book.price('a', String(billed));
  createPaid(book, on(period[0]), ['a']);
  for (const step of steps.slice(0, 2)) {
    book.price(`p${step.new}`, String(step.new));
    changeItem(book, on(step.on), 'si_a', { priceId: `p${step.new}` }, { prorationBehavior: 'always_invoice' });
    expect([amounts(book), -book.customer.balance]).toEqual([[step.credit, step.charge], step.balance]);
  }
  renew(book);
  expect([amounts(book), -book.customer.balance, book.lastInvoice.amountDue]).toEqual([[steps[2].charge], steps[2].balance, steps[2].due]);
});

test('P03: a year given back on its first day pays the months that follow', () => {
  const { billed, on: date, new_monthly, credit, charge, balance } = example('P03');
  const book = new MemoryBook();
  book.price('year', String(billed), 'year');
  book.price('month', String(new_monthly));
  createPaid(book, on(date), ['year']);
  changeItem(book, on(date), 'si_year', { priceId: 'month' });
  expect(amounts(book)).toEqual([credit, charge]);
  const balances = [-book.customer.balance];
  while (balances.length < balance.length) {
    renew(book);
    balances.push(-book.customer.balance);
  }
  expect(balances).toEqual(balance);
});

test('P04: a cancelled year', () => {
  const { billed, period, cancel: date, credit, used_part } = example('P04');
  const book = new MemoryBook();
  book.price('year', String(billed), 'year');
  createPaid(book, on(period[0]), ['year']);
  cancel(book, on(date), { prorate: true });
  expect([book.lastInvoice.total, billed + book.lastInvoice.total]).toEqual([credit, used_part]);
});

test('P05: a stub before a period of the 31st, and the periods after it', () => {
  const { price, from, to, period, charge, next_periods } = example('P05');
  expect(prorateCharge(priced(price), '1', span([from, to]), span(period), DAY).amount).toBe(charge);
  const next = next_periods.map((_: string, n: number) =>
    localDate(boundary(on('2012-01-31'), { interval: 'month', intervalCount: 1 }, 'UTC', n + 2), 'UTC'),
  );
  expect(next).toEqual(next_periods);

  const book = new MemoryBook();
  book.price('p', String(price));
  createPaid(book, on(from), ['p'], { billingCycleAnchorConfig: dayOfMonth(31) });
  expect(amounts(book)).toEqual([charge]);
  const starts = next_periods.map(() => {
    renew(book);
    return localDate(book.living.currentPeriodStart, 'UTC');
  });
  expect(starts).toEqual(next_periods);
});

test.each(example('P06')['stubs'] as Example[])('P06: a stub from $from to $to', ({ from, to, period, charge }) => {
  expect(prorateCharge(priced(example('P06')['price']), '1', span([from, to]), span(period), DAY).amount).toBe(charge);

  const book = new MemoryBook();
  book.price('p', String(example('P06')['price']));
  create(book, on(from), ['p'], { billingCycleAnchor: on(to) });
  expect(amounts(book)).toEqual([charge]);
});

test('P08: a pause gives the rest of the month back, and the balance pays what is used of the month it is resumed in', () => {
  const { price, pause: paused, resume: resumed } = example('P08');
  const book = new MemoryBook();
  book.price('p', String(price));
  createPaid(book, on(paused.period[0]), ['p']);
  expect(book.living.currentPeriodEnd).toBe(on(paused.period[1]));
  pause(book, on(paused.on));
  expect([amounts(book), book.customer.balance]).toEqual([[paused.credit], paused.credit]);
  resume(book, on(resumed.on), { billingCycleAnchor: 'unchanged', prorationBehavior: 'always_invoice' });
  expect([book.living.currentPeriodStart, book.living.currentPeriodEnd]).toEqual([on(resumed.period[0]), on(resumed.period[1])]);
  expect(amounts(book)).toEqual([resumed.charge]);
  expect(book.lastInvoice.startingBalance - (book.lastInvoice.endingBalance ?? 0)).toBe(-resumed.from_balance);
  expect(book.lastInvoice).toMatchObject({ status: 'paid', amountDue: 0 });
});

test('P09: the credit of the month and the part of the year; by our rule a new cycle starts a whole year instead', () => {
  const { on: date, old, new: next } = example('P09');
  expect(-prorateCredit(billed(old.period, old.billed), on(date), DAY).amount).toBe(old.credit);
  const year = { ...priced(next.price), recurring: { interval: 'year', intervalCount: 1, usageType: 'licensed', meterId: null } as const };
  expect(prorateCharge(year, '1', span([date, next.to]), span(next.period), DAY).amount).toBe(next.charge);

  const book = new MemoryBook();
  book.price('month', String(old.billed));
  book.price('year', String(next.price), 'year');
  createPaid(book, on(old.period[0]), ['month']);
  changeItem(book, on(date), 'si_month', { priceId: 'year' });
  expect(amounts(book)).toEqual([old.credit, next.price]);
});

test.each(example('P11')['cases'] as Example[])('P11: 30-day months, from $from to $to', ({ from, to, days, charge }) => {
  const start = `${from.slice(0, 8)}15`;
  const cycle = { start: on(start), end: boundary(on(start), { interval: 'month', intervalCount: 1 }, 'UTC', 1) };
  const prorated = prorateCharge(priced(example('P11')['price']), '1', span([from, to]), cycle, { basis: 'fixed_30', zone: 'UTC' });
  expect([prorated.amount, prorated.fraction?.numerator]).toEqual([charge, days]);
});

test('P16: two items upgraded together, and back', () => {
  const { period, on: date, old, new: next, credits, charges, net, reverse_net, reverse_balance } = example('P16');
  const life = (from: number[], to: number[]) => {
    const book = new MemoryBook();
    from.forEach((price, index) => {
      book.price(`from${index}`, String(price));
    });
    to.forEach((price, index) => {
      book.price(`to${index}`, String(price));
    });
    createPaid(book, on(period[0]), ['from0', 'from1']);
    changePlan(book, on(date), {
      items: [0, 1].map((index) => ({ do: 'update', itemId: `si_from${index}`, priceId: `to${index}` })),
      prorationBehavior: 'always_invoice',
    });
    return book;
  };
  const up = life(old, next);
  expect(amounts(up)).toEqual([credits[0], charges[0], credits[1], charges[1]]);
  expect(up.lastInvoice.total).toBe(net);
  const down = life(next, old);
  expect([down.lastInvoice.total, -down.customer.balance]).toEqual([reverse_net, reverse_balance]);
});

test.each(example('P15')['cancel'] as Example[])('P15: what is owed in arrears when it ends on $on', ({ on: date, charge }) => {
  const { arrears_price: price, from, period } = example('P15');
  expect(prorateCharge(priced(price), '1', span([from, date as string]), span(period), DAY).amount).toBe(charge);
});

test('P17: what an item added in mid-month owes in arrears', () => {
  const { period, on: date, add_arrears: added } = example('P17');
  expect(prorateCharge(priced(added.price), '1', span([date, period[1]]), span(period), DAY).amount).toBe(added.at_renewal);
});

test('P17: an item added in mid-month, in advance', () => {
  const { period, on: date, add_advance } = example('P17');
  const book = new MemoryBook();
  book.price('base', '1000');
  book.price('more', String(add_advance.price));
  createPaid(book, on(period[0]), ['base']);
  changePlan(book, on(date), {
    items: [{ do: 'add', item: { id: 'si_more', priceId: 'more', quantity: '1', taxRateIds: [] } }],
    prorationBehavior: 'always_invoice',
  });
  expect(book.lastInvoice.total).toBe(add_advance.now);
});

describe('P21: two upgrades on one day, taxed', () => {
  const { tax_pct, prices, calendar, anniversary } = example('P21');
  const taxes = new MemoryBook();
  taxes.taxRate('vat', String(tax_pct));
  /** A credit with its tax, as a document of its own. */
  const noteOf = (net: number) =>
    net + (applyTaxRates([{ amount: net, taxRateIds: ['vat'] }], taxes.taxRates, { taxExempt: 'none' })[0]?.[0]?.amount ?? 0);

  test('from an anniversary: the lines; on one invoice the tax is of their sum', () => {
    const book = new MemoryBook({ account: { defaultTaxRateIds: ['vat'] } });
    book.taxRate('vat', String(tax_pct));
    prices.forEach((price: number) => {
      book.price(`p${price}`, String(price));
    });
    createPaid(book, on(calendar.start), [`p${prices[0]}`]);
    expect(book.lastInvoice.subtotal).toBe(anniversary.first);
    anniversary.steps.forEach(({ charge, credit_note }: Example, index: number) => {
      changeItem(book, on(calendar.on), `si_p${prices[0]}`, { priceId: `p${prices[index + 1]}` }, { prorationBehavior: 'always_invoice' });
      const [credit = 0, charged] = amounts(book);
      expect([charged, -noteOf(credit)]).toEqual([charge, credit_note]);
      expect(book.lastInvoice.tax).toBe(Math.round((book.lastInvoice.subtotal * tax_pct) / 100));
    });
  });

  test('in a calendar month that began with a stub', () => {
    const month = span(['2024-03-01', '2024-04-01']);
    const first = prorateCharge(priced(prices[0]), '1', { start: on(calendar.start), end: month.end }, month, DAY).amount;
    expect(first).toBe(calendar.first);
    let row = billed([calendar.start, '2024-04-01'], first);
    calendar.steps.forEach(({ charge, credit_note }: Example, index: number) => {
      const next = prorateCharge(priced(prices[index + 1]), '1', { start: on(calendar.on), end: month.end }, month, DAY).amount;
      expect([next, noteOf(prorateCredit(row, on(calendar.on), DAY).amount)]).toEqual([charge, credit_note]);
      row = billed([calendar.on, '2024-04-01'], next);
    });
  });
});

test('U01: graduated and volume tiers; blocks of each size, rounded up', () => {
  const { graduated, volume_same_tiers, blocks } = example('U01');
  const { total, tiers } = ratePrice(aPriceOf('0', tiered('graduated', graduated.tiers)), String(graduated.units));
  expect([Number(total), tiers?.map((tier) => Number(tier.total))]).toEqual([graduated.total, graduated.per_tier]);
  expect(Number(ratePrice(aPriceOf('0', tiered('volume', graduated.tiers)), String(graduated.units)).total)).toBe(volume_same_tiers);
  let left: number = blocks.units;
  const perSize = blocks.tiers.map(({ size, max_blocks: most, price }: Example) => {
    const units = Math.min(left, size * most);
    left -= units;
    return Number(ratePrice(aPriceOf(String(price), { transformQuantity: { divideBy: size, round: 'up' } }), String(units)).total);
  });
  expect([perSize, left]).toEqual([blocks.per_tier, 0]);
});

test('U02: packages, with units that are free before them, a percentage with what is free of it, and graduated tiers with a flat amount', () => {
  const { package: sold, graduated, percentage } = example('U02');
  const packages = (units: number) =>
    Number(
      ratePrice(aPriceOf(String(sold.price), { transformQuantity: { divideBy: sold.size, round: 'up' } }), String(Math.max(0, units)))
        .total,
    );
  expect([sold.units, sold.units - 10, sold.units - 200].map(packages)).toEqual([sold.total, sold.with_10_free, sold.with_200_free]);
  const terms = { rate: String(percentage.rate), fixedAmount: percentage.fixed_each, freeAmount: percentage.free_sum };
  const rated = ratePercentage(
    { ...terms, freeEvents: 3, minimumAmount: null, maximumAmount: null },
    { ...NO_USAGE, sum: String(percentage.sum), count: 3 + percentage.charged_events },
  );
  expect(Number(rated)).toBe(percentage.total);
  const seats = aPriceOf('0', tiered('graduated', graduated.tiers));
  expect(['0', '1'].map((units) => Number(ratePrice(seats, units).total))).toEqual([graduated.units_0, graduated.units_1]);
});

test('U05: units at the old price of a hundred, and units at the new one', () => {
  const { per100_old: old, units_old: before, per100_new: next, units_new: after, total } = example('U05');
  const hundreds = (price: number, units: number) =>
    Number(ratePrice(aPriceOf(String(price), { transformQuantity: { divideBy: 100, round: 'up' } }), String(units)).total);
  expect(hundreds(old, before) + hundreds(next, after)).toBe(total);
});

test('U07: usage that is billed when it reaches its threshold is taken off what the period comes to', () => {
  const { fee, threshold, usage_at_threshold: early, invoice_1: first, usage_total: all, cycle } = example('U07');
  const book = new MemoryBook();
  book.meters['mtr_1'] = aMeter();
  book.price('fee', String(fee));
  book.price('calls', '1', 'month', { recurring: { interval: 'month', intervalCount: 1, usageType: 'metered', meterId: 'mtr_1' } });
  createPaid(book, on('2025-01-01'), ['fee', 'calls'], { billingThresholds: { amountGte: threshold, resetBillingCycleAnchor: false } });
  book.used.push({ meterId: 'mtr_1', at: on('2025-01-15'), value: early });
  book.do(on('2025-01-15'), decideThreshold);
  expect([book.lastInvoice.billingReason, book.lastInvoice.total]).toEqual(['subscription_threshold', first]);
  book.used.push({ meterId: 'mtr_1', at: on('2025-01-20'), value: all - early });
  renew(book);
  const { lastInvoice: invoice } = book;
  const [{ explanation } = { explanation: null }] = invoice.lines;
  expect(Number(explanation?.usage?.quantity) + fee).toBe(cycle.gross);
  expect([explanation?.usage?.corrects?.amount, invoice.total]).toEqual([cycle.credit, cycle.due]);
});

test('C02: a coupon over lines with taxes of their own, on one invoice', () => {
  const { lines, tax_pct: rates, coupon, shares, line_tax, tax, total } = example('C02');
  const book = new MemoryBook();
  book.coupon('off', coupon);
  const items = lines.map((amount: number, index: number) => {
    book.price(`p${index}`, String(amount));
    if (rates[index] > 0) book.taxRate(`t${index}`, String(rates[index]));
    return { id: `si_${index}`, priceId: `p${index}`, quantity: '1', taxRateIds: rates[index] > 0 ? [`t${index}`] : [] };
  });
  create(book, on('2025-01-01'), [], { items, discounts: [{ couponId: 'off' }] });
  const { lastInvoice: invoice } = book;
  expect(invoice.lines.map((line) => line.discountAmounts?.[0]?.amount)).toEqual(shares);
  expect(invoice.lines.map((line) => line.taxes[0]?.amount ?? 0)).toEqual(line_tax);
  expect([invoice.tax, invoice.total]).toEqual([tax, total]);
});

test('C03: one percentage, percentages of what is left, and nothing left', () => {
  for (const { price, pct, due } of example('C03')['cases']) {
    const book = new MemoryBook();
    book.price('p', String(price));
    const discounts = pct.map((percentage: number, index: number) => ({ couponId: book.coupon(`c${index}`, String(percentage)) }));
    create(book, on('2025-01-01'), ['p'], { discounts });
    expect(book.lastInvoice.amountDue).toBe(due);
  }
});

test('C04: a coupon before tax', () => {
  const { price, coupon_pct, tax_pct, discount, tax, total } = example('C04');
  const book = new MemoryBook({ account: { defaultTaxRateIds: ['vat'] } });
  book.taxRate('vat', String(tax_pct));
  book.price('p', String(price));
  create(book, on('2025-01-01'), ['p'], { discounts: [{ couponId: book.coupon('c', String(coupon_pct)) }] });
  const { lastInvoice: invoice } = book;
  expect([invoice.lines[0]?.discountAmounts?.[0]?.amount, invoice.tax, invoice.total]).toEqual([discount, tax, total]);
});

test('C05: a coupon of a line, one of the subscription, tax, and what the customer has left to spend', () => {
  const { lines, line_coupon_pct: ofLines, sub_coupon, wallet, tax_pct, taxable, tax, total } = example('C05');
  const book = new MemoryBook({ account: { defaultTaxRateIds: ['vat'] }, customer: { balance: -wallet, currency: 'eur' } });
  book.taxRate('vat', String(tax_pct));
  const items = lines.map((amount: number, index: number) => ({
    id: `si_${index}`,
    priceId: book.price(`p${index}`, String(amount)),
    quantity: '1',
    taxRateIds: [],
    ...(String(index) in ofLines ? { discounts: [{ couponId: book.coupon(`c${index}`, String(ofLines[index])) }] } : {}),
  }));
  create(book, on('2025-01-01'), [], { items, discounts: [{ couponId: book.coupon('sub', sub_coupon) }] });
  const { lastInvoice: invoice } = book;
  expect([invoice.totalExcludingTax, invoice.tax, invoice.amountDue]).toEqual([taxable, tax, total]);
});

test('C04: tax on the whole price, and reverse charge', () => {
  const { price, vat20_total, reverse_charge_total } = example('C04');
  const totalFor = (taxExempt: 'none' | 'reverse') => {
    const book = new MemoryBook({ account: { defaultTaxRateIds: ['vat'] }, customer: { taxExempt } });
    book.taxRate('vat', '20');
    book.price('p', String(price));
    create(book, on('2025-01-01'), ['p']);
    return book.lastInvoice.total;
  };
  expect([totalFor('none'), totalFor('reverse')]).toEqual([vat20_total, reverse_charge_total]);
});

const NOTHING_SAID = ['its end, with nothing said of it', {}] as const;

test.each([NOTHING_SAID, ['the 31st', { billingCycleAnchorConfig: dayOfMonth(example('A03')['anchor_day']) }]] as const)(
  'A03: a trial of 30 days in Los Angeles ends on the 31st there, and the first paid period on the 30th; the anchor is %s',
  (_, anchor) => {
    const { zone, created, trial_days, anchor_day, first_period } = example('A03');
    const book = new MemoryBook({ customer: { billingTimezone: zone } });
    book.price('p', '3000');
    create(book, instant(created), ['p'], { trial: { days: trial_days }, ...anchor });
    expect(Number(localDate(book.living.billingCycleAnchor, zone).slice(-2))).toBe(anchor_day);
    renew(book);
    expect([book.living.currentPeriodStart, book.living.currentPeriodEnd].map((at) => localDate(at, zone))).toEqual(first_period);
    expect(book.lastInvoice.total).toBe(3000);
  },
);

test.each([NOTHING_SAID, ['the 1st', { billingCycleAnchorConfig: dayOfMonth(example('A04')['anchor_day']) }]] as const)(
  'A04: after a trial of 30 days in Juneau 19 months go from the 1st to the 1st; the anchor is %s',
  (_, anchor) => {
    const { zone, created, trial_days, anchor_day } = example('A04');
    const book = new MemoryBook({ customer: { billingTimezone: zone } });
    book.price('p', '3000');
    create(book, instant(created), ['p'], { trial: { days: trial_days }, ...anchor });
    const starts = Array.from({ length: 19 }, () => {
      renew(book);
      return localDate(book.living.currentPeriodStart, zone);
    });
    expect([starts[0], starts.at(-1)]).toEqual(['2015-10-01', '2017-04-01']);
    expect(new Set(starts.map((day) => Number(day.slice(-2))))).toEqual(new Set([anchor_day]));
    expect(book.allInvoices.slice(1).every(({ total }) => total === 3000)).toBe(true);
  },
);

test('A01: a subscription of the 31st, and one of 29 February that comes back in leap years', () => {
  const { anchor, starts, yearly_anchor, yearly, yearly_by_our_rule, bimonthly_from, bimonthly_next } = example('A01');
  const begins = (first: string, interval: 'month' | 'year', intervalCount: number, count: number): string[] => {
    const book = new MemoryBook();
    book.price('p', '1000', interval, { intervalCount });
    createPaid(book, on(first), ['p']);
    const next = Array.from({ length: count - 1 }, () => {
      renew(book);
      return localDate(book.living.currentPeriodStart, 'UTC');
    });
    return [first, ...next];
  };
  expect(begins(anchor, 'month', 1, starts.length)).toEqual(starts);
  expect(begins(yearly_anchor, 'year', 1, 5)).toEqual([yearly_anchor, ...yearly, ...yearly_by_our_rule]);
  expect(begins(bimonthly_from, 'month', 2, 2)).toEqual([bimonthly_from, bimonthly_next]);
});

test.each(example('N01')['cases'] as Example[])(
  'N01: $unused of $fee given back with $tax_pct % tax',
  ({ fee, tax_pct, unused, net, tax, total }) => {
    const book = new MemoryBook({ account: { defaultTaxRateIds: ['vat'] } });
    book.taxRate('vat', String(tax_pct));
    book.price('p', String(fee), 'day', { intervalCount: unused[1] });
    createPaid(book, on('2025-04-01'), ['p']);
    cancel(book, on('2025-04-02'), { prorate: true });
    expect([book.lastInvoice.subtotal, book.lastInvoice.tax, book.lastInvoice.total]).toEqual([-net, -tax, -total]);
  },
);

test('N02: the tax of the sum is spread over two equal lines, the earlier one gets the odd cent', () => {
  const { lines, tax_pct, total, credit_notes } = example('N02');
  const book = new MemoryBook({ account: { defaultTaxRateIds: ['vat'] } });
  book.taxRate('vat', String(tax_pct));
  lines.forEach((price: number, index: number) => {
    book.price(`p${index}`, String(price));
  });
  create(book, on('2025-01-01'), ['p0', 'p1']);
  expect(book.lastInvoice.total).toBe(total);
  expect(book.lastInvoice.lines.map((line) => line.taxes[0]?.amount)).toEqual(credit_notes.map((note: Example) => note['tax']));
});
