import type { CreditTopUp } from '../domain/credits/low-credit.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertOne, type TableShape, toRow, updateOne, updateRows } from './table.ts';

export const CREDIT_TOP_UPS: TableShape<CreditTopUp> = {
  table: 'credit_top_ups',
  keys: [
    'id',
    'customerId',
    'name',
    'currency',
    'threshold',
    'amount',
    'scope',
    'priority',
    'expiresAfter',
    'paymentMethodId',
    'maxPerMonth',
    'active',
    'count',
    'month',
    'monthCount',
    'pendingInvoiceId',
    'suspendedAt',
    'latestInvoiceId',
    'metadata',
    'createdAt',
    'updatedAt',
  ],
  instants: ['suspendedAt', 'createdAt', 'updatedAt'],
};

export const insertCreditTopUp = (t: AccountTransaction, given: CreditTopUp): Promise<void> => insertOne(t, CREDIT_TOP_UPS, given);
export const findCreditTopUp = (t: AccountTransaction, id: string): Promise<CreditTopUp | null> => findOne(t, CREDIT_TOP_UPS, id);
export const updateCreditTopUp = (t: AccountTransaction, { id, ...after }: CreditTopUp): Promise<CreditTopUp | null> =>
  updateOne(t, CREDIT_TOP_UPS, id, after);

export async function listCreditTopUps(t: AccountTransaction, query: Page & { customerId?: string }): Promise<List<CreditTopUp>> {
  const filter = new Filter().equal('customer_id', query.customerId);
  const { rows, hasMore } = await listRows(t, { table: 'credit_top_ups' }, query, filter);
  return { items: rows.map((row) => fromRow(CREDIT_TOP_UPS, row)), hasMore };
}

/** Of a customer, in no order. */
export async function readCreditTopUpsOf(t: AccountTransaction, customerId: string): Promise<CreditTopUp[]> {
  const { rows } = await t.run<{ row: Record<string, unknown> }>(
    'select to_jsonb(u) as row from credit_top_ups u where account_id = $1 and customer_id = $2',
    [t.accountId, customerId],
  );
  return rows.map(({ row }) => fromRow(CREDIT_TOP_UPS, row));
}

/** What decisions make of them. The caller holds the customer's row. */
export const writeTopUps = (t: AccountTransaction, topUps: readonly CreditTopUp[]): Promise<void> =>
  updateRows(
    t,
    'credit_top_ups',
    topUps.map(({ id, count, month, monthCount, pendingInvoiceId, suspendedAt, latestInvoiceId, updatedAt }) =>
      toRow(CREDIT_TOP_UPS, t.accountId, { id, count, month, monthCount, pendingInvoiceId, suspendedAt, latestInvoiceId, updatedAt }),
    ),
  );
