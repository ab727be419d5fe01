import { askedFor } from '../domain/discounts/discount.ts';
import type { ScheduleEdit, SubscriptionSchedule } from '../domain/schedule/schedule.ts';
import type { SnapshotQuery } from './billing-snapshot.ts';

/** What a decision about a schedule must look at: the schedule, its subscription once that exists, and what the edit brings in. `schedule` is null where the edit makes one. */
export function scheduleQuery(
  schedule: Pick<SubscriptionSchedule, 'id' | 'customerId' | 'subscriptionId' | 'currentPhase'> | null,
  edit: ScheduleEdit | null,
): Omit<SnapshotQuery, 'lock'> {
  const phases = edit !== null && (edit.do === 'create' || edit.do === 'change') ? (edit.phases ?? []) : [];
  const settings = edit !== null && (edit.do === 'create' || edit.do === 'change') ? edit.settings : undefined;
  const items = phases.flatMap((phase) => [...phase.items, ...(phase.addInvoiceItems ?? [])]);
  const methods = [settings?.defaultPaymentMethodId, ...phases.map((phase) => phase.defaultPaymentMethodId)];
  return {
    ...about(schedule, edit),
    priceIds: items.map(({ priceId }) => priceId),
    taxRateIds: [...items.flatMap(({ taxRateIds }) => taxRateIds), ...phases.flatMap((phase) => phase.defaultTaxRateIds ?? [])],
    paymentMethodIds: methods.flatMap((id) => id ?? []),
    ...askedFor(phases.flatMap((phase) => [...(phase.discounts ?? []), ...phase.items.flatMap(({ discounts }) => discounts ?? [])])),
  };
}

function about(
  schedule: Parameters<typeof scheduleQuery>[0],
  edit: ScheduleEdit | null,
): Pick<SnapshotQuery, 'customerId' | 'subscriptionId' | 'scheduleId'> {
  if (edit?.do === 'adopt') return { subscriptionId: edit.subscriptionId };
  if (edit?.do === 'create' && schedule === null) return { customerId: edit.customerId, scheduleId: edit.scheduleId };
  if (schedule === null) throw new Error('this is asked of a schedule, and there is none');
  return schedule.currentPhase === null
    ? { customerId: schedule.customerId, scheduleId: schedule.id }
    : { subscriptionId: schedule.subscriptionId, scheduleId: schedule.id };
}
