import type { IdSource } from '../domain/decision.ts';
import { ID_PREFIX } from '../domain/ids.ts';
import type {
  ChangePlan,
  CreateSubscription,
  ItemChange,
  NewTrial,
  ScheduleCancellation,
  TrialChange,
} from '../domain/subscription/commands.ts';
import type { ProrationBehavior } from '../domain/subscription/subscription.ts';
import { discountsFrom } from './discount-input.ts';
import { badRequest } from './errors.ts';
import type { InlinePrices } from './inline-prices.ts';
import type { pinsOf } from './preview-token.ts';
import type { itemChange, subscriptionCreate, subscriptionUpdate } from './schemas/subscriptions.ts';
import type { z } from './schemas/zod.ts';

type CreateInput = z.output<typeof subscriptionCreate>;
type UpdateInput = z.output<typeof subscriptionUpdate>;
type ItemInput = z.output<typeof itemChange>;

export function creationFrom(
  params: Omit<CreateInput, 'customer'> & { customer: string },
  newId: IdSource,
  inline: InlinePrices,
  path = '',
): CreateSubscription {
  if (params.cancel_at !== undefined && params.cancel_at_period_end) throw exclusive('cancel_at', 'cancel_at_period_end');
  const config = params.billing_cycle_anchor_config;
  if (config !== undefined && params.billing_cycle_anchor !== undefined)
    throw exclusive('billing_cycle_anchor', 'billing_cycle_anchor_config');
  const subscriptionId = newId(ID_PREFIX.subscription);
  return {
    subscriptionId,
    customerId: params.customer,
    currency: params.currency ?? null,
    items: params.items.map((item, index) => {
      const id = newId(ID_PREFIX.subscriptionItem);
      const priceId = inline.requiredId(item, id, within(path, `items[${index}]`));
      return {
        id,
        priceId,
        quantity: String(item.quantity),
        taxRateIds: item.tax_rates ?? [],
        ...discountsFrom(item),
        ...usageGteFrom(item),
      };
    }),
    ...thresholdsFrom(params),
    ...discountsFrom(params),
    paymentBehavior: params.payment_behavior,
    billingTimezone: params.billing_timezone ?? null,
    defaultPaymentMethodId: params.default_payment_method ?? null,
    defaultTaxRateIds: params.default_tax_rates ?? [],
    cancelAtPeriodEnd: params.cancel_at_period_end,
    cancelAt: params.cancel_at ?? null,
    ...collectionFrom(params),
    ...(params.billing_cycle_anchor === undefined ? {} : { billingCycleAnchor: params.billing_cycle_anchor }),
    ...(config === undefined
      ? {}
      : {
          billingCycleAnchorConfig: {
            dayOfMonth: config.day_of_month,
            month: config.month ?? null,
            hour: config.hour ?? null,
            minute: config.minute ?? null,
            second: config.second ?? null,
          },
        }),
    ...(params.backdate_start_date === undefined ? {} : { backdateStartDate: params.backdate_start_date }),
    ...(params.proration_behavior === 'create_prorations' ? {} : { prorationBehavior: params.proration_behavior }),
    ...trialFrom(params),
    ...(params.trial_reuse === undefined || params.trial_reuse === 'allow' ? {} : { trialReuse: params.trial_reuse }),
    ...missingPaymentMethodFrom(params),
    ...(params.add_invoice_items === undefined
      ? {}
      : {
          addInvoiceItems: params.add_invoice_items.map((item, index) => ({
            priceId: inline.requiredId(item, subscriptionId, within(path, `add_invoice_items[${index}]`)),
            quantity: String(item.quantity),
            taxRateIds: item.tax_rates ?? [],
          })),
        }),
  };
}

/** `items[0]` inside of a hash. */
const within = (hash: string, param: string): string => (hash === '' ? param : `${hash}[${param.replace('[', '][')}`);

/** From when usage is billed early; null: not any more. */
export const usageGteFrom = ({ billing_thresholds: given }: Pick<ItemInput, 'billing_thresholds'>): { usageGte?: number | null } =>
  given === undefined ? {} : { usageGte: given?.usage_gte ?? null };

const thresholdsFrom = ({ billing_thresholds: given }: Pick<UpdateInput, 'billing_thresholds'>): Pick<ChangePlan, 'billingThresholds'> =>
  given === undefined
    ? {}
    : { billingThresholds: given && { amountGte: given.amount_gte, resetBillingCycleAnchor: given.reset_billing_cycle_anchor } };

const collectionFrom = ({
  collection_method: collectionMethod,
  days_until_due: daysUntilDue,
}: Pick<CreateInput, 'collection_method' | 'days_until_due'>): Pick<ChangePlan, 'collectionMethod' | 'daysUntilDue'> => ({
  ...(collectionMethod === undefined ? {} : { collectionMethod }),
  ...(daysUntilDue === undefined ? {} : { daysUntilDue }),
});

function trialFrom({ trial_period_days: days, trial_end: end }: Pick<CreateInput, 'trial_period_days' | 'trial_end'>): {
  trial?: NewTrial;
} {
  if (days !== undefined && end !== undefined) throw exclusive('trial_end', 'trial_period_days');
  if (days !== undefined) return { trial: { days } };
  return end === undefined ? {} : { trial: { end } };
}

const missingPaymentMethodFrom = ({ trial_settings: settings }: Pick<CreateInput, 'trial_settings'>) =>
  settings === undefined ? {} : { trialMissingPaymentMethod: settings.end_behavior.missing_payment_method };

/** What an update says of a trial: that it ends at an instant, or what a change of items does to it. */
function trialChangeFrom(
  params: Pick<UpdateInput, 'trial_end' | 'trial_change_behavior' | 'trial_period_days'>,
): Pick<ChangePlan, 'trialEnd' | 'trialChange'> {
  const { trial_end: trialEnd, trial_change_behavior: policy, trial_period_days: days } = params;
  if (trialEnd !== undefined && policy !== undefined) throw exclusive('trial_end', 'trial_change_behavior');
  const takesDays = policy === 'new_length_from_start';
  if (days !== undefined && !takesDays) {
    throw badRequest('trial_period_days needs trial_change_behavior new_length_from_start.', 'trial_period_days');
  }
  if (takesDays && days === undefined)
    throw badRequest('Missing required param: trial_period_days.', 'trial_period_days', 'parameter_missing');
  const trialChange: TrialChange | undefined = policy === 'new_length_from_start' ? { policy, days: days ?? 0 } : policy && { policy };
  return { ...(trialEnd === undefined ? {} : { trialEnd }), ...(trialChange === undefined ? {} : { trialChange }) };
}

/** `items` of an update as changes. Without an id an item is added; with one it is changed, or removed by `deleted`. */
function itemChangesFrom(items: readonly ItemInput[], newId: IdSource, inline: InlinePrices, path: string): ItemChange[] {
  return items.map((item, index): ItemChange => {
    const at = `${path}[${index}]`;
    if (item.id !== undefined && item.deleted === true) {
      if (item.price !== undefined || item.price_data !== undefined || item.quantity !== undefined)
        throw exclusive(`${at}[deleted]`, `${at}[price]`);
      return { do: 'remove', itemId: item.id };
    }
    if (item.id !== undefined) {
      const priceId = inline.idOf(item, item.id, at);
      return {
        do: 'update',
        itemId: item.id,
        ...(priceId === undefined ? {} : { priceId }),
        ...(item.quantity === undefined ? {} : { quantity: String(item.quantity) }),
        ...(item.tax_rates === undefined ? {} : { taxRateIds: item.tax_rates ?? [] }),
        ...discountsFrom(item),
        ...usageGteFrom(item),
      };
    }
    if (item.deleted === true) throw badRequest(`Missing required param: ${at}[id].`, `${at}[id]`, 'parameter_missing');
    const id = newId(ID_PREFIX.subscriptionItem);
    return {
      do: 'add',
      item: {
        id,
        priceId: inline.requiredId(item, id, at),
        quantity: String(item.quantity ?? 1),
        taxRateIds: item.tax_rates ?? [],
        ...discountsFrom(item),
        ...usageGteFrom(item),
      },
    };
  });
}

/** When the subscription is to end, where the request says anything about it. */
function schedulingFrom(
  params: Pick<UpdateInput, 'cancel_at' | 'cancel_at_period_end' | 'cancellation_details'> & { proration_behavior?: ProrationBehavior },
): ScheduleCancellation | undefined {
  const { cancel_at: at, cancel_at_period_end: atPeriodEnd } = params;
  if (at !== undefined && at !== null && atPeriodEnd === true) throw exclusive('cancel_at', 'cancel_at_period_end');
  const when =
    at !== undefined && at !== null ? at : atPeriodEnd === true ? 'period_end' : at === null || atPeriodEnd === false ? 'never' : undefined;
  if (when === undefined) return undefined;
  const feedback = params.cancellation_details?.feedback;
  const prorationBehavior = params.proration_behavior ?? 'create_prorations';
  return {
    at: when,
    ...(feedback === undefined ? {} : { details: { feedback } }),
    ...(prorationBehavior === 'create_prorations' ? {} : { prorationBehavior }),
  };
}

/** When a change is to take effect, where that is not now. */
export const laterFrom = (effectiveAt: UpdateInput['effective_at'] | undefined): ChangePlan['effectiveAt'] =>
  effectiveAt === 'now' ? undefined : effectiveAt;

/** What the preview that a request applies has pinned. */
export type Pins = ReturnType<typeof pinsOf>;

/** Everything of an update that bills; null where it only describes. */
export function changeFrom(
  params: UpdateInput,
  newId: IdSource,
  inline: InlinePrices,
  { preview, prorationDate }: Pins,
  path = 'items',
): ChangePlan | null {
  const cancellation = schedulingFrom(params);
  const later = laterFrom(params.effective_at);
  if (later !== undefined) {
    const described = (params.items ?? []).findIndex((item) => item.metadata !== undefined);
    if (described >= 0) throw exclusive(`items[${described}][metadata]`, 'effective_at');
  }
  const touches =
    later !== undefined ||
    params.items !== undefined ||
    params.billing_cycle_anchor !== undefined ||
    params.trial_end !== undefined ||
    params.trial_settings !== undefined ||
    params.trial_change_behavior !== undefined ||
    params.trial_period_days !== undefined ||
    params.collection_method !== undefined ||
    params.days_until_due !== undefined ||
    params.default_payment_method !== undefined ||
    params.default_tax_rates !== undefined ||
    params.pause_collection !== undefined ||
    params.billing_thresholds !== undefined ||
    params.discounts !== undefined;
  if (!touches && cancellation === undefined && preview === undefined) return null;
  const pricedFrom = params.proration_date ?? prorationDate;
  return {
    ...(later === undefined ? {} : { effectiveAt: later }),
    prorationBehavior: params.proration_behavior,
    paymentBehavior: params.payment_behavior,
    ...(params.items === undefined ? {} : { items: itemChangesFrom(params.items, newId, inline, path) }),
    ...(pricedFrom === undefined ? {} : { prorationDate: pricedFrom }),
    ...(params.billing_cycle_anchor === undefined ? {} : { billingCycleAnchor: params.billing_cycle_anchor }),
    ...(params.default_payment_method === undefined ? {} : { defaultPaymentMethodId: params.default_payment_method }),
    ...(params.default_tax_rates === undefined ? {} : { defaultTaxRateIds: params.default_tax_rates ?? [] }),
    ...collectionFrom(params),
    ...discountsFrom(params),
    ...trialChangeFrom(params),
    ...missingPaymentMethodFrom(params),
    ...(cancellation === undefined ? {} : { cancellation }),
    ...(preview === undefined ? {} : { preview }),
    ...thresholdsFrom(params),
    ...(params.pause_collection === undefined ? {} : { pauseCollection: collectionPauseFrom(params.pause_collection) }),
  };
}

const collectionPauseFrom = (
  given: NonNullable<UpdateInput['pause_collection']> | null,
): NonNullable<ChangePlan['pauseCollection']> | null => given && { behavior: given.behavior, resumesAt: given.resumes_at ?? null };

/** A change that says nothing but when to end goes its own, smaller way. */
export const isSchedulingOnly = (change: ChangePlan): change is ChangePlan & { cancellation: ScheduleCancellation } =>
  change.cancellation !== undefined &&
  change.effectiveAt === undefined &&
  change.items === undefined &&
  change.billingCycleAnchor === undefined &&
  change.trialEnd === undefined &&
  change.trialChange === undefined &&
  change.trialMissingPaymentMethod === undefined &&
  change.collectionMethod === undefined &&
  change.daysUntilDue === undefined &&
  change.defaultPaymentMethodId === undefined &&
  change.defaultTaxRateIds === undefined &&
  change.pauseCollection === undefined &&
  change.billingThresholds === undefined &&
  change.discounts === undefined;

/** That smaller way. */
export const schedulingOf = ({ cancellation, preview }: ChangePlan & { cancellation: ScheduleCancellation }): ScheduleCancellation => ({
  ...cancellation,
  ...(preview === undefined ? {} : { preview }),
});

const exclusive = (a: string, b: string) =>
  badRequest(`You may only specify one of these parameters: ${a}, ${b}.`, a, 'parameters_exclusive');
