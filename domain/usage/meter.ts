import type { Instant } from '../time.ts';

/**
 * How the events of a stretch of time become a quantity. `sum`, `count` and `last` are Stripe's; `max` is the greatest value, `unique_count` the number of different values,
 * `weighted_sum` a level that events raise and lower, averaged over the time of the stretch.
 */
export const FORMULAS = ['sum', 'count', 'last', 'max', 'unique_count', 'weighted_sum'] as const;
export type Formula = (typeof FORMULAS)[number];

/** What is measured: events of one name, and how they add up. As Stripe's `billing.meter`. */
export interface Meter {
  id: string;
  displayName: string;
  /** At most one active meter of an account has it. */
  eventName: string;
  formula: Formula;
  /** Where in the payload of an event the customer's id and the value are. */
  customerKey: string;
  valueKey: string;
  /** Over what the sender has added its events up; it says nothing about how they are measured. */
  eventTimeWindow: 'hour' | 'day' | null;
  /** Only events count whose payload has one of the values under each key. */
  filters: Record<string, string[]>;
  /** Keys of the payload by which usage is kept apart; a price may bill a part of the groups. */
  groupBy: string[];
  status: 'active' | 'inactive';
  deactivatedAt: Instant | null;
  createdAt: Instant;
  updatedAt: Instant;
}

/** Some groups of a meter: those that have these values. Empty: all of them. */
export type GroupFilter = Record<string, string>;
