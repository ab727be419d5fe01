import type { Price } from '../catalog/price.ts';
import { dividedBy, type ExactAmount, exact, exactToString, times, wholeNumber } from '../money.ts';

/**
 * Whole packages of a quantity. Up: a package that is begun counts; down: one that is not full is free. Nothing is no package.
 *
 * 121 units in packages of 10: 13 up, 12 down.
 */
export const packagesOf = (quantity: string, { divideBy, round }: NonNullable<Price['transformQuantity']>): string =>
  exactToString(wholeNumber(dividedBy(exact(quantity), divideBy), round));

/**
 * The price of a package x packages, exact.
 *
 * EUR 100.00 for each 10 units begun, 121 units: 10000 x 13 = 130000, EUR 1,300.00.
 */
export const ratePackage = (unitAmountDecimal: string, quantity: string, transform: NonNullable<Price['transformQuantity']>): ExactAmount =>
  times(exact(unitAmountDecimal), packagesOf(quantity, transform));
