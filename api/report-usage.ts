import { withAccount } from '../db/client.ts';
import { findBilledLate, findThresholds, type Used, type WatchedSubscription } from '../db/find-thresholds.ts';
import type { Account } from '../domain/account.ts';
import { USAGE_INTERVAL } from '../workflows/messages.ts';
import type { ApiDeps } from './context.ts';

/** Tells the subscriptions of these customers that something was used, where that may be billed before their periods end. */
export type UsageReport = (account: Account, used: readonly Used[]) => Promise<void>;

/**
 * One look at the database at a time for each account, for all that was reported meanwhile, and at most one signal per subscription and `USAGE_INTERVAL`: a subscription that is told looks again when that is
 * over, and sees what came meanwhile. On a test clock time does not pass, so each is told. What was reported is durable before; where telling fails, the next report, or the same one again, tells.
 */
export function usageReport({ db, commands, log, now }: Pick<ApiDeps, 'db' | 'commands' | 'log' | 'now'>): UsageReport {
  const told = new Map<string, number>();
  const looking = new Map<string, Promise<unknown>>();
  const waiting = new Map<string, { used: Used[]; answer: Promise<void> }>();

  /** Old ones are as good as none. */
  const forget = (): void => {
    if (told.size < REMEMBERED) return;
    for (const [id, at] of told) if (now() - at >= USAGE_INTERVAL) told.delete(id);
  };

  const look = (account: Account, used: readonly Used[]): Promise<WatchedSubscription[]> =>
    withAccount(db, account.id, async (t) => {
      const earliest = earliestOf(used);
      const customerIds = earliest.map(({ customerId }) => customerId);
      const late = account.lateUsage === 'rerate' ? await findBilledLate(t, earliest) : [];
      return [...(await findThresholds(t, customerIds)), ...late];
    });

  const tell = async (id: string, frozen: boolean): Promise<void> => {
    const last = told.get(id);
    const at = now();
    if (!frozen && last !== undefined && at - last < USAGE_INTERVAL) return;
    told.set(id, at);
    await commands.usageReported(id).catch((error: unknown) => {
      told.delete(id);
      throw error;
    });
  };

  const report = async (account: Account, before: Promise<unknown>, used: readonly Used[]): Promise<void> => {
    try {
      const found = before.then(() => {
        waiting.delete(account.id);
        return look(account, used);
      });
      const looked = found.catch(() => undefined);
      looking.set(account.id, looked);
      const watched = await found.finally(() => {
        if (looking.get(account.id) === looked) looking.delete(account.id);
      });
      forget();
      await Promise.all([...new Map(watched.map((one) => [one.id, one.frozen]))].map(([id, frozen]) => tell(id, frozen)));
    } catch (error) {
      log.warn({ accountId: account.id, error }, 'usage was recorded, and nobody could be told of it');
    }
  };

  return (account, used) => {
    if (used.length === 0) return Promise.resolve();
    const next = waiting.get(account.id);
    if (next !== undefined) {
      next.used.push(...used);
      return next.answer;
    }
    const all = [...used];
    const answer = report(account, looking.get(account.id) ?? Promise.resolve(), all);
    waiting.set(account.id, { used: all, answer });
    return answer;
  };
}

/** Each customer once, with the earliest of its usage. */
function earliestOf(used: readonly Used[]): Used[] {
  const earliest = new Map<string, Used>();
  for (const one of used) if (one.at < (earliest.get(one.customerId)?.at ?? Number.POSITIVE_INFINITY)) earliest.set(one.customerId, one);
  return [...earliest.values()];
}

const REMEMBERED = 10_000;
