import { type AccountTransaction, withAccount } from '../db/client.ts';
import { findCustomer, updateCustomer } from '../db/customers.ts';
import { listWaitingOf } from '../db/schedules.ts';
import { listSubscriptions } from '../db/subscriptions.ts';
import { listCustomerSubscriptions } from '../db/test-clocks.ts';
import type { Customer } from '../domain/customer.ts';
import { WorkflowGone } from './commands.ts';
import type { RequestContext } from './context.ts';
import { notFound } from './errors.ts';
import { presentDeletedCustomer } from './presenters/customers.ts';
import { editSchedule } from './schedule-commands.ts';
import { tell } from './tell-event.ts';

/** @throws ApiError 404 */
export async function customerOf(t: AccountTransaction, id: string): Promise<Customer> {
  const customer = await findCustomer(t, id);
  if (customer === null) throw notFound('customer', id);
  return customer;
}

export const subscriptionsOf = async (t: AccountTransaction, customerId: string) =>
  (await listSubscriptions(t, { limit: 100, customerId, statuses: 'all' })).items;

/** Cancels the customer's subscriptions without credit or invoice, then forgets who it was; invoices stay. @throws ApiError 404 */
export async function deleteCustomer(context: RequestContext, id: string) {
  const live = await withAccount(context.db, context.account.id, async (t) => {
    if ((await customerOf(t, id)).deleted) throw notFound('customer', id);
    return listCustomerSubscriptions(t, id);
  });
  for (const subscriptionId of live) {
    const command = { operationId: `${context.operationId}_${subscriptionId}`, actor: context.actor, prorate: false, invoiceNow: false };
    await context.commands.cancel(subscriptionId, command).catch((error: unknown) => {
      // It has ended since it was read.
      if (!(error instanceof WorkflowGone)) throw error;
    });
  }
  // What a schedule has still to create will not be.
  for (const schedule of await withAccount(context.db, context.account.id, (t) => listWaitingOf(t, id))) {
    const own = { ...context, operationId: `${context.operationId}_${schedule.id}` };
    await editSchedule(own, schedule.id, { do: 'cancel', prorate: false, invoiceNow: false });
  }
  return withAccount(context.db, context.account.id, async (t) => {
    const before = await customerOf(t, id);
    const after = (await updateCustomer(t, id, { ...FORGOTTEN, deleted: true })) ?? before;
    await tell(context, t, { type: 'customer.deleted', objectType: 'customer', after });
    return presentDeletedCustomer(id);
  });
}

const FORGOTTEN = {
  name: null,
  email: null,
  phone: null,
  description: null,
  address: null,
  externalId: null,
  metadata: {},
  defaultPaymentMethodId: null,
};
