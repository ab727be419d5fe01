import { compareDecimals, exact, exactToString, plus } from '../money.ts';
import type { Instant } from '../time.ts';
import type { Formula } from './meter.ts';
import type { MeasuredEvent } from './meter-event.ts';

/** Tells once for each customer that so much has been used; as Stripe's `billing.alert`. */
export interface UsageAlert {
  id: string;
  title: string;
  meterId: string;
  /** null: every customer is watched. */
  customerId: string | null;
  /** In the units of the meter, at least 1. */
  gte: number;
  status: 'active' | 'inactive' | 'archived';
  createdAt: Instant;
}

/** As Stripe: of one meter and customer (or of all), archived ones not counted. */
export const MAX_ALERTS = 25;

/** That an alert was set off by a customer; the event that tells it. */
export interface AlertTriggered {
  alert: UsageAlert;
  customerId: string;
  /** What had been used by then. */
  value: string;
  createdAt: Instant;
}

/** Whether a meter can be watched event by event; different values and levels over time are known of whole stretches only. */
export const canAlert = (formula: Formula): boolean => formula !== 'unique_count' && formula !== 'weighted_sum';

/** Whether usage adds up; else the greatest value that was reported counts, which for `last` is the first to reach the threshold too. */
export const addsUp = (formula: Formula): boolean => formula === 'sum' || formula === 'count';

/** What some events are to an alert of one customer; null where none of them counts. */
export interface Watched {
  alert: UsageAlert;
  customerId: string;
  usage: string;
}

/** What new events are to the alerts that watch their meters. `formulas` by meter. Pure; in the order of alerts and events. */
export function watch(alerts: readonly UsageAlert[], formulas: ReadonlyMap<string, Formula>, events: readonly MeasuredEvent[]): Watched[] {
  const watched = new Map<string, Watched>();
  for (const alert of alerts) {
    const adds = addsUp(formulas.get(alert.meterId) ?? 'sum');
    for (const { meterId, customerId, value, counted } of events) {
      if (!counted || value === null || meterId !== alert.meterId || (alert.customerId ?? customerId) !== customerId) continue;
      const key = `${alert.id} ${customerId}`;
      const before = watched.get(key);
      const usage =
        before === undefined ? value : adds ? exactToString(plus(exact(before.usage), exact(value))) : greater(before.usage, value);
      watched.set(key, { alert, customerId, usage });
    }
  }
  return [...watched.values()];
}

const greater = (a: string, b: string): string => (compareDecimals(a, b) >= 0 ? a : b);
