import { ENTRY_TYPES } from '../../domain/timeline/entry.ts';
import { eitherType } from './events.ts';
import { nullableText, paging, timestamp } from './fields.ts';
import { z } from './zod.ts';

const entryType = z.enum(ENTRY_TYPES);

export const timelineList = eitherType(
  z.strictObject({
    ...paging,
    type: entryType.optional(),
    types: z.array(entryType).min(1).max(ENTRY_TYPES.length).optional(),
    since: timestamp.optional().openapi({ description: 'Entries of decisions made at this time or later.' }),
    until: timestamp.optional().openapi({ description: 'Entries of decisions made before this time.' }),
    order: z.enum(['asc', 'desc']).default('asc').openapi({ description: '`asc`: as it happened; `desc`: newest first.' }),
  }),
);

/** Why: a cancellation reason, a decline, a refusal, the arithmetic of an invoice. */
export const reason = z.strictObject({ code: nullableText, message: nullableText, param: nullableText, feedback: nullableText }).nullable();

export const timelineEntry = z
  .strictObject({
    id: z.string(),
    object: z.literal('timeline_entry'),
    type: entryType,
    name: z.string().openapi({ description: 'The verb of a command or decision; the type of an event.' }),
    at: z.int().openapi({ description: 'The time of the decision, as the subscription (and its test clock) counts it.' }),
    recorded_at: z.int().openapi({ description: 'When it was written, on the wall clock.' }),
    sentence: z.string(),
    actor: nullableText.openapi({ description: 'Who: `api_key:…`, `operator:…`, `workflow`, `dunning`.' }),
    reason,
    amount: z.int().nullable(),
    currency: nullableText,
    invoice: nullableText,
    operation: nullableText,
    workflow: z.strictObject({ id: z.string(), run_id: z.string(), url: nullableText }).nullable(),
    data: z.record(z.string(), z.unknown()),
    livemode: z.boolean(),
  })
  .openapi('TimelineEntry');
