import type { Decision, OutboxEvent } from '../domain/decision.ts';
import type { Invoice } from '../domain/invoicing/invoice.ts';
import type { AccountTransaction } from './client.ts';
import { findCustomer } from './customers.ts';
import { findOne } from './table.ts';
import { INVOICE_ITEMS } from './invoice-items.ts';
import { PAYMENT_ATTEMPTS } from './payment-attempts.ts';
import { findInvoice } from './invoices.ts';
import { findSubscription } from './subscriptions.ts';

/** The object each event tells of, as this decision wrote it; what the decision does not hold is read (in the same transaction). */
export async function readForEvents(
  t: AccountTransaction,
  { decision, invoices }: { decision: Decision; invoices: readonly Invoice[] },
): Promise<(event: OutboxEvent) => unknown> {
  const objects = new Map<string, unknown>();
  for (const invoice of invoices) objects.set(invoice.id, invoice);
  for (const item of decision.pendingItems.insert) objects.set(item.id, item);
  if (decision.subscription) objects.set(decision.subscription.id, decision.subscription);
  if (decision.attempt) objects.set(decision.attempt.id, decision.attempt);
  for (const event of decision.events) if (!objects.has(event.objectId)) objects.set(event.objectId, await read(t, event));
  return (event) => objects.get(event.objectId);
}

function read(t: AccountTransaction, { objectType, objectId }: OutboxEvent): Promise<unknown> {
  switch (objectType) {
    case 'customer':
      return findCustomer(t, objectId);
    case 'subscription':
      return findSubscription(t, objectId);
    case 'invoice':
      return findInvoice(t, objectId);
    case 'payment_attempt':
      return findOne(t, PAYMENT_ATTEMPTS, objectId);
    case 'invoiceitem':
      return findOne(t, INVOICE_ITEMS, objectId);
  }
}
