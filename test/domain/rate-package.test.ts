import { expect, test } from 'vitest';
import { exactToString } from '../../domain/money.ts';
import { ratePrice } from '../../domain/rating/rate-price.ts';
import { aPriceOf } from '../support/price-models.ts';

test.each([
  ['0', 0, 0],
  ['0.1', 1, 0],
  ['1', 1, 0],
  ['9', 1, 0],
  ['10', 1, 1],
  ['10.5', 2, 1],
  ['11', 2, 1],
  ['120', 12, 12],
  ['121', 13, 12],
  ['999999999', 100_000_000, 99_999_999],
])('%s units in packages of 10: %i up, %i down', (quantity, up, down) => {
  for (const [round, packages] of [['up', up] as const, ['down', down] as const]) {
    const rated = ratePrice(aPriceOf('10000', { transformQuantity: { divideBy: 10, round } }), quantity);
    expect([rated.packages, exactToString(rated.total)]).toEqual([String(packages), String(packages * 10_000)]);
  }
});

test.each([
  [3, '999999999', 'up', '333333333'],
  [7, '14', 'up', '2'],
  [7, '15', 'up', '3'],
  [7, '13', 'down', '1'],
  [1, '13', 'up', '13'],
] as const)('packages of %i: %s units %s are %s', (divideBy, quantity, round, packages) => {
  expect(ratePrice(aPriceOf('100', { transformQuantity: { divideBy, round } }), quantity).packages).toBe(packages);
});
