import { compareDecimals, isCurrency, MAX_AMOUNT } from '../../domain/money.ts';
import { decimal, nullableText } from './fields.ts';
import { z } from './zod.ts';

const MAX_TIERS = 100;
const unitAmount = z.int().min(0).max(MAX_AMOUNT);
const unitAmountDecimal = decimal(
  12,
  (value) => !value.startsWith('-') && compareDecimals(value, String(MAX_AMOUNT)) <= 0,
  'minor units, zero or more, with at most 12 decimals',
);
export const taxBehavior = z.enum(['inclusive', 'exclusive', 'unspecified']);

/** An amount per unit, in one of two ways. */
export const amounts = { unit_amount: unitAmount.optional(), unit_amount_decimal: unitAmountDecimal.optional() };
const tier = z.strictObject({
  up_to: z.union([z.literal('inf'), z.int().min(1).max(999_999_999_999)]),
  ...amounts,
  flat_amount: unitAmount.optional(),
  flat_amount_decimal: unitAmountDecimal.optional(),
});
export const tiers = z.array(tier).min(1).max(MAX_TIERS);
/** A share of what is transacted. Amounts are minor units. */
export const percentage = z
  .strictObject({
    rate: decimal(
      10,
      (value) => compareDecimals(value, '0') > 0 && compareDecimals(value, '100') <= 0,
      'a percentage above 0 and up to 100 with at most 10 decimals',
    ),
    fixed_amount: unitAmount.default(0),
    free_amount: unitAmount.default(0),
    free_events: z.int().min(0).max(999_999_999).default(0),
    minimum_amount: unitAmount.optional(),
    maximum_amount: unitAmount.optional(),
  })
  .refine(({ minimum_amount: least, maximum_amount: most }) => least === undefined || most === undefined || least <= most, {
    error: 'Invalid maximum_amount: it is less than minimum_amount.',
    path: ['maximum_amount'],
  })
  .openapi({ description: 'Bills a share of the amount that the events of a metered price report in minor units.' });
const currencyOption = z.strictObject({ ...amounts, tiers: tiers.optional(), tax_behavior: taxBehavior.default('unspecified') });
export const currencyOptions = z.record(z.string().regex(/^[A-Za-z]{3}$/), currencyOption);

export type PercentageInput = z.output<typeof percentage>;
export type Amounts = { unit_amount?: number | undefined; unit_amount_decimal?: string | undefined };
export type Tiers = z.output<typeof tiers>;
export type CurrencyOptions = z.output<typeof currencyOptions>;

type Path = (string | number)[];

/** A fault of a parameter, with Stripe's code for it. */
export const fault = (context: z.RefinementCtx, path: Path, message: string, code = 'parameter_invalid'): void =>
  context.addIssue({ code: 'custom', message, path, params: { code } });
export const missing = (context: z.RefinementCtx, path: Path): void =>
  fault(context, path, `Missing required param: ${path.at(-1)}.`, 'parameter_missing');
const exclusive = (context: z.RefinementCtx, path: Path, ...names: string[]): void =>
  fault(context, path, `You may only specify one of these parameters: ${names.join(', ')}.`, 'parameters_exclusive');

/** Exactly one of the two ways to say an amount per unit. */
export function oneAmount(input: Amounts, context: z.RefinementCtx, path: Path = []): void {
  if (input.unit_amount !== undefined && input.unit_amount_decimal !== undefined)
    exclusive(context, [...path, 'unit_amount'], 'unit_amount', 'unit_amount_decimal');
  if (input.unit_amount === undefined && input.unit_amount_decimal === undefined) missing(context, [...path, 'unit_amount']);
}

/** Ascending, the last one without end, each with an amount. */
function checkTiers(given: Tiers, context: z.RefinementCtx, path: Path): void {
  let before = 0;
  given.forEach((one, index) => {
    const at = [...path, index];
    const isLast = index === given.length - 1;
    if (one.up_to === 'inf' && !isLast) fault(context, [...at, 'up_to'], 'Only the last tier may be without end (`inf`).');
    if (one.up_to !== 'inf') {
      if (isLast) fault(context, [...at, 'up_to'], 'The last tier must be without end: its up_to is `inf`.');
      if (one.up_to <= before) fault(context, [...at, 'up_to'], `Tiers must ascend: ${one.up_to} is not more than ${before}.`);
      before = one.up_to;
    }
    if (one.unit_amount !== undefined && one.unit_amount_decimal !== undefined)
      exclusive(context, [...at, 'unit_amount'], 'unit_amount', 'unit_amount_decimal');
    if (one.flat_amount !== undefined && one.flat_amount_decimal !== undefined)
      exclusive(context, [...at, 'flat_amount'], 'flat_amount', 'flat_amount_decimal');
    if ([one.unit_amount, one.unit_amount_decimal, one.flat_amount, one.flat_amount_decimal].every((amount) => amount === undefined))
      missing(context, [...at, 'unit_amount']);
  });
}

/** An amount per unit or tiers, as the billing scheme says. */
function checkAmounts(
  scheme: 'per_unit' | 'tiered',
  input: Amounts & { tiers?: Tiers | undefined },
  context: z.RefinementCtx,
  path: Path,
): void {
  if (scheme === 'per_unit') {
    if (input.tiers !== undefined) fault(context, [...path, 'tiers'], 'Tiers belong to billing_scheme tiered.');
    else oneAmount(input, context, path);
    return;
  }
  for (const name of ['unit_amount', 'unit_amount_decimal'] as const)
    if (input[name] !== undefined)
      fault(context, [...path, name], `${name} belongs to billing_scheme per_unit; tiers have amounts of their own.`);
  if (input.tiers === undefined) missing(context, [...path, 'tiers']);
  else checkTiers(input.tiers, context, [...path, 'tiers']);
}

/** Currencies that exist, each once and none of them the price's own, with amounts of the same scheme. */
function checkCurrencyOptions(
  scheme: 'per_unit' | 'tiered',
  own: string,
  options: CurrencyOptions | undefined,
  context: z.RefinementCtx,
): void {
  const seen = new Set([own]);
  for (const [code, option] of Object.entries(options ?? {})) {
    const currency = code.toLowerCase();
    const path = ['currency_options', code];
    if (!isCurrency(currency)) fault(context, path, 'Invalid currency: use a three-letter ISO 4217 code, like eur.');
    if (seen.has(currency))
      fault(context, path, `${code} is given twice: a price has one amount in a currency, and that of its own stands outside.`);
    seen.add(currency);
    checkAmounts(scheme, option, context, path);
  }
}

/** Currencies to be added to a price that exists. */
export const addedCurrencyOptions = (scheme: 'per_unit' | 'tiered', own: string) =>
  z
    .object({ currency_options: currencyOptions })
    .superRefine((input, context) => checkCurrencyOptions(scheme, own, input.currency_options, context));

/** A percentage is all of what a metered price costs, and in one currency: its amounts are in that of the events. */
function checkPercentage(
  input: Parameters<typeof checkScheme>[0] & { recurring?: { usage_type: string } | undefined },
  context: z.RefinementCtx,
): void {
  for (const name of ['unit_amount', 'unit_amount_decimal', 'tiers', 'tiers_mode', 'transform_quantity', 'currency_options'] as const)
    if (input[name] !== undefined) fault(context, [name], `${name} cannot be combined with percentage.`);
  if (input.billing_scheme === 'tiered') fault(context, ['billing_scheme'], 'A percentage has no tiers.');
  if (input.recurring?.usage_type !== 'metered') fault(context, ['percentage'], 'A percentage belongs to usage_type metered.');
}

/** What belongs together in a price. */
export function checkScheme(
  input: Amounts & {
    currency: string;
    billing_scheme: 'per_unit' | 'tiered';
    tiers?: Tiers | undefined;
    tiers_mode?: string | undefined;
    transform_quantity?: object | undefined;
    currency_options?: CurrencyOptions | undefined;
    percentage?: object | undefined;
    recurring?: { usage_type: string } | undefined;
  },
  context: z.RefinementCtx,
): void {
  if (input.percentage !== undefined) {
    checkPercentage(input, context);
    return;
  }
  const isTiered = input.billing_scheme === 'tiered';
  checkAmounts(input.billing_scheme, input, context, []);
  if (!isTiered && input.tiers_mode !== undefined) fault(context, ['tiers_mode'], 'tiers_mode belongs to billing_scheme tiered.');
  if (isTiered && input.tiers_mode === undefined) missing(context, ['tiers_mode']);
  if (isTiered && input.transform_quantity !== undefined)
    fault(context, ['transform_quantity'], 'transform_quantity cannot be combined with tiers.');
  checkCurrencyOptions(input.billing_scheme, input.currency, input.currency_options, context);
}

// Shapes of answers.
export const percentageAnswer = z.strictObject({
  rate: z.string(),
  fixed_amount: z.int(),
  free_amount: z.int(),
  free_events: z.int(),
  minimum_amount: z.int().nullable(),
  maximum_amount: z.int().nullable(),
});
export const transformQuantity = z.strictObject({ divide_by: z.int(), round: z.enum(['up', 'down']) });
export const tiersMode = z.enum(['graduated', 'volume']);
const tierAnswer = z.strictObject({
  flat_amount: z.int().nullable(),
  flat_amount_decimal: nullableText,
  unit_amount: z.int().nullable(),
  unit_amount_decimal: nullableText,
  up_to: z.int().nullable(),
});
export const tiersAnswer = z.array(tierAnswer).optional().openapi({ description: 'Where `expand[]` names it.' });
export const currencyOptionsAnswer = z
  .record(
    z.string(),
    z.strictObject({
      custom_unit_amount: z.null(),
      tax_behavior: taxBehavior,
      tiers: z.array(tierAnswer).optional(),
      unit_amount: z.int().nullable(),
      unit_amount_decimal: nullableText,
    }),
  )
  .optional()
  .openapi({ description: 'Where `expand[]` names it; with the currency of the price itself.' });
