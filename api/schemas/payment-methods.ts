import { answerMetadata, expand, expandableOrNull, metadata, nullableText, paging, reference, text } from './fields.ts';
import { z } from './zod.ts';

const types = z.enum(['card', 'us_bank_account', 'sepa_debit']);

/** Card numbers are never accepted: a card is named by the gateway's token (`tok_visa`, `pm_card_visa`). */
export const paymentMethodCreate = z.strictObject({
  type: z.literal('card'),
  card: z.strictObject({ token: reference }),
  metadata,
  expand,
});
export const paymentMethodUpdate = z.strictObject({ metadata, expand });
export const paymentMethodAttach = z.strictObject({ customer: reference, expand });
export const paymentMethodDetach = z.strictObject({ expand });
export const paymentMethodList = z.strictObject({ ...paging, customer: reference, type: types.optional() });

export const paymentMethod = z
  .strictObject({
    id: z.string(),
    object: z.literal('payment_method'),
    billing_details: z.strictObject({ address: z.null(), email: z.null(), name: z.null(), phone: z.null(), tax_id: z.null() }),
    card: z
      .strictObject({
        brand: z.string(),
        checks: z.null(),
        country: nullableText,
        display_brand: nullableText,
        exp_month: z.int(),
        exp_year: z.int(),
        fingerprint: z.string(),
        funding: z.string(),
        generated_from: z.null(),
        last4: text(4),
        networks: z.null(),
        three_d_secure_usage: z.null(),
        wallet: z.null(),
      })
      .optional(),
    created: z.int(),
    customer: expandableOrNull('Customer'),
    livemode: z.boolean(),
    metadata: answerMetadata,
    type: types,
    gateway: z.string(),
  })
  .openapi('PaymentMethod');
