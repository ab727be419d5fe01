import { withAccount } from '../db/client.ts';
import { findBilledLate, findThresholds, type Used } from '../db/find-thresholds.ts';
import type { Account } from '../domain/account.ts';
import { USAGE_INTERVAL } from '../workflows/messages.ts';
import type { ApiDeps } from './context.ts';

/** Tells the subscriptions of these customers that something was used, where that may be billed before their periods end. */
export type UsageReport = (account: Account, used: readonly Used[]) => Promise<void>;

/**
 * One look at the database per write of events, and at most one signal per subscription and `USAGE_INTERVAL`: a subscription that is told looks again when that is over, and sees what came meanwhile. On a test
 * clock time does not pass, so each is told. What was reported is durable before; where telling fails, the next report, or the same one again, tells.
 */
export function usageReport({ db, commands, log, now }: Pick<ApiDeps, 'db' | 'commands' | 'log' | 'now'>): UsageReport {
  const told = new Map<string, number>();

  /** Old ones are as good as none. */
  const forget = (): void => {
    if (told.size < REMEMBERED) return;
    for (const [id, at] of told) if (now() - at >= USAGE_INTERVAL) told.delete(id);
  };

  return async (account, used) => {
    const earliest = earliestOf(used);
    if (earliest.length === 0) return;
    try {
      const found = await withAccount(db, account.id, async (t) => [
        ...(await findThresholds(
          t,
          earliest.map(({ customerId }) => customerId),
        )),
        ...(account.lateUsage === 'rerate' ? await findBilledLate(t, earliest) : []),
      ]);
      forget();
      for (const [id, frozen] of new Map(found.map((one) => [one.id, one.frozen]))) {
        const last = told.get(id);
        const at = now();
        if (!frozen && last !== undefined && at - last < USAGE_INTERVAL) continue;
        await commands.usageReported(id);
        told.set(id, at);
      }
    } catch (error) {
      log.warn({ accountId: account.id, error }, 'usage was recorded, and nobody could be told of it');
    }
  };
}

/** Each customer once, with the earliest of its usage. */
function earliestOf(used: readonly Used[]): Used[] {
  const earliest = new Map<string, Used>();
  for (const one of used) if (one.at < (earliest.get(one.customerId)?.at ?? Number.POSITIVE_INFINITY)) earliest.set(one.customerId, one);
  return [...earliest.values()];
}

const REMEMBERED = 10_000;
