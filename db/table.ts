import type { AccountTransaction } from './client.ts';

/**
 * How a domain object lies in its table: columns are its keys in snake_case, instants (unix seconds) are timestamptz. Rows travel as JSON in both
 * directions, so that one statement writes any number of them.
 */
export interface TableShape<T> {
  table: string;
  /** All keys that are columns. */
  keys: readonly (keyof T & string)[];
  instants: readonly (keyof T & string)[];
}

export type Row = Record<string, unknown>;

const snakeCases = new Map<string, string>();
export function snake(key: string): string {
  let name = snakeCases.get(key);
  if (name === undefined) {
    name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    snakeCases.set(key, name);
  }
  return name;
}

export const toTimestamp = (at: number): string => new Date(at * 1000).toISOString();
export const fromTimestamp = (text: string): number => Math.floor(Date.parse(text) / 1000);

export function toRow<T>(shape: TableShape<T>, accountId: string, given: Partial<T>, more: Row = {}): Row {
  const row: Row = { account_id: accountId, ...more };
  for (const key of shape.keys) {
    const value = given[key];
    if (value === undefined) continue;
    row[snake(key)] = typeof value === 'number' && shape.instants.includes(key) ? toTimestamp(value) : value;
  }
  return row;
}

/** `row` as `to_jsonb` gives it. */
export function fromRow<T>(shape: TableShape<T>, row: Row): T {
  const object: Row = {};
  for (const key of shape.keys) {
    const value = row[snake(key)];
    object[key] = typeof value === 'string' && shape.instants.includes(key) ? fromTimestamp(value) : value;
  }
  return object as T;
}

const quoted = (columns: string[]): string => columns.map((column) => `"${column}"`).join(', ');

/** Inserts rows (all with the same columns) in one statement; `clauses` go behind its `from … as given`. @returns how many were written */
export async function insertRows(t: AccountTransaction, table: string, rows: Row[], clauses = ''): Promise<number> {
  const first = rows[0];
  if (!first) return 0;
  const columns = quoted(Object.keys(first));
  const result = await t.run(
    `insert into ${table} (${columns}) select ${columns} from jsonb_populate_recordset(null::${table}, $1::jsonb) as given ${clauses}`,
    [JSON.stringify(rows)],
  );
  return result.rowCount ?? 0;
}

/** Updates the given columns of rows known by id, in one statement. */
export async function updateRows(t: AccountTransaction, table: string, rows: Row[]): Promise<void> {
  const first = rows[0];
  if (!first) return;
  const columns = Object.keys(first).filter((column) => column !== 'account_id' && column !== 'id');
  const sets = columns.map((column) => `"${column}" = given."${column}"`).join(', ');
  const result = await t.run(
    `update ${table} as kept set ${sets} from jsonb_populate_recordset(null::${table}, $1::jsonb) as given where kept.account_id = $2 and kept.id = given.id`,
    [JSON.stringify(rows), t.accountId],
  );
  if (result.rowCount !== rows.length)
    throw new Error(`${rows.length} rows of ${table} were to be updated and ${result.rowCount} were found`);
}

export async function insertOne<T extends object>(t: AccountTransaction, shape: TableShape<T>, given: T): Promise<void> {
  await insertRows(t, shape.table, [toRow(shape, t.accountId, given)]);
}

export async function findOne<T>(t: AccountTransaction, shape: TableShape<T>, id: string, forUpdate = false): Promise<T | null> {
  const { rows } = await t.run<{ row: Row }>(
    `select to_jsonb(kept) as row from ${shape.table} as kept where account_id = $1 and id = $2 ${forUpdate ? 'for no key update' : ''}`,
    [t.accountId, id],
  );
  return rows[0] ? fromRow(shape, rows[0].row) : null;
}

/** Changes the given fields of one row. @returns the row as it now is, or null where there is none */
export async function updateOne<T extends object>(
  t: AccountTransaction,
  shape: TableShape<T>,
  id: string,
  patch: Partial<T>,
): Promise<T | null> {
  const row = toRow(shape, t.accountId, patch, { id });
  if (Object.keys(row).length > 2) {
    const columns = Object.keys(row).filter((column) => column !== 'account_id' && column !== 'id');
    const sets = columns.map((column) => `"${column}" = given."${column}"`).join(', ');
    await t.trx.raw(
      `update ${shape.table} as kept set ${sets} from jsonb_populate_record(null::${shape.table}, ?::jsonb) as given where kept.account_id = ? and kept.id = ?`,
      [JSON.stringify(row), t.accountId, id],
    );
  }
  return findOne(t, shape, id);
}
