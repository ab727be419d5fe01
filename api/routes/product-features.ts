import { withAccount } from '../../db/client.ts';
import { changeProductFeatures } from '../../db/entitlements.ts';
import {
  deleteProductFeature,
  findFeature,
  findProductFeature,
  insertProductFeature,
  listProductFeatures,
  readFeatures,
} from '../../db/features.ts';
import { findProduct } from '../../db/products.ts';
import type { ProductFeature } from '../../domain/entitlements/feature.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import { route } from '../define-route.ts';
import { badRequest, notFound } from '../errors.ts';
import { listAnswer, pageOf } from '../paging.ts';
import { presentProductFeature } from '../presenters/entitlements.ts';
import * as schemas from '../schemas/entitlements.ts';
import { expand, listOf } from '../schemas/fields.ts';
import { z } from '../schemas/zod.ts';

const one = { tag: 'Entitlements', answer: schemas.productFeature, kind: 'product_feature' } as const;

export const productFeatureRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/products/:id/features',
    summary: 'Attach a feature to a product: whoever subscribes to it is entitled at once',
    params: schemas.productFeatureCreate,
    handle: (context, { path: { id: productId = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        if ((await findProduct(t, productId)) === null) throw notFound('product', productId);
        const feature = await findFeature(t, params.entitlement_feature);
        if (feature === null) throw notFound('feature', params.entitlement_feature, 'entitlement_feature');
        if (!feature.active) throw badRequest('An archived feature cannot be attached to a product.', 'entitlement_feature');
        const given: ProductFeature = {
          id: context.newId(ID_PREFIX.productFeature),
          productId,
          featureId: feature.id,
          limit: params.limit ?? null,
          createdAt: context.now(),
        };
        await changeProductFeatures(t, { productId, asOf: context.now(), actor: context.actor }, async () => {
          if (await insertProductFeature(t, given)) return;
          throw badRequest(`The product has the feature ${feature.id} already.`, 'entitlement_feature', 'resource_already_exists');
        });
        return presentProductFeature(given, feature, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/products/:id/features/:feature',
    summary: 'Retrieve a feature of a product',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id: productId = '', feature: id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const given = await findProductFeature(t, productId, id);
        const feature = given && (await findFeature(t, given.featureId));
        if (!given || !feature) throw notFound('product feature', id);
        return presentProductFeature(given, feature, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'delete',
    path: '/v1/products/:id/features/:feature',
    summary: 'Take a feature from a product',
    params: z.strictObject({}),
    answer: schemas.deletedProductFeature,
    handle: (context, { path: { id: productId = '', feature: id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        if ((await findProductFeature(t, productId, id)) === null) throw notFound('product feature', id);
        await changeProductFeatures(t, { productId, asOf: context.now(), actor: context.actor }, () => deleteProductFeature(t, id));
        return { id, object: 'product_feature' as const, deleted: true as const };
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/products/:id/features',
    summary: 'List the features of a product',
    params: schemas.productFeatureList,
    answer: listOf(schemas.productFeature),
    list: true,
    handle: (context, { path: { id: productId = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        if ((await findProduct(t, productId)) === null) throw notFound('product', productId);
        const page = await listProductFeatures(t, { ...pageOf(params), productId });
        const features = await readFeatures(
          t,
          page.items.map(({ featureId }) => featureId),
        );
        return listAnswer(
          `/v1/products/${productId}/features`,
          page.items.flatMap((given) => {
            const feature = features.get(given.featureId);
            return feature === undefined ? [] : [presentProductFeature(given, feature, context.account.livemode)];
          }),
          page.hasMore,
        );
      }),
  }),
];
