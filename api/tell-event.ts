import type { AccountTransaction } from '../db/client.ts';
import { appendEvent } from '../db/events.ts';
import type { RequestContext } from './context.ts';

interface Telling<T extends { id: string }> {
  type: string;
  objectType:
    | 'customer'
    | 'coupon'
    | 'promotion_code'
    | 'product'
    | 'price'
    | 'tax_rate'
    | 'payment_method'
    | 'subscription'
    | 'invoice'
    | 'test_clock'
    | 'meter'
    | 'subscription_schedule'
    | 'quote'
    | 'credit_grant'
    | 'credit_balance_transaction'
    | 'credit_top_up';
  /** Absent for what has just come to be or gone; else only a difference is told. */
  before?: T;
  after: T;
}

/** Writes the event of a row that the API itself has written, in the same transaction; `previous` holds the fields that changed, as they were. */
export async function tell<T extends { id: string }>(
  context: RequestContext,
  t: AccountTransaction,
  { type, objectType, before, after }: Telling<T>,
): Promise<void> {
  const previous =
    before === undefined
      ? null
      : Object.fromEntries(
          Object.entries(before).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(after[key as keyof T])),
        );
  if (previous !== null && Object.keys(previous).length === 0) return;
  await appendEvent(t, { type, objectType, objectId: after.id, data: after, previous, occurredAt: context.now() }, context.actor);
}
