import type { BillingSnapshot } from '../billing-snapshot.ts';
import { productsOf } from '../catalog/bundle.ts';
import { isMultipleOf } from '../catalog/mix-cycles.ts';
import { Refusal } from '../errors.ts';
import type { Wish } from './check-items.ts';

/** An item as it was before a change, and the parameter that takes it away or gives it another price; null where none does. */
export interface Present {
  priceId: string;
  leavesBy: string | null;
}

type Item = Pick<Wish, 'priceId'>;

/**
 * An add-on (a product with `requiresOneOf`) stands beside one of its bases, and bills on boundaries that are its base's: the longer of the two cycles is a whole multiple of the shorter. What stood
 * without a base before the change, because the catalogue said otherwise then, may go on so.
 * @throws Refusal base_product_missing or interval_mismatch, about the add-on that comes or the base that goes
 */
export function checkBases(snapshot: BillingSnapshot, wishes: readonly Wish[], before: readonly Present[]): void {
  for (const wish of wishes) {
    const bases = basesOf(snapshot, wish);
    if (bases.length === 0) continue;
    const beside = wishes.filter((other) => isOneOf(snapshot, other, bases));
    if (beside.some((base) => isAligned(snapshot, wish, base))) continue;
    const wasThere = before.some(({ priceId }) => priceId === wish.priceId);
    const basesBefore = before.filter((item) => isOneOf(snapshot, item, bases));
    if (wasThere && !basesBefore.some((base) => isAligned(snapshot, wish, base))) continue;
    const leavesBy = wasThere ? basesBefore.find((base) => base.leavesBy !== null)?.leavesBy : null;
    const param = leavesBy ?? `${wish.param}[price]`;
    if (beside.length > 0) {
      throw new Refusal(
        'interval_mismatch',
        'An add-on and its base must bill at the same interval, or one at a whole multiple of the other.',
        param,
      );
    }
    const product = snapshot.prices[wish.priceId]?.productId;
    throw new Refusal(
      'base_product_missing',
      `The product ${product} is an add-on: it needs ${bases.length === 1 ? 'the product' : 'one of the products'} ${bases.join(', ')} on the same subscription.`,
      param,
    );
  }
}

const basesOf = ({ prices, products }: BillingSnapshot, { priceId }: Item): readonly string[] =>
  products[prices[priceId]?.productId ?? '']?.requiresOneOf ?? [];

/** A bundle is each of its components, too. */
const isOneOf = ({ prices }: BillingSnapshot, { priceId }: Item, productIds: readonly string[]): boolean => {
  const price = prices[priceId];
  return price !== undefined && productsOf(price).some((id) => productIds.includes(id));
};

function isAligned({ prices }: BillingSnapshot, addOn: Item, base: Item): boolean {
  const [one, other] = [prices[addOn.priceId]?.recurring, prices[base.priceId]?.recurring];
  return one != null && other != null && (isMultipleOf(one, other) || isMultipleOf(other, one));
}
