import { Refusal } from '../domain/errors.ts';
import type { AccountTransaction } from './client.ts';
import { type Row, toTimestamp } from './table.ts';

/** A page as Stripe asks for it: newest first; `startingAfter` and `endingBefore` are ids of the list. */
export interface Page {
  limit: number;
  startingAfter?: string | undefined;
  endingBefore?: string | undefined;
}

/** Bounds on an instant, unix seconds; a bare number means exactly then. */
export type InstantRange =
  | number
  | { gt?: number | undefined; gte?: number | undefined; lt?: number | undefined; lte?: number | undefined };

export interface List<T> {
  items: T[];
  hasMore: boolean;
}

/** Conditions of a list, each a piece of SQL with its values. Undefined filters fall away. */
export class Filter {
  readonly conditions: string[] = [];
  readonly values: unknown[] = [];

  add(sql: string, ...values: unknown[]): this {
    this.conditions.push(sql);
    this.values.push(...values);
    return this;
  }

  equal(column: string, value: string | boolean | undefined): this {
    return value === undefined ? this : this.add(`kept.${column} = ?`, value);
  }

  anyOf(column: string, values: readonly string[] | undefined): this {
    return values === undefined ? this : this.add(`kept.${column} = any(?)`, values);
  }

  within(column: string, range: InstantRange | undefined): this {
    if (range === undefined) return this;
    if (typeof range === 'number')
      return this.add(`kept.${column} >= ? and kept.${column} < ?`, toTimestamp(range), toTimestamp(range + 1));
    const bounds = [
      ['>', range.gt],
      ['>=', range.gte],
      ['<', range.lt],
      ['<=', range.lte],
    ] as const;
    for (const [operator, bound] of bounds) if (bound !== undefined) this.add(`kept.${column} ${operator} ?`, toTimestamp(bound));
    return this;
  }
}

/**
 * One page, newest first (or oldest first) by `order` (columns that together are unique), which unless told is when rows were created and, within a second, when they were written. `select` is what is read of the row `kept`, as one JSON column.
 * @throws Refusal resource_missing where the cursor is no row of the account
 */
export async function listRows(
  t: AccountTransaction,
  {
    table,
    select = 'to_jsonb(kept)',
    order = ['created_at', 'position'],
    oldestFirst = false,
  }: { table: string; select?: string; order?: string[]; oldestFirst?: boolean },
  page: Page,
  filter: Filter = new Filter(),
): Promise<{ rows: Row[]; hasMore: boolean }> {
  const backwards = page.endingBefore !== undefined;
  const ascending = backwards !== oldestFirst;
  const cursor = page.endingBefore ?? page.startingAfter;
  const key = order.map((column) => `kept.${column}`).join(', ');
  const conditions = ['kept.account_id = ?', ...filter.conditions];
  const values = [t.accountId, ...filter.values];
  if (cursor !== undefined) {
    const { rows } = await t.trx.raw(`select 1 from ${table} where account_id = ? and id = ?`, [t.accountId, cursor]);
    if (rows.length === 0)
      throw new Refusal('resource_missing', `No such object: '${cursor}'`, backwards ? 'ending_before' : 'starting_after');
    conditions.push(`(${key}) ${ascending ? '>' : '<'} (select ${order.join(', ')} from ${table} where account_id = ? and id = ?)`);
    values.push(t.accountId, cursor);
  }
  const direction = ascending ? 'asc' : 'desc';
  const { rows } = await t.trx.raw(
    `select ${select} as row from ${table} as kept where ${conditions.join(' and ')} order by ${order.map((column) => `kept.${column} ${direction}`).join(', ')} limit ?`,
    [...(values as never[]), page.limit + 1],
  );
  const found = (rows as { row: Row }[]).slice(0, page.limit).map(({ row }) => row);
  return { rows: backwards ? found.reverse() : found, hasMore: rows.length > page.limit };
}
