import type { countMigrated, MigratedSubscription } from '../../db/price-migrations.ts';
import type { MigratedStatus, PriceMigration } from '../../domain/subscription/migrate-price.ts';

/** Ours: Stripe has no such object. What was asked for, in the words it was asked for with. */
export const presentMigrationPlan = ({
  fromPriceId,
  toPriceId,
  effectiveAt,
  prorationBehavior,
  filters,
}: Pick<PriceMigration, 'fromPriceId' | 'toPriceId' | 'effectiveAt' | 'prorationBehavior' | 'filters'>) => ({
  from_price: fromPriceId,
  to_price: toPriceId,
  effective_at: effectiveAt,
  proration_behavior: prorationBehavior,
  filters: { customer_created_before: filters.customerCreatedBefore, metadata: filters.metadata, limit: filters.limit },
});

type Counted = Awaited<ReturnType<typeof countMigrated>>;

/** Those that have a reason, by status and reason. */
export const presentReasons = (counted: Counted) =>
  counted.flatMap(({ status, code, count }) => (code === null ? [] : [{ status, code, count }]));

export function presentPriceMigration(migration: PriceMigration, counted: Counted, livemode: boolean) {
  const of = (status: MigratedStatus): number => counted.reduce((sum, entry) => (entry.status === status ? sum + entry.count : sum), 0);
  const total = counted.reduce((sum, { count }) => sum + count, 0);
  const pending = of('pending');
  return {
    id: migration.id,
    object: 'price_migration' as const,
    ...presentMigrationPlan(migration),
    status: migration.status,
    counts: {
      total,
      pending,
      scheduled: of('scheduled'),
      applied: of('applied'),
      skipped: of('skipped'),
      failed: of('failed'),
      canceled: of('canceled'),
    },
    reasons: presentReasons(counted),
    progress: migration.status === 'pending' ? 0 : total === 0 ? 1 : (total - pending) / total,
    created: migration.createdAt,
    completed_at: migration.completedAt,
    canceled_at: migration.canceledAt,
    livemode,
  };
}

export const presentMigrated = ({ migrationId, subscriptionId, status, reason, scheduledChangeId, invoiceId }: MigratedSubscription) => ({
  id: subscriptionId,
  object: 'price_migration_subscription' as const,
  price_migration: migrationId,
  subscription: subscriptionId,
  status,
  reason,
  scheduled_change: scheduledChangeId,
  invoice: invoiceId,
});
