import type { Quote } from '../domain/quote/quote.ts';
import type { QuoteStatus } from '../domain/quote/transitions.ts';
import type { Instant } from '../domain/time.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertRows, type Row, type TableShape, toRow, updateOne } from './table.ts';

const QUOTES: TableShape<Quote> = {
  table: 'quotes',
  keys: [
    'id',
    'customerId',
    'status',
    'number',
    'currency',
    'lines',
    'amounts',
    'defaultTaxRateIds',
    'discounts',
    'collectionMethod',
    'daysUntilDue',
    'expiresAt',
    'effectiveDate',
    'trialPeriodDays',
    'subscriptionDescription',
    'subscriptionMetadata',
    'description',
    'header',
    'footer',
    'metadata',
    'fromQuoteId',
    'isRevision',
    'subscriptionId',
    'scheduleId',
    'accepted',
    'createdAt',
    'finalizedAt',
    'acceptedAt',
    'canceledAt',
  ],
  instants: ['expiresAt', 'effectiveDate', 'createdAt', 'finalizedAt', 'acceptedAt', 'canceledAt'],
};

/** The first one of an id stays. @returns whether it was written */
export const insertQuote = async (t: AccountTransaction, quote: Quote): Promise<boolean> =>
  (await insertRows(t, 'quotes', [toRow(QUOTES, t.accountId, quote)], 'on conflict do nothing')) === 1;

export const updateQuote = (t: AccountTransaction, id: string, patch: Partial<Quote>): Promise<Quote | null> =>
  updateOne(t, QUOTES, id, patch);

/** `lock`: nobody else changes it until the transaction ends. */
export const findQuote = (t: AccountTransaction, id: string, { lock = false } = {}): Promise<Quote | null> => findOne(t, QUOTES, id, lock);

/** Writes that a quote was accepted. */
export async function writeAcceptance(t: AccountTransaction, { id, status, accepted, acceptedAt }: Quote): Promise<void> {
  await updateOne(t, QUOTES, id, { status, accepted, acceptedAt });
}

export async function listQuotes(
  t: AccountTransaction,
  query: Page & { customerId?: string | undefined; status?: QuoteStatus | undefined },
): Promise<List<Quote>> {
  const filter = new Filter().equal('customer_id', query.customerId).equal('status', query.status);
  const { rows, hasMore } = await listRows(t, { table: 'quotes' }, query, filter);
  return { items: rows.map((row) => fromRow(QUOTES, row)), hasMore };
}

/** The next number of the account's series. */
export async function drawQuoteNumber(t: AccountTransaction): Promise<number> {
  const { rows } = await t.run<{ drawn: number }>(
    `insert into quote_number_series (account_id, next_number) values ($1, 2)
     on conflict (account_id) do update set next_number = quote_number_series.next_number + 1 returning next_number - 1 as drawn`,
    [t.accountId],
  );
  return rows[0]?.drawn ?? 1;
}

/** Quotes that may still expire, with the test clock of their customer; by id, from the one after `after` on. */
export async function listUnsettledQuotes(
  t: AccountTransaction,
  after: string,
  limit: number,
): Promise<{ id: string; expiresAt: Instant; clock: { id: string; at: Instant } | null }[]> {
  const { rows } = await t.run<{ row: Row; clock_id: string | null; at: string | null }>(
    `select to_jsonb(q) as row, k.id as clock_id, extract(epoch from k.frozen_time)::bigint::text as at
     from quotes q join customers c on c.account_id = q.account_id and c.id = q.customer_id
       left join test_clocks k on k.account_id = c.account_id and k.id = c.test_clock_id
     where q.account_id = $1 and q.status in ('draft', 'open') and q.id > $2 order by q.id limit $3`,
    [t.accountId, after, limit],
  );
  return rows.map(({ row, clock_id: clock, at }) => {
    const { id, expiresAt } = fromRow(QUOTES, row);
    return { id, expiresAt, clock: clock === null ? null : { id: clock, at: Number(at) } };
  });
}

/** Ids of a customer's quotes that may still expire. */
export async function listUnsettledQuotesOf(t: AccountTransaction, customerId: string): Promise<string[]> {
  const { rows } = await t.run<{ id: string }>(
    `select id from quotes where account_id = $1 and customer_id = $2 and status in ('draft', 'open') order by created_at, position`,
    [t.accountId, customerId],
  );
  return rows.map(({ id }) => id);
}
