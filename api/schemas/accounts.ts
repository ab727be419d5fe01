import { expand } from './fields.ts';
import { z } from './zod.ts';

export const accountRetrieve = z.strictObject({ expand });

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
    dunning_policy: z.strictObject({
      retry_delays: z.array(z.int()),
      hard_declines: z.array(z.string()),
      terminal_action: z.enum(['cancel', 'unpaid', 'past_due']),
    }),
  })
  .openapi('Account');
