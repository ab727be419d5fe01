import type { InstantRange } from '../db/list.ts';
import { badRequest } from './errors.ts';
import type { List } from './presenters/dialect.ts';

export interface PageInput {
  limit: number;
  starting_after?: string | undefined;
  ending_before?: string | undefined;
}

/** Cursor parameters in the database's words. @throws ApiError 400 when both cursors are given */
export function pageOf(input: PageInput): { limit: number; startingAfter?: string; endingBefore?: string } {
  if (input.starting_after !== undefined && input.ending_before !== undefined) {
    throw badRequest(
      'You may only specify one of these parameters: starting_after, ending_before.',
      'ending_before',
      'parameters_exclusive',
    );
  }
  return {
    limit: input.limit,
    ...(input.starting_after === undefined ? {} : { startingAfter: input.starting_after }),
    ...(input.ending_before === undefined ? {} : { endingBefore: input.ending_before }),
  };
}

/** The `created` filter, where there is one. */
export const createdIn = (created: InstantRange | undefined): { created?: InstantRange } => (created === undefined ? {} : { created });

export const listAnswer = <T>(url: string, data: T[], hasMore: boolean): List<T> => ({ object: 'list', data, has_more: hasMore, url });

/** A page of rows that are already in memory (items of a subscription, lines of an invoice), in their own order. */
export function pageInMemory<T extends { id: string }>(rows: readonly T[], input: PageInput): { items: T[]; hasMore: boolean } {
  const { limit, startingAfter, endingBefore } = pageOf(input);
  const cursor = startingAfter ?? endingBefore;
  const at = cursor === undefined ? -1 : rows.findIndex((row) => row.id === cursor);
  if (cursor !== undefined && at === -1) {
    throw badRequest(`No such object: '${cursor}'`, startingAfter === undefined ? 'ending_before' : 'starting_after', 'resource_missing');
  }
  if (endingBefore !== undefined) {
    const items = rows.slice(Math.max(0, at - limit), at);
    return { items, hasMore: at - limit > 0 };
  }
  const items = rows.slice(at + 1, at + 1 + limit);
  return { items, hasMore: rows.length > at + 1 + limit };
}
