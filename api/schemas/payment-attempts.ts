import { nullableText, nullableTime } from './fields.ts';
import { z } from './zod.ts';

export const paymentAttempt = z
  .strictObject({
    id: z.string(),
    object: z.literal('payment_attempt'),
    amount: z.int(),
    created: z.int(),
    currency: z.string(),
    decline_code: nullableText,
    decline_message: nullableText,
    gateway: z.string(),
    invoice: z.string(),
    number: z.int(),
    payment_method: z.string(),
    resolved_at: nullableTime,
    status: z.enum(['created', 'processing', 'unknown', 'requires_action', 'succeeded', 'declined', 'canceled']),
  })
  .openapi('PaymentAttempt');
