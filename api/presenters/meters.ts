import type Stripe from 'stripe';
import type { Meter } from '../../domain/usage/meter.ts';
import type { EventResult, GivenEvent } from '../../domain/usage/meter-event.ts';
import type { Dialect } from './dialect.ts';

type MeterAnswer = Dialect<
  Stripe.Billing.Meter,
  | 'id'
  | 'object'
  | 'created'
  | 'customer_mapping'
  | 'default_aggregation'
  | 'display_name'
  | 'event_name'
  | 'event_time_window'
  | 'livemode'
  | 'status'
  | 'status_transitions'
  | 'updated'
  | 'value_settings'
> & { filters: Record<string, string[]>; group_by: string[] };

export const presentMeter = (meter: Meter, livemode: boolean): MeterAnswer => ({
  id: meter.id,
  object: 'billing.meter',
  created: meter.createdAt,
  customer_mapping: { event_payload_key: meter.customerKey, type: 'by_id' },
  default_aggregation: { formula: meter.formula },
  display_name: meter.displayName,
  event_name: meter.eventName,
  event_time_window: meter.eventTimeWindow,
  filters: meter.filters,
  group_by: meter.groupBy,
  livemode,
  status: meter.status,
  status_transitions: { deactivated_at: meter.deactivatedAt },
  updated: meter.updatedAt,
  value_settings: { event_payload_key: meter.valueKey },
});

type MeterEventAnswer = Dialect<
  Stripe.Billing.MeterEvent,
  'object' | 'created' | 'event_name' | 'identifier' | 'livemode' | 'payload' | 'timestamp'
>;

export const presentMeterEvent = (given: GivenEvent, at: number, created: number, livemode: boolean): MeterEventAnswer => ({
  object: 'billing.meter_event',
  created,
  event_name: given.eventName,
  identifier: given.identifier,
  livemode,
  payload: given.payload,
  timestamp: at,
});

interface BatchAnswer {
  object: 'billing.meter_event_batch';
  livemode: boolean;
  accepted: number;
  duplicate: number;
  conflict: number;
  invalid: number;
  results: { status: EventResult['status']; identifier: string | null; error?: { code: string; message: string; param: string } }[];
}

/** `identifiers` stand for those of invalid events, as far as they can be read. */
export function presentBatch(results: readonly EventResult[], identifiers: readonly (string | null)[], livemode: boolean): BatchAnswer {
  const answer: BatchAnswer = {
    object: 'billing.meter_event_batch',
    livemode,
    accepted: 0,
    duplicate: 0,
    conflict: 0,
    invalid: 0,
    results: [],
  };
  results.forEach((result, index) => {
    answer[result.status] += 1;
    const identifier = result.status === 'invalid' ? (identifiers[index] ?? null) : result.event.identifier;
    answer.results.push(
      result.status === 'invalid'
        ? { status: result.status, identifier, error: result.fault }
        : result.status === 'conflict'
          ? {
              status: result.status,
              identifier,
              error: { code: 'duplicate_meter_event', message: conflictOf(result.event.identifier), param: 'identifier' },
            }
          : { status: result.status, identifier },
    );
  });
  return answer;
}

export const conflictOf = (identifier: string): string =>
  `There is an event of the identifier '${identifier}' already, and its content is another one.`;

interface SummaryFields {
  meterId: string;
  start: number;
  end: number;
  quantity: string;
}

type SummaryAnswer = Dialect<
  Stripe.Billing.MeterEventSummary,
  'id' | 'object' | 'aggregated_value' | 'end_time' | 'livemode' | 'meter' | 'start_time'
>;

/** The id says the stretch, so that a page can begin after it. */
export const presentSummary = ({ meterId, start, end, quantity }: SummaryFields, livemode: boolean): SummaryAnswer => ({
  id: `mtrusg_${meterId}_${start}_${end}`,
  object: 'billing.meter_event_summary',
  aggregated_value: Number(quantity),
  end_time: end,
  livemode,
  meter: meterId,
  start_time: start,
});
