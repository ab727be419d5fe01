import type { SubscriptionRecord } from '../domain/subscription/subscription-record.ts';
import type { AccountTransaction } from './client.ts';
import { headFromRow } from './invoices.ts';
import { PAYMENT_ATTEMPTS } from './payment-attempts.ts';
import { SUBSCRIPTION_JSON, subscriptionFromRow } from './subscriptions.ts';
import { fromRow, fromTimestamp, type Row } from './table.ts';

const ATTEMPTS_JSON = `(select coalesce(jsonb_agg(to_jsonb(a) order by a.number), '[]') from payment_attempts a
  where a.account_id = v.account_id and a.invoice_id = v.id)`;

/** Of the command that made an invoice; a renewal's says nothing. */
const BEHAVIOR = `(select o.payment_behavior from operations o where o.account_id = v.account_id and o.subscription_id = v.subscription_id
  and o.payment_behavior is not null and o.result -> 'invoice' ->> 'id' = v.id limit 1)`;

const READ = `
  select ${SUBSCRIPTION_JSON} as subscription, kept.generation,
    (select jsonb_build_object('id', k.id, 'at', k.frozen_time) from customers c join test_clocks k on k.account_id = c.account_id and k.id = c.test_clock_id
      where c.account_id = kept.account_id and c.id = kept.customer_id) as clock,
    (select coalesce(jsonb_agg(to_jsonb(v) || jsonb_build_object('payment_behavior', ${BEHAVIOR}, 'attempts', ${ATTEMPTS_JSON}) order by v.created_at, v.position), '[]')
      from invoices v where v.account_id = kept.account_id and (v.subscription_id = kept.id
        or v.customer_id = kept.customer_id and v.consolidation_key is not null and v.subscription_ids @> array[kept.id]) and (v.status in ('draft', 'open') or v.id = kept.pending_update ->> 'invoiceId')) as invoices,
    array(select l.operation_id from (select o.operation_id, o.recorded_at from operations o where o.account_id = kept.account_id and o.subscription_id = kept.id
      and o.actor not in ('workflow', 'dunning') order by o.recorded_at desc limit 20) l order by l.recorded_at) as answered
  from subscriptions kept where kept.account_id = $1 and kept.id = any($2::text[]) order by kept.id`;

/** What starting the workflows of these subscriptions anew takes, by id; those that there are. */
export async function readSubscriptionRecords(t: AccountTransaction, ids: readonly string[]): Promise<SubscriptionRecord[]> {
  const { rows } = await t.run<{ subscription: Row; generation: number; clock: Row | null; invoices: Row[]; answered: string[] }>(READ, [
    t.accountId,
    [...ids],
  ]);
  return rows.map(({ subscription, generation, clock, invoices, answered }) => ({
    subscription: subscriptionFromRow(subscription),
    generation,
    clock: clock && { id: String(clock['id']), at: fromTimestamp(String(clock['at'])) },
    invoices: invoices.map((row) => ({
      ...headFromRow(row),
      paymentBehavior: row['payment_behavior'] as SubscriptionRecord['invoices'][number]['paymentBehavior'],
      attempts: (row['attempts'] as Row[]).map((attempt) => fromRow(PAYMENT_ATTEMPTS, attempt)),
    })),
    answered,
  }));
}

/**
 * Ids, in their order, of the subscriptions that may have a workflow: those that have not ended, and those that have with an invoice that something is still to be done about.
 * @param after the last id of the page before
 */
export async function listUnfinishedSubscriptions(t: AccountTransaction, after: string, limit: number): Promise<string[]> {
  const { rows } = await t.run<{ id: string }>(
    `select s.id from subscriptions s where s.account_id = $1 and s.id > $2
       and (s.status not in ('canceled', 'incomplete_expired') or exists (
         select from invoices v where v.account_id = s.account_id and (v.subscription_id = s.id
           or v.customer_id = s.customer_id and v.consolidation_key is not null and v.subscription_ids @> array[s.id])
           and (v.status = 'draft' and v.auto_advance or v.status = 'open' and (not v.attempted or exists (
             select from payment_attempts a where a.account_id = v.account_id and a.invoice_id = v.id and a.status in ('created', 'processing', 'unknown'))))))
     order by s.id limit $3`,
    [t.accountId, after, limit],
  );
  return rows.map(({ id }) => id);
}
