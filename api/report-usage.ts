import { withAccount } from '../db/client.ts';
import { findThresholds } from '../db/find-thresholds.ts';
import { USAGE_INTERVAL } from '../workflows/messages.ts';
import type { ApiDeps } from './context.ts';

/** Tells the subscriptions of these customers that something was used, where that may bill it early. */
export type UsageReport = (accountId: string, customerIds: readonly string[]) => Promise<void>;

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

  return async (accountId, customerIds) => {
    if (customerIds.length === 0) return;
    try {
      const watched = await withAccount(db, accountId, (t) => findThresholds(t, [...new Set(customerIds)]));
      forget();
      for (const { id, frozen } of watched) {
        const last = told.get(id);
        const at = now();
        if (!frozen && last !== undefined && at - last < USAGE_INTERVAL) continue;
        await commands.usageReported(id);
        told.set(id, at);
      }
    } catch (error) {
      log.warn({ accountId, error }, 'usage was recorded, and its thresholds could not be told');
    }
  };
}

const REMEMBERED = 10_000;
