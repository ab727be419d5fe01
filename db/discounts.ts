import type { Decision } from '../domain/decision.ts';
import type { Discount } from '../domain/discounts/discount.ts';
import type { AccountTransaction } from './client.ts';
import { findOne, insertRows, type TableShape, toRow } from './table.ts';

export const DISCOUNTS: TableShape<Discount> = {
  table: 'discounts',
  keys: [
    'id',
    'couponId',
    'promotionCodeId',
    'customerId',
    'subscriptionId',
    'subscriptionItemId',
    'invoiceItemId',
    'start',
    'end',
    'endedAt',
    'terms',
  ],
  instants: ['start', 'end', 'endedAt'],
};

export const findDiscount = (t: AccountTransaction, id: string): Promise<Discount | null> => findOne(t, DISCOUNTS, id);

/** Writes discounts, the customer's, and counts what was redeemed. All statements are sent before the first is answered. */
export async function writeDiscounts(t: AccountTransaction, { discounts, customerDiscount, redemptions }: Decision): Promise<void> {
  const last = new Map(discounts.map((discount) => [discount.id, discount]));
  const customerId = discounts[0]?.customerId;
  await Promise.all([
    countRedemptions(
      t,
      'coupons',
      redemptions.map(({ couponId }) => couponId),
    ),
    countRedemptions(
      t,
      'promotion_codes',
      redemptions.flatMap(({ promotionCodeId }) => promotionCodeId ?? []),
    ),
    insertRows(
      t,
      'discounts',
      [...last.values()].map((discount) => toRow(DISCOUNTS, t.accountId, discount)),
      'on conflict (account_id, id) do update set ended_at = excluded.ended_at',
    ),
    customerDiscount === undefined || customerId === undefined
      ? null
      : t.run('update customers set discount = $1::jsonb where account_id = $2 and id = $3', [
          customerDiscount === null ? null : JSON.stringify(customerDiscount),
          t.accountId,
          customerId,
        ]),
  ]);
}

/**
 * Whoever decided has read what is left; where somebody else has taken the last of it since, nothing of the decision is written. It is thrown as a fault and not as a
 * refusal, so that it is decided anew.
 */
async function countRedemptions(t: AccountTransaction, table: 'coupons' | 'promotion_codes', ids: readonly string[]): Promise<void> {
  // In the order of their ids, so that two decisions never wait for each other.
  const distinct = [...new Set(ids)].sort();
  const counted = distinct.map(async (id) => {
    const { rowCount } = await t.run(
      `update ${table} set times_redeemed = times_redeemed + $3::integer
       where account_id = $1 and id = $2 and coalesce(times_redeemed + $3::integer <= max_redemptions, true)`,
      [t.accountId, id, ids.filter((other) => other === id).length],
    );
    if (rowCount === 0) throw new Error(`${id} was redeemed for the last time while this was decided`);
  });
  await Promise.all(counted);
}
