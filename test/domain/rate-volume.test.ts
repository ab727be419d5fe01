import { expect, test } from 'vitest';
import { exactToString } from '../../domain/money.ts';
import { ratePrice } from '../../domain/rating/rate-price.ts';
import { aPriceOf, tiered } from '../support/price-models.ts';

const SEATS = tiered('volume', [
  [10, 150],
  [110, 100],
  [null, 50],
]);
const STAIRS = tiered('volume', [
  [10, null, 5000],
  [50, null, 20000],
  [null, null, 50000],
]);
const BASE = tiered('volume', [
  [5, 700, 1000],
  [null, 600, 2000],
]);
const FREE = tiered('volume', [
  [5, 0],
  [null, 600],
]);

test.each([
  ['nothing', SEATS, '0', '0', '0'],
  ['the first tier', SEATS, '10', '1500', '0'],
  ['all units at the second', SEATS, '11', '1100', '10'],
  ['the edge belongs to the second', SEATS, '110', '11000', '10'],
  ['all units at the last', SEATS, '111', '5550', '110'],
  ['a stair', STAIRS, '1', '5000', '0'],
  ['no unit stands on the first stair', STAIRS, '0', '5000', '0'],
  ['the edge of a stair', STAIRS, '10', '5000', '0'],
  ['the next stair', STAIRS, '11', '20000', '10'],
  ['the last stair', STAIRS, '1000', '50000', '50'],
  ['a flat amount beside units', BASE, '5', '4500', '0'],
  ['the flat amount of the next tier only', BASE, '6', '5600', '5'],
  ['free up to an edge', FREE, '5', '0', '0'],
  ['all units paid beyond it', FREE, '6', '3600', '5'],
])('%s', (_, patch, quantity, total, from) => {
  const rated = ratePrice(aPriceOf('0', patch), quantity);
  expect(exactToString(rated.total)).toBe(total);
  expect(rated.tiers?.map((charge) => [charge.from, charge.quantity])).toEqual([[from, quantity]]);
});
