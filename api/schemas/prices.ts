import { MAX_COMPONENTS } from '../../domain/catalog/bundle.ts';
import { MAX_AMOUNT } from '../../domain/money.ts';
import { recurringCredit, recurringCreditAnswer } from './credits.ts';
import {
  answerMetadata,
  currency,
  decimal,
  expand,
  expandable,
  idList,
  metadata,
  nullableText,
  paging,
  reference,
  text,
  unsettable,
  when,
} from './fields.ts';
import {
  amounts,
  checkScheme,
  currencyOptions,
  currencyOptionsAnswer,
  fault,
  oneAmount,
  percentage,
  percentageAnswer,
  taxBehavior,
  tiers,
  tiersAnswer,
  tiersMode,
  transformQuantity,
} from './price-amounts.ts';
import { z } from './zod.ts';

const MAX_INTERVALS = { day: 1095, week: 156, month: 36, year: 3 } as const;

const cycle = { interval: z.enum(['day', 'week', 'month', 'year']), interval_count: z.int().min(1).max(1095).default(1) };
const withinYears = (given: { interval: keyof typeof MAX_INTERVALS; interval_count: number }): boolean =>
  given.interval_count <= MAX_INTERVALS[given.interval];
const TOO_LONG = { error: 'Invalid interval: it may be at most three years.', path: ['interval_count'] };

/** At most three years, as Stripe has it. */
export const priceCycle = z.strictObject(cycle).refine(withinYears, TOO_LONG);
const recurring = z
  .strictObject({
    ...cycle,
    usage_type: z.enum(['licensed', 'metered']).default('licensed'),
    meter: reference.optional(),
    minimum_amount: z.int().min(0).max(MAX_AMOUNT).optional(),
    maximum_amount: z.int().min(0).max(MAX_AMOUNT).optional(),
    meter_filter: z
      .record(text(100), text(500))
      .optional()
      .openapi({ description: "Bills a part of the meter's groups only: those that have these values of its `group_by` keys." }),
  })
  .superRefine(({ usage_type: usage, meter, meter_filter: filter, minimum_amount: least, maximum_amount: most }, context) => {
    if (least !== undefined && most !== undefined && most < least)
      fault(context, ['maximum_amount'], 'Invalid maximum_amount: it is less than minimum_amount.');
    if (usage !== 'metered')
      for (const [name, amount] of Object.entries({ minimum_amount: least, maximum_amount: most }))
        if (amount !== undefined) fault(context, [name], `${name} belongs to usage_type metered.`);
    if (usage === 'metered') {
      if (meter === undefined) fault(context, ['meter'], 'Missing required param: recurring[meter].', 'parameter_missing');
    } else if (meter !== undefined) fault(context, ['meter'], 'A meter belongs to usage_type metered.');
    else if (filter !== undefined) fault(context, ['meter_filter'], 'A meter belongs to usage_type metered.');
  })
  .refine(withinYears, TOO_LONG);

/** One price, billed as a line for each product. */
const bundle = z
  .array(
    z.strictObject({
      product: reference,
      share: decimal(12, (value) => Number(value) > 0, 'more than 0, with at most 12 decimals'),
      tax_rates: idList(20).optional(),
    }),
  )
  .min(2)
  .max(MAX_COMPONENTS)
  .refine((parts) => new Set(parts.map(({ product }) => product)).size === parts.length, {
    error: 'Invalid bundle: a product is named twice.',
  })
  .openapi({ description: 'Ours: what it costs is billed as one line per product, split by their shares.' });

export const defaultPriceData = z
  .strictObject({ currency, ...amounts, recurring: recurring.optional(), tax_behavior: taxBehavior.default('unspecified'), metadata })
  .superRefine((input, context) => oneAmount(input, context));

export const priceCreate = z
  .strictObject({
    currency,
    ...amounts,
    active: z.boolean().default(true),
    billing_scheme: z.enum(['per_unit', 'tiered']).default('per_unit'),
    tiers: tiers.optional(),
    tiers_mode: tiersMode.optional(),
    transform_quantity: z.strictObject({ divide_by: z.int().min(1).max(999_999_999), round: z.enum(['up', 'down']) }).optional(),
    currency_options: currencyOptions.optional(),
    percentage: percentage.optional(),
    bundle: bundle.optional(),
    credit_grant: recurringCredit.optional(),
    product: reference.optional(),
    product_data: z
      .strictObject({
        id: text(200)
          .regex(/^[A-Za-z0-9_-]+$/)
          .optional(),
        name: text(),
        active: z.boolean().default(true),
        unit_label: unsettable(12),
        metadata,
      })
      .optional(),
    recurring: recurring.optional(),
    tax_behavior: taxBehavior.default('unspecified'),
    nickname: unsettable(),
    lookup_key: text(200).optional(),
    transfer_lookup_key: z.boolean().default(false),
    external_id: unsettable(255),
    metadata,
    expand,
  })
  .superRefine(checkScheme)
  .superRefine(({ bundle: parts, recurring: cycle }, context) => {
    if (parts !== undefined && cycle?.usage_type !== 'licensed')
      fault(context, ['bundle'], 'A bundle is a price with recurring[usage_type] licensed.');
  })
  .superRefine(({ credit_grant: credit, currency: own, currency_options: options, recurring: cycle }, context) => {
    if (credit === undefined) return;
    if (cycle === undefined) fault(context, ['credit_grant'], 'A credit_grant belongs to a recurring price.');
    if (options !== undefined) fault(context, ['currency_options'], 'A price that gives credit has one currency.');
    if (credit.amount.monetary.currency !== own)
      fault(context, ['credit_grant', 'amount', 'monetary', 'currency'], 'Credit is given in the currency of its price.');
  })
  .superRefine(({ currency_options: options, recurring: cycle }, context) => {
    if (options !== undefined && (cycle?.minimum_amount ?? cycle?.maximum_amount) !== undefined)
      fault(context, ['currency_options'], 'A minimum or maximum is in the currency of its price alone.');
  })
  .superRefine((input, context) => {
    if ((input.product === undefined) === (input.product_data === undefined)) {
      const missing = input.product === undefined;
      context.addIssue({
        code: 'custom',
        message: missing ? 'Missing required param: product.' : 'You may only specify one of these parameters: product, product_data.',
        path: ['product'],
        params: { code: missing ? 'parameter_missing' : 'parameters_exclusive' },
      });
    }
  });

/** Amounts, currency, cycle and product of a price never change; currencies may be added. */
export const priceUpdate = z.strictObject({
  active: z.boolean().optional(),
  nickname: unsettable(),
  lookup_key: text(200).nullable().optional(),
  transfer_lookup_key: z.boolean().default(false),
  tax_behavior: taxBehavior.optional(),
  currency_options: currencyOptions.optional(),
  external_id: unsettable(255),
  metadata,
  expand,
});

export const priceList = z.strictObject({
  ...paging,
  active: z.boolean().optional(),
  product: reference.optional(),
  currency: currency.optional(),
  type: z.enum(['one_time', 'recurring']).optional(),
  lookup_keys: z.array(text(200)).max(10).optional(),
  external_id: text(255).optional(),
  created: when,
});

export const price = z
  .strictObject({
    id: z.string(),
    object: z.literal('price'),
    active: z.boolean(),
    billing_scheme: z.enum(['per_unit', 'tiered']),
    bundle: z.array(z.strictObject({ product: z.string(), share: z.string(), tax_rates: z.array(z.string()) })).nullable(),
    created: z.int(),
    credit_grant: recurringCreditAnswer.nullable(),
    currency: z.string(),
    currency_options: currencyOptionsAnswer,
    custom_unit_amount: z.null(),
    livemode: z.boolean(),
    lookup_key: nullableText,
    metadata: answerMetadata,
    nickname: nullableText,
    percentage: percentageAnswer.nullable(),
    product: expandable('Product'),
    recurring: z
      .strictObject({
        interval: z.enum(['day', 'week', 'month', 'year']),
        interval_count: z.int(),
        meter: nullableText,
        meter_filter: z.record(z.string(), z.string()).optional(),
        minimum_amount: z.int().optional(),
        maximum_amount: z.int().optional(),
        trial_period_days: z.null(),
        usage_type: z.enum(['licensed', 'metered']),
      })
      .nullable(),
    tax_behavior: taxBehavior,
    tiers: tiersAnswer,
    tiers_mode: tiersMode.nullable(),
    transform_quantity: transformQuantity.nullable(),
    type: z.enum(['one_time', 'recurring']),
    unit_amount: z.int().nullable(),
    unit_amount_decimal: nullableText,
    external_id: nullableText,
  })
  .openapi('Price');
