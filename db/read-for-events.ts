import type { Decision, OutboxEvent } from '../domain/decision.ts';
import type { Invoice } from '../domain/invoicing/invoice.ts';
import type { AccountTransaction } from './client.ts';
import { findCreditTopUp } from './credit-top-ups.ts';
import { findCreditGrant, findCreditTransaction } from './credits.ts';
import { findCustomer } from './customers.ts';
import { findDiscount } from './discounts.ts';
import { findInvoiceItem } from './invoice-items.ts';
import { findInvoice } from './invoices.ts';
import { findPaymentAttempt } from './payment-attempts.ts';
import { findQuote } from './quotes.ts';
import { findScheduledChange } from './scheduled-changes.ts';
import { findSchedule } from './schedules.ts';
import { findSubscription } from './subscriptions.ts';

/** The objects the decision itself holds, by id, as it writes them. */
export function objectsOf(decision: Decision, invoices: readonly Invoice[]): Map<string, unknown> {
  const { subscription, others = [], attempt, pendingItems } = decision;
  const consumed = new Map(pendingItems.consume.map(({ id, invoiceId }) => [id, invoiceId]));
  const written = [
    ...invoices,
    ...decision.deletedInvoices,
    ...pendingItems.insert.map((item) => ({ ...item, invoiceId: consumed.get(item.id) ?? item.invoiceId })),
    ...pendingItems.change,
    ...(subscription ? [subscription] : []),
    ...others.flatMap((other) => [other.subscription, ...(other.schedule ? [other.schedule] : [])]),
    ...(attempt ? [attempt] : []),
    ...decision.scheduledChanges,
    ...decision.discounts,
    ...(decision.schedule ? [decision.schedule] : []),
    ...(decision.quote ? [decision.quote] : []),
    ...(decision.topUps ?? []),
    ...decision.credits.grants,
    ...decision.credits.transactions,
  ];
  return new Map(written.map((object) => [object.id, object]));
}

/** An object that an event tells of and the decision does not hold, as it now is. @throws Error where there is none: a bug of the decision */
export async function readForEvent(t: AccountTransaction, { objectType, objectId, type }: OutboxEvent): Promise<unknown> {
  const read = {
    customer: findCustomer,
    subscription: findSubscription,
    invoice: findInvoice,
    payment_attempt: findPaymentAttempt,
    invoiceitem: findInvoiceItem,
    scheduled_change: findScheduledChange,
    discount: findDiscount,
    subscription_schedule: findSchedule,
    quote: findQuote,
    credit_grant: findCreditGrant,
    credit_top_up: findCreditTopUp,
    credit_balance_transaction: findCreditTransaction,
  };
  const object = await read[objectType](t, objectId);
  if (object === null) throw new Error(`the event ${type} tells of the ${objectType} ${objectId}, which does not exist`);
  return object;
}
