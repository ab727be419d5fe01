import { type AccountTransaction, withAccount } from '../db/client.ts';
import { enrolCohort } from '../db/migration-cohort.ts';
import { advancePriceMigration, cancelUnasked, findPriceMigration, readToMigrate, readToUndo } from '../db/price-migrations.ts';
import type { Instant } from '../domain/time.ts';
import type { Deps } from './deps.ts';
import type { Activities } from './index.ts';

/** As many as fit into a run of a few hundred events. */
const PAGE = 50;

/** Who belongs to the migration is written down when it begins; it is over when nobody is left to be asked. Doing it again gives the same page, or what is left of it. */
export const takePriceMigrationPage =
  (deps: Deps): Activities['takePriceMigrationPage'] =>
  async ({ accountId, migrationId: id, asOf }) => {
    const page = await withAccount(deps.db, accountId, async (t) => {
      const found = await lookOn(t, id, asOf);
      deps.reach('take-price-migration-page:recorded');
      return found;
    });
    deps.reach('take-price-migration-page:committed');
    return page;
  };

async function lookOn(t: AccountTransaction, id: string, asOf: Instant): ReturnType<Activities['takePriceMigrationPage']> {
  const migration = await findPriceMigration(t, id, { lock: true });
  if (migration?.status === 'pending') {
    await enrolCohort(t, migration);
    await advancePriceMigration(t, id, { to: 'started', at: asOf });
  }
  switch (migration?.status) {
    case 'pending':
    case 'running': {
      const subscriptionIds = await readToMigrate(t, id, PAGE);
      if (subscriptionIds.length > 0) return { do: 'migrate', subscriptionIds };
      await advancePriceMigration(t, id, { to: 'completed', at: asOf });
      return { do: 'nothing' };
    }
    case 'canceling': {
      await cancelUnasked(t, id);
      const subscriptionIds = await readToUndo(t, id, PAGE);
      if (subscriptionIds.length > 0) return { do: 'undo', subscriptionIds };
      await advancePriceMigration(t, id, { to: 'canceled', at: asOf });
      return { do: 'nothing' };
    }
    default:
      return { do: 'nothing' };
  }
}
