import { type AccountTransaction, withAccount } from '../../db/client.ts';
import { findCoupon, insertCoupon, listCoupons, updateCoupon } from '../../db/coupons.ts';
import { findPrice } from '../../db/prices.ts';
import { findProduct } from '../../db/products.ts';
import type { Coupon } from '../../domain/discounts/coupon.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import { route } from '../define-route.ts';
import { badRequest, notFound } from '../errors.ts';
import { createdIn, listAnswer, pageOf } from '../paging.ts';
import { presentCoupon } from '../presenters/discounts.ts';
import * as schemas from '../schemas/coupons.ts';
import { deletedOf, expand, listOf, mergeMetadata } from '../schemas/fields.ts';
import { z } from '../schemas/zod.ts';
import { tell } from '../tell-event.ts';

const one = { tag: 'Coupons', answer: schemas.coupon, kind: 'coupon' } as const;

/** @throws ApiError 404 */
async function couponOf(t: AccountTransaction, id: string, forUpdate = false): Promise<Coupon> {
  const coupon = await findCoupon(t, id, forUpdate);
  if (coupon === null || coupon.deleted) throw notFound('coupon', id);
  return coupon;
}

async function checkScope(
  t: AccountTransaction,
  { products = [], prices = [] }: { products?: string[] | undefined; prices?: string[] | undefined },
): Promise<void> {
  for (const [index, id] of products.entries())
    if ((await findProduct(t, id)) === null) throw notFound('product', id, `applies_to[products][${index}]`);
  for (const [index, id] of prices.entries())
    if ((await findPrice(t, id)) === null) throw notFound('price', id, `applies_to[prices][${index}]`);
}

const optionsFrom = (given: Record<string, { amount_off: number }>): Coupon['currencyOptions'] =>
  Object.fromEntries(Object.entries(given).map(([currency, { amount_off: amountOff }]) => [currency, { amountOff }]));

export const couponRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/coupons',
    summary: 'Create a coupon',
    params: schemas.couponCreate,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const scope = params.applies_to;
        if (scope !== undefined) await checkScope(t, scope);
        const isScoped = (scope?.products?.length ?? 0) + (scope?.prices?.length ?? 0) > 0;
        const coupon: Coupon = {
          id: params.id ?? context.newId(ID_PREFIX.coupon),
          name: params.name ?? null,
          percentOff: params.percent_off ?? null,
          amountOff: params.amount_off ?? null,
          currency: params.amount_off === undefined ? null : (params.currency ?? null),
          currencyOptions: optionsFrom(params.currency_options ?? {}),
          duration: params.duration,
          durationInMonths: params.duration_in_months ?? null,
          appliesTo: isScoped ? { productIds: scope?.products ?? [], priceIds: scope?.prices ?? [] } : null,
          maxRedemptions: params.max_redemptions ?? null,
          redeemBy: params.redeem_by ?? null,
          timesRedeemed: 0,
          metadata: mergeMetadata({}, params.metadata),
          deleted: false,
          createdAt: context.now(),
        };
        if (!(await insertCoupon(t, coupon))) throw badRequest(`Coupon already exists: ${coupon.id}`, 'id', 'resource_already_exists');
        await tell(context, t, { type: 'coupon.created', objectType: 'coupon', after: coupon });
        return presentCoupon(coupon, context.account.livemode, context.now());
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/coupons/:id',
    summary: 'Retrieve a coupon',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) =>
        presentCoupon(await couponOf(t, id), context.account.livemode, context.now()),
      ),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/coupons/:id',
    summary: 'Update a coupon: its name, metadata and amounts in other currencies',
    params: schemas.couponUpdate,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const present = await couponOf(t, id, true);
        if (params.currency_options !== undefined && present.amountOff === null)
          throw badRequest('Amounts in other currencies need an amount_off.', 'currency_options');
        const updated = await updateCoupon(t, id, {
          ...(params.name === undefined ? {} : { name: params.name }),
          ...(params.currency_options === undefined
            ? {}
            : { currencyOptions: { ...present.currencyOptions, ...optionsFrom(params.currency_options) } }),
          metadata: mergeMetadata(present.metadata, params.metadata),
        });
        const after = updated ?? present;
        await tell(context, t, { type: 'coupon.updated', objectType: 'coupon', before: present, after });
        return presentCoupon(after, context.account.livemode, context.now());
      }),
  }),
  route({
    ...one,
    method: 'delete',
    path: '/v1/coupons/:id',
    summary: 'Delete a coupon; discounts that it gave stay',
    params: z.strictObject({}),
    answer: deletedOf('coupon'),
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const coupon = await couponOf(t, id, true);
        await updateCoupon(t, id, { deleted: true });
        await tell(context, t, { type: 'coupon.deleted', objectType: 'coupon', after: { ...coupon, deleted: true } });
        return { id, object: 'coupon', deleted: true };
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/coupons',
    summary: 'List coupons',
    params: schemas.couponList,
    answer: listOf(schemas.coupon),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listCoupons(t, { ...pageOf(params), ...createdIn(params.created) });
        const answers = page.items.map((coupon) => presentCoupon(coupon, context.account.livemode, context.now()));
        return listAnswer('/v1/coupons', answers, page.hasMore);
      }),
  }),
];
