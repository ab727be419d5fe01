import { allocate } from '../money.ts';
import type { BundleComponent, Price } from './price.ts';

/** As many lines as one price may become. */
export const MAX_COMPONENTS = 20;

/** The product that a price sells and, where it is a bundle, those of its components. */
export const productsOf = ({ productId, bundle }: Pick<Price, 'productId' | 'bundle'>): string[] => [
  ...new Set([productId, ...(bundle ?? []).map((component) => component.productId)]),
];

/** An amount of a bundle, split over its components by their shares: the parts sum to it, by largest remainder, ties to the earlier component. */
export const splitOver = (bundle: readonly BundleComponent[], amount: number): number[] =>
  allocate(
    amount,
    bundle.map(({ share }) => share),
  );
