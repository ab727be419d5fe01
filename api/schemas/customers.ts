import { discount } from './discounts.ts';
import {
  address,
  answerMetadata,
  email,
  expand,
  expandableOrNull,
  idList,
  listOf,
  metadata,
  nullableText,
  paging,
  reference,
  text,
  timezone,
  unsettable,
  when,
} from './fields.ts';
import { z } from './zod.ts';

const writable = {
  name: unsettable(256),
  email: email.nullable().optional(),
  phone: unsettable(20),
  description: unsettable(),
  address: address.nullable().optional(),
  tax_exempt: z.enum(['none', 'exempt', 'reverse']).nullable().optional(),
  invoice_settings: z.strictObject({ default_payment_method: reference.nullable().optional() }).optional(),
  default_tax_rates: idList(5).nullable().optional(),
  billing_timezone: timezone.nullable().optional(),
  consolidated_invoicing: z
    .boolean()
    .optional()
    .openapi({ description: 'Whether what subscriptions of the same terms renew for on one day is one invoice.' }),
  external_id: unsettable(255),
  coupon: reference
    .nullable()
    .optional()
    .openapi({ description: "The customer's discount, as in older versions of Stripe's API; empty: none." }),
  promotion_code: reference.nullable().optional(),
  metadata,
  expand,
};

export const customerCreate = z.strictObject({ ...writable, payment_method: reference.optional(), test_clock: reference.optional() });
export const customerUpdate = z.strictObject({
  ...writable,
  test_clock: reference
    .nullable()
    .optional()
    .openapi({ description: 'Moves a test customer in real time onto a test clock, for good; Stripe takes it on creation only.' }),
});

export const customerList = z.strictObject({
  ...paging,
  email: email.optional(),
  external_id: text(255).optional(),
  test_clock: reference.optional(),
  created: when,
});
export const customerPaymentMethods = z.strictObject({ ...paging, type: z.enum(['card', 'us_bank_account', 'sepa_debit']).optional() });
export const balanceTransactionList = z.strictObject({ ...paging, invoice: reference.optional(), created: when });

export const addressAnswer = z
  .strictObject({
    city: nullableText,
    country: nullableText,
    line1: nullableText,
    line2: nullableText,
    postal_code: nullableText,
    state: nullableText,
  })
  .openapi('Address');

export const customer = z
  .strictObject({
    id: z.string(),
    object: z.literal('customer'),
    address: addressAnswer.nullable(),
    balance: z.int(),
    created: z.int(),
    currency: nullableText,
    default_source: z.null(),
    delinquent: z.boolean(),
    description: nullableText,
    discount: discount.nullable(),
    email: nullableText,
    invoice_settings: z.strictObject({
      custom_fields: z.null(),
      default_payment_method: expandableOrNull('PaymentMethod'),
      footer: z.null(),
      rendering_options: z.null(),
    }),
    livemode: z.boolean(),
    metadata: answerMetadata,
    name: nullableText,
    phone: nullableText,
    preferred_locales: z.array(z.string()),
    shipping: z.null(),
    subscriptions: listOf(z.looseObject({ id: z.string() })).optional(),
    tax_exempt: z.enum(['none', 'exempt', 'reverse']),
    test_clock: expandableOrNull('TestClock'),
    default_tax_rates: z.array(z.string()),
    billing_timezone: nullableText,
    consolidated_invoicing: z.boolean(),
    external_id: nullableText,
  })
  .openapi('Customer');

export const balanceTransaction = z
  .strictObject({
    id: z.string(),
    object: z.literal('customer_balance_transaction'),
    amount: z.int(),
    created: z.int(),
    credit_note: z.null(),
    currency: z.string(),
    customer: z.union([z.string(), z.looseObject({ id: z.string() })]),
    description: z.null(),
    ending_balance: z.int(),
    invoice: expandableOrNull('Invoice'),
    livemode: z.boolean(),
    metadata: answerMetadata,
    type: z.enum(['applied_to_invoice', 'unapplied_from_invoice', 'credit_from_invoice', 'adjustment']),
  })
  .openapi('CustomerBalanceTransaction');
