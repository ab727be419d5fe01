import type { Coupon } from '../domain/discounts/coupon.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertRows, type TableShape, toRow, updateOne } from './table.ts';

export const COUPONS: TableShape<Coupon> = {
  table: 'coupons',
  keys: [
    'id',
    'name',
    'percentOff',
    'amountOff',
    'currency',
    'currencyOptions',
    'duration',
    'durationInMonths',
    'appliesTo',
    'maxRedemptions',
    'redeemBy',
    'timesRedeemed',
    'metadata',
    'deleted',
    'createdAt',
  ],
  instants: ['redeemBy', 'createdAt'],
};

/** @returns whether its id was free; the id of a deleted coupon stays taken, as discounts refer to it */
export const insertCoupon = async (t: AccountTransaction, coupon: Coupon): Promise<boolean> =>
  (await insertRows(t, 'coupons', [toRow(COUPONS, t.accountId, coupon)], 'on conflict do nothing')) > 0;
export const findCoupon = (t: AccountTransaction, id: string, forUpdate = false): Promise<Coupon | null> =>
  findOne(t, COUPONS, id, forUpdate);
export const updateCoupon = (
  t: AccountTransaction,
  id: string,
  patch: Partial<Pick<Coupon, 'name' | 'metadata' | 'currencyOptions' | 'deleted'>>,
): Promise<Coupon | null> => updateOne(t, COUPONS, id, patch);

export async function listCoupons(t: AccountTransaction, query: Page & { created?: InstantRange }): Promise<List<Coupon>> {
  const filter = new Filter().add('not kept.deleted').within('created_at', query.created);
  const { rows, hasMore } = await listRows(t, { table: 'coupons' }, query, filter);
  return { items: rows.map((row) => fromRow(COUPONS, row)), hasMore };
}
