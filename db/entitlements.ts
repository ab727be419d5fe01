import type { Decision } from '../domain/decision.ts';
import { type ActiveEntitlement, ENTITLING, type EntitlementSummary } from '../domain/entitlements/feature.ts';
import type { Instant } from '../domain/time.ts';
import type { AccountTransaction } from './client.ts';
import { appendEvents, type NewEvent } from './events.ts';
import { Filter, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, type Row, type TableShape, toTimestamp } from './table.ts';

const ACTIVE_ENTITLEMENTS: TableShape<ActiveEntitlement> = {
  table: 'active_entitlements',
  keys: ['id', 'customerId', 'featureId', 'lookupKey', 'limit', 'createdAt'],
  instants: ['createdAt'],
};

/**
 * What the customers are entitled to now, against what is written: what is gone goes, what came comes, a limit that moved moves. The id says customer and feature, so a retry and a
 * return find the same one. Answers who has changed, in what.
 */
const GRANT = `
  with wanted as (
    select s.customer_id, f.id as feature_id, f.lookup_key, case when bool_or(pf."limit" is null) then null else max(pf."limit") end as "limit"
    from subscriptions s
      join subscription_items i on i.account_id = s.account_id and i.subscription_id = s.id and not i.removed
      join prices p on p.account_id = i.account_id and p.id = i.price_id
      join product_features pf on pf.account_id = p.account_id
        and (pf.product_id = p.product_id or p.bundle @> jsonb_build_array(jsonb_build_object('productId', pf.product_id)))
      join features f on f.account_id = pf.account_id and f.id = pf.feature_id
    where s.account_id = $1 and s.customer_id = any($2::text[]) and s.status = any($3::text[])
    group by s.customer_id, f.id, f.lookup_key
  ), gone as (
    delete from active_entitlements e where e.account_id = $1 and e.customer_id = any($2::text[])
      and not exists (select from wanted w where w.customer_id = e.customer_id and w.feature_id = e.feature_id)
    returning e.customer_id
  ), came as (
    insert into active_entitlements (account_id, id, customer_id, feature_id, lookup_key, "limit", created_at)
    select $1, 'ent_' || left(md5(w.customer_id || ' ' || w.feature_id), 24), w.customer_id, w.feature_id, w.lookup_key, w."limit", $4 from wanted w
    on conflict (account_id, id) do update set "limit" = excluded."limit" where active_entitlements."limit" is distinct from excluded."limit"
    returning customer_id
  )
  select customer_id as "customerId" from gone union select customer_id from came order by 1`;

// Held shared by every decision that may change what a customer is entitled to, and alone by whoever changes what a product gives: each sees what the other wrote.
const HOLD = (shared: boolean): string =>
  `select pg_advisory_xact_lock${shared ? '_shared' : ''}(hashtextextended($1 || ' entitlements', 0))`;

/** Whether a decision may change what its customer is entitled to. */
function touches({ events }: Decision): boolean {
  return events.some(
    ({ objectType, previous }) => objectType === 'subscription' && (previous === null || 'status' in previous || 'items' in previous),
  );
}

/** Brings the entitlements of the decision's customer up to date, where it may change them, after its subscription is written. @returns the events of it, to be appended */
export async function grantEntitlements(t: AccountTransaction, decision: Decision, asOf: Instant): Promise<NewEvent[]> {
  const changed = decision.subscription ?? decision.others?.[0]?.subscription;
  if (!changed || !touches(decision)) return [];
  const customers = [changed.customerId];
  // Sent together, run one after the other.
  const [, { rows }] = await Promise.all([t.run(HOLD(true), [t.accountId]), runGrant(t, customers, asOf)]);
  return rows.length === 0 ? [] : summaries(t, customers, asOf);
}

const runGrant = (t: AccountTransaction, customers: readonly string[], asOf: Instant) =>
  t.run<{ customerId: string }>(GRANT, [t.accountId, customers, ENTITLING, toTimestamp(asOf)]);

/** Changes what a product gives (`change`), and with it what everybody is entitled to who subscribes to it, a thousand customers at a time. */
export async function changeProductFeatures(
  t: AccountTransaction,
  { productId, asOf, actor }: { productId: string; asOf: Instant; actor: string | null },
  change: () => Promise<void>,
): Promise<void> {
  await t.run(HOLD(false), [t.accountId]);
  await change();
  const { rows } = await t.run<{ id: string }>(
    `select distinct s.customer_id as id from prices p
       join subscription_items i on i.account_id = p.account_id and i.price_id = p.id and not i.removed
       join subscriptions s on s.account_id = i.account_id and s.id = i.subscription_id
     where p.account_id = $1 and (p.product_id = $2 or p.bundle @> jsonb_build_array(jsonb_build_object('productId', $2::text))) and s.status = any($3::text[]) order by 1`,
    [t.accountId, productId, ENTITLING],
  );
  for (let from = 0; from < rows.length; from += 1000) {
    const customers = rows.slice(from, from + 1000).map(({ id }) => id);
    const changed = (await runGrant(t, customers, asOf)).rows.map(({ customerId }) => customerId);
    if (changed.length > 0) await appendEvents(t, await summaries(t, changed, asOf), { operationId: null, actor, subscriptionId: null });
  }
}

async function summaries(t: AccountTransaction, customers: readonly string[], asOf: Instant): Promise<NewEvent[]> {
  const { rows } = await t.run<{ row: Row }>(
    'select to_jsonb(e) as row from active_entitlements e where account_id = $1 and customer_id = any($2::text[]) order by customer_id, lookup_key',
    [t.accountId, customers],
  );
  const all = rows.map(({ row }) => fromRow(ACTIVE_ENTITLEMENTS, row));
  return customers.map((customerId): NewEvent => {
    const data: EntitlementSummary = {
      id: `ents_${customerId}`,
      customerId,
      entitlements: all.filter((entitlement) => entitlement.customerId === customerId),
    };
    return {
      type: 'entitlements.active_entitlement_summary.updated',
      objectType: 'active_entitlement_summary',
      objectId: data.id,
      data,
      previous: null,
      occurredAt: asOf,
    };
  });
}

export const findEntitlement = (t: AccountTransaction, id: string): Promise<ActiveEntitlement | null> =>
  findOne(t, ACTIVE_ENTITLEMENTS, id);

/** What a customer is entitled to; with a lookup key whether they are, and how much of it. */
export async function listEntitlements(
  t: AccountTransaction,
  query: Page & { customerId: string; lookupKey?: string },
): Promise<List<ActiveEntitlement>> {
  const filter = new Filter().equal('customer_id', query.customerId).equal('lookup_key', query.lookupKey);
  const { rows, hasMore } = await listRows(t, { table: 'active_entitlements' }, query, filter);
  return { items: rows.map((row) => fromRow(ACTIVE_ENTITLEMENTS, row)), hasMore };
}
