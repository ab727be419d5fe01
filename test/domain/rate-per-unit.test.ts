import { expect, test } from 'vitest';
import { exactToString } from '../../domain/money.ts';
import { ratePrice } from '../../domain/rating/rate-price.ts';
import { aPriceOf } from '../support/price-models.ts';

test.each([
  ['a flat price', '2000', '1', '2000'],
  ['seats', '1250', '7', '8750'],
  ['no seat', '1250', '0', '0'],
  ['free', '0', '1000', '0'],
  ['a fraction of a cent', '0.000000000001', '999999999', '0.000999999999'],
  ['a fraction of a unit', '150', '2.5', '375'],
  ['large', '999999999999', '999999999', '999999998999000000001'],
])('%s: %s x %s = %s', (_, unit, quantity, total) => {
  const rated = ratePrice(aPriceOf(unit), quantity);
  expect(exactToString(rated.total)).toBe(total);
  expect([rated.tiers, rated.packages]).toEqual([null, null]);
});
