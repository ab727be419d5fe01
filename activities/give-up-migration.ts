import { withAccount } from '../db/client.ts';
import { recordMigrated, recordUndone } from '../db/price-migrations.ts';
import { timeOfCustomer } from '../db/test-clocks.ts';
import type { MigrationReason } from '../domain/subscription/migrate-price.ts';
import type { Deps } from './deps.ts';
import type { Activities } from './index.ts';

/** The subscription may still obey; where it does, its change tells of itself. */
export const giveUpMigration =
  (deps: Deps): Activities['giveUpMigration'] =>
  async ({ accountId, migrationId, subscriptionId, undo, asOf }) => {
    await withAccount(deps.db, accountId, async (t) => {
      const about = { migrationId, subscriptionId, at: await timeOfCustomer(t, subscriptionId, asOf) };
      const reason: MigrationReason = {
        code: 'unavailable',
        message: `The subscription ${subscriptionId} gave no answer within five minutes.`,
      };
      await (undo ? recordUndone(t, about, reason) : recordMigrated(t, about, { outcome: 'failed', reason }));
    });
    deps.reach('give-up-migration:committed');
  };
