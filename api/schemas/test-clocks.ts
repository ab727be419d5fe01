import { eitherType, event, eventType, eventTypes } from './events.ts';
import { deletedOf, expand, nullableText, paging, text, timestamp } from './fields.ts';
import { reason } from './timeline.ts';
import { z } from './zod.ts';

export const testClockCreate = z.strictObject({ frozen_time: timestamp, name: text(300).optional(), expand });
export const testClockAdvance = z.strictObject({ frozen_time: timestamp, expand });
export const testClockRetrieve = z.strictObject({ expand });
export const testClockDelete = z.strictObject({});
export const testClockList = z.strictObject(paging);

export const testClock = z
  .strictObject({
    id: z.string(),
    object: z.literal('test_helpers.test_clock'),
    created: z.int(),
    frozen_time: z.int().openapi({ description: 'The time of its customers; while it advances, where it started from.' }),
    livemode: z.boolean(),
    name: nullableText,
    status: z.enum(['ready', 'advancing', 'internal_failure']),
    status_details: z.strictObject({ advancing: z.strictObject({ target_frozen_time: z.int() }).optional() }),
  })
  .openapi('TestClock');

export const testClockDeleted = deletedOf('test_helpers.test_clock');

/** An event with what the timeline says of it. */
export const clockChange = event
  .extend({
    sentence: z.string(),
    reason,
    amount: z.int().nullable(),
    currency: nullableText,
    customer: nullableText,
    subscription: nullableText,
    invoice: nullableText,
  })
  .openapi('ClockChange');

export const clockChangeList = eitherType(z.strictObject({ ...paging, type: eventType.optional(), types: eventTypes.optional() }));
