import { type AccountTransaction, withAccount } from '../db/client.ts';
import { findOperation } from '../db/operations.ts';
import { findMember, findPriceMigration, markAsked, recordMigrated } from '../db/price-migrations.ts';
import { findSubscription } from '../db/subscriptions.ts';
import { findTestClockOf } from '../db/test-clocks.ts';
import { ID_PREFIX } from '../domain/ids.ts';
import { decideMigration, type MigratedStatus, type MigrationReason } from '../domain/subscription/migrate-price.ts';
import { hasEnded } from '../domain/subscription/transitions.ts';
import { type Command, changePlanUpdate, migrationOperationId } from '../workflows/messages.ts';
import { type Answered, commandSubscription } from './command-subscription.ts';
import type { Deps } from './deps.ts';
import type { Activities, BillingOutcome } from './index.ts';
import { operationIds } from './operation-ids.ts';

type Outcome = { outcome: Exclude<MigratedStatus, 'pending'>; reason?: MigrationReason; invoiceId?: string | null };

/**
 * Looks what a migration asks of one subscription, asks it under an operation id that is the same on every try, and writes the answer down. What was obeyed on an earlier try is not looked at
 * anew: the subscription has changed by it.
 */
export const migrateSubscription =
  (deps: Deps): Activities['migrateSubscription'] =>
  async ({ accountId, migrationId, subscriptionId, asOf }) => {
    const operationId = migrationOperationId(migrationId, subscriptionId);
    const asked = await withAccount(deps.db, accountId, async (t) => {
      const [migration, member, subscription] = [
        await findPriceMigration(t, migrationId),
        await findMember(t, migrationId, subscriptionId),
        await findSubscription(t, subscriptionId),
      ];
      if (migration?.status !== 'running' || member?.outcome !== 'pending' || subscription === null) return null;
      const clock = await findTestClockOf(t, { subscriptionId });
      if (clock?.status === 'advancing')
        throw new Error(`The test clock ${clock.id} is on its way; the subscription is asked when it rests.`);
      const at = clock?.frozenTime ?? asOf;
      const about = { migrationId, subscriptionId, at };
      const done = await findOperation(t, operationId);
      if (done !== null) {
        await recordMigrated(t, about, obeyed(migration.effectiveAt, done.result as BillingOutcome));
        deps.reach('migrate-subscription:recorded');
        return null;
      }
      const step = decideMigration(subscription, migration, at);
      if (step.do !== 'change') {
        await recordMigrated(t, about, { outcome: step.do === 'skip' ? 'skipped' : 'failed', reason: step.reason });
        return null;
      }
      // The first id of the operation that schedules it; of a change at once there is none.
      if (migration.effectiveAt !== 'now') await markAsked(t, about, operationIds(accountId, operationId)(ID_PREFIX.scheduledChange));
      const command: Command & typeof step.command = { ...step.command, operationId, actor: migration.actor };
      return { migration, command, about };
    });
    deps.reach(asked === null ? 'migrate-subscription:committed' : 'migrate-subscription:loaded');
    if (asked === null) return;

    const { migration, command, about } = asked;
    const answer = await commandSubscription((client) =>
      client.workflow.getHandle(subscriptionId).executeUpdate(changePlanUpdate, { args: [command], updateId: operationId }),
    );
    deps.reach('migrate-subscription:decided');
    await withAccount(deps.db, accountId, async (t) => {
      await recordMigrated(t, about, await outcomeOf(t, subscriptionId, answer, migration.effectiveAt));
      deps.reach('migrate-subscription:recorded');
    });
    deps.reach('migrate-subscription:committed');
  };

async function outcomeOf(
  t: AccountTransaction,
  subscriptionId: string,
  answer: Answered<BillingOutcome>,
  effectiveAt: unknown,
): Promise<Outcome> {
  if (answer.is === 'done') return obeyed(effectiveAt, answer.result);
  if (answer.is === 'refused') return { outcome: 'failed', reason: { code: answer.code, message: answer.message } };
  const subscription = await findSubscription(t, subscriptionId);
  if (subscription === null || !hasEnded(subscription.status)) throw new Error(`No workflow of the subscription ${subscriptionId} runs.`);
  return { outcome: 'skipped', reason: { code: 'subscription_canceled', message: `The subscription ${subscriptionId} has ended.` } };
}

const obeyed = (effectiveAt: unknown, { invoice }: BillingOutcome): Outcome =>
  effectiveAt === 'now' ? { outcome: 'applied', invoiceId: invoice?.id ?? null } : { outcome: 'scheduled' };
