import type { AccountTransaction } from './client.ts';

/** A living subscription that may bill usage early. */
export interface WatchedSubscription {
  id: string;
  /** Whether its time is a test clock's. */
  frozen: boolean;
}

/** Those of these customers: one look into a small index, however many subscriptions without thresholds they have. */
export async function findThresholds(t: AccountTransaction, customerIds: readonly string[]): Promise<WatchedSubscription[]> {
  const { rows } = await t.run<WatchedSubscription>(
    `select s.id, c.test_clock_id is not null as frozen from subscriptions s join customers c on c.account_id = s.account_id and c.id = s.customer_id
     where s.account_id = $1 and s.customer_id = any($2::text[]) and s.has_thresholds and s.status in ('active', 'past_due') order by s.id`,
    [t.accountId, customerIds],
  );
  return rows;
}
