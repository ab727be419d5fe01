import { creditScope, creditScopeAnswer, monetary, monetaryAnswer, priority } from './credits.ts';
import {
  answerMetadata,
  expand,
  expandable,
  expandableOrNull,
  metadata,
  nullableText,
  nullableTime,
  paging,
  reference,
  text,
  unsettable,
} from './fields.ts';
import { z } from './zod.ts';

const expiresAfter = z.strictObject({
  interval: z.enum(['day', 'week', 'month', 'year']),
  interval_count: z.int().min(1).max(1000).default(1),
});
const STATUSES = ['active', 'inactive', 'pending', 'suspended'] as const;

export const topUpCreate = z.strictObject({
  customer: reference,
  threshold: monetary.openapi({ description: 'Once less than this is available, `amount` is bought.' }),
  amount: monetary,
  applicability_config: z.strictObject({ scope: creditScope }),
  name: text(100).optional(),
  priority,
  expires_after: expiresAfter.optional(),
  payment_method: reference.optional(),
  max_per_month: z.int().min(1).max(1000).optional(),
  active: z.boolean().default(true),
  metadata,
  expand,
});

export const topUpUpdate = z.strictObject({
  threshold: monetary.optional(),
  amount: monetary.optional(),
  payment_method: unsettable(250),
  max_per_month: z.int().min(1).max(1000).nullable().optional(),
  active: z.boolean().optional(),
  metadata,
  expand,
});
export const topUpList = z.strictObject({ ...paging, customer: reference.optional() });

export const creditTopUp = z
  .strictObject({
    id: z.string(),
    object: z.literal('billing.credit_top_up'),
    active: z.boolean(),
    amount: monetaryAnswer,
    applicability_config: z.strictObject({ scope: creditScopeAnswer }),
    created: z.int(),
    customer: expandable('Customer'),
    expires_after: z.strictObject({ interval: z.enum(['day', 'week', 'month', 'year']), interval_count: z.int() }).nullable(),
    latest_invoice: expandableOrNull('Invoice'),
    livemode: z.boolean(),
    max_per_month: z.int().nullable(),
    metadata: answerMetadata,
    name: nullableText,
    payment_method: expandableOrNull('PaymentMethod'),
    priority: z.int(),
    status: z.enum(STATUSES).openapi({
      description:
        '`pending`: its invoice waits for its payment. `suspended`: that was declined, and nothing more is bought until it is paid or voided.',
    }),
    suspended_at: nullableTime,
    test_clock: expandableOrNull('TestClock'),
    threshold: monetaryAnswer,
    updated: z.int(),
  })
  .openapi('CreditTopUp');
