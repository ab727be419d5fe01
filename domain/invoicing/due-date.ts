import { Refusal } from '../errors.ts';
import { boundary, type Instant } from '../time.ts';

/** As Stripe: the engine asks for the money, or the customer is given time to send it. */
export const COLLECTION_METHODS = ['charge_automatically', 'send_invoice'] as const;
export type CollectionMethod = (typeof COLLECTION_METHODS)[number];

/** How what a subscription bills is to be paid. `daysUntilDue` is null exactly where it is charged automatically. */
export interface CollectionTerms {
  collectionMethod: CollectionMethod;
  /** Whole days on the calendar of the billing zone, from the making of an invoice on. */
  daysUntilDue: number | null;
}

/** The longest time for payment: ten years. */
export const MAX_DAYS_UNTIL_DUE = 3650;

/**
 * The terms after a command that may name a part of them.
 * @throws Refusal parameter_missing where nobody said how long a customer has, parameter_invalid where days are given to what is charged automatically
 */
export function collectionTerms(
  before: CollectionTerms,
  { collectionMethod = before.collectionMethod, daysUntilDue }: { collectionMethod?: CollectionMethod; daysUntilDue?: number },
): CollectionTerms {
  if (collectionMethod === 'charge_automatically') {
    if (daysUntilDue !== undefined) {
      throw new Refusal('parameter_invalid', 'days_until_due is only for the collection method send_invoice.', 'days_until_due');
    }
    return { collectionMethod, daysUntilDue: null };
  }
  const days = daysUntilDue ?? before.daysUntilDue;
  if (days === null) {
    throw new Refusal('parameter_missing', 'The collection method send_invoice needs days_until_due.', 'days_until_due');
  }
  if (!Number.isInteger(days) || days < 0 || days > MAX_DAYS_UNTIL_DUE)
    throw new Refusal('parameter_invalid', `A customer has 0 to ${MAX_DAYS_UNTIL_DUE} days to pay.`, 'days_until_due');
  return { collectionMethod, daysUntilDue: days };
}

/** The same local time that many days later. Null: it is charged, and due at once. */
export const dueAfter = (from: Instant, { daysUntilDue }: CollectionTerms, zone: string): Instant | null =>
  daysUntilDue === null ? null : boundary(from, { interval: 'day', intervalCount: 1 }, zone, daysUntilDue);
