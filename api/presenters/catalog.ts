import type Stripe from 'stripe';
import type { Percentage, Price, PriceTier, Product } from '../../domain/catalog/price.ts';
import type { TaxRate } from '../../domain/tax/tax-rate.ts';
import { presentRecurringCredit } from './credits.ts';
import type { Dialect } from './dialect.ts';

type PriceAnswer = Dialect<
  Stripe.Price,
  | 'id'
  | 'object'
  | 'active'
  | 'billing_scheme'
  | 'created'
  | 'currency'
  | 'custom_unit_amount'
  | 'livemode'
  | 'lookup_key'
  | 'metadata'
  | 'nickname'
  | 'product'
  | 'recurring'
  | 'tax_behavior'
  | 'tiers_mode'
  | 'transform_quantity'
  | 'type'
  | 'unit_amount'
  | 'unit_amount_decimal'
> & {
  external_id: string | null;
  percentage: PercentageAnswer | null;
  bundle: { product: string; share: string; tax_rates: string[] }[] | null;
  credit_grant: ReturnType<typeof presentRecurringCredit> | null;
};

interface PercentageAnswer {
  rate: string;
  fixed_amount: number;
  free_amount: number;
  free_events: number;
  minimum_amount: number | null;
  maximum_amount: number | null;
}

const presentPercentage = (terms: Percentage): PercentageAnswer => ({
  rate: terms.rate,
  fixed_amount: terms.fixedAmount,
  free_amount: terms.freeAmount,
  free_events: terms.freeEvents,
  minimum_amount: terms.minimumAmount,
  maximum_amount: terms.maximumAmount,
});

/** `unit_amount` is null where the price has a fraction of the minor unit, which `unit_amount_decimal` then holds; both are where it has tiers. */
export function presentPrice(price: Price, livemode: boolean): PriceAnswer {
  return {
    id: price.id,
    object: 'price',
    active: price.active,
    billing_scheme: price.billingScheme,
    bundle: price.bundle?.map(({ productId, share, taxRateIds = [] }) => ({ product: productId, share, tax_rates: taxRateIds })) ?? null,
    created: price.createdAt,
    credit_grant: price.creditGrant ? presentRecurringCredit(price.creditGrant, price.currency) : null,
    currency: price.currency,
    custom_unit_amount: null,
    livemode,
    lookup_key: price.lookupKey,
    metadata: price.metadata,
    nickname: price.nickname,
    percentage: price.recurring?.percentage ? presentPercentage(price.recurring.percentage) : null,
    product: price.productId,
    recurring:
      price.recurring === null
        ? null
        : {
            interval: price.recurring.interval,
            interval_count: price.recurring.intervalCount,
            meter: price.recurring.meterId,
            ...(price.recurring.groups === undefined ? {} : { meter_filter: price.recurring.groups }),
            ...(price.recurring.minimumAmount === undefined ? {} : { minimum_amount: price.recurring.minimumAmount }),
            ...(price.recurring.maximumAmount === undefined ? {} : { maximum_amount: price.recurring.maximumAmount }),
            trial_period_days: null,
            usage_type: price.recurring.usageType,
          },
    tax_behavior: price.taxBehavior,
    tiers_mode: price.tiersMode,
    transform_quantity: price.transformQuantity && { divide_by: price.transformQuantity.divideBy, round: price.transformQuantity.round },
    type: price.recurring === null ? 'one_time' : 'recurring',
    unit_amount: wholeAmount(price.unitAmountDecimal),
    unit_amount_decimal: price.unitAmountDecimal,
    external_id: price.externalId,
  };
}

type Tier = Dialect<Stripe.Price.Tier, keyof Stripe.Price.Tier>;
type CurrencyOption = Dialect<
  Stripe.Price.CurrencyOptions,
  'custom_unit_amount' | 'tax_behavior' | 'unit_amount' | 'unit_amount_decimal'
> & { tiers?: Tier[] };

/** Shown where `expand[]` names it. */
export const presentTiers = (tiers: PriceTier[]): Tier[] =>
  tiers.map((tier) => ({
    flat_amount: wholeAmount(tier.flatAmountDecimal),
    flat_amount_decimal: tier.flatAmountDecimal,
    unit_amount: wholeAmount(tier.unitAmountDecimal),
    unit_amount_decimal: tier.unitAmountDecimal,
    up_to: tier.upTo === null ? null : Number(tier.upTo),
  }));

/** Shown where `expand[]` names it, with the currency of the price itself. */
export const presentCurrencyOptions = (price: Price): Record<string, CurrencyOption> =>
  Object.fromEntries(
    Object.entries({ [price.currency]: price, ...price.currencyOptions }).map(([currency, { unitAmountDecimal, tiers, taxBehavior }]) => [
      currency,
      {
        custom_unit_amount: null,
        tax_behavior: taxBehavior,
        ...(tiers === null ? {} : { tiers: presentTiers(tiers) }),
        unit_amount: wholeAmount(unitAmountDecimal),
        unit_amount_decimal: unitAmountDecimal,
      },
    ]),
  );

const wholeAmount = (decimal: string | null): number | null => (decimal !== null && /^-?\d+$/.test(decimal) ? Number(decimal) : null);

type PlanAnswer = Dialect<
  Stripe.Plan,
  | 'id'
  | 'object'
  | 'active'
  | 'amount'
  | 'amount_decimal'
  | 'billing_scheme'
  | 'created'
  | 'currency'
  | 'interval'
  | 'interval_count'
  | 'livemode'
  | 'metadata'
  | 'meter'
  | 'nickname'
  | 'product'
  | 'tiers_mode'
  | 'transform_usage'
  | 'trial_period_days'
  | 'usage_type'
>;

/** The old name of a recurring price, which Stripe still shows beside it. */
export function presentPlan(price: Price, livemode: boolean): PlanAnswer | null {
  if (price.recurring === null) return null;
  return {
    id: price.id,
    object: 'plan',
    active: price.active,
    amount: wholeAmount(price.unitAmountDecimal),
    amount_decimal: price.unitAmountDecimal,
    billing_scheme: price.billingScheme,
    created: price.createdAt,
    currency: price.currency,
    interval: price.recurring.interval,
    interval_count: price.recurring.intervalCount,
    livemode,
    metadata: price.metadata,
    meter: price.recurring.meterId,
    nickname: price.nickname,
    product: price.productId,
    tiers_mode: price.tiersMode,
    transform_usage: price.transformQuantity && { divide_by: price.transformQuantity.divideBy, round: price.transformQuantity.round },
    trial_period_days: null,
    usage_type: price.recurring.usageType,
  };
}

type ProductAnswer = Dialect<
  Stripe.Product,
  | 'id'
  | 'object'
  | 'active'
  | 'created'
  | 'default_price'
  | 'description'
  | 'images'
  | 'livemode'
  | 'marketing_features'
  | 'metadata'
  | 'name'
  | 'package_dimensions'
  | 'shippable'
  | 'statement_descriptor'
  | 'tax_code'
  | 'type'
  | 'unit_label'
  | 'updated'
  | 'url'
> & { external_id: string | null; requires_one_of: string[] };

export function presentProduct(product: Product, livemode: boolean): ProductAnswer {
  return {
    id: product.id,
    object: 'product',
    active: product.active,
    created: product.createdAt,
    default_price: product.defaultPriceId,
    description: product.description,
    images: [],
    livemode,
    marketing_features: [],
    metadata: product.metadata,
    name: product.name,
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    type: 'service',
    unit_label: product.unitLabel,
    updated: product.updatedAt,
    url: null,
    external_id: product.externalId,
    requires_one_of: product.requiresOneOf ?? [],
  };
}

type TaxRateAnswer = Dialect<
  Stripe.TaxRate,
  | 'id'
  | 'object'
  | 'active'
  | 'country'
  | 'created'
  | 'description'
  | 'display_name'
  | 'effective_percentage'
  | 'flat_amount'
  | 'inclusive'
  | 'jurisdiction'
  | 'jurisdiction_level'
  | 'livemode'
  | 'metadata'
  | 'percentage'
  | 'rate_type'
  | 'state'
  | 'tax_type'
>;

export function presentTaxRate(rate: TaxRate, livemode: boolean): TaxRateAnswer {
  return {
    id: rate.id,
    object: 'tax_rate',
    active: rate.active,
    country: rate.country,
    created: rate.createdAt,
    description: rate.description,
    display_name: rate.displayName,
    effective_percentage: Number(rate.percentage),
    flat_amount: null,
    inclusive: rate.inclusive,
    jurisdiction: rate.jurisdiction,
    jurisdiction_level: null,
    livemode,
    metadata: rate.metadata,
    percentage: Number(rate.percentage),
    rate_type: 'percentage',
    state: rate.state,
    tax_type: rate.taxType,
  };
}
