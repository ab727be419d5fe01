import type { PaymentMethod } from '../domain/payments/payment.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertOne, type TableShape, updateOne } from './table.ts';

export const PAYMENT_METHODS: TableShape<PaymentMethod> = {
  table: 'payment_methods',
  keys: ['id', 'customerId', 'type', 'gateway', 'gatewayReference', 'card', 'metadata', 'createdAt'],
  instants: ['createdAt'],
};

export const insertPaymentMethod = (t: AccountTransaction, given: PaymentMethod): Promise<void> => insertOne(t, PAYMENT_METHODS, given);
export const findPaymentMethod = (t: AccountTransaction, id: string): Promise<PaymentMethod | null> => findOne(t, PAYMENT_METHODS, id);
export const updatePaymentMethod = (t: AccountTransaction, id: string, patch: Partial<PaymentMethod>): Promise<PaymentMethod | null> =>
  updateOne(t, PAYMENT_METHODS, id, patch);

export async function listPaymentMethods(
  t: AccountTransaction,
  query: Page & { created?: InstantRange; customerId?: string; type?: string },
): Promise<List<PaymentMethod>> {
  const filter = new Filter().within('created_at', query.created).equal('customer_id', query.customerId).equal('type', query.type);
  const { rows, hasMore } = await listRows(t, { table: 'payment_methods' }, query, filter);
  return { items: rows.map((row) => fromRow(PAYMENT_METHODS, row)), hasMore };
}
