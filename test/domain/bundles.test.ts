import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BundleComponent } from '../../domain/catalog/price.ts';
import { netOf } from '../../domain/discounts/apply-discounts.ts';
import { decideRenewal } from '../../domain/subscription/renew.ts';
import { hasEnded } from '../../domain/subscription/transitions.ts';
import type { Instant } from '../../domain/time.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import {
  cancel,
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
} from '../support/subscribe.ts';

const JAN_31 = on('2024-01-31');
const FEB_10 = on('2024-02-10');

/** Chat, desk and calls, sold alone, in a suite of two and in one of three. */
function bookWith({ bundled = true, ...parts }: ConstructorParameters<typeof MemoryBook>[0] & { bundled?: boolean } = {}): MemoryBook {
  const book = new MemoryBook(parts);
  for (const id of ['chat', 'desk', 'calls']) book.price(id, '1999');
  const suite = (id: string, amount: string, shares: Record<string, string>) => {
    const bundle = Object.entries(shares).map(([name, share]): BundleComponent => ({ productId: `prod_${name}`, share }));
    book.price(id, amount, 'month', bundled ? { bundle } : {});
  };
  suite('suite', '4900', { chat: '2000', desk: '2900' });
  suite('suite3', '9901', { chat: '1', desk: '1', calls: '1' });
  suite('thirds', '0.5', { desk: '1', calls: '2' });
  return book;
}

const products = (book: MemoryBook): [string | null, number][] =>
  book.lastInvoice.lines.map(({ productId, amount }) => [productId, amount]);

describe('one price, a line for each component', () => {
  test('charges, with what they are and how they came about', () => {
    const book = bookWith();
    create(book, JAN_31, ['suite × 3']);
    expect(linesOf(book.lastInvoice)).toEqual([
      '3 × chat (of suite, at EUR 49.00 / month) 6000',
      '3 × desk (of suite, at EUR 49.00 / month) 8700',
    ]);
    const [line] = book.lastInvoice.lines;
    expect(line).toMatchObject({ priceId: 'suite', productId: 'prod_chat', quantity: '3', unitAmountDecimal: null });
    expect(line?.explanation).toMatchObject({
      sentence: 'EUR 49.00 x 3 seats for one month (2024-01-31 to 2024-02-29) = EUR 147.00, 2000 of 4900 parts of it for chat = EUR 60.00',
      bundle: { productId: 'prod_suite', amount: 14_700, share: '2000', shares: '4900' },
      exact: '6000',
    });
    expect([...book.billed.values()].map(({ component, amount }) => [component, amount])).toEqual([
      [0, 6000],
      [1, 8700],
    ]);
    expect(book.living.items).toHaveLength(1);
  });

  test('what does not divide is spread by largest remainder', () => {
    const book = bookWith();
    create(book, JAN_31, ['suite3']);
    expect(products(book)).toEqual([
      ['prod_chat', 3301],
      ['prod_desk', 3300],
      ['prod_calls', 3300],
    ]);
  });

  test('an upgrade gives back each component to its own line, and upgrade and back is worth nothing', () => {
    const book = bookWith();
    createPaid(book, JAN_31, ['suite']);
    const [chat, desk] = book.lastInvoice.lines;
    changeItem(book, FEB_10, 'si_suite', { priceId: 'suite3' });
    const credits = [...book.pendingItems.values()].filter(({ line }) => line.amount < 0).map(({ line }) => line);
    expect(credits.map(({ productId, creditedLineId }) => [productId, creditedLineId])).toEqual([
      ['prod_chat', chat?.id],
      ['prod_desk', desk?.id],
    ]);
    changeItem(book, FEB_10, 'si_suite', { priceId: 'suite' });
    expect(book.coverage('si_suite')).toEqual([{ start: JAN_31, end: on('2024-02-29') }]);
    renew(book);
    expect(book.lastInvoice.total).toBe(4900);
  });

  test('a trial shows each component, and so does what follows it', () => {
    const book = bookWith();
    create(book, JAN_31, ['suite'], { trial: { days: 7 } });
    expect(linesOf(book.lastInvoice)).toEqual(['Trial period for chat 0', 'Trial period for desk 0']);
    renew(book);
    expect(products(book)).toEqual([
      ['prod_chat', 2000],
      ['prod_desk', 2900],
    ]);
  });

  test('tax rates may differ by component; those of the item come first', () => {
    const book = bookWith();
    book.taxRate('full', '20');
    book.taxRate('low', '10');
    const suite = book.prices['suite'];
    if (!suite?.bundle) throw new Error('the suite is a bundle');
    book.prices['suite'] = { ...suite, bundle: suite.bundle.map((part, index) => (index === 0 ? { ...part, taxRateIds: ['low'] } : part)) };
    create(book, JAN_31, ['suite'], { defaultTaxRateIds: ['full'] });
    expect(book.lastInvoice.lines.map(({ taxes }) => taxes.map(({ taxRateId, amount }) => [taxRateId, amount]))).toEqual([
      [['low', 200]],
      [['full', 580]],
    ]);
    payAll(book, JAN_31);
    changePlan(book, FEB_10, { items: [{ do: 'update', itemId: 'si_suite', taxRateIds: ['full'] }] });
    renew(book);
    expect(book.lastInvoice.tax).toBe(980);
  });

  test('a coupon for one component takes off its lines, one for the bundle off all of them', () => {
    const book = bookWith();
    const scope = (productId: string) => ({ appliesTo: { productIds: [productId], priceIds: [] } });
    book.coupon('DESK', '50', scope('prod_desk'));
    book.coupon('SUITE', '10', scope('prod_suite'));
    create(book, JAN_31, ['suite'], { discounts: [{ couponId: 'DESK' }, { couponId: 'SUITE' }] });
    expect(book.lastInvoice.lines.map(netOf)).toEqual([1800, 1305]);
  });

  test('a bundle is the base of what requires one of its components', () => {
    const book = bookWith();
    const product = book.products['prod_calls'];
    if (product) book.products['prod_calls'] = { ...product, requiresOneOf: ['prod_desk'] };
    create(book, JAN_31, ['suite', 'calls']);
    expect(book.lastInvoice.lines).toHaveLength(3);
  });

  test('without prorations the value moves from component to component, and is given back where it was paid', () => {
    const book = bookWith();
    createPaid(book, JAN_31, ['suite']);
    const [chat, desk] = book.lastInvoice.lines;
    changeItem(book, FEB_10, 'si_suite', { quantity: '2' }, { prorationBehavior: 'none' });
    const rows = [...book.billed.values()].filter(({ start }) => start === FEB_10);
    expect(rows.map(({ component, invoiceLineId }) => [component, invoiceLineId])).toEqual([
      [0, chat?.id],
      [1, desk?.id],
    ]);
  });
});

const step = fc.record({
  kind: fc.constantFrom('price', 'price', 'quantity', 'quantity', 'pause', 'resume', 'discount', 'cancel', 'reactivate', 'pass', 'pass'),
  seconds: fc.integer({ min: 0, max: 40 * 86_400 }),
  priceId: fc.constantFrom('suite', 'suite3', 'thirds', 'chat', 'desk'),
  quantity: fc.integer({ min: 0, max: 7 }),
  behavior: fc.constantFrom('create_prorations', 'always_invoice', 'none'),
  unusedTime: fc.constantFrom('credit', 'extend'),
  coupon: fc.constantFrom('TENTH', 'TENNER', null),
  pays: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function live(bundled: boolean, steps: readonly Step[], basis: 'second' | 'day'): unknown[] {
  const book = bookWith({ bundled, account: { prorationBasis: basis } });
  book.taxRate('vat', '19');
  book.coupon('TENTH', '10.5');
  book.coupon('TENNER', 777);
  let now: Instant = JAN_31;
  createPaid(book, now, ['suite × 3', 'calls'], { defaultTaxRateIds: ['vat'] });
  const told: unknown[] = [];
  const pass = (to: Instant): void => {
    while (!hasEnded(book.living.status) && book.living.status !== 'paused' && book.living.currentPeriodEnd <= to)
      book.do(book.living.currentPeriodEnd, decideRenewal);
    now = to;
  };
  for (const { kind, seconds, priceId, quantity, behavior, unusedTime, coupon, pays } of steps) {
    pass(now + seconds);
    if (pays) payAll(book, now);
    const { status } = book.living;
    const over = hasEnded(status);
    const how = { prorationBehavior: behavior } as const;
    if (kind === 'price' && !over) changeItem(book, now, 'si_suite', { priceId }, how);
    if (kind === 'quantity' && !over) changeItem(book, now, 'si_suite', { quantity: String(quantity) }, how);
    if (kind === 'discount' && !over) changePlan(book, now, { discounts: coupon === null ? [] : [{ couponId: coupon }] });
    if (kind === 'pause' && !over && status !== 'paused') pause(book, now, { unusedTime });
    if (kind === 'resume' && status === 'paused') resume(book, now);
    if (kind === 'cancel' && !over) cancel(book, now, { prorate: true, invoiceNow: behavior === 'always_invoice' });
    if (kind === 'reactivate' && over) reactivate(book, now);
    const rows = [...book.billed.values()].filter(({ subscriptionItemId }) => subscriptionItemId === 'si_suite');
    told.push({
      kind,
      invoices: book.allInvoices.map(({ subtotal, total, tax }) => [subtotal, total, tax]),
      pending: [...book.pendingItems.values()].reduce((all, { line }) => all + netOf({ ...line }), 0),
      covered: book.coverage('si_suite'),
      left: rows.reduce((all, { amount, credited }) => all + amount - credited, 0),
      // Which of several open invoices gets the last cent of tax of a credit depends on how many lines it has.
      owed: book.allInvoices.reduce((all, { amountRemaining }) => all + amountRemaining, book.customer.balance),
    });
  }
  return told;
}

test('whatever happens to it, a bundle bills, gives back and covers what the same price does as one line', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 10 }), fc.constantFrom('second', 'day'), (steps, basis) => {
      expect(live(true, steps, basis)).toEqual(live(false, steps, basis));
    }),
    { numRuns: 150 },
  );
});
