import { withAccount } from '../db/client.ts';
import { findMember, findPriceMigration, recordUndone } from '../db/price-migrations.ts';
import { findSubscription } from '../db/subscriptions.ts';
import { timeOfCustomer } from '../db/test-clocks.ts';
import { hasEnded } from '../domain/subscription/transitions.ts';
import { cancelScheduledChangeUpdate, migrationOperationId } from '../workflows/messages.ts';
import { commandSubscription } from './command-subscription.ts';
import type { Deps } from './deps.ts';
import type { Activities } from './index.ts';

/**
 * Takes the scheduled change of one subscription back. What took effect meanwhile is refused by the subscription, and stays. A change that was asked for without an answer comes before
 * this in the subscription's queue, so none comes to be after it.
 */
export const undoMigration =
  (deps: Deps): Activities['undoMigration'] =>
  async ({ accountId, migrationId, subscriptionId, asOf }) => {
    const [migration, member] = await withAccount(deps.db, accountId, async (t) => [
      await findPriceMigration(t, migrationId),
      await findMember(t, migrationId, subscriptionId),
    ]);
    const changeId = member?.scheduledChangeId;
    if (!migration || !changeId) return;
    deps.reach('undo-migration:loaded');
    const operationId = `${migrationOperationId(migrationId, subscriptionId)}:undo`;
    const answer = await commandSubscription((client) =>
      client.workflow
        .getHandle(subscriptionId)
        .executeUpdate(cancelScheduledChangeUpdate, { args: [{ operationId, actor: migration.actor, changeId }], updateId: operationId }),
    );
    deps.reach('undo-migration:decided');
    await withAccount(deps.db, accountId, async (t) => {
      if (answer.is === 'gone') {
        const subscription = await findSubscription(t, subscriptionId);
        if (subscription === null || !hasEnded(subscription.status))
          throw new Error(`No workflow of the subscription ${subscriptionId} runs.`);
      }
      const about = { migrationId, subscriptionId, at: await timeOfCustomer(t, subscriptionId, asOf) };
      await recordUndone(t, about, answer.is === 'refused' ? { code: answer.code, message: answer.message } : null);
      deps.reach('undo-migration:recorded');
    });
    deps.reach('undo-migration:committed');
  };
