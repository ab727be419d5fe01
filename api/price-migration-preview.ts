import type { AccountTransaction } from '../db/client.ts';
import { groupCohort, readCohort } from '../db/migration-cohort.ts';
import { findTestClockOf } from '../db/test-clocks.ts';
import type { Price } from '../domain/catalog/price.ts';
import { Refusal } from '../domain/errors.ts';
import type { ChangePlan } from '../domain/subscription/commands.ts';
import {
  decideMigration,
  type MigratedStatus,
  type MigrationGroup,
  type MigrationReason,
  type PriceMigration,
  sumMigration,
} from '../domain/subscription/migrate-price.ts';
import type { Subscription } from '../domain/subscription/subscription.ts';
import type { RequestContext } from './context.ts';
import { tryChange } from './dry-run.ts';
import { presentMigrationPlan, presentReasons } from './presenters/price-migrations.ts';
import { asPreview, invoicesOf } from './preview.ts';
import { presentInvoices } from './read-objects.ts';

const SAMPLES = 10;
const PAGE = 500;

/**
 * What a migration would come to. Subscriptions with plans of their own are looked at one by one, all others counted by what they pay; the samples are billed by the functions that bill, each
 * in its customer's time. Nothing is written.
 */
export async function previewMigration(
  context: RequestContext,
  t: AccountTransaction,
  migration: PriceMigration,
  [from, to]: [Price, Price],
) {
  const groups: MigrationGroup[] = await groupCohort(t, migration);
  const excluded = new Map<string, { status: MigratedStatus; code: MigrationReason['code']; count: number }>();
  const samples: [Subscription, ChangePlan][] = [];
  const look = async (subscription: Subscription): Promise<boolean> => {
    const step = decideMigration(subscription, migration, await timeOf(context, t, subscription.id));
    if (step.do === 'change') {
      if (samples.length < SAMPLES) samples.push([subscription, step.command]);
      return true;
    }
    const status = step.do === 'skip' ? 'skipped' : 'failed';
    const key = `${status} ${step.reason.code}`;
    excluded.set(key, { status, code: step.reason.code, count: (excluded.get(key)?.count ?? 0) + 1 });
    return false;
  };

  for (const subscription of await readCohort(t, migration, { plain: true, after: '', limit: SAMPLES })) await look(subscription);
  for (let after = ''; ; ) {
    const page = await readCohort(t, migration, { plain: false, after, limit: PAGE });
    for (const subscription of page) {
      if (!(await look(subscription))) continue;
      for (const { priceId, quantity } of subscription.items)
        if (priceId === from.id) groups.push({ currency: subscription.currency, quantity, count: 1 });
    }
    if (page.length < PAGE) break;
    after = page.at(-1)?.id ?? '';
  }
  const shown = [];
  for (const [subscription, command] of samples) shown.push(await sampleOf(context, t, subscription.id, command));
  return {
    object: 'price_migration_preview' as const,
    ...presentMigrationPlan(migration),
    subscriptions: groups.reduce((sum, { count }) => sum + count, 0),
    reasons: presentReasons([...excluded.values()]),
    amounts: sumMigration(from, to, groups),
    samples: shown,
    livemode: context.account.livemode,
  };
}

const timeOf = async (context: RequestContext, t: AccountTransaction, subscriptionId: string): Promise<number> =>
  (context.account.livemode ? null : await findTestClockOf(t, { subscriptionId }))?.frozenTime ?? context.now();

async function sampleOf(context: RequestContext, t: AccountTransaction, id: string, command: ChangePlan) {
  try {
    const [next] = invoicesOf(await tryChange(t, id, command, { asOf: await timeOf(context, t, id) }), 1);
    const [invoice = null] = next === undefined ? [] : await presentInvoices(t, context.account, [asPreview(next)], true);
    return { subscription: id, invoice, refused: null };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { subscription: id, invoice: null, refused: { code: error.code, message: error.message } };
  }
}
