import { currencyKey } from './coupons.ts';
import {
  answerMetadata,
  currency,
  expand,
  expandable,
  expandableOrNull,
  metadata,
  nullableText,
  nullableTime,
  paging,
  reference,
  text,
  timestamp,
  when,
} from './fields.ts';
import { z } from './zod.ts';

const minimum = z.int().min(1).max(999_999_999_999);
const minimums = z.record(currencyKey, z.strictObject({ minimum_amount: minimum }));
const code = text(500).regex(/^[A-Za-z0-9_-]+$/);

export const promotionCodeCreate = z.strictObject({
  promotion: z.strictObject({ type: z.literal('coupon'), coupon: reference }),
  code: code.optional(),
  active: z.boolean().default(true),
  customer: reference.optional(),
  expires_at: timestamp.optional(),
  max_redemptions: z.int().min(1).max(2_000_000_000).optional(),
  restrictions: z
    .strictObject({
      first_time_transaction: z.boolean().default(false),
      minimum_amount: minimum.optional(),
      minimum_amount_currency: currency.optional(),
      currency_options: minimums.optional(),
    })
    .optional()
    .superRefine((given, context) => {
      const { minimum_amount: amount, minimum_amount_currency: of, currency_options: others } = given ?? {};
      if ((amount === undefined) === (of === undefined) && !(others !== undefined && amount === undefined)) return;
      const path = amount === undefined ? 'minimum_amount' : 'minimum_amount_currency';
      context.addIssue({
        code: 'custom',
        path: [path],
        message: `Missing required param: restrictions[${path}].`,
        params: { code: 'parameter_missing' },
      });
    }),
  metadata,
  expand,
});

export const promotionCodeUpdate = z.strictObject({
  active: z.boolean().optional(),
  restrictions: z.strictObject({ currency_options: minimums.optional() }).optional(),
  metadata,
  expand,
});

export const promotionCodeList = z.strictObject({
  ...paging,
  active: z.boolean().optional(),
  code: code.optional(),
  coupon: reference.optional(),
  customer: reference.optional(),
  created: when,
});

export const promotionCode = z
  .strictObject({
    id: z.string(),
    object: z.literal('promotion_code'),
    active: z.boolean(),
    code: z.string(),
    created: z.int(),
    customer: expandableOrNull('Customer'),
    customer_account: z.null(),
    expires_at: nullableTime,
    livemode: z.boolean(),
    max_redemptions: z.int().nullable(),
    metadata: answerMetadata,
    promotion: z.strictObject({ coupon: expandable('Coupon'), type: z.literal('coupon') }),
    restrictions: z.strictObject({
      currency_options: z.record(z.string(), z.strictObject({ minimum_amount: z.int() })).optional(),
      first_time_transaction: z.boolean(),
      minimum_amount: z.int().nullable(),
      minimum_amount_currency: nullableText,
    }),
    times_redeemed: z.int(),
  })
  .openapi('PromotionCode');
