import { withAccount } from '../../db/client.ts';
import { listSubscriptions } from '../../db/subscriptions.ts';
import type { Subscription } from '../../domain/subscription/subscription.ts';
import { route } from '../define-route.ts';
import { inlinePrices } from '../inline-prices.ts';
import { createdIn, listAnswer, pageOf } from '../paging.ts';
import { pinsOf } from '../preview-token.ts';
import { presentSubscriptions } from '../read-objects.ts';
import { expand, listOf, mergeMetadata } from '../schemas/fields.ts';
import * as schemas from '../schemas/subscriptions.ts';
import { z } from '../schemas/zod.ts';
import {
  cancelSubscription,
  changeSubscription,
  createSubscription,
  type Description,
  describeAndPresent,
  replacedByRequest,
} from '../subscription-commands.ts';
import { changeFrom, creationFrom } from '../subscription-input.ts';

const one = { tag: 'Subscriptions', answer: schemas.subscription, kind: 'subscription' } as const;

export const subscriptionRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/subscriptions',
    summary: 'Create a subscription and bill its first period',
    params: schemas.subscriptionCreate,
    handle: async (context, { params }) => {
      const { preview } = pinsOf(params, context);
      const inline = inlinePrices(context.newId);
      const command = { ...creationFrom(params, context.newId, inline), ...(preview === undefined ? {} : { preview }) };
      await createSubscription(context, command, inline);
      const itemMetadata = new Map(command.items.map((item, index) => [item.id, params.items[index]?.metadata]));
      return describeAndPresent(context, command.subscriptionId, (present) => ({
        fields: fieldsOf(params, present),
        itemMetadata: itemMetadataOf(present, (id) => itemMetadata.get(id)),
      }));
    },
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/subscriptions/:id',
    summary: 'Retrieve a subscription',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) => describeAndPresent(context, id, () => ({})),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/subscriptions/:id',
    summary: 'Change a subscription: items, quantities, cycle, cancellation, description',
    params: schemas.subscriptionUpdate,
    handle: async (context, { path: { id = '' }, params }) => {
      const inline = inlinePrices(context.newId);
      const change = changeFrom(params, context.newId, inline, pinsOf(params, context));
      if (change !== null) await changeSubscription(context, id, change, inline);
      const added = (change?.items ?? []).map((item) => (item.do === 'add' ? item.item.id : item.itemId));
      const itemMetadata = new Map(added.map((itemId, index) => [itemId, params.items?.[index]?.metadata]));
      const answer = await describeAndPresent(context, id, (present) => ({
        fields: fieldsOf(params, present),
        itemMetadata: itemMetadataOf(present, (itemId) => itemMetadata.get(itemId)),
      }));
      return { ...answer, ...(await replacedByRequest(context)) };
    },
  }),
  route({
    ...one,
    method: 'delete',
    path: '/v1/subscriptions/:id',
    summary: 'Cancel a subscription now',
    params: schemas.subscriptionCancel,
    handle: async (context, { path: { id = '' }, params }) => {
      const feedback = params.cancellation_details?.feedback;
      const { preview } = pinsOf(params, context);
      await cancelSubscription(context, id, {
        prorate: params.prorate,
        invoiceNow: params.invoice_now,
        ...(feedback === undefined ? {} : { details: { feedback } }),
        ...(preview === undefined ? {} : { preview }),
      });
      return describeAndPresent(context, id, (present) => ({ fields: fieldsOf(params, present) }));
    },
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/subscriptions',
    summary: 'List subscriptions, by default those that have not been cancelled',
    params: schemas.subscriptionList,
    answer: listOf(schemas.subscription),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listSubscriptions(t, {
          ...pageOf(params),
          ...createdIn(params.created),
          ...statusesOf(params.status),
          ...(params.customer === undefined ? {} : { customerId: params.customer }),
          ...(params.price === undefined ? {} : { priceId: params.price }),
          ...(params.external_id === undefined ? {} : { externalId: params.external_id }),
        });
        return listAnswer('/v1/subscriptions', await presentSubscriptions(t, context.account, page.items), page.hasMore);
      }),
  }),
];

interface DescriptionInput {
  description?: string | null | undefined;
  external_id?: string | null | undefined;
  metadata?: Record<string, string | null> | null | undefined;
  cancellation_details?: { comment?: string | null | undefined; feedback?: string | null | undefined } | undefined;
}

/** The fields of a request that decide nothing. Why a customer left may be told later too, so it is written here as well. */
function fieldsOf(params: DescriptionInput, present: Subscription): NonNullable<Description['fields']> {
  const details = params.cancellation_details;
  return {
    ...(params.description === undefined ? {} : { description: params.description }),
    ...(params.external_id === undefined ? {} : { externalId: params.external_id }),
    ...(params.metadata === undefined ? {} : { metadata: mergeMetadata(present.metadata, params.metadata) }),
    ...(details === undefined
      ? {}
      : {
          cancellationDetails: {
            ...present.cancellationDetails,
            ...(details.comment === undefined ? {} : { comment: details.comment }),
            ...(details.feedback === undefined ? {} : { feedback: details.feedback }),
          },
        }),
  };
}

function itemMetadataOf(
  present: Subscription,
  given: (itemId: string) => Record<string, string | null> | null | undefined,
): NonNullable<Description['itemMetadata']> {
  const described = present.items.filter((item) => given(item.id) !== undefined);
  return Object.fromEntries(described.map((item) => [item.id, mergeMetadata(item.metadata, given(item.id))]));
}

type Statuses = NonNullable<Parameters<typeof listSubscriptions>[1]['statuses']>;

function statusesOf(status: z.output<typeof schemas.subscriptionList>['status']): { statuses?: Statuses } {
  if (status === undefined) return {};
  if (status === 'all' || status === 'ended') return { statuses: status };
  return { statuses: [status] };
}
