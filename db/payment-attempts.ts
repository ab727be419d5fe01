import type { PaymentAttempt } from '../domain/payments/payment.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, type TableShape } from './table.ts';

export const PAYMENT_ATTEMPTS: TableShape<PaymentAttempt> = {
  table: 'payment_attempts',
  keys: [
    'id',
    'invoiceId',
    'customerId',
    'number',
    'operationId',
    'gateway',
    'paymentMethodId',
    'idempotencyKey',
    'gatewayReference',
    'amount',
    'currency',
    'status',
    'declineCode',
    'declineMessage',
    'createdAt',
    'resolvedAt',
  ],
  instants: ['createdAt', 'resolvedAt'],
};

export const findPaymentAttempt = (t: AccountTransaction, id: string): Promise<PaymentAttempt | null> => findOne(t, PAYMENT_ATTEMPTS, id);

export async function listPaymentAttempts(
  t: AccountTransaction,
  query: Page & { created?: InstantRange; invoiceId?: string; customerId?: string },
): Promise<List<PaymentAttempt>> {
  const filter = new Filter()
    .within('created_at', query.created)
    .equal('invoice_id', query.invoiceId)
    .equal('customer_id', query.customerId);
  const { rows, hasMore } = await listRows(t, { table: 'payment_attempts', order: ['created_at', 'number', 'id'] }, query, filter);
  return { items: rows.map((row) => fromRow(PAYMENT_ATTEMPTS, row)), hasMore };
}
