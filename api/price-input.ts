import type { Interval, Percentage, Price, PriceAmounts, Recurring, TaxBehavior, TiersMode } from '../domain/catalog/price.ts';
import type { RecurringCredit } from '../domain/credits/grant.ts';
import type { IdSource } from '../domain/decision.ts';
import { ID_PREFIX } from '../domain/ids.ts';
import { exact, exactToString, times } from '../domain/money.ts';
import type { Instant } from '../domain/time.ts';
import { creditScopeOf, type RecurringCreditInput } from './schemas/credits.ts';
import { mergeMetadata } from './schemas/fields.ts';
import type { Amounts, CurrencyOptions, PercentageInput, Tiers } from './schemas/price-amounts.ts';

interface PriceInput {
  currency: string;
  unit_amount?: number | undefined;
  unit_amount_decimal?: string | undefined;
  billing_scheme?: Price['billingScheme'];
  tiers?: Tiers | undefined;
  tiers_mode?: TiersMode | undefined;
  transform_quantity?: { divide_by: number; round: 'up' | 'down' } | undefined;
  currency_options?: CurrencyOptions | undefined;
  percentage?: PercentageInput | undefined;
  credit_grant?: RecurringCreditInput | undefined;
  bundle?: { product: string; share: string; tax_rates?: string[] | undefined }[] | undefined;
  active: boolean;
  /** Made in passing, for this alone. */
  madeFor?: string;
  recurring?:
    | {
        interval: Interval;
        interval_count: number;
        usage_type?: Recurring['usageType'] | undefined;
        meter?: string | undefined;
        meter_filter?: Record<string, string> | undefined;
        minimum_amount?: number | undefined;
        maximum_amount?: number | undefined;
      }
    | undefined;
  tax_behavior: TaxBehavior;
  nickname?: string | null | undefined;
  lookup_key?: string | undefined;
  external_id?: string | null | undefined;
  metadata?: Record<string, string | null> | null | undefined;
}

const amountOf = (whole: number | undefined, decimal: string | undefined): string | null =>
  decimal ?? (whole === undefined ? null : String(whole));

const amountsFrom = (input: Amounts & { tiers?: Tiers | undefined }): PriceAmounts => ({
  unitAmountDecimal: amountOf(input.unit_amount, input.unit_amount_decimal),
  tiers:
    input.tiers?.map((tier) => ({
      upTo: tier.up_to === 'inf' ? null : String(tier.up_to),
      unitAmountDecimal: amountOf(tier.unit_amount, tier.unit_amount_decimal),
      flatAmountDecimal: amountOf(tier.flat_amount, tier.flat_amount_decimal),
    })) ?? null,
});

const percentageFrom = (input: PercentageInput): Percentage => ({
  rate: input.rate,
  fixedAmount: input.fixed_amount,
  freeAmount: input.free_amount,
  freeEvents: input.free_events,
  minimumAmount: input.minimum_amount ?? null,
  maximumAmount: input.maximum_amount ?? null,
});

export const currencyOptionsFrom = (options: CurrencyOptions | undefined): Price['currencyOptions'] =>
  Object.fromEntries(
    Object.entries(options ?? {}).map(([currency, option]) => [
      currency.toLowerCase(),
      { ...amountsFrom(option), taxBehavior: option.tax_behavior },
    ]),
  );

const recurringCreditFrom = ({
  name,
  category,
  amount,
  applicability_config,
  priority,
  rollover,
}: RecurringCreditInput): RecurringCredit => ({
  ...{ name: name ?? null, category, amount: amount.monetary.value, scope: creditScopeOf(applicability_config.scope), priority },
  rollover:
    rollover === undefined
      ? null
      : { percent: rollover.percent, maxAmount: rollover.max_amount ?? null, maxPeriods: rollover.max_periods ?? null },
});

/** The row of a price that a request asks for. */
export const newPrice = (productId: string, input: PriceInput, { newId, now }: { newId: IdSource; now: () => Instant }): Price => ({
  id: newId(ID_PREFIX.price),
  productId,
  currency: input.currency,
  ...amountsFrom(input),
  ...(input.percentage === undefined ? {} : { unitAmountDecimal: exactToString(times(exact(input.percentage.rate), '0.01')) }),
  billingScheme: input.billing_scheme ?? 'per_unit',
  tiersMode: input.tiers_mode ?? null,
  transformQuantity:
    input.transform_quantity === undefined ? null : { divideBy: input.transform_quantity.divide_by, round: input.transform_quantity.round },
  currencyOptions: currencyOptionsFrom(input.currency_options),
  recurring:
    input.recurring === undefined
      ? null
      : {
          interval: input.recurring.interval,
          intervalCount: input.recurring.interval_count,
          usageType: input.recurring.usage_type ?? 'licensed',
          meterId: input.recurring.meter ?? null,
          ...(input.recurring.meter_filter === undefined ? {} : { groups: input.recurring.meter_filter }),
          ...(input.percentage === undefined ? {} : { percentage: percentageFrom(input.percentage) }),
          ...(input.recurring.minimum_amount === undefined ? {} : { minimumAmount: input.recurring.minimum_amount }),
          ...(input.recurring.maximum_amount === undefined ? {} : { maximumAmount: input.recurring.maximum_amount }),
        },
  bundle: input.bundle?.map((part) => ({ productId: part.product, share: part.share, taxRateIds: part.tax_rates ?? [] })) ?? null,
  creditGrant: input.credit_grant === undefined ? null : recurringCreditFrom(input.credit_grant),
  taxBehavior: input.tax_behavior,
  active: input.active,
  madeFor: input.madeFor ?? null,
  nickname: input.nickname ?? null,
  lookupKey: input.lookup_key ?? null,
  externalId: input.external_id ?? null,
  metadata: mergeMetadata({}, input.metadata),
  createdAt: now(),
});
