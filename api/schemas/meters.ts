import { FORMULAS } from '../../domain/usage/meter.ts';
import { MAX_EVENTS } from '../../domain/usage/meter-event.ts';
import { expand, listOf, nullableTime, paging, reference, text, timestamp } from './fields.ts';
import { z } from './zod.ts';

const payloadKey = text(100);
const STATUSES = ['active', 'inactive'] as const;
const WINDOWS = ['hour', 'day'] as const;

export const meterCreate = z.strictObject({
  display_name: text(250),
  event_name: text(100),
  default_aggregation: z.strictObject({
    formula: z.enum(FORMULAS).openapi({
      description:
        'sum, count and last as at Stripe; max: the greatest value; unique_count: how many different values; weighted_sum: a level that events raise and lower, averaged over time.',
    }),
  }),
  customer_mapping: z.strictObject({ event_payload_key: payloadKey, type: z.literal('by_id') }).optional(),
  value_settings: z.strictObject({ event_payload_key: payloadKey }).optional(),
  event_time_window: z.enum(WINDOWS).optional(),
  filters: z
    .record(payloadKey, z.array(text(500)).min(1).max(100))
    .refine((filters) => Object.keys(filters).length <= 10, { error: 'Invalid filters: at most 10 keys are allowed.' })
    .optional()
    .openapi({ description: 'Only events count whose payload has one of the values under each key.' }),
  group_by: z
    .array(payloadKey)
    .max(10)
    .refine((keys) => new Set(keys).size === keys.length, { error: 'Invalid group_by: a key is named twice.' })
    .optional()
    .openapi({ description: 'Keys of the payload by which usage is kept apart.' }),
  expand,
});

export const meterRetrieve = z.strictObject({ expand });
export const meterUpdate = z.strictObject({ display_name: text(250).optional(), expand });
export const meterList = z.strictObject({ ...paging, status: z.enum(STATUSES).optional() });

export const meter = z
  .strictObject({
    id: z.string(),
    object: z.literal('billing.meter'),
    created: z.int(),
    customer_mapping: z.strictObject({ event_payload_key: z.string(), type: z.literal('by_id') }),
    default_aggregation: z.strictObject({ formula: z.enum(FORMULAS) }),
    display_name: z.string(),
    event_name: z.string(),
    event_time_window: z.enum(WINDOWS).nullable(),
    filters: z.record(z.string(), z.array(z.string())),
    group_by: z.array(z.string()),
    livemode: z.boolean(),
    status: z.enum(STATUSES),
    status_transitions: z.strictObject({ deactivated_at: nullableTime }),
    updated: z.int(),
    value_settings: z.strictObject({ event_payload_key: z.string() }),
  })
  .openapi('Meter');

/** A hash of texts; numbers and booleans of JSON are taken as their text. */
const payload = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .openapi({ type: 'object', additionalProperties: { type: 'string' }, example: { stripe_customer_id: 'cus_1', value: '25' } });

const eventFields = { event_name: text(100), payload, identifier: text(100).optional(), timestamp: timestamp.optional() };
export const meterEventCreate = z.strictObject({ ...eventFields, expand });

/** Each event is checked on its own, so that one that is wrong does not harm the others. */
export const meterEventBatch = z.strictObject({
  events: z
    .array(z.unknown())
    .min(1)
    .max(MAX_EVENTS)
    .openapi({
      type: 'array',
      description: `1 to ${MAX_EVENTS} events, each with the parameters of a single one; as JSON also the bare list, or one event per line as application/x-ndjson.`,
      items: { type: 'object', required: ['event_name', 'payload'] },
    }),
});

export const meterEvent = z
  .strictObject({
    object: z.literal('billing.meter_event'),
    created: z.int(),
    event_name: z.string(),
    identifier: z.string(),
    livemode: z.boolean(),
    payload: z.record(z.string(), z.string()),
    timestamp: z.int(),
  })
  .openapi('MeterEvent');

const OUTCOMES = ['accepted', 'duplicate', 'conflict', 'invalid'] as const;
export const meterEventBatchAnswer = z
  .strictObject({
    object: z.literal('billing.meter_event_batch'),
    livemode: z.boolean(),
    accepted: z.int(),
    duplicate: z.int(),
    conflict: z.int(),
    invalid: z.int(),
    results: z.array(
      z.strictObject({
        status: z.enum(OUTCOMES),
        identifier: z.string().nullable(),
        error: z.strictObject({ code: z.string(), message: z.string(), param: z.string() }).optional(),
      }),
    ),
  })
  .openapi('MeterEventBatch');

const identifier = z.strictObject({ identifier: text(100) });
export const adjustmentCreate = z
  .strictObject({
    event_name: text(100),
    type: z.enum(['cancel', 'correct']).openapi({ description: 'correct gives the event another value; Stripe has cancel only.' }),
    cancel: identifier.optional(),
    correct: z.strictObject({ identifier: text(100), value: z.union([z.string(), z.number().transform(String)]) }).optional(),
    expand,
  })
  .superRefine((input, context) => {
    const other = input.type === 'cancel' ? 'correct' : 'cancel';
    if (input[input.type] === undefined)
      context.addIssue({
        code: 'custom',
        path: [input.type],
        message: `Missing required param: ${input.type}.`,
        params: { code: 'parameter_missing' },
      });
    else if (input[other] !== undefined)
      context.addIssue({ code: 'custom', path: [other], message: `Received ${other} with the type ${input.type}.` });
  });

export const adjustment = z
  .strictObject({
    object: z.literal('billing.meter_event_adjustment'),
    cancel: z.strictObject({ identifier: z.string() }).nullable(),
    correct: z.strictObject({ identifier: z.string(), value: z.string() }).nullable(),
    event_name: z.string(),
    livemode: z.boolean(),
    status: z.literal('complete'),
    type: z.enum(['cancel', 'correct']),
  })
  .openapi('MeterEventAdjustment');

export const summaryList = z.strictObject({
  ...paging,
  customer: reference,
  start_time: timestamp,
  end_time: timestamp,
  value_grouping_window: z.enum(WINDOWS).optional(),
  filter: z.record(payloadKey, text(500)).optional().openapi({ description: 'Only the groups that have these values (keys of group_by).' }),
});

export const summary = z
  .strictObject({
    id: z.string(),
    object: z.literal('billing.meter_event_summary'),
    aggregated_value: z.number(),
    end_time: z.int(),
    livemode: z.boolean(),
    meter: z.string(),
    start_time: z.int(),
  })
  .openapi('MeterEventSummary');
export const summaries = listOf(summary);
