import { expand, listOf, paging, reference, text } from './fields.ts';
import { z } from './zod.ts';

const alertType = z.literal('usage_threshold');
const recurrence = z.literal('one_time');

export const alertCreate = z.strictObject({
  alert_type: alertType,
  title: text(256),
  usage_threshold: z.strictObject({
    gte: z.int().min(1).max(999_999_999_999_999),
    meter: reference,
    recurrence,
    filters: z
      .array(z.strictObject({ type: z.literal('customer'), customer: reference }))
      .max(1)
      .optional(),
  }),
  expand,
});
export const alertRetrieve = z.strictObject({ expand });
export const alertList = z.strictObject({ ...paging, alert_type: alertType.optional(), meter: reference.optional() });

export const alert = z
  .strictObject({
    id: z.string(),
    object: z.literal('billing.alert'),
    alert_type: alertType,
    livemode: z.boolean(),
    status: z.enum(['active', 'archived', 'inactive']),
    title: z.string(),
    usage_threshold: z.strictObject({
      filters: z.array(z.strictObject({ customer: z.string(), type: z.literal('customer') })).nullable(),
      gte: z.int(),
      meter: z.string(),
      recurrence,
    }),
  })
  .openapi('BillingAlert');
export const alerts = listOf(alert);
