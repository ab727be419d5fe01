import type { CreditGrant, CreditTransaction } from '../domain/credits/grant.ts';
import type { Decision } from '../domain/decision.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertOne, insertRows, type TableShape, toRow, updateOne } from './table.ts';

export const CREDIT_GRANTS: TableShape<CreditGrant> = {
  table: 'credit_grants',
  keys: [
    'id',
    'customerId',
    'name',
    'category',
    'amount',
    'remaining',
    'currency',
    'scope',
    'priority',
    'effectiveAt',
    'expiresAt',
    'voidedAt',
    'recurring',
    'metadata',
    'createdAt',
    'updatedAt',
  ],
  instants: ['effectiveAt', 'expiresAt', 'voidedAt', 'createdAt', 'updatedAt'],
};

export const CREDIT_TRANSACTIONS: TableShape<CreditTransaction> = {
  table: 'credit_transactions',
  keys: ['id', 'grantId', 'customerId', 'type', 'amount', 'currency', 'invoiceId', 'invoiceLineId', 'effectiveAt', 'createdAt'],
  instants: ['effectiveAt', 'createdAt'],
};

export const insertCreditGrant = (t: AccountTransaction, given: CreditGrant): Promise<void> => insertOne(t, CREDIT_GRANTS, given);
export const findCreditGrant = (t: AccountTransaction, id: string): Promise<CreditGrant | null> => findOne(t, CREDIT_GRANTS, id);
export const updateCreditGrant = (t: AccountTransaction, { id, ...after }: CreditGrant): Promise<CreditGrant | null> =>
  updateOne(t, CREDIT_GRANTS, id, after);
export const findCreditTransaction = (t: AccountTransaction, id: string): Promise<CreditTransaction | null> =>
  findOne(t, CREDIT_TRANSACTIONS, id);

/** Of a customer, in no order. */
export async function readCreditGrantsOf(t: AccountTransaction, customerId: string): Promise<CreditGrant[]> {
  const { rows } = await t.run<{ row: Record<string, unknown> }>(
    'select to_jsonb(g) as row from credit_grants g where account_id = $1 and customer_id = $2',
    [t.accountId, customerId],
  );
  return rows.map(({ row }) => fromRow(CREDIT_GRANTS, row));
}

export async function listCreditGrants(t: AccountTransaction, query: Page & { customerId?: string }): Promise<List<CreditGrant>> {
  const filter = new Filter().equal('customer_id', query.customerId);
  const { rows, hasMore } = await listRows(t, { table: 'credit_grants' }, query, filter);
  return { items: rows.map((row) => fromRow(CREDIT_GRANTS, row)), hasMore };
}

/** In the order in which they were written, newest first. */
export async function listCreditTransactions(
  t: AccountTransaction,
  query: Page & { customerId?: string; grantId?: string },
): Promise<List<CreditTransaction>> {
  const filter = new Filter().equal('customer_id', query.customerId).equal('grant_id', query.grantId);
  const { rows, hasMore } = await listRows(t, { table: 'credit_transactions', order: ['position'] }, query, filter);
  return { items: rows.map((row) => fromRow(CREDIT_TRANSACTIONS, row)), hasMore };
}

/** What a decision has granted and moved. The caller holds the customer's row, so what is left of a grant is what the decision saw. */
export async function writeCredits(t: AccountTransaction, { credits }: Pick<Decision, 'credits'>): Promise<void> {
  await Promise.all([
    insertRows(
      t,
      'credit_grants',
      credits.grants.map((grant) => toRow(CREDIT_GRANTS, t.accountId, { ...grant, recurring: grant.recurring ?? null })),
      `on conflict (account_id, id) do update set remaining = excluded.remaining, expires_at = excluded.expires_at, recurring = excluded.recurring,
         updated_at = excluded.updated_at`,
    ),
    insertCreditTransactions(t, credits.transactions),
  ]);
}

export const insertCreditTransactions = (t: AccountTransaction, moved: readonly CreditTransaction[]): Promise<number> =>
  insertRows(
    t,
    'credit_transactions',
    moved.map((one) => toRow(CREDIT_TRANSACTIONS, t.accountId, one)),
  );
