import type { Instant } from '../domain/time.ts';
import type { AccountTransaction } from './client.ts';
import { toTimestamp } from './table.ts';

/** A living subscription that looks at what is used before its period ends. */
export interface WatchedSubscription {
  id: string;
  /** Whether its time is a test clock's. */
  frozen: boolean;
}

/** That a customer has used something, `at` at the earliest. */
export interface Used {
  customerId: string;
  at: Instant;
}

const WATCHED = `select s.id, c.test_clock_id is not null as frozen from subscriptions s join customers c on c.account_id = s.account_id and c.id = s.customer_id
  where s.account_id = $1 and s.customer_id = any($2::text[]) and s.status in ('active', 'past_due')`;

/** Those of these customers that have thresholds, or whose customer buys credit when little is left: looks into small indexes, however many subscriptions without they have. */
export async function findThresholds(t: AccountTransaction, customerIds: readonly string[]): Promise<WatchedSubscription[]> {
  return (
    await t.run<WatchedSubscription>(
      `${WATCHED} and s.has_thresholds union ${WATCHED} and s.customer_id = any(array(
       select customer_id from credit_top_ups where account_id = $1 and customer_id = any($2::text[]) and active)) order by id`,
      [t.accountId, customerIds],
    )
  ).rows;
}

/** Those that have billed time to which some of this usage belongs. */
export async function findBilledLate(t: AccountTransaction, used: readonly Used[]): Promise<WatchedSubscription[]> {
  const { rows } = await t.run<WatchedSubscription>(
    `${WATCHED} and exists (select from usage_periods p join unnest($2::text[], $3::timestamptz[]) as u (customer_id, at) on u.customer_id = s.customer_id
       where p.account_id = $1 and p.subscription_id = s.id and not p.runs_on and p."end" > u.at) order by s.id`,
    [t.accountId, used.map(({ customerId }) => customerId), used.map(({ at }) => toTimestamp(at))],
  );
  return rows;
}
