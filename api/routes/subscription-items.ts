import { type AccountTransaction, withAccount } from '../../db/client.ts';
import { findSubscription, findSubscriptionByItem } from '../../db/subscriptions.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import type { ChangePlan, ItemChange } from '../../domain/subscription/commands.ts';
import type { Subscription, SubscriptionItem } from '../../domain/subscription/subscription.ts';
import type { RequestContext } from '../context.ts';
import { route } from '../define-route.ts';
import { discountsFrom } from '../discount-input.ts';
import { notFound } from '../errors.ts';
import { inlinePrices } from '../inline-prices.ts';
import { listAnswer, pageInMemory } from '../paging.ts';
import { pinsOf } from '../preview-token.ts';
import { presentSubscriptions } from '../read-objects.ts';
import { deletedOf, expand, listOf, mergeMetadata } from '../schemas/fields.ts';
import * as schemas from '../schemas/subscription-items.ts';
import { z } from '../schemas/zod.ts';
import { changeSubscription, describeAndPresent } from '../subscription-commands.ts';
import { laterFrom, usageGteFrom } from '../subscription-input.ts';

const one = { tag: 'Subscription items', answer: schemas.subscriptionItem, kind: 'subscription_item' } as const;

interface Charging {
  payment_behavior: ChangePlan['paymentBehavior'];
  proration_behavior: ChangePlan['prorationBehavior'];
  proration_date?: number | undefined;
  preview_token?: string | undefined;
  effective_at?: 'now' | 'period_end' | number;
}

function changeOf(context: RequestContext, change: ItemChange, params: Charging): ChangePlan {
  const { preview, prorationDate } = pinsOf(params, context);
  const later = laterFrom(params.effective_at);
  const pricedFrom = params.proration_date ?? prorationDate;
  return {
    items: [change],
    ...(later === undefined ? {} : { effectiveAt: later }),
    paymentBehavior: params.payment_behavior,
    prorationBehavior: params.proration_behavior,
    ...(pricedFrom === undefined ? {} : { prorationDate: pricedFrom }),
    ...(preview === undefined ? {} : { preview }),
  };
}

async function ownerOf(t: AccountTransaction, itemId: string): Promise<Subscription> {
  const subscription = await findSubscriptionByItem(t, itemId);
  if (subscription === null) throw notFound('subscription item', itemId);
  return subscription;
}

/** The item as it now stands, with the metadata of this request; while the change waits for its payment, as it will be. */
async function describeItem(
  context: RequestContext,
  subscriptionId: string,
  itemId: string,
  metadata: Record<string, string | null> | null | undefined,
) {
  const subscription = await describeAndPresent(context, subscriptionId, (present) =>
    metadata === undefined
      ? {}
      : { itemMetadata: { [itemId]: mergeMetadata(present.items.find((item) => item.id === itemId)?.metadata ?? {}, metadata) } },
  );
  const item =
    subscription.items.data.find(({ id }) => id === itemId) ??
    subscription.pending_update?.subscription_items.find(({ id }) => id === itemId);
  if (item !== undefined) return item;
  return scheduledItem(context, subscriptionId, itemId);
}

/** An item that a scheduled change will add, as it will be. @throws ApiError 404 */
async function scheduledItem(context: RequestContext, subscriptionId: string, itemId: string) {
  return withAccount(context.db, context.account.id, async (t) => {
    const subscription = await findSubscription(t, subscriptionId);
    const added = subscription?.scheduledChanges
      .flatMap(({ change }) => change.items ?? [])
      .flatMap((change) => (change.do === 'add' && change.item.id === itemId ? [change.item] : []))[0];
    if (!subscription || !added) throw notFound('subscription item', itemId);
    const { discounts: _, ...item } = added;
    const [answer] = await presentSubscriptions(t, context.account, [
      { ...subscription, items: [{ ...item, metadata: {}, createdAt: context.now() }] },
    ]);
    const [presented] = answer?.items.data ?? [];
    if (presented === undefined) throw new Error(`the item ${itemId} was not presented`);
    return presented;
  });
}

export const subscriptionItemRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/subscription_items',
    summary: 'Add an item to a subscription',
    params: schemas.itemCreate,
    handle: async (context, { params }) => {
      const id = context.newId(ID_PREFIX.subscriptionItem);
      await withAccount(context.db, context.account.id, async (t) => {
        if ((await findSubscription(t, params.subscription)) === null) throw notFound('subscription', params.subscription, 'subscription');
      });
      const inline = inlinePrices(context.newId);
      const item = {
        id,
        priceId: inline.requiredId(params, id, ''),
        quantity: String(params.quantity),
        taxRateIds: params.tax_rates ?? [],
        ...discountsFrom(params),
        ...usageGteFrom(params),
      };
      await changeSubscription(context, params.subscription, changeOf(context, { do: 'add', item }, params), inline);
      return describeItem(context, params.subscription, id, params.metadata);
    },
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/subscription_items/:id',
    summary: 'Retrieve an item',
    params: z.strictObject({ expand }),
    handle: async (context, { path: { id = '' } }) => {
      const owner = await withAccount(context.db, context.account.id, (t) => ownerOf(t, id));
      return describeItem(context, owner.id, id, undefined);
    },
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/subscription_items/:id',
    summary: 'Change the price or quantity of an item',
    params: schemas.itemUpdate,
    handle: async (context, { path: { id = '' }, params }) => {
      const owner = await withAccount(context.db, context.account.id, (t) => ownerOf(t, id));
      const inline = inlinePrices(context.newId);
      const priceId = inline.idOf(params, id, '');
      if (
        [priceId, params.quantity, params.tax_rates, params.discounts, params.billing_thresholds, params.preview_token].some(
          (given) => given !== undefined,
        )
      ) {
        const change: ItemChange = {
          do: 'update',
          itemId: id,
          ...(priceId === undefined ? {} : { priceId }),
          ...(params.quantity === undefined ? {} : { quantity: String(params.quantity) }),
          ...(params.tax_rates === undefined ? {} : { taxRateIds: params.tax_rates ?? [] }),
          ...discountsFrom(params),
          ...usageGteFrom(params),
        };
        await changeSubscription(context, owner.id, changeOf(context, change, params), inline);
      }
      return describeItem(context, owner.id, id, params.metadata);
    },
  }),
  route({
    ...one,
    method: 'delete',
    path: '/v1/subscription_items/:id',
    summary: 'Remove an item from its subscription',
    params: schemas.itemDelete,
    answer: deletedOf('subscription_item'),
    handle: async (context, { path: { id = '' }, params }) => {
      const owner = await withAccount(context.db, context.account.id, (t) => ownerOf(t, id));
      await changeSubscription(context, owner.id, changeOf(context, { do: 'remove', itemId: id }, params), inlinePrices(context.newId));
      return { id, object: 'subscription_item', deleted: true };
    },
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/subscription_items',
    summary: 'List the items of a subscription',
    params: schemas.itemList,
    answer: listOf(schemas.subscriptionItem),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const subscription = await findSubscription(t, params.subscription);
        if (subscription === null) throw notFound('subscription', params.subscription, 'subscription');
        const page = pageInMemory<SubscriptionItem>(subscription.items, params);
        const [answer] = await presentSubscriptions(t, context.account, [{ ...subscription, items: page.items }]);
        return listAnswer('/v1/subscription_items', answer?.items.data ?? [], page.hasMore);
      }),
  }),
];
