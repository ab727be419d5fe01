import type { PromotionCode } from '../domain/discounts/coupon.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertRows, type Row, type TableShape, toRow, updateOne } from './table.ts';

export const PROMOTION_CODES: TableShape<PromotionCode> = {
  table: 'promotion_codes',
  keys: [
    'id',
    'code',
    'couponId',
    'active',
    'customerId',
    'expiresAt',
    'maxRedemptions',
    'timesRedeemed',
    'restrictions',
    'metadata',
    'createdAt',
  ],
  instants: ['expiresAt', 'createdAt'],
};

/** @returns whether no other active code of that customer, or of everybody, has its letters; capitals make no difference */
export const insertPromotionCode = async (t: AccountTransaction, code: PromotionCode): Promise<boolean> =>
  (await insertRows(t, 'promotion_codes', [toRow(PROMOTION_CODES, t.accountId, code)], 'on conflict do nothing')) > 0;

export const findPromotionCode = (t: AccountTransaction, id: string, forUpdate = false): Promise<PromotionCode | null> =>
  findOne(t, PROMOTION_CODES, id, forUpdate);

export const updatePromotionCode = (
  t: AccountTransaction,
  id: string,
  patch: Partial<Pick<PromotionCode, 'active' | 'metadata' | 'restrictions'>>,
): Promise<PromotionCode | null> => updateOne(t, PROMOTION_CODES, id, patch);

/** The one that is switched on with these letters, of that customer or (null) of everybody, locked. */
export async function findClash(t: AccountTransaction, { code, customerId }: PromotionCode): Promise<PromotionCode | null> {
  const { rows } = await t.run<{ row: Row }>(
    `select to_jsonb(kept) as row from promotion_codes kept
     where account_id = $1 and lower(code) = lower($2) and coalesce(customer_id, '') = coalesce($3, '') and active for no key update`,
    [t.accountId, code, customerId],
  );
  return rows[0] ? fromRow(PROMOTION_CODES, rows[0].row) : null;
}

/** `active`: whether it could be redeemed at `at`, as Stripe means it. */
export async function listPromotionCodes(
  t: AccountTransaction,
  query: Page & { created?: InstantRange; code?: string; couponId?: string; customerId?: string; active?: boolean; at: string },
): Promise<List<PromotionCode>> {
  const filter = new Filter().within('created_at', query.created).equal('coupon_id', query.couponId).equal('customer_id', query.customerId);
  if (query.code !== undefined) filter.add('lower(kept.code) = lower(?)', query.code);
  if (query.active !== undefined) {
    filter.add(
      `${query.active ? '' : 'not '}(kept.active and coalesce(kept.expires_at > ?::timestamptz, true) and coalesce(kept.times_redeemed < kept.max_redemptions, true)
        and exists (select from coupons c where c.account_id = kept.account_id and c.id = kept.coupon_id and not c.deleted
          and coalesce(c.redeem_by > ?::timestamptz, true) and coalesce(c.times_redeemed < c.max_redemptions, true)))`,
      query.at,
      query.at,
    );
  }
  const { rows, hasMore } = await listRows(t, { table: 'promotion_codes' }, query, filter);
  return { items: rows.map((row) => fromRow(PROMOTION_CODES, row)), hasMore };
}
