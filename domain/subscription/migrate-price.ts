import { isSameCycle } from '../catalog/mix-cycles.ts';
import { isMetered, type Metadata, type Price } from '../catalog/price.ts';
import { isSoldIn } from '../catalog/price-in.ts';
import { Refusal, type RefusalCode } from '../errors.ts';
import { ratePrice } from '../rating/rate-price.ts';
import { roundLine } from '../rating/round-line.ts';
import type { Instant } from '../time.ts';
import type { ChangePlan } from './commands.ts';
import { replacedBy } from './scheduled-change.ts';
import type { ProrationBehavior, Subscription } from './subscription.ts';
import { hasEnded } from './transitions.ts';

export const PRICE_MIGRATION_STATUSES = ['pending', 'running', 'completed', 'canceling', 'canceled'] as const;

/** All subscriptions of one price on their way to another. `completed`: each of them was asked; what is scheduled may still be to come. */
export interface PriceMigration {
  id: string;
  fromPriceId: string;
  toPriceId: string;
  /** When each subscription changes: at the end of its period, at once, or at an instant. Of a customer on a test clock in the time of the clock. */
  effectiveAt: 'period_end' | 'now' | Instant;
  prorationBehavior: ProrationBehavior;
  filters: MigrationFilters;
  status: (typeof PRICE_MIGRATION_STATUSES)[number];
  /** Who asked for it, and so for each change. */
  actor: string;
  createdAt: Instant;
  completedAt: Instant | null;
  canceledAt: Instant | null;
}

/** Which subscriptions of the price are meant; null: all of them. */
export interface MigrationFilters {
  customerCreatedBefore: Instant | null;
  /** What the metadata of the subscription must hold. */
  metadata: Metadata | null;
  /** At most so many, the oldest first. */
  limit: number | null;
}

/** What became of one subscription. `canceled`: taken back before it took effect. */
export const MIGRATED_STATUSES = ['pending', 'scheduled', 'applied', 'skipped', 'failed', 'canceled'] as const;
export type MigratedStatus = (typeof MIGRATED_STATUSES)[number];

/** `unavailable`: it gave no answer; `replaced`: another change has taken the place of the migration's. */
export interface MigrationReason {
  code: RefusalCode | 'unavailable' | 'replaced';
  message: string;
}

/** What a migration asks of one subscription. `skip`: there is nothing to migrate; `refuse`: there is, and it may not be. */
export type MigrationStep = { do: 'change'; command: ChangePlan } | { do: 'skip' | 'refuse'; reason: MigrationReason };

/**
 * Whether each subscription of the one price could have the other.
 * @throws Refusal price_not_recurring, price_inactive, currency_mismatch, interval_mismatch, parameter_invalid about `from_price` or `to_price`
 */
export function checkMigration(from: Price, to: Price): void {
  if (from.recurring === null)
    throw new Refusal('price_not_recurring', `The price ${from.id} is not recurring: nobody subscribes to it.`, 'from_price');
  if (from.id === to.id) throw new Refusal('parameter_invalid', 'The two prices are the same.', 'to_price');
  if (to.recurring === null) throw new Refusal('price_not_recurring', `The price ${to.id} is not recurring.`, 'to_price');
  if (!to.active) throw new Refusal('price_inactive', `The price ${to.id} is inactive.`, 'to_price');
  const missing = [from.currency, ...Object.keys(from.currencyOptions)].find((currency) => !isSoldIn(to, currency));
  if (missing !== undefined)
    throw new Refusal(
      'currency_mismatch',
      `The price ${from.id} is sold in ${missing}, in which the price ${to.id} is not sold.`,
      'to_price',
    );
  if (!isSameCycle(from.recurring, to.recurring))
    throw new Refusal('interval_mismatch', 'The two prices must bill at the same interval.', 'to_price');
  if (isMetered(from) !== isMetered(to)) throw new Refusal('parameter_invalid', 'Both prices must be metered, or neither.', 'to_price');
}

/**
 * The change that a subscription gets: its item keeps quantity, taxes and discounts. What somebody has scheduled for the item's price is never replaced, and an update that waits for its
 * payment is not overtaken. Whatever else is wrong is refused by the change itself. `asOf` is the time of the customer.
 */
export function decideMigration(
  subscription: Subscription,
  {
    fromPriceId,
    toPriceId,
    effectiveAt,
    prorationBehavior,
  }: Pick<PriceMigration, 'fromPriceId' | 'toPriceId' | 'effectiveAt' | 'prorationBehavior'>,
  asOf: Instant,
): MigrationStep {
  const { id, status, items, cancelAt, currentPeriodEnd, pendingUpdate } = subscription;
  const skip = (code: MigrationReason['code'], message: string): MigrationStep => ({ do: 'skip', reason: { code, message } });
  if (hasEnded(status)) return skip('subscription_canceled', `The subscription ${id} has ended.`);
  const concerned = items.filter(({ priceId }) => priceId === fromPriceId);
  if (concerned.length === 0) return skip('item_missing', `The subscription ${id} has no item of the price ${fromPriceId} any more.`);
  const at = effectiveAt === 'now' ? asOf : effectiveAt === 'period_end' ? currentPeriodEnd : effectiveAt;
  if (cancelAt !== null && cancelAt <= at)
    return skip('date_out_of_range', `The subscription ${id} ends before the change would take effect.`);
  const refuse = (code: MigrationReason['code'], message: string): MigrationStep => ({ do: 'refuse', reason: { code, message } });
  if (pendingUpdate !== null) return refuse('pending_update_exists', `The subscription ${id} has an update that waits for its payment.`);
  const command: ChangePlan = {
    items: concerned.map((item) => ({ do: 'update', itemId: item.id, priceId: toPriceId })),
    prorationBehavior,
    paymentBehavior: 'allow_incomplete',
    ...(effectiveAt === 'now' ? {} : { effectiveAt }),
  };
  if (subscription.scheduledChanges.some(({ change }) => change.phase !== undefined))
    return refuse('transition_not_allowed', `The subscription ${id} follows a schedule: its phases say which price it has.`);
  const planned = replacedBy(subscription, command, asOf, null, asOf);
  if (planned.length > 0)
    return refuse('transition_not_allowed', `A change of the same item is scheduled for the subscription ${id}, and stays as it is.`);
  return { do: 'change', command };
}

/** Subscriptions that have the price in the same quantity and currency. */
export interface MigrationGroup {
  currency: string;
  quantity: string;
  count: number;
}

/** Minor units per cycle of the prices, before discounts and taxes. Usage is not foreseen, so a metered price counts nothing. */
export interface MigrationAmounts {
  currency: string;
  before: number;
  after: number;
  difference: number;
}

/**
 * What the subscriptions pay for the price in one cycle, and what they would pay; by currency.
 * @throws Refusal amount_out_of_range, or parameter_invalid where a quantity is beyond the last tier
 */
export function sumMigration(from: Price, to: Price, groups: readonly MigrationGroup[]): MigrationAmounts[] {
  const sums = new Map<string, MigrationAmounts>();
  const amountOf = (price: Price, quantity: string, currency: string): number =>
    isMetered(price) ? 0 : roundLine(ratePrice(price, quantity, currency).total);
  for (const { currency, quantity, count } of groups) {
    const sum = sums.get(currency) ?? { currency, before: 0, after: 0, difference: 0 };
    const before = sum.before + amountOf(from, quantity, currency) * count;
    const after = sum.after + amountOf(to, quantity, currency) * count;
    if (!Number.isSafeInteger(before) || !Number.isSafeInteger(after))
      throw new Refusal('amount_out_of_range', `The sum in ${currency} is more than can be shown.`);
    sums.set(currency, { currency, before, after, difference: after - before });
  }
  return [...sums.values()].sort((a, b) => (a.currency < b.currency ? -1 : 1));
}
