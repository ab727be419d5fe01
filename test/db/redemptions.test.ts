import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadSnapshot } from '../../db/billing-snapshot.ts';
import { findCoupon, insertCoupon } from '../../db/coupons.ts';
import { findCustomer, insertCustomer } from '../../db/customers.ts';
import { findOperation } from '../../db/operations.ts';
import { findPromotionCode, insertPromotionCode } from '../../db/promotion-codes.ts';
import { recordDecision } from '../../db/record-decision.ts';
import { decideCustomerDiscount } from '../../domain/discounts/discount-customer.ts';
import { Refusal } from '../../domain/errors.ts';
import { aCoupon, aCustomer, aPromotionCode, START } from '../api/examples.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld({ poolMax: 12 });
});
afterAll(() => world.close());

const CUSTOMERS = Array.from({ length: 12 }, (_, n) => `cus_r${n}`);
const anyone = { firstTimeTransaction: false, minimumAmount: null, minimumAmountCurrency: null, currencyOptions: {} };

/** Load -> decide -> record, as whoever sets a customer's discount does. */
const redeem = (customerId: string, promotionCodeId: string, { lock = true, operationId = `op_${customerId}` } = {}): Promise<void> =>
  world.as('acct_1', async (t) => {
    const snapshot = await loadSnapshot(t, { customerId, promotionCodeIds: [promotionCodeId], lock });
    if ((await findOperation(t, operationId)) !== null) return;
    let n = 0;
    const context = { asOf: START, newId: (prefix: string) => `${prefix}_${operationId}_${++n}` };
    const decision = decideCustomerDiscount(snapshot, { wish: { promotionCodeId } }, context);
    const operation = {
      operationId,
      kind: 'discount-customer' as const,
      asOf: START,
      requestHash: 'hash',
      subscriptionId: null,
      invoiceId: null,
    };
    await recordDecision(t, { ...operation, actor: 'test', paymentBehavior: null }, decision, () => null);
  });

const prepare = async (name: string, maxRedemptions: number, ofCode: number | null): Promise<void> => {
  await world.as('acct_1', async (t) => {
    await insertCoupon(t, aCoupon({ id: name, appliesTo: null, maxRedemptions, timesRedeemed: 0, redeemBy: null }));
    await insertPromotionCode(
      t,
      aPromotionCode({ id: `promo_${name}`, code: name, couponId: name, expiresAt: null, maxRedemptions: ofCode, restrictions: anyone }),
    );
    for (const id of CUSTOMERS) await insertCustomer(t, aCustomer({ id: `${id}_${name}`, defaultPaymentMethodId: null, externalId: null }));
  });
};
const counts = (name: string) =>
  world.as('acct_1', async (t) => [
    (await findCoupon(t, name))?.timesRedeemed,
    (await findPromotionCode(t, `promo_${name}`))?.timesRedeemed,
    (await Promise.all(CUSTOMERS.map((id) => findCustomer(t, `${id}_${name}`)))).filter((customer) => customer?.discount).length,
  ]);

test.each([
  ['the coupon', 'five', 5, null],
  ['the code', 'three', 9, 3],
] as const)(
  'many at once never redeem %s too often, and who comes too late is refused with nothing written',
  async (_, name, most, ofCode) => {
    await prepare(name, most, ofCode);
    const outcomes = await Promise.allSettled(CUSTOMERS.map((id) => redeem(`${id}_${name}`, `promo_${name}`)));
    const allowed = ofCode ?? most;
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(allowed);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'coupon_expired' });
    }
    expect(await counts(name)).toEqual([allowed, allowed, allowed]);
  },
);

test('where nobody held the coupon while deciding, what is too much is not written, and is decided anew', async () => {
  await prepare('loose', 2, null);
  const outcomes = await Promise.allSettled(CUSTOMERS.map((id) => redeem(`${id}_loose`, 'promo_loose', { lock: false })));
  const late = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
  expect(late).toHaveLength(CUSTOMERS.length - 2);
  for (const error of late)
    expect(error instanceof Refusal ? error.code : error.message).toMatch(/^coupon_expired$|was redeemed for the last time/);
  expect(await counts('loose')).toEqual([2, 2, 2]);
});

test('one operation redeems once, however often it is tried', async () => {
  await prepare('again', 5, null);
  const [id = ''] = CUSTOMERS;
  for (let n = 0; n < 3; n += 1) await redeem(`${id}_again`, 'promo_again');
  expect(await counts('again')).toEqual([1, 1, 1]);
});
