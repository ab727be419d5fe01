import { type AccountTransaction, withAccount } from '../../db/client.ts';
import { findCoupon } from '../../db/coupons.ts';
import { findCustomer } from '../../db/customers.ts';
import { findClash, findPromotionCode, insertPromotionCode, listPromotionCodes, updatePromotionCode } from '../../db/promotion-codes.ts';
import { toTimestamp } from '../../db/table.ts';
import { isActive, isValid, type PromotionCode, type Restrictions } from '../../domain/discounts/coupon.ts';
import { ID_PREFIX } from '../../domain/ids.ts';
import type { RequestContext } from '../context.ts';
import { route } from '../define-route.ts';
import { badRequest, notFound } from '../errors.ts';
import { createdIn, listAnswer, pageOf } from '../paging.ts';
import { presentPromotionCodes } from '../read-objects.ts';
import { expand, listOf, mergeMetadata } from '../schemas/fields.ts';
import * as schemas from '../schemas/promotion-codes.ts';
import { z } from '../schemas/zod.ts';
import { tell } from '../tell-event.ts';

const one = { tag: 'Promotion codes', answer: schemas.promotionCode, kind: 'promotion_code' } as const;
type Given = z.output<typeof schemas.promotionCodeCreate>['restrictions'];

async function present(context: RequestContext, t: AccountTransaction, code: PromotionCode) {
  const [answer] = await presentPromotionCodes(t, context.account, [code], context.now());
  if (answer === undefined) throw notFound('promotion code', code.id);
  return answer;
}

/** What people can tell apart and type: eight characters out of an id. */
const codeFrom = (id: string): string =>
  id
    .slice(id.indexOf('_') + 1)
    .toUpperCase()
    .slice(0, 8);

const minimumsFrom = (given: Record<string, { minimum_amount: number }> = {}): Restrictions['currencyOptions'] =>
  Object.fromEntries(Object.entries(given).map(([currency, { minimum_amount: minimumAmount }]) => [currency, { minimumAmount }]));

const restrictionsFrom = (given: Given): Restrictions => ({
  firstTimeTransaction: given?.first_time_transaction ?? false,
  minimumAmount: given?.minimum_amount ?? null,
  minimumAmountCurrency: given?.minimum_amount_currency ?? null,
  currencyOptions: minimumsFrom(given?.currency_options),
});

/** Makes room for a code where the one with its letters could not be redeemed any more. @throws ApiError 400 where it could */
async function makeRoom(context: RequestContext, t: AccountTransaction, code: PromotionCode): Promise<void> {
  const clash = await findClash(t, code);
  if (clash === null || clash.id === code.id) return;
  const coupon = await findCoupon(t, clash.couponId);
  if (isActive(clash, coupon ?? undefined, context.now()))
    throw badRequest(`An active promotion code with \`code: ${clash.code}\` already exists.`, 'code', 'resource_already_exists');
  await updatePromotionCode(t, clash.id, { active: false });
}

export const promotionCodeRoutes = [
  route({
    ...one,
    method: 'post',
    path: '/v1/promotion_codes',
    summary: 'Create a promotion code',
    params: schemas.promotionCodeCreate,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const couponId = params.promotion.coupon;
        const coupon = await findCoupon(t, couponId);
        if (coupon === null || coupon.deleted) throw notFound('coupon', couponId, 'promotion[coupon]');
        if (!isValid(coupon, context.now()))
          throw badRequest(
            `The coupon ${couponId} has expired or was redeemed as often as it can be.`,
            'promotion[coupon]',
            'coupon_expired',
          );
        if (params.customer !== undefined && ((await findCustomer(t, params.customer))?.deleted ?? true))
          throw notFound('customer', params.customer, 'customer');
        const id = context.newId(ID_PREFIX.promotionCode);
        const code: PromotionCode = {
          id,
          code: params.code ?? codeFrom(id),
          couponId,
          active: params.active,
          customerId: params.customer ?? null,
          expiresAt: params.expires_at ?? null,
          maxRedemptions: params.max_redemptions ?? null,
          timesRedeemed: 0,
          restrictions: restrictionsFrom(params.restrictions),
          metadata: mergeMetadata({}, params.metadata),
          createdAt: context.now(),
        };
        if (code.active) await makeRoom(context, t, code);
        if (!(await insertPromotionCode(t, code)))
          throw badRequest(`An active promotion code with \`code: ${code.code}\` already exists.`, 'code', 'resource_already_exists');
        await tell(context, t, { type: 'promotion_code.created', objectType: 'promotion_code', after: code });
        return present(context, t, code);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/promotion_codes/:id',
    summary: 'Retrieve a promotion code',
    params: z.strictObject({ expand }),
    handle: (context, { path: { id = '' } }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const code = await findPromotionCode(t, id);
        if (code === null) throw notFound('promotion code', id);
        return present(context, t, code);
      }),
  }),
  route({
    ...one,
    method: 'post',
    path: '/v1/promotion_codes/:id',
    summary: 'Switch a promotion code on or off, or change its minimum amounts in other currencies',
    params: schemas.promotionCodeUpdate,
    handle: (context, { path: { id = '' }, params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const before = await findPromotionCode(t, id, true);
        if (before === null) throw notFound('promotion code', id);
        const minimums = params.restrictions?.currency_options;
        if (minimums !== undefined && before.restrictions.minimumAmount === null)
          throw badRequest('Minimum amounts in other currencies need a minimum_amount.', 'restrictions[currency_options]');
        if (params.active === true && !before.active) await makeRoom(context, t, before);
        const after =
          (await updatePromotionCode(t, id, {
            ...(params.active === undefined ? {} : { active: params.active }),
            ...(minimums === undefined
              ? {}
              : {
                  restrictions: {
                    ...before.restrictions,
                    currencyOptions: { ...before.restrictions.currencyOptions, ...minimumsFrom(minimums) },
                  },
                }),
            metadata: mergeMetadata(before.metadata, params.metadata),
          })) ?? before;
        await tell(context, t, { type: 'promotion_code.updated', objectType: 'promotion_code', before, after });
        return present(context, t, after);
      }),
  }),
  route({
    ...one,
    method: 'get',
    path: '/v1/promotion_codes',
    summary: 'List promotion codes; by the code that a customer typed, in any capitals',
    params: schemas.promotionCodeList,
    answer: listOf(schemas.promotionCode),
    list: true,
    handle: (context, { params }) =>
      withAccount(context.db, context.account.id, async (t) => {
        const page = await listPromotionCodes(t, {
          ...pageOf(params),
          ...createdIn(params.created),
          ...(params.active === undefined ? {} : { active: params.active }),
          ...(params.code === undefined ? {} : { code: params.code }),
          ...(params.coupon === undefined ? {} : { couponId: params.coupon }),
          ...(params.customer === undefined ? {} : { customerId: params.customer }),
          at: toTimestamp(context.now()),
        });
        const answers = await presentPromotionCodes(t, context.account, page.items, context.now());
        return listAnswer('/v1/promotion_codes', answers, page.hasMore);
      }),
  }),
];
