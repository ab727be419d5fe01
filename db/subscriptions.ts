import type { Subscription, SubscriptionItem, SubscriptionStatus } from '../domain/subscription/subscription.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { fromRow, type Row, type TableShape, updateOne } from './table.ts';

type Stored = Omit<Subscription, 'items'>;

export const SUBSCRIPTIONS: TableShape<Stored> = {
  table: 'subscriptions',
  keys: [
    'id',
    'customerId',
    'status',
    'currency',
    'cycle',
    'billingCycleAnchor',
    'billingCycleAnchorConfig',
    'billingTimezone',
    'startDate',
    'currentPeriodStart',
    'currentPeriodEnd',
    'trialStart',
    'trialEnd',
    'trialReminderAt',
    'trialMissingPaymentMethod',
    'cancelAtPeriodEnd',
    'cancelAt',
    'canceledAt',
    'endedAt',
    'cancellationDetails',
    'billingThresholds',
    'incompleteExpiresAt',
    'collectionMethod',
    'daysUntilDue',
    'defaultPaymentMethodId',
    'defaultTaxRateIds',
    'discounts',
    'latestInvoiceId',
    'pendingUpdate',
    'pause',
    'pauseCollection',
    'resumedAt',
    'movedCycle',
    'revision',
    'forfeited',
    'scheduledChanges',
    'scheduleId',
    'description',
    'externalId',
    'metadata',
    'createdAt',
  ],
  instants: [
    'billingCycleAnchor',
    'startDate',
    'currentPeriodStart',
    'currentPeriodEnd',
    'trialStart',
    'trialEnd',
    'trialReminderAt',
    'cancelAt',
    'canceledAt',
    'endedAt',
    'incompleteExpiresAt',
    'resumedAt',
    'createdAt',
  ],
};

export const SUBSCRIPTION_ITEMS: TableShape<SubscriptionItem> = {
  table: 'subscription_items',
  keys: ['id', 'priceId', 'quantity', 'taxRateIds', 'discounts', 'usageGte', 'metadata', 'createdAt'],
  instants: ['createdAt'],
};

/** A subscription `kept` with its items, as one JSON value. */
export const SUBSCRIPTION_JSON = `to_jsonb(kept) || jsonb_build_object('items', (
  select coalesce(jsonb_agg(to_jsonb(i) order by i.position), '[]') from subscription_items i
  where i.account_id = kept.account_id and i.subscription_id = kept.id and not i.removed))`;

export const subscriptionFromRow = (row: Row): Subscription => ({
  ...fromRow(SUBSCRIPTIONS, row),
  items: (row['items'] as Row[]).map((item) => fromRow(SUBSCRIPTION_ITEMS, item)),
});

export async function findSubscription(t: AccountTransaction, id: string): Promise<Subscription | null> {
  const { rows } = await t.run<{ row: Row }>(
    `select ${SUBSCRIPTION_JSON} as row from subscriptions kept where account_id = $1 and id = $2`,
    [t.accountId, id],
  );
  return rows[0] ? subscriptionFromRow(rows[0].row) : null;
}

/** The subscription that has the item now. */
export async function findSubscriptionByItem(t: AccountTransaction, itemId: string): Promise<Subscription | null> {
  const { rows } = await t.trx.raw('select subscription_id as id from subscription_items where account_id = ? and id = ? and not removed', [
    t.accountId,
    itemId,
  ]);
  return rows[0] ? findSubscription(t, rows[0].id) : null;
}

/** Changes fields that decide nothing (see docs/decisions); everything else is written by `recordDecision` only. */
export async function updateSubscription(
  t: AccountTransaction,
  id: string,
  patch: Partial<Pick<Subscription, 'metadata' | 'description' | 'externalId' | 'cancellationDetails'>>,
): Promise<Subscription | null> {
  await updateOne(t, SUBSCRIPTIONS, id, patch);
  return findSubscription(t, id);
}

/** Replaces an item's metadata. */
export async function updateSubscriptionItem(t: AccountTransaction, id: string, patch: Pick<SubscriptionItem, 'metadata'>): Promise<void> {
  await updateOne(t, SUBSCRIPTION_ITEMS, id, patch);
}

/** Without a status: all but canceled ones and those that expired incomplete, as at Stripe. `ended`: only those. */
export async function listSubscriptions(
  t: AccountTransaction,
  query: Page & {
    created?: InstantRange;
    customerId?: string;
    status?: SubscriptionStatus;
    statuses?: 'all' | 'ended' | readonly SubscriptionStatus[];
    priceId?: string;
    externalId?: string;
  },
): Promise<List<Subscription>> {
  const filter = new Filter()
    .within('created_at', query.created)
    .equal('customer_id', query.customerId)
    .equal('external_id', query.externalId)
    .equal('status', query.status);
  const { statuses } = query;
  if (statuses === 'ended' || (statuses === undefined && query.status === undefined)) {
    filter.add(`kept.status ${statuses === 'ended' ? '' : 'not '}in ('canceled', 'incomplete_expired')`);
  } else if (statuses !== undefined && statuses !== 'all') filter.anyOf('status', statuses);
  if (query.priceId !== undefined) {
    filter.add(
      'exists (select from subscription_items i where i.account_id = kept.account_id and i.subscription_id = kept.id and i.price_id = ? and not i.removed)',
      query.priceId,
    );
  }
  const { rows, hasMore } = await listRows(t, { table: 'subscriptions', select: SUBSCRIPTION_JSON }, query, filter);
  return { items: rows.map(subscriptionFromRow), hasMore };
}
