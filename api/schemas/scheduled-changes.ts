import { SCHEDULED_CHANGE_STATUSES } from '../../domain/subscription/scheduled-change.ts';
import { expandable, nullableText, nullableTime, paging } from './fields.ts';
import { paymentBehavior, prorationBehavior } from './subscription-items.ts';
import { z } from './zod.ts';

export const scheduledChangeList = z.strictObject({ ...paging, status: z.enum(SCHEDULED_CHANGE_STATUSES).optional() });

const scheduledDiscount = z.strictObject({
  coupon: z.string().optional(),
  promotion_code: z.string().optional(),
  discount: z.string().optional(),
});

/** Absent: as it is then. */
const scheduledItem = z.strictObject({
  id: z.string(),
  price: z.string().optional(),
  quantity: z.number().optional(),
  tax_rates: z.array(z.string()).optional(),
  discounts: z.array(scheduledDiscount).optional(),
  deleted: z.literal(true).optional(),
});

export const scheduledChange = z
  .strictObject({
    id: z.string(),
    object: z.literal('scheduled_change'),
    subscription: expandable('Subscription'),
    status: z.enum(SCHEDULED_CHANGE_STATUSES),
    effective_at: z.int(),
    at_period_end: z.boolean().openapi({ description: 'It takes effect when the current period ends, wherever that end moves.' }),
    change: z.strictObject({
      schedule: z.string().optional().openapi({ description: 'The subscription schedule that it is a phase of.' }),
      phase: z.int().nullable().optional().openapi({ description: 'Which of its phases begins, from 0; null: the schedule is over.' }),
      expiring: z.literal(true).optional().openapi({ description: 'Nothing changes: the schedule will be over seven days later.' }),
      phase_items: z
        .array(z.strictObject({ price: z.string(), quantity: z.number(), tax_rates: z.array(z.string()) }))
        .optional()
        .openapi({ description: 'What the items will be, whatever they are by then.' }),
      items: z.array(scheduledItem).optional(),
      billing_cycle_anchor: z.enum(['now', 'unchanged']).optional(),
      default_payment_method: nullableText.optional(),
      default_tax_rates: z.array(z.string()).optional(),
      discounts: z.array(scheduledDiscount).optional(),
      proration_behavior: prorationBehavior,
      payment_behavior: paymentBehavior,
    }),
    replaced_by: nullableText.openapi({
      description: 'The scheduled change that took its place; null where a change did that took effect at once.',
    }),
    cancellation_reason: z.enum(['requested', 'subscription_ended']).nullable(),
    failure: z
      .strictObject({ code: z.string(), message: z.string(), param: nullableText })
      .nullable()
      .openapi({ description: 'Why it had become impossible when its time came; the subscription went on as it was.' }),
    created: z.int(),
    closed_at: nullableTime,
    livemode: z.boolean(),
  })
  .openapi('ScheduledChange');
