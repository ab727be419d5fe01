import { expand, nullableText, paging, text, when } from './fields.ts';
import { z } from './zod.ts';

export const eventRetrieve = z.strictObject({ expand });

export const eventType = text(100).regex(/^[a-z_]+(\.[a-z_]+)*$/);
export const eventTypes = z.array(eventType).min(1).max(20);
/** `type` and `types` say the same, so only one of them may be given. */
export const eitherType = <T extends z.ZodType<{ type?: unknown; types?: unknown }>>(schema: T): T =>
  schema.refine((input) => input.type === undefined || input.types === undefined, {
    error: 'You may only specify one of these parameters: type, types.',
    path: ['type'],
    params: { code: 'parameters_exclusive' },
  });

export const eventList = eitherType(
  z.strictObject({
    ...paging,
    type: eventType.optional(),
    types: eventTypes.optional(),
    object_id: text(255).optional(),
    created: when,
  }),
);

export const event = z
  .strictObject({
    id: z.string(),
    object: z.literal('event'),
    api_version: nullableText,
    created: z.int(),
    data: z.strictObject({
      object: z.looseObject({ id: z.string(), object: z.string() }),
      previous_attributes: z.record(z.string(), z.unknown()).optional(),
    }),
    livemode: z.boolean(),
    pending_webhooks: z.int(),
    request: z.strictObject({ id: nullableText, idempotency_key: nullableText }).nullable(),
    type: z.string(),
    sequence: z.int().openapi({ description: 'Counts the events of this object from 1.' }),
  })
  .openapi('Event');
