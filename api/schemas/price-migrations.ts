import { MIGRATED_STATUSES, PRICE_MIGRATION_STATUSES } from '../../domain/subscription/migrate-price.ts';
import { answerMetadata, expand, expandable, nullableText, nullableTime, paging, reference, timestamp, when } from './fields.ts';
import { invoice } from './invoices.ts';
import { effectiveAt, prorationBehavior } from './subscription-items.ts';
import { z } from './zod.ts';

export const priceMigrationCreate = z.strictObject({
  from_price: reference,
  to_price: reference,
  effective_at: effectiveAt.default('period_end'),
  proration_behavior: prorationBehavior.default('create_prorations'),
  filters: z
    .strictObject({
      customer_created_before: timestamp.optional(),
      metadata: z.record(z.string().min(1).max(40), z.string().min(1).max(500)).optional(),
      limit: z.int().min(1).max(10_000_000).optional(),
    })
    .optional(),
  dry_run: z.boolean().default(false).openapi({ description: 'Only tells what would happen; nothing is written, nobody is asked.' }),
  expand,
});
export const priceMigrationList = z.strictObject({ ...paging, created: when, status: z.enum(PRICE_MIGRATION_STATUSES).optional() });
export const migratedList = z.strictObject({ ...paging, status: z.enum(MIGRATED_STATUSES).optional() });

const reason = z.strictObject({ code: z.string(), message: z.string() });
const plan = {
  from_price: expandable('Price'),
  to_price: expandable('Price'),
  effective_at: effectiveAt,
  proration_behavior: prorationBehavior,
  filters: z.strictObject({
    customer_created_before: nullableTime,
    metadata: answerMetadata.nullable(),
    limit: z.int().nullable(),
  }),
};
const reasonCounts = z.array(z.strictObject({ status: z.enum(MIGRATED_STATUSES), code: z.string(), count: z.int() }));

export const priceMigration = z
  .strictObject({
    id: z.string(),
    object: z.literal('price_migration'),
    ...plan,
    status: z.enum(PRICE_MIGRATION_STATUSES).openapi({
      description: '`completed`: every subscription was asked. What is scheduled takes effect later, and can be taken back until then.',
    }),
    counts: z.strictObject({
      total: z.int(),
      pending: z.int(),
      scheduled: z.int(),
      applied: z.int(),
      skipped: z.int(),
      failed: z.int(),
      canceled: z.int(),
    }),
    reasons: reasonCounts,
    progress: z.number().openapi({ description: 'The share of its subscriptions that were asked, 0 to 1.' }),
    created: z.int(),
    completed_at: nullableTime,
    canceled_at: nullableTime,
    livemode: z.boolean(),
  })
  .openapi('PriceMigration');

const priceMigrationPreview = z
  .strictObject({
    object: z.literal('price_migration_preview'),
    ...plan,
    subscriptions: z.int().openapi({ description: 'How many would be asked for the change.' }),
    reasons: reasonCounts.openapi({ description: 'Those that would not be, and why.' }),
    amounts: z
      .array(z.strictObject({ currency: z.string(), before: z.int(), after: z.int(), difference: z.int() }))
      .openapi({ description: 'Of one cycle of the prices, before discounts and taxes. Usage is not foreseen.' }),
    samples: z
      .array(z.strictObject({ subscription: z.string(), invoice: invoice.nullable(), refused: reason.nullable() }))
      .openapi({ description: 'The next invoices of up to ten of the subscriptions, by the functions that bill.' }),
    livemode: z.boolean(),
  })
  .openapi('PriceMigrationPreview');

export const priceMigrationAnswer = z.union([priceMigration, priceMigrationPreview]);

export const migratedSubscription = z
  .strictObject({
    id: z.string().openapi({ description: 'The id of the subscription.' }),
    object: z.literal('price_migration_subscription'),
    price_migration: z.string(),
    subscription: expandable('Subscription'),
    status: z.enum(MIGRATED_STATUSES).openapi({ description: '`canceled`: taken back before it took effect, or never asked for.' }),
    reason: reason.nullable(),
    scheduled_change: nullableText,
    invoice: z.union([expandable('Invoice'), z.null()]),
  })
  .openapi('PriceMigrationSubscription');
