import { type AccountTransaction, withAccount } from '../../db/client.ts';
import { findPrice, insertPrice } from '../../db/prices.ts';
import { findProduct, insertProduct, listProducts, updateProduct } from '../../db/products.ts';
import type { Product } from '../../domain/catalog/price.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import { checkMeter } from '../check-meter.ts';
import { route } from '../define-route.ts';
import { badRequest, notFound } from '../errors.ts';
import { createdIn, listAnswer, pageOf } from '../paging.ts';
import { presentProduct } from '../presenters/catalog.ts';
import { newPrice } from '../price-input.ts';
import { expand, listOf, mergeMetadata } from '../schemas/fields.ts';
import * as schemas from '../schemas/products.ts';
import { z } from '../schemas/zod.ts';
import { tell } from '../tell-event.ts';

const one = { tag: 'Products', answer: schemas.product, kind: 'product' } as const;

/** @throws ApiError 400 for a base that is no product, or the add-on itself */
async function checkBases(t: AccountTransaction, addOn: string, bases: readonly string[]): Promise<void> {
  for (const [index, base] of bases.entries()) {
    const param = `requires_one_of[${index}]`;
    if (base === addOn) throw badRequest('A product cannot be the base of itself.', param);
    if ((await findProduct(t, base)) === null) throw notFound('product', base, param);
  }
}

export const productRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/products',
    summary: 'Create a product',
    params: schemas.productCreate,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const now = context.now();
        if (params.id !== undefined && (await findProduct(t, params.id)) !== null) {
          throw badRequest(`Product already exists: '${params.id}'`, 'id', 'resource_already_exists');
        }
        const product: Product = {
          id: params.id ?? context.newId(ID_PREFIX.product),
          name: params.name,
          description: params.description ?? null,
          active: params.active,
          defaultPriceId: null,
          unitLabel: params.unit_label ?? null,
          externalId: params.external_id ?? null,
          requiresOneOf: params.requires_one_of ?? [],
          metadata: mergeMetadata({}, params.metadata),
          createdAt: now,
          updatedAt: now,
        };
        await checkBases(t, product.id, product.requiresOneOf ?? []);
        await insertProduct(t, product);
        await tell(context, t, { type: 'product.created', objectType: 'product', after: product });
        if (params.default_price_data === undefined) return presentProduct(product, context.account.livemode);
        const price = newPrice(product.id, { active: true, ...params.default_price_data }, context);
        await checkMeter(t, price, 'default_price_data[recurring]');
        await insertPrice(t, price);
        await tell(context, t, { type: 'price.created', objectType: 'price', after: price });
        const updated = await updateProduct(t, product.id, { defaultPriceId: price.id });
        return presentProduct(updated ?? product, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/products/:id',
    summary: 'Retrieve a product',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const product = await findProduct(t, id);
        if (product === null) throw notFound('product', id);
        return presentProduct(product, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/products/:id',
    summary: 'Update a product',
    params: schemas.productUpdate,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const present = await findProduct(t, id);
        if (present === null) throw notFound('product', id);
        if (typeof params.default_price === 'string') {
          const price = await findPrice(t, params.default_price);
          if (price === null || price.productId !== id) throw notFound('price', params.default_price, 'default_price');
        }
        await checkBases(t, id, params.requires_one_of ?? []);
        const updated = await updateProduct(t, id, {
          ...(params.name === undefined ? {} : { name: params.name }),
          ...(params.active === undefined ? {} : { active: params.active }),
          ...(params.description === undefined ? {} : { description: params.description }),
          ...(params.default_price === undefined ? {} : { defaultPriceId: params.default_price }),
          ...(params.unit_label === undefined ? {} : { unitLabel: params.unit_label }),
          ...(params.external_id === undefined ? {} : { externalId: params.external_id }),
          ...(params.requires_one_of === undefined ? {} : { requiresOneOf: params.requires_one_of ?? [] }),
          metadata: mergeMetadata(present.metadata, params.metadata),
          updatedAt: context.now(),
        });
        if (updated !== null) await tell(context, t, { type: 'product.updated', objectType: 'product', before: present, after: updated });
        return presentProduct(updated ?? present, context.account.livemode);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/products',
    summary: 'List products',
    params: schemas.productList,
    answer: listOf(schemas.product),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listProducts(t, {
          ...pageOf(params),
          ...createdIn(params.created),
          ...(params.active === undefined ? {} : { active: params.active }),
          ...(params.ids === undefined ? {} : { ids: params.ids }),
          ...(params.external_id === undefined ? {} : { externalId: params.external_id }),
        });
        return listAnswer(
          '/v1/products',
          page.items.map((product) => presentProduct(product, context.account.livemode)),
          page.hasMore,
        );
      }),
  }),
];
