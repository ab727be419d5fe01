import { COUPON_DURATIONS } from '../../domain/discounts/coupon.ts';
import { compareDecimals, isCurrency } from '../../domain/money.ts';
import {
  answerMetadata,
  currency,
  decimal,
  expand,
  idList,
  metadata,
  nullableText,
  nullableTime,
  paging,
  text,
  timestamp,
  unsettable,
  when,
} from './fields.ts';
import { z } from './zod.ts';

export const amountOff = z.int().min(1).max(999_999_999_999);
/** Three letters, in lower case. */
export const currencyKey = z
  .string()
  .refine(isCurrency, { error: 'Invalid currency: use a three-letter ISO 4217 code in lower case, like eur.' });
const percentOff = decimal(
  4,
  (value) => compareDecimals(value, '0') > 0 && compareDecimals(value, '100') <= 0,
  'a percentage above 0 and up to 100 with at most 4 decimals',
);
const currencyOptions = z.record(currencyKey, z.strictObject({ amount_off: amountOff }));

export const couponCreate = z
  .strictObject({
    id: text(200)
      .regex(/^[A-Za-z0-9_-]+$/)
      .optional(),
    name: text(40).optional(),
    percent_off: percentOff.optional(),
    amount_off: amountOff.optional(),
    currency: currency.optional(),
    currency_options: currencyOptions.optional(),
    duration: z.enum(COUPON_DURATIONS).default('once'),
    duration_in_months: z.int().min(1).max(1200).optional(),
    applies_to: z
      .strictObject({ products: idList(100).optional(), prices: idList(100).optional() })
      .optional()
      .openapi({ description: 'Only lines of these products, or (ours) of these prices.' }),
    max_redemptions: z.int().min(1).max(2_000_000_000).optional(),
    redeem_by: timestamp.optional(),
    metadata,
    expand,
  })
  .superRefine((input, context) => {
    const fault = (path: string, message: string, code: string): void => {
      context.addIssue({ code: 'custom', path: [path], message, params: { code } });
    };
    const { percent_off: percent, amount_off: amount, duration, duration_in_months: months } = input;
    if (percent === undefined && amount === undefined)
      fault('percent_off', 'Missing required param: percent_off or amount_off.', 'parameter_missing');
    if (percent !== undefined && amount !== undefined)
      fault('percent_off', 'You may only specify one of these parameters: percent_off, amount_off.', 'parameters_exclusive');
    if (amount !== undefined && input.currency === undefined) fault('currency', 'Missing required param: currency.', 'parameter_missing');
    if (amount === undefined && input.currency_options !== undefined)
      fault('currency_options', 'Amounts in other currencies need an amount_off.', 'parameter_invalid');
    if (duration === 'repeating' && months === undefined)
      fault('duration_in_months', 'Missing required param: duration_in_months.', 'parameter_missing');
    if (duration !== 'repeating' && months !== undefined)
      fault('duration_in_months', 'Only a repeating coupon has a duration_in_months.', 'parameter_invalid');
  });

/** What it takes off never changes: discounts have it in writing. */
export const couponUpdate = z.strictObject({ name: unsettable(40), currency_options: currencyOptions.optional(), metadata, expand });
export const couponList = z.strictObject({ ...paging, created: when });

export const coupon = z
  .strictObject({
    id: z.string(),
    object: z.literal('coupon'),
    amount_off: z.int().nullable(),
    applies_to: z.strictObject({ products: z.array(z.string()), prices: z.array(z.string()).optional() }).optional(),
    created: z.int(),
    currency: nullableText,
    currency_options: z.record(z.string(), z.strictObject({ amount_off: z.int() })).optional(),
    duration: z.enum(COUPON_DURATIONS),
    duration_in_months: z.int().nullable(),
    livemode: z.boolean(),
    max_redemptions: z.int().nullable(),
    metadata: answerMetadata,
    name: nullableText,
    percent_off: z.number().nullable(),
    redeem_by: nullableTime,
    times_redeemed: z.int(),
    valid: z.boolean(),
  })
  .openapi('Coupon');
