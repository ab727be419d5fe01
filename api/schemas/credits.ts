import { MAX_AMOUNT } from '../../domain/money.ts';
import {
  answerMetadata,
  currency,
  decimal,
  expand,
  expandable,
  expandableOrNull,
  metadata,
  nullableText,
  nullableTime,
  paging,
  reference,
  text,
  timestamp,
} from './fields.ts';
import { z } from './zod.ts';

const CATEGORIES = ['paid', 'promotional'] as const;
const PRICE_TYPES = ['metered', 'licensed'] as const;

export const creditScope = z
  .strictObject({
    price_type: z
      .enum(PRICE_TYPES)
      .optional()
      .openapi({ description: 'All prices that bill usage, as at Stripe; or, ours, all that bill a quantity.' }),
    prices: z
      .array(z.strictObject({ id: reference }))
      .min(1)
      .max(20)
      .optional(),
  })
  .superRefine((given, context) => {
    if ((given.price_type === undefined) !== (given.prices === undefined)) return;
    context.addIssue({
      code: 'custom',
      path: [given.prices === undefined ? 'price_type' : 'prices'],
      message: 'You must specify exactly one of these parameters: price_type, prices.',
      params: { code: given.prices === undefined ? 'parameter_missing' : 'parameters_exclusive' },
    });
  });

/** An amount of credit. */
export const monetary = z.strictObject({
  type: z.literal('monetary'),
  monetary: z.strictObject({ currency, value: z.int().min(1).max(MAX_AMOUNT) }),
});
export const priority = z.int().min(0).max(100).default(50).openapi({ description: 'The lowest is drawn first.' });

/** What a price gives for each of its periods. */
export const recurringCredit = z
  .strictObject({
    name: text(100).optional(),
    category: z.enum(CATEGORIES).default('promotional'),
    amount: monetary,
    applicability_config: z.strictObject({ scope: creditScope }),
    priority,
    rollover: z
      .strictObject({
        percent: decimal(
          4,
          (value) => Number(value) > 0 && Number(value) <= 100,
          'more than 0, at most 100, with at most 4 decimals',
        ).default('100'),
        max_amount: z.int().min(1).max(MAX_AMOUNT).optional(),
        max_periods: z.int().min(1).max(1200).optional(),
      })
      .optional()
      .openapi({ description: 'What is left at the end of a period goes on for another one. Absent: it is lost.' }),
  })
  .openapi({ description: 'Ours: prepaid credit for each unit and period.' });

export type RecurringCreditInput = z.output<typeof recurringCredit>;

export const creditGrantCreate = z.strictObject({
  customer: reference,
  amount: monetary,
  applicability_config: z.strictObject({ scope: creditScope }),
  category: z.enum(CATEGORIES).default('paid'),
  name: text(100).optional(),
  effective_at: timestamp.optional(),
  expires_at: timestamp.optional(),
  priority,
  metadata,
  expand,
});
export const creditGrantUpdate = z.strictObject({ expires_at: timestamp.nullable().optional(), metadata, expand });
export const creditGrantCommand = z.strictObject({ expand });
export const creditGrantList = z.strictObject({ ...paging, customer: reference.optional() });
export const creditTransactionList = z.strictObject({ ...paging, customer: reference.optional(), credit_grant: reference.optional() });

export const creditSummaryRetrieve = z.strictObject({
  customer: reference,
  filter: z
    .strictObject({
      type: z.enum(['applicability_scope', 'credit_grant']),
      applicability_scope: creditScope.optional(),
      credit_grant: reference.optional(),
    })
    .superRefine((given, context) => {
      const other = given.type === 'credit_grant' ? 'applicability_scope' : 'credit_grant';
      if (given[given.type] === undefined)
        context.addIssue({
          code: 'custom',
          path: [given.type],
          message: `Missing required param: filter[${given.type}].`,
          params: { code: 'parameter_missing' },
        });
      if (given[other] !== undefined)
        context.addIssue({
          code: 'custom',
          path: [other],
          message: `filter[${other}] is only for the filter type ${other}.`,
          params: { code: 'parameters_exclusive' },
        });
    }),
  expand,
});

export const monetaryAnswer = z.strictObject({
  type: z.literal('monetary'),
  monetary: z.strictObject({ currency: z.string(), value: z.int() }),
});

export const creditScopeAnswer = z.strictObject({
  price_type: z.enum(PRICE_TYPES).optional(),
  prices: z.array(z.strictObject({ id: nullableText })).optional(),
});
const applicabilityAnswer = z.strictObject({ scope: creditScopeAnswer });
const rolloverAnswer = z.strictObject({ max_amount: z.int().nullable(), max_periods: z.int().nullable(), percent: z.string() }).nullable();

export const recurringCreditAnswer = z.strictObject({
  amount: monetaryAnswer,
  applicability_config: applicabilityAnswer,
  category: z.enum(CATEGORIES),
  name: nullableText,
  priority: z.int(),
  rollover: rolloverAnswer,
});

export const creditGrant = z
  .strictObject({
    id: z.string(),
    object: z.literal('billing.credit_grant'),
    amount: monetaryAnswer,
    applicability_config: applicabilityAnswer,
    category: z.enum(CATEGORIES),
    created: z.int(),
    customer: expandable('Customer'),
    customer_account: z.null(),
    effective_at: z.int(),
    expires_at: nullableTime,
    livemode: z.boolean(),
    metadata: answerMetadata,
    name: nullableText,
    priority: z.int(),
    recurring: z
      .strictObject({
        periods_rolled_over: z.int(),
        price: expandable('Price'),
        rollover: rolloverAnswer,
        subscription: expandable('Subscription'),
        subscription_item: z.string(),
      })
      .nullable()
      .openapi({ description: 'Of one that a price gives for a period of its subscription.' }),
    remaining: monetaryAnswer.openapi({ description: 'What has not been drawn, expired or voided.' }),
    test_clock: expandableOrNull('TestClock'),
    updated: z.int(),
    voided_at: nullableTime,
  })
  .openapi('CreditGrant');

const ofInvoice = z.strictObject({ invoice: expandable('Invoice'), invoice_line_item: z.string() }).nullable();

export const creditTransaction = z
  .strictObject({
    id: z.string(),
    object: z.literal('billing.credit_balance_transaction'),
    created: z.int(),
    credit: z
      .strictObject({
        amount: monetaryAnswer,
        credits_application_invoice_voided: ofInvoice,
        type: z.enum(['credits_granted', 'credits_application_invoice_voided']),
      })
      .nullable(),
    credit_grant: expandable('CreditGrant'),
    debit: z
      .strictObject({
        amount: monetaryAnswer,
        credits_applied: ofInvoice,
        type: z.enum(['credits_applied', 'credits_expired', 'credits_voided']),
      })
      .nullable(),
    effective_at: z.int(),
    livemode: z.boolean(),
    test_clock: expandableOrNull('TestClock'),
    type: z.enum(['credit', 'debit']),
  })
  .openapi('CreditBalanceTransaction');

export const creditSummary = z
  .strictObject({
    object: z.literal('billing.credit_balance_summary'),
    balances: z.array(z.strictObject({ available_balance: monetaryAnswer, ledger_balance: monetaryAnswer })),
    customer: expandable('Customer'),
    customer_account: z.null(),
    livemode: z.boolean(),
  })
  .openapi('CreditBalanceSummary');

/** On an invoice: what grants have paid of its lines. */
export const creditAmounts = z
  .array(
    z.strictObject({
      amount: z.int(),
      credit_balance_transaction: expandable('CreditBalanceTransaction'),
      credit_grant: expandable('CreditGrant'),
      invoice_line_item: z.string(),
    }),
  )
  .openapi({
    description: 'Prepaid credits that pay a part of the total; they do not lower tax. They were returned where the invoice is void.',
  });

export const creditScopeOf = (given: z.output<typeof creditScope>) =>
  given.prices === undefined ? { priceType: given.price_type ?? 'metered' } : { priceIds: given.prices.map(({ id }) => id) };
