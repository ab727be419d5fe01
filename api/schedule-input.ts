import type { IdSource } from '../domain/decision.ts';
import { ID_PREFIX } from '../domain/ids.ts';
import type { PhaseTerms, ScheduleCreation, ScheduleEdit, ScheduleSettings } from '../domain/schedule/schedule.ts';
import type { OneTimeItem } from '../domain/subscription/commands.ts';
import { discountsFrom } from './discount-input.ts';
import { badRequest } from './errors.ts';
import { mergeMetadata } from './schemas/fields.ts';
import type { scheduleCreate, scheduleUpdate } from './schemas/schedules.ts';
import type { z } from './schemas/zod.ts';

type CreateInput = z.output<typeof scheduleCreate>;
type UpdateInput = z.output<typeof scheduleUpdate>;
type PhaseInput = NonNullable<UpdateInput['phases']>[number];

/** A schedule of its own, or one that takes over a subscription. @throws ApiError 400 */
export function scheduleFrom(params: CreateInput, newId: IdSource): Extract<ScheduleEdit, { do: 'create' | 'adopt' }> {
  const scheduleId = newId(ID_PREFIX.subscriptionSchedule);
  const metadata = mergeMetadata({}, params.metadata);
  const { from_subscription: adopted, customer, phases } = params;
  if (adopted !== undefined) {
    const own = {
      customer,
      start_date: params.start_date,
      phases,
      end_behavior: params.end_behavior,
      default_settings: params.default_settings,
    };
    for (const [name, value] of Object.entries(own)) {
      if (value !== undefined) throw badRequest(`You cannot set ${name} together with from_subscription.`, name, 'parameters_exclusive');
    }
    return { do: 'adopt', scheduleId, subscriptionId: adopted, metadata };
  }
  if (customer === undefined) throw missing('customer');
  if (phases === undefined) throw missing('phases');
  return { ...creationOf({ ...params, customer, phases }, scheduleId, newId(ID_PREFIX.subscription)), metadata };
}

/** The same for a preview. */
export const creationOf = (
  params: Pick<UpdateInput, 'end_behavior' | 'default_settings'> & {
    customer: string;
    phases: readonly PhaseInput[];
    start_date?: CreateInput['start_date'];
  },
  scheduleId: string,
  subscriptionId: string,
): ScheduleCreation => ({
  do: 'create',
  scheduleId,
  subscriptionId,
  customerId: params.customer,
  start: params.start_date ?? 'now',
  phases: params.phases.map(phaseFrom),
  endBehavior: params.end_behavior ?? 'release',
  settings: { billingCycleAnchor: 'automatic', defaultPaymentMethodId: null, ...settingsFrom(params.default_settings) },
  metadata: {},
});

/** What an update decides; null where it only describes. */
export function scheduleChangeFrom(params: Omit<UpdateInput, 'metadata' | 'expand'>): Extract<ScheduleEdit, { do: 'change' }> | null {
  const { phases, end_behavior: endBehavior, default_settings: settings } = params;
  if (phases === undefined && endBehavior === undefined && settings === undefined) return null;
  return {
    do: 'change',
    prorationBehavior: params.proration_behavior,
    ...(phases === undefined ? {} : { phases: phases.map(phaseFrom) }),
    ...(endBehavior === undefined ? {} : { endBehavior }),
    ...(settings === undefined ? {} : { settings: settingsFrom(settings) }),
  };
}

const settingsFrom = (given: UpdateInput['default_settings']): Partial<ScheduleSettings> => ({
  ...(given?.billing_cycle_anchor === undefined ? {} : { billingCycleAnchor: given.billing_cycle_anchor }),
  ...(given?.default_payment_method === undefined ? {} : { defaultPaymentMethodId: given.default_payment_method }),
  ...collectionFrom(given ?? {}),
});

const collectionFrom = ({
  collection_method: collectionMethod,
  invoice_settings: invoices,
}: NonNullable<UpdateInput['default_settings']>): Pick<PhaseTerms, 'collectionMethod' | 'daysUntilDue'> => ({
  ...(collectionMethod === undefined ? {} : { collectionMethod }),
  ...(invoices?.days_until_due === undefined ? {} : { daysUntilDue: invoices.days_until_due }),
});

const pricedFrom = (item: NonNullable<PhaseInput['add_invoice_items']>[number]): OneTimeItem => ({
  priceId: item.price,
  quantity: String(item.quantity),
  taxRateIds: item.tax_rates ?? [],
});

const phaseFrom = (phase: PhaseInput): PhaseTerms => ({
  items: phase.items.map((item) => ({
    ...pricedFrom(item),
    ...discountsFrom(item),
    ...(item.billing_thresholds == null ? {} : { usageGte: item.billing_thresholds.usage_gte }),
  })),
  ...discountsFrom(phase),
  ...(phase.billing_thresholds == null
    ? {}
    : {
        billingThresholds: {
          amountGte: phase.billing_thresholds.amount_gte,
          resetBillingCycleAnchor: phase.billing_thresholds.reset_billing_cycle_anchor,
        },
      }),
  ...(phase.add_invoice_items === undefined ? {} : { addInvoiceItems: phase.add_invoice_items.map(pricedFrom) }),
  ...collectionFrom(phase),
  ...(phase.start_date === undefined ? {} : { start: phase.start_date }),
  ...(phase.end_date === undefined ? {} : { end: phase.end_date }),
  ...(phase.duration === undefined
    ? {}
    : { duration: { interval: phase.duration.interval, intervalCount: phase.duration.interval_count } }),
  ...(phase.currency === undefined ? {} : { currency: phase.currency }),
  ...(phase.proration_behavior === undefined ? {} : { prorationBehavior: phase.proration_behavior }),
  ...(phase.billing_cycle_anchor === undefined ? {} : { billingCycleAnchor: phase.billing_cycle_anchor }),
  ...(phase.trial === undefined ? {} : { trial: phase.trial }),
  ...(phase.trial_end === undefined ? {} : { trialEnd: phase.trial_end }),
  ...(phase.default_payment_method === undefined ? {} : { defaultPaymentMethodId: phase.default_payment_method }),
  ...(phase.default_tax_rates == null ? {} : { defaultTaxRateIds: phase.default_tax_rates }),
  ...(phase.metadata === undefined ? {} : { metadata: phase.metadata }),
});

const missing = (name: string) => badRequest(`Missing required param: ${name}.`, name, 'parameter_missing');
