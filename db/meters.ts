import type { Meter } from '../domain/usage/meter.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertOne, type Row, type TableShape, updateOne } from './table.ts';

export const METERS: TableShape<Meter> = {
  table: 'meters',
  keys: [
    'id',
    'displayName',
    'eventName',
    'formula',
    'customerKey',
    'valueKey',
    'eventTimeWindow',
    'filters',
    'groupBy',
    'status',
    'deactivatedAt',
    'createdAt',
    'updatedAt',
  ],
  instants: ['deactivatedAt', 'createdAt', 'updatedAt'],
};

export const insertMeter = (t: AccountTransaction, given: Meter): Promise<void> => insertOne(t, METERS, given);
export const findMeter = (t: AccountTransaction, id: string): Promise<Meter | null> => findOne(t, METERS, id);
export const updateMeter = (t: AccountTransaction, id: string, patch: Partial<Meter>): Promise<Meter | null> =>
  updateOne(t, METERS, id, patch);

export async function listMeters(t: AccountTransaction, query: Page & { status?: Meter['status'] }): Promise<List<Meter>> {
  const { rows, hasMore } = await listRows(t, { table: 'meters' }, query, new Filter().equal('status', query.status));
  return { items: rows.map((row) => fromRow(METERS, row)), hasMore };
}

/** The meters of events, by name: the active one, else the one that was changed last. */
export async function metersByEventName(t: AccountTransaction, names: readonly string[]): Promise<Map<string, Meter>> {
  const { rows } = await t.run<{ row: Row }>(
    `select to_jsonb(m) as row from meters m where account_id = $1 and event_name = any($2::text[]) order by status = 'active', updated_at, id`,
    [t.accountId, [...new Set(names)]],
  );
  return new Map(rows.map(({ row }) => fromRow(METERS, row)).map((meter) => [meter.eventName, meter]));
}
