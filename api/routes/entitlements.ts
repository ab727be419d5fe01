import { withAccount } from '../../db/client.ts';
import { findCustomer } from '../../db/customers.ts';
import { findEntitlement, listEntitlements } from '../../db/entitlements.ts';
import { findFeature, insertFeature, listFeatures, updateFeature } from '../../db/features.ts';
import type { Feature } from '../../domain/entitlements/feature.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import { route } from '../define-route.ts';
import { badRequest, notFound } from '../errors.ts';
import { listAnswer, pageOf } from '../paging.ts';
import { presentEntitlement, presentFeature } from '../presenters/entitlements.ts';
import * as schemas from '../schemas/entitlements.ts';
import { expand, listOf, mergeMetadata } from '../schemas/fields.ts';
import { z } from '../schemas/zod.ts';

const FEATURES = { tag: 'Entitlements', answer: schemas.feature, kind: 'feature' } as const;
const ENTITLEMENTS = { tag: 'Entitlements', answer: schemas.activeEntitlement, kind: 'active_entitlement' } as const;

export const entitlementRoutes = [
  route({
    ...FEATURES,
    method: 'post',
    path: '/v1/entitlements/features',
    summary: 'Create a feature',
    params: schemas.featureCreate,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const feature: Feature = {
          id: context.newId(ID_PREFIX.feature),
          lookupKey: params.lookup_key,
          name: params.name,
          active: true,
          metadata: mergeMetadata({}, params.metadata),
          createdAt: context.now(),
        };
        if (!(await insertFeature(t, feature))) {
          throw badRequest(`A feature with the lookup key '${params.lookup_key}' exists already.`, 'lookup_key', 'resource_already_exists');
        }
        return presentFeature(feature, context.account.livemode);
      }),
  }),
  route({
    ...FEATURES,
    method: 'get',
    path: '/v1/entitlements/features/:id',
    summary: 'Retrieve a feature',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const feature = await findFeature(t, id);
        if (feature === null) throw notFound('feature', id);
        return presentFeature(feature, context.account.livemode);
      }),
  }),
  route({
    ...FEATURES,
    method: 'post',
    path: '/v1/entitlements/features/:id',
    summary: 'Update or archive a feature',
    params: schemas.featureUpdate,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const present = await findFeature(t, id);
        if (present === null) throw notFound('feature', id);
        const updated = await updateFeature(t, id, {
          ...(params.active === undefined ? {} : { active: params.active }),
          ...(params.name === undefined ? {} : { name: params.name }),
          metadata: mergeMetadata(present.metadata, params.metadata),
        });
        return presentFeature(updated ?? present, context.account.livemode);
      }),
  }),
  route({
    ...FEATURES,
    method: 'get',
    path: '/v1/entitlements/features',
    summary: 'List features',
    params: schemas.featureList,
    answer: listOf(schemas.feature),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listFeatures(t, {
          ...pageOf(params),
          ...(params.archived === undefined ? {} : { archived: params.archived }),
          ...(params.lookup_key === undefined ? {} : { lookupKey: params.lookup_key }),
        });
        return listAnswer(
          '/v1/entitlements/features',
          page.items.map((feature) => presentFeature(feature, context.account.livemode)),
          page.hasMore,
        );
      }),
  }),
  route({
    ...ENTITLEMENTS,
    method: 'get',
    path: '/v1/entitlements/active_entitlements/:id',
    summary: 'Retrieve an active entitlement',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const entitlement = await findEntitlement(t, id);
        if (entitlement === null) throw notFound('active entitlement', id);
        return presentEntitlement(entitlement, context.account.livemode);
      }),
  }),
  route({
    ...ENTITLEMENTS,
    method: 'get',
    path: '/v1/entitlements/active_entitlements',
    summary: 'List what a customer is entitled to, or ask for one lookup key',
    params: schemas.entitlementList,
    answer: schemas.activeEntitlements,
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listEntitlements(t, {
          ...pageOf(params),
          customerId: params.customer,
          ...(params.lookup_key === undefined ? {} : { lookupKey: params.lookup_key }),
        });
        if (page.items.length === 0 && (await findCustomer(t, params.customer)) === null) {
          throw notFound('customer', params.customer, 'customer');
        }
        return listAnswer(
          '/v1/entitlements/active_entitlements',
          page.items.map((entitlement) => presentEntitlement(entitlement, context.account.livemode)),
          page.hasMore,
        );
      }),
  }),
];
