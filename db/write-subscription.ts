import { hasThresholds } from '../domain/subscription/has-thresholds.ts';
import type { Subscription } from '../domain/subscription/subscription.ts';
import type { AccountTransaction } from './client.ts';
import { SUBSCRIPTION_ITEMS, SUBSCRIPTIONS } from './subscriptions.ts';
import { insertRows, toRow } from './table.ts';

/** Fields the API writes beside the decisions; a decision made on an older read must not put them back. */
const BESIDES = new Set(['metadata', 'description', 'external_id', 'created_at', 'account_id', 'id', 'revision']);

/** Writes the subscription as it will be, with its items, as its next revision; an item that is no longer among them is marked as removed. */
export async function writeSubscription(t: AccountTransaction, subscription: Subscription): Promise<void> {
  const row = toRow(
    SUBSCRIPTIONS,
    t.accountId,
    { billingThresholds: null, ...subscription },
    { has_thresholds: hasThresholds(subscription) },
  );
  const changed = Object.keys(row).filter((column) => !BESIDES.has(column));
  await Promise.all([
    insertRows(
      t,
      'subscriptions',
      [row],
      `on conflict (account_id, id) do update set revision = subscriptions.revision + 1, ${changed.map((column) => `${column} = excluded.${column}`).join(', ')}`,
    ),
    t.run('update subscription_items set removed = true where account_id = $1 and subscription_id = $2 and not removed and id <> all($3)', [
      t.accountId,
      subscription.id,
      subscription.items.map((item) => item.id),
    ]),
    insertRows(
      t,
      'subscription_items',
      subscription.items.map((item, position) =>
        toRow(
          SUBSCRIPTION_ITEMS,
          t.accountId,
          { discounts: [], usageGte: null, ...item },
          { subscription_id: subscription.id, position, removed: false },
        ),
      ),
      `on conflict (account_id, id) do update set position = excluded.position, price_id = excluded.price_id, quantity = excluded.quantity,
         tax_rate_ids = excluded.tax_rate_ids, discounts = excluded.discounts, usage_gte = excluded.usage_gte, removed = false
       where (subscription_items.position, subscription_items.price_id, subscription_items.quantity, subscription_items.tax_rate_ids, subscription_items.discounts, subscription_items.usage_gte, subscription_items.removed)
         is distinct from (excluded.position, excluded.price_id, excluded.quantity, excluded.tax_rate_ids, excluded.discounts, excluded.usage_gte, false)`,
    ),
  ]);
}
