import type { AccountTransaction } from './client.ts';

const insert = (table: 'operations' | 'events', key: 'operation_id' | 'event_id', id: string): string => `
  insert into timeline_shares (account_id, subscription_id, position, ${key})
  select x.account_id, given.subscription_id, x.position, x.${id} from jsonb_to_recordset($2::jsonb) as given (id text, subscription_id text)
  join ${table} x on x.account_id = $1 and x.${id} = given.id where given.subscription_id is distinct from x.subscription_id`;
const INSERT = { operations: insert('operations', 'operation_id', 'operation_id'), events: insert('events', 'event_id', 'id') };

/** Makes operations or events that are written a part of the timelines of further subscriptions. Nothing is written where there are none. */
export async function shareOnTimelines(
  t: AccountTransaction,
  table: keyof typeof INSERT,
  shared: readonly { id: string; subscriptionIds: readonly string[] }[],
): Promise<void> {
  const pairs = shared.flatMap(({ id, subscriptionIds }) => subscriptionIds.map((subscription_id) => ({ id, subscription_id })));
  if (pairs.length > 0) await t.run(INSERT[table], [t.accountId, JSON.stringify(pairs)]);
}
