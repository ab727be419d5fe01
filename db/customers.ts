import type { Customer } from '../domain/customer.ts';
import type { AccountTransaction } from './client.ts';
import { Filter, type InstantRange, type List, listRows, type Page } from './list.ts';
import { findOne, fromRow, insertOne, type TableShape, updateOne } from './table.ts';

export const CUSTOMERS: TableShape<Customer> = {
  table: 'customers',
  keys: [
    'id',
    'name',
    'email',
    'phone',
    'description',
    'address',
    'currency',
    'balance',
    'defaultPaymentMethodId',
    'defaultTaxRateIds',
    'taxExempt',
    'billingTimezone',
    'consolidatedInvoicing',
    'externalId',
    'metadata',
    'deleted',
    'testClockId',
    'discount',
    'createdAt',
  ],
  instants: ['createdAt'],
};

export const insertCustomer = (t: AccountTransaction, given: Customer): Promise<void> => insertOne(t, CUSTOMERS, given);
export const findCustomer = (t: AccountTransaction, id: string): Promise<Customer | null> => findOne(t, CUSTOMERS, id);
/** Holds the customer's row until the transaction ends, as every decision about their invoices does. */
export async function holdCustomer(t: AccountTransaction, id: string): Promise<void> {
  await t.run('select id from customers where account_id = $1 and id = $2 for no key update', [t.accountId, id]);
}

export const updateCustomer = (t: AccountTransaction, id: string, patch: Partial<Customer>): Promise<Customer | null> =>
  updateOne(t, CUSTOMERS, id, patch);

export async function listCustomers(
  t: AccountTransaction,
  query: Page & { created?: InstantRange; email?: string; externalId?: string; testClockId?: string },
): Promise<List<Customer>> {
  const filter = new Filter()
    .within('created_at', query.created)
    .equal('deleted', false)
    .equal('email', query.email)
    .equal('external_id', query.externalId)
    .equal('test_clock_id', query.testClockId);
  const { rows, hasMore } = await listRows(t, { table: 'customers' }, query, filter);
  return { items: rows.map((row) => fromRow(CUSTOMERS, row)), hasMore };
}
