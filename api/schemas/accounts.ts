import { LATE_USAGE, MAX_INVOICE_GRACE } from '../../domain/account.ts';
import { expand } from './fields.ts';
import { z } from './zod.ts';

export const accountRetrieve = z.strictObject({ expand });

/**
 * `invoice_grace_seconds`: how long an invoice that the engine makes by itself stays a draft that may be changed before it finalises itself, at most 72 hours. `late_usage`: whether what late events change
 * of usage that is billed is invoiced with what is invoiced next, or at once.
 */
export const accountUpdate = z.strictObject({
  invoice_grace_seconds: z.int().min(0).max(MAX_INVOICE_GRACE).optional(),
  late_usage: z.enum(LATE_USAGE).optional(),
  expand,
});

export const account = z
  .strictObject({
    id: z.string(),
    object: z.literal('account'),
    charges_enabled: z.boolean(),
    details_submitted: z.boolean(),
    email: z.string().nullable(),
    payouts_enabled: z.boolean(),
    type: z.literal('standard'),
    name: z.string(),
    livemode: z.boolean(),
    billing_timezone: z.string(),
    proration_basis: z.enum(['second', 'day', 'fixed_30']),
    default_tax_rates: z.array(z.string()),
    tax_calculator: z.string(),
    invoice_number_prefix: z.string(),
    invoice_grace_seconds: z.int().openapi({
      description:
        'How long an invoice that the engine makes by itself (a renewal, the end of a trial or pause, a scheduled change) stays a draft before it finalises itself.',
    }),
    late_usage: z.enum(LATE_USAGE).openapi({
      description: 'When what late events change of usage that is billed is invoiced: with the next invoice, or at once.',
    }),
    dunning_policy: z.strictObject({
      retry_delays: z.array(z.int()),
      hard_declines: z.array(z.string()),
      terminal_action: z.enum(['cancel', 'unpaid', 'past_due']),
      overdue: z
        .strictObject({ delay: z.int(), terminal_action: z.enum(['cancel', 'unpaid', 'past_due']) })
        .openapi({ description: 'Of invoices that are sent: seconds from the due date to what then happens to the subscription.' }),
    }),
  })
  .openapi('Account');
