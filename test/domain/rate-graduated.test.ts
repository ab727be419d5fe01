import { expect, test } from 'vitest';
import { exactToString } from '../../domain/money.ts';
import { ratePrice } from '../../domain/rating/rate-price.ts';
import { aPriceOf, tiered } from '../support/price-models.ts';

const SEATS = tiered('graduated', [
  [10, 150],
  [110, 100],
  [null, 50],
]);
const FLAT = tiered('graduated', [
  [10, 1000, 200],
  [20, 500, 300],
  [null, 500, 300],
]);
const FREE = tiered('graduated', [
  [3, 0],
  [null, 900],
]);
const INCLUDED = tiered('graduated', [
  [100, null, 20000],
  [null, '0.5'],
]);

test.each([
  ['nothing', SEATS, '0', '0', ['0']],
  ['one unit', SEATS, '1', '150', ['150']],
  ['a full first tier', SEATS, '10', '1500', ['1500']],
  ['one unit into the second', SEATS, '11', '1600', ['1500', '100']],
  ['a full second tier', SEATS, '110', '11500', ['1500', '10000']],
  ['one unit into the last', SEATS, '111', '11550', ['1500', '10000', '50']],
  ['a fraction of a unit', SEATS, '10.5', '1550', ['1500', '50']],
  ['flat amounts, nothing: the first is the least', FLAT, '0', '200', ['200']],
  ['flat amounts, one unit', FLAT, '1', '1200', ['1200']],
  ['flat amounts, the second not yet reached', FLAT, '10', '10200', ['10200']],
  ['flat amounts, the second reached', FLAT, '11', '11000', ['10200', '800']],
  ['flat amounts, all', FLAT, '21', '16300', ['10200', '5300', '800']],
  ['a free tier', FREE, '3', '0', ['0']],
  ['beyond a free tier', FREE, '5', '1800', ['0', '1800']],
  ['an allowance for a fixed fee', INCLUDED, '0', '20000', ['20000']],
  ['beyond the allowance', INCLUDED, '103', '20001.5', ['20000', '1.5']],
])('%s', (_, patch, quantity, total, perTier) => {
  const rated = ratePrice(aPriceOf('0', patch), quantity);
  expect(exactToString(rated.total)).toBe(total);
  expect(rated.tiers?.map((charge) => exactToString(charge.total))).toEqual(perTier);
});

test('a tier says from where it counts, and how much of it is used', () => {
  const charges = ratePrice(aPriceOf('0', SEATS), '111').tiers;
  expect(charges?.map(({ from, tier, quantity }) => [from, tier.upTo, quantity])).toEqual([
    ['0', '10', '10'],
    ['10', '110', '100'],
    ['110', null, '1'],
  ]);
});
