import { describe, expect, test } from 'vitest';
import type { Interval } from '../../domain/catalog/price.ts';
import { decideScheduleEdit } from '../../domain/schedule/edit-schedule.ts';
import type { ItemChange } from '../../domain/subscription/commands.ts';
import { MemoryBook, on } from '../support/memory-book.ts';
import { changeItem, changePlan, create, createPaid, linesOf, renew } from '../support/subscribe.ts';

const JAN_31 = on('2024-01-31');
const FEB_10 = on('2024-02-10');

/** Two plans of different products, and backups that are sold beside one of them only. */
function bookWith(bases = ['prod_plan', 'prod_plan2']): MemoryBook {
  const book = new MemoryBook();
  book.price('plan', '2900');
  book.price('plan2', '5800');
  book.price('year', '29000', 'year');
  book.price('other', '100');
  for (const [id, interval, intervalCount] of [
    ['backup', 'month', 1],
    ['backup2', 'month', 2],
    ['backup3', 'month', 3],
    ['backupYear', 'year', 1],
  ] as const) {
    book.price(id, '580', interval as Interval, { intervalCount });
    const product = book.products[`prod_${id}`];
    if (product) book.products[product.id] = { ...product, requiresOneOf: bases };
  }
  return book;
}

const remove = (itemId: string): ItemChange => ({ do: 'remove', itemId });
const add = (priceId: string): ItemChange => ({ do: 'add', item: { id: `si_${priceId}`, priceId, quantity: '1', taxRateIds: [] } });
const missing = (param: string) => expect.objectContaining({ code: 'base_product_missing', param });

describe('an add-on is sold beside its base', () => {
  test('on creation', () => {
    expect(() => create(bookWith(), JAN_31, ['other', 'backup'])).toThrow(missing('items[1][price]'));
    expect(() => create(bookWith(), JAN_31, ['backup'])).toThrow('one of the products prod_plan, prod_plan2 on the same subscription');
    create(bookWith(), JAN_31, ['backup', 'plan']);
  });

  test('added by a change, at once or later', () => {
    const book = bookWith();
    createPaid(book, JAN_31, ['other']);
    expect(() => changePlan(book, FEB_10, { items: [add('backup')] })).toThrow(missing('items[0][price]'));
    expect(() => changePlan(book, FEB_10, { items: [add('backup')], effectiveAt: 'period_end' })).toThrow(missing('items[0][price]'));
    changePlan(book, FEB_10, { items: [add('backup'), add('plan')] });
    expect(book.living.items.map(({ priceId }) => priceId)).toEqual(['other', 'backup', 'plan']);
  });

  test('its base goes with it, gives way to another base, or stays', () => {
    const book = bookWith();
    createPaid(book, JAN_31, ['plan', 'backup', 'other']);
    expect(() => changePlan(book, FEB_10, { items: [remove('si_other'), remove('si_plan')] })).toThrow(missing('items[1][deleted]'));
    expect(() => changeItem(book, FEB_10, 'si_plan', { priceId: 'year' })).toThrow(missing('items[0][price]'));
    changeItem(book, FEB_10, 'si_backup', { quantity: '3' });
    changeItem(book, FEB_10, 'si_plan', { priceId: 'plan2' });
    changePlan(book, FEB_10, { items: [remove('si_plan'), remove('si_backup')] });
    expect(book.living.items).toMatchObject([{ priceId: 'other' }]);
  });

  test('in every phase of a schedule', () => {
    const book = bookWith();
    const phase = (...prices: string[]) => ({ items: prices.map((priceId) => ({ priceId, quantity: '1', taxRateIds: [] })) });
    const open = () =>
      book.do(JAN_31, (snapshot, context) =>
        decideScheduleEdit(
          snapshot,
          {
            ...{
              do: 'create',
              scheduleId: 'sub_sched_1',
              subscriptionId: 'sub_1',
              customerId: 'cus_1',
              start: 'now',
              endBehavior: 'release',
            },
            phases: [phase('plan', 'backup'), phase('other', 'backup')],
            ...{ settings: { billingCycleAnchor: 'automatic', defaultPaymentMethodId: null }, metadata: {} },
          },
          context,
        ),
      );
    expect(open).toThrow(missing('phases[1][items][1][price]'));
  });
});

describe('it bills on the boundaries of its base', () => {
  test.each([
    ['plan', 'backup2'],
    ['plan', 'backupYear'],
    ['year', 'backup3'],
  ])('%s with %s', (base, addOn) => {
    create(bookWith(['prod_plan', 'prod_year']), JAN_31, [base, addOn]);
  });

  test('two months beside three are refused, also where a month of something else is the shortest', () => {
    const book = bookWith(['prod_quarter']);
    book.price('quarter', '8000', 'month', { intervalCount: 3 });
    expect(() => create(book, JAN_31, ['other', 'quarter', 'backup2'])).toThrow(
      expect.objectContaining({ code: 'interval_mismatch', param: 'items[2][price]' }),
    );
  });

  test('added within a period of a 31st it joins it, and both renew together', () => {
    const book = bookWith();
    createPaid(book, JAN_31, ['plan']);
    changePlan(book, FEB_10, { items: [add('backup')], prorationBehavior: 'always_invoice' });
    expect(book.coverage('si_backup')).toEqual([{ start: FEB_10, end: on('2024-02-29') }]);
    renew(book);
    expect(linesOf(book.lastInvoice)).toEqual(['1 × plan (at EUR 29.00 / month) 2900', '1 × backup (at EUR 5.80 / month) 580']);
    expect(book.lastInvoice.lines.map(({ period }) => period.end)).toEqual([on('2024-03-31'), on('2024-03-31')]);
  });
});

test('what was sold before its product became an add-on goes on, and may be changed', () => {
  const book = bookWith([]);
  createPaid(book, JAN_31, ['backup', 'other']);
  const product = book.products['prod_backup'];
  if (product) book.products[product.id] = { ...product, requiresOneOf: ['prod_plan'] };
  changeItem(book, FEB_10, 'si_backup', { quantity: '2' });
  changePlan(book, FEB_10, { items: [add('plan')] });
  expect(() => changePlan(book, FEB_10, { items: [remove('si_plan')] })).toThrow(missing('items[0][deleted]'));
});
