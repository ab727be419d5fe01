import type { BillingSnapshot } from '../billing-snapshot.ts';
import { findMetered } from '../catalog/find-price.ts';
import { isMultipleOf, shortestCycle } from '../catalog/mix-cycles.ts';
import type { Cycle, Price } from '../catalog/price.ts';
import { priceIn } from '../catalog/price-in.ts';
import { Refusal } from '../errors.ts';
import { isQuantity, MAX_QUANTITY } from '../rating/round-line.ts';
import { checkBases, type Present } from './check-bases.ts';

/** As Stripe. */
export const MAX_ITEMS = 20;

/** Something wished for and the request parameter that wished it. */
export interface Wish {
  priceId: string;
  quantity: string;
  param: string;
}

/** A price that the item can have: an active one, or one made for it. @throws Refusal resource_missing, price_inactive, price_not_recurring */
export function recurringPrice(snapshot: BillingSnapshot, priceId: string, itemId: string, param: string): Price & { recurring: Cycle } {
  const price = snapshot.prices[priceId];
  if (!price) throw new Refusal('resource_missing', `No such price: '${priceId}'`, param);
  if (!price.active && price.madeFor !== itemId)
    throw new Refusal('price_inactive', `The price specified is inactive. This field only accepts active prices.`, param);
  const { recurring } = price;
  if (!recurring)
    throw new Refusal('price_not_recurring', 'The price specified is one-time, but this field only accepts recurring prices.', param);
  return { ...price, recurring };
}

/** Whole seats. @throws Refusal parameter_invalid */
export function checkQuantity(quantity: string, param: string): void {
  if (!isQuantity(quantity))
    throw new Refusal('parameter_invalid', `Invalid quantity: ${quantity}. It must be a whole number from 0 to ${MAX_QUANTITY}.`, param);
}

/** What is measured has no quantity; it is kept as 1. @throws Refusal parameter_invalid, also for a quantity that is set of what is measured */
export function checkItemQuantity(
  snapshot: BillingSnapshot,
  { priceId, quantity }: Pick<Wish, 'priceId' | 'quantity'>,
  param: string,
): void {
  checkQuantity(quantity, param);
  if (findMetered(snapshot.prices, priceId) !== null && quantity !== '1')
    throw new Refusal('parameter_invalid', `The price ${priceId} is metered: its quantity is what is used, and cannot be set.`, param);
}

/** Only usage has a threshold. @throws Refusal parameter_invalid */
export function checkUsageGte(
  snapshot: BillingSnapshot,
  { priceId, usageGte }: { priceId: string; usageGte?: number | null },
  param: string,
): void {
  if (usageGte != null && findMetered(snapshot.prices, priceId) === null)
    throw new Refusal('parameter_invalid', `The price ${priceId} is not metered: there is no usage to have a threshold.`, param);
}

/**
 * What holds for the items of a subscription together: at least one and at most 20, each price once, one currency, and cycles that are whole multiples of the shortest, add-ons beside their
 * base. `wishes` are all items as they will be; `before` is for `checkBases`. @returns the shortest cycle, which is the subscription's.
 * @throws Refusal parameter_missing, parameter_invalid, item_duplicate_price, currency_mismatch, interval_mismatch, base_product_missing
 */
export function checkTogether(
  snapshot: BillingSnapshot,
  wishes: readonly Wish[],
  currency: string,
  before: readonly Present[] = [],
): Cycle {
  const [first] = wishes;
  if (!first) throw new Refusal('parameter_missing', 'A subscription needs at least one item.', 'items');
  if (wishes.length > MAX_ITEMS) throw new Refusal('parameter_invalid', `A subscription has at most ${MAX_ITEMS} items.`, 'items');
  const seen = new Set<string>();
  const cycles: { cycle: Cycle; param: string }[] = [];
  for (const { priceId, param } of wishes) {
    const price = snapshot.prices[priceId];
    if (!price?.recurring) throw new Refusal('resource_missing', `No such price: '${priceId}'`, `${param}[price]`);
    if (seen.has(priceId)) {
      throw new Refusal(
        'item_duplicate_price',
        `Cannot add multiple subscription items with the same price: ${priceId}. Change the quantity instead.`,
        `${param}[price]`,
      );
    }
    seen.add(priceId);
    priceIn(price, currency, `${param}[price]`);
    cycles.push({ cycle: { interval: price.recurring.interval, intervalCount: price.recurring.intervalCount }, param });
  }
  const shortest = shortestCycle(cycles.map(({ cycle }) => cycle) as [Cycle, ...Cycle[]]);
  const isStranger = ({ cycle }: { cycle: Cycle }): boolean => !isMultipleOf(cycle, shortest);
  if (cycles.some(isStranger)) {
    const { interval, intervalCount } = shortest;
    const clash = cycles.findLast((candidate) => candidate.cycle === shortest || isStranger(candidate));
    throw new Refusal(
      'interval_mismatch',
      `The billing intervals of a subscription must be whole multiples of its shortest, which is ${intervalCount} ${interval}.`,
      `${clash?.param}[price]`,
    );
  }
  checkBases(snapshot, wishes, before);
  return shortest;
}

/** @throws Refusal resource_missing, parameter_invalid for an unknown or inactive tax rate */
export function checkTaxRates(snapshot: BillingSnapshot, taxRateIds: readonly string[], param: string): void {
  for (const id of taxRateIds) {
    const taxRate = snapshot.taxRates[id];
    if (!taxRate) throw new Refusal('resource_missing', `No such tax rate: '${id}'`, param);
    if (!taxRate.active) throw new Refusal('parameter_invalid', `The tax rate ${id} is inactive.`, param);
  }
  if (new Set(taxRateIds).size < taxRateIds.length) throw new Refusal('parameter_invalid', 'A tax rate is named twice.', param);
}

/** @throws Refusal resource_missing, payment_method_detached */
export function checkPaymentMethod(snapshot: BillingSnapshot, paymentMethodId: string | null): void {
  if (paymentMethodId === null) return;
  const param = 'default_payment_method';
  const method = snapshot.paymentMethods.find((candidate) => candidate.id === paymentMethodId);
  if (method && method.customerId === null)
    throw new Refusal('payment_method_detached', `The payment method ${paymentMethodId} is not attached to the customer.`, param);
  if (method?.customerId !== snapshot.customer.id)
    throw new Refusal('resource_missing', `The customer has no payment method with the id '${paymentMethodId}'`, param);
}
