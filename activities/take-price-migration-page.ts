import { withAccount } from '../db/client.ts';
import { enrolCohort } from '../db/migration-cohort.ts';
import { cancelUnasked, findPriceMigration, readToMigrate, readToUndo, updatePriceMigration } from '../db/price-migrations.ts';
import type { Deps } from './deps.ts';
import type { Activities } from './index.ts';

/** As many as fit into a run of a few hundred events. */
const PAGE = 50;

/** Who belongs to the migration is written down when it begins; it is over when nobody is left to be asked. Doing it again gives the same page, or what is left of it. */
export const takePriceMigrationPage =
  (deps: Deps): Activities['takePriceMigrationPage'] =>
  ({ accountId, migrationId: id, asOf }) =>
    withAccount(deps.db, accountId, async (t) => {
      const migration = await findPriceMigration(t, id, { lock: true });
      if (migration?.status === 'pending') {
        await enrolCohort(t, migration);
        await updatePriceMigration(t, id, { status: 'running' });
      }
      switch (migration?.status) {
        case 'pending':
        case 'running': {
          const subscriptionIds = await readToMigrate(t, id, PAGE);
          if (subscriptionIds.length > 0) return { do: 'migrate', subscriptionIds };
          await updatePriceMigration(t, id, { status: 'completed', completedAt: asOf });
          return { do: 'nothing' };
        }
        case 'canceling': {
          await cancelUnasked(t, id);
          const subscriptionIds = await readToUndo(t, id, PAGE);
          if (subscriptionIds.length > 0) return { do: 'undo', subscriptionIds };
          await updatePriceMigration(t, id, { status: 'canceled', canceledAt: asOf });
          return { do: 'nothing' };
        }
        default:
          return { do: 'nothing' };
      }
    });
