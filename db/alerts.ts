import { compareDecimals } from '../domain/money.ts';
import type { Instant } from '../domain/time.ts';
import { type AlertTriggered, addsUp, type UsageAlert, watch } from '../domain/usage/alert.ts';
import type { Meter } from '../domain/usage/meter.ts';
import type { MeasuredEvent } from '../domain/usage/meter-event.ts';
import type { AccountTransaction } from './client.ts';
import { appendEvents } from './events.ts';
import { Filter, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertOne, type Row, type TableShape, toTimestamp, updateOne } from './table.ts';

const ALERTS: TableShape<UsageAlert> = {
  table: 'billing_alerts',
  keys: ['id', 'title', 'meterId', 'customerId', 'gte', 'status', 'createdAt'],
  instants: ['createdAt'],
};

export const insertAlert = (t: AccountTransaction, given: UsageAlert): Promise<void> => insertOne(t, ALERTS, given);

/** The row is locked, so that what changes it is told of as it was. */
export const findAlert = (t: AccountTransaction, id: string): Promise<UsageAlert | null> => findOne(t, ALERTS, id, true);

/** Active ones and inactive ones. */
export async function listAlerts(t: AccountTransaction, query: Page & { meterId?: string | undefined }): Promise<List<UsageAlert>> {
  const filter = new Filter().add(`kept.status <> 'archived'`).equal('meter_id', query.meterId);
  const { rows, hasMore } = await listRows(t, { table: 'billing_alerts' }, query, filter);
  return { items: rows.map((row) => fromRow(ALERTS, row)), hasMore };
}

/** How many alerts there are of a meter for one customer, or for all; nobody else makes one of the meter until the end of the transaction. */
export async function countAlerts(
  t: AccountTransaction,
  { meterId, customerId }: Pick<UsageAlert, 'meterId' | 'customerId'>,
): Promise<number> {
  await t.run('select from meters where account_id = $1 and id = $2 for no key update', [t.accountId, meterId]);
  const { rows } = await t.run<{ count: number }>(
    `select count(*)::int as count from billing_alerts where account_id = $1 and meter_id = $2 and customer_id is not distinct from $3 and status <> 'archived'`,
    [t.accountId, meterId, customerId],
  );
  return rows[0]?.count ?? 0;
}

/** Of one that is activated again everything is counted anew, so that it may be set off again. */
export async function changeAlert(t: AccountTransaction, id: string, status: UsageAlert['status']): Promise<UsageAlert | null> {
  if (status === 'active') await t.run('delete from billing_alert_tallies where account_id = $1 and alert_id = $2', [t.accountId, id]);
  return updateOne(t, ALERTS, id, { status });
}

const ADD = `
insert into billing_alert_tallies as kept (account_id, alert_id, customer_id, adds, usage)
select $1, g.* from unnest($2::text[], $3::text[], $4::boolean[], $5::numeric[]) as g (alert_id, customer_id, adds, usage) order by 2, 3
on conflict (account_id, alert_id, customer_id) do update
  set usage = case when kept.adds then kept.usage + excluded.usage else greatest(kept.usage, excluded.usage) end where kept.triggered_at is null
returning alert_id, customer_id, usage::text as value`;

/**
 * Counts events that have just been kept for the alerts of their meters, and tells of those that they set off, in the transaction that keeps them: once for each customer, whoever dies when. The account's
 * sequence is held, so nobody else counts meanwhile. `meters` those of the events; `nowOf` the time in which a customer lives.
 */
export async function countForAlerts(
  t: AccountTransaction,
  { events, meters, nowOf }: { events: readonly MeasuredEvent[]; meters: readonly Meter[]; nowOf: (customerId: string) => Instant },
): Promise<void> {
  const { rows: found } = await t.run<{ row: Row }>(
    `select to_jsonb(a) as row from billing_alerts a where account_id = $1 and meter_id = any($2::text[]) and status = 'active' order by created_at, position`,
    [t.accountId, meters.map(({ id }) => id)],
  );
  if (found.length === 0) return;
  const formulas = new Map(meters.map(({ id, formula }) => [id, formula]));
  const alerts = new Map(found.map(({ row }) => fromRow(ALERTS, row)).map((alert) => [alert.id, alert]));
  const watched = watch([...alerts.values()], formulas, events);
  if (watched.length === 0) return;
  const { rows } = await t.run<{ alert_id: string; customer_id: string; value: string }>(ADD, [
    t.accountId,
    watched.map(({ alert }) => alert.id),
    watched.map(({ customerId }) => customerId),
    watched.map(({ alert }) => addsUp(formulas.get(alert.meterId) ?? 'sum')),
    watched.map(({ usage }) => usage),
  ]);
  const triggered = rows.flatMap(({ alert_id: alertId, customer_id: customerId, value }): AlertTriggered[] => {
    const alert = alerts.get(alertId);
    return alert && compareDecimals(value, String(alert.gte)) >= 0 ? [{ alert, customerId, value, createdAt: nowOf(customerId) }] : [];
  });
  if (triggered.length === 0) return;
  await t.run(
    `update billing_alert_tallies k set triggered_at = g.at from unnest($2::text[], $3::text[], $4::timestamptz[]) as g (alert_id, customer_id, at)
     where k.account_id = $1 and k.alert_id = g.alert_id and k.customer_id = g.customer_id`,
    [
      t.accountId,
      triggered.map(({ alert }) => alert.id),
      triggered.map(({ customerId }) => customerId),
      triggered.map(({ createdAt }) => toTimestamp(createdAt)),
    ],
  );
  await appendEvents(
    t,
    triggered.map((data) => ({
      type: 'billing.alert.triggered',
      objectType: 'alert_triggered',
      objectId: data.alert.id,
      data,
      previous: null,
      occurredAt: data.createdAt,
    })),
    { operationId: null, actor: null, subscriptionId: null },
  );
}
