import type { BillingSnapshot } from '../billing-snapshot.ts';
import { findMetered } from '../catalog/find-price.ts';
import { isSameCycle } from '../catalog/mix-cycles.ts';
import type { Cycle } from '../catalog/price.ts';
import { Refusal } from '../errors.ts';
import { compareDecimals, isZero } from '../money.ts';
import { ratePrice } from '../rating/rate-price.ts';
import type { Instant } from '../time.ts';
import type { Present } from './check-bases.ts';
import { checkItemQuantity, checkTaxRates, checkTogether, checkUsageGte, recurringPrice } from './check-items.ts';
import type { ItemChange } from './commands.ts';
import type { Subscription, SubscriptionItem } from './subscription.ts';

export interface ChangedItems {
  items: SubscriptionItem[];
  cycle: Cycle;
  /** Whether another cycle replaces the subscription's: the shortest has changed, and no item bills as it did. Then a new period begins with the change. */
  movesCycle: boolean;
  /** Items whose price or quantity changes, and those that come or go. */
  touched: Set<string>;
}

/**
 * The items as they will be after the changes, in their order, new ones last. Nothing is billed here.
 * @throws Refusal item_missing, last_item_removal, parameter_invalid and those of `check-items.ts`, with the parameter at fault
 */
export function changeItems(
  snapshot: BillingSnapshot,
  subscription: Subscription,
  changes: readonly ItemChange[],
  asOf: Instant,
): ChangedItems {
  const items = new Map(subscription.items.map((item) => [item.id, item]));
  const paramOf = new Map<string, string>();
  changes.forEach((change, index) => {
    const param = `items[${index}]`;
    const id = change.do === 'add' ? change.item.id : change.itemId;
    if (paramOf.has(id)) throw new Refusal('parameter_invalid', `The item ${id} is named twice.`, `${param}[id]`);
    paramOf.set(id, param);
    const present = items.get(id);
    if (change.do === 'add') {
      if (present) throw new Refusal('parameter_invalid', `The item ${id} exists already.`, `${param}[id]`);
      const { discounts: _, ...item } = change.item;
      items.set(id, { ...item, metadata: {}, createdAt: asOf });
    } else {
      if (!present) throw new Refusal('item_missing', `No such subscription item: '${id}'`, `${param}[id]`);
      if (change.do === 'remove') {
        items.delete(id);
        return;
      }
      items.set(id, {
        ...present,
        priceId: change.priceId ?? present.priceId,
        quantity: change.quantity ?? (isMeasured(snapshot, change.priceId) ? '1' : present.quantity),
        taxRateIds: change.taxRateIds ?? present.taxRateIds,
        ...usageGteOf(snapshot, present, change),
      });
    }
    const wanted = change.do === 'add' ? change.item : change;
    if (wanted.priceId !== undefined && wanted.priceId !== present?.priceId)
      recurringPrice(snapshot, wanted.priceId, id, `${param}[price]`);
    if (wanted.quantity !== undefined) {
      const priceId = wanted.priceId ?? present?.priceId ?? '';
      checkItemQuantity(snapshot, { priceId, quantity: wanted.quantity }, `${param}[quantity]`);
    }
    checkUsageGte(snapshot, { priceId: wanted.priceId ?? present?.priceId ?? '', ...wanted }, `${param}[billing_thresholds]`);
    if (wanted.taxRateIds !== undefined) checkTaxRates(snapshot, wanted.taxRateIds, `${param}[tax_rates]`);
  });
  const next = [...items.values()];
  if (next.length === 0)
    throw new Refusal(
      'last_item_removal',
      'A subscription must have at least one item. Cancel it instead of removing the last one.',
      'items',
    );
  // Items that are named come last, so that a clash is reported at the parameter that made it.
  const wishes = [...next.filter((item) => !paramOf.has(item.id)), ...next.filter((item) => paramOf.has(item.id))].map((item) => ({
    ...item,
    param: paramOf.get(item.id) ?? 'items',
  }));
  const cycle = checkTogether(snapshot, wishes, subscription.currency, presentItems(subscription, changes));
  const old = new Map(subscription.items.map(({ id, priceId }) => [id, snapshot.prices[priceId]?.recurring]));
  const billsOn = ({ id, priceId }: SubscriptionItem): boolean => {
    const [was, is] = [old.get(id), snapshot.prices[priceId]?.recurring];
    return was != null && is != null && isSameCycle(was, is);
  };
  const movesCycle = !isSameCycle(cycle, subscription.cycle) && !next.some(billsOn);
  return { items: next, cycle, movesCycle, touched: touchedItems(subscription.items, next) };
}

/** The items before the changes, with the parameter that makes each of them go. */
const presentItems = ({ items }: Subscription, changes: readonly ItemChange[]): Present[] =>
  items.map(({ id, priceId }) => {
    const index = changes.findIndex((change) => change.do !== 'add' && change.itemId === id);
    const change = changes[index];
    const leaves = change?.do === 'remove' || (change?.do === 'update' && change.priceId !== undefined && change.priceId !== priceId);
    return { priceId, leavesBy: leaves ? `items[${index}][${change.do === 'remove' ? 'deleted' : 'price'}]` : null };
  });

/** It stays with the item while that is metered. */
function usageGteOf(
  snapshot: BillingSnapshot,
  { usageGte = null }: SubscriptionItem,
  change: Extract<ItemChange, { do: 'update' }>,
): Pick<SubscriptionItem, 'usageGte'> {
  if (change.usageGte !== undefined) return { usageGte: change.usageGte };
  if (usageGte === null || change.priceId === undefined || isMeasured(snapshot, change.priceId)) return {};
  return { usageGte: null };
}

const isMeasured = ({ prices }: BillingSnapshot, priceId: string | undefined): boolean => findMetered(prices, priceId) !== null;

function touchedItems(before: readonly SubscriptionItem[], after: readonly SubscriptionItem[]): Set<string> {
  const old = new Map(before.map((item) => [item.id, item]));
  const kept = new Set(after.map((item) => item.id));
  const changed = after.filter((item) => {
    const present = old.get(item.id);
    return !present || present.priceId !== item.priceId || compareDecimals(present.quantity, item.quantity) !== 0;
  });
  return new Set([...before.filter((item) => !kept.has(item.id)), ...changed].map((item) => item.id));
}

/** Whether a full cycle of these items costs nothing. */
export const isFree = (snapshot: BillingSnapshot, items: readonly SubscriptionItem[], currency: string): boolean =>
  items.every(({ priceId, quantity }) => {
    const price = snapshot.prices[priceId];
    if (!price) return true;
    return isZero(ratePrice(price, quantity, currency).total) && !price.recurring?.minimumAmount;
  });
