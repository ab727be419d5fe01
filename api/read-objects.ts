import type { Account } from '../domain/account.ts';
import type { Customer } from '../domain/customer.ts';
import type { Invoice } from '../domain/invoicing/invoice.ts';
import type { Subscription } from '../domain/subscription/subscription.ts';
import type { AccountTransaction } from '../db/client.ts';
import { findCustomer } from '../db/customers.ts';
import { findInvoice } from '../db/invoices.ts';
import { listPaymentAttempts } from '../db/payment-attempts.ts';
import { findPaymentMethod } from '../db/payment-methods.ts';
import { findPrice } from '../db/prices.ts';
import { findProduct } from '../db/products.ts';
import { findSubscription, listSubscriptions } from '../db/subscriptions.ts';
import { findTaxRate } from '../db/tax-rates.ts';
import type { Json, ObjectReader } from './expand.ts';
import type { Kind } from './expandable-fields.ts';
import { listAnswer } from './paging.ts';
import { presentPrice, presentProduct, presentTaxRate } from './presenters/catalog.ts';
import { presentCustomer } from './presenters/customers.ts';
import { presentInvoice } from './presenters/invoices.ts';
import { presentPaymentAttempt, presentPaymentMethod } from './presenters/payment-methods.ts';
import { presentSubscription, type Related, relatedToSubscriptions } from './presenters/subscriptions.ts';

/** Reads rows by id, each once; ids of which there is no row are left out. */
async function byId<T extends { id: string }>(ids: readonly string[], find: (id: string) => Promise<T | null>): Promise<Map<string, T>> {
  const rows = await Promise.all([...new Set(ids)].map(find));
  return new Map(rows.flatMap((row) => (row === null ? [] : [[row.id, row] as const])));
}

export async function readRelated(t: AccountTransaction, account: Account, ids: { priceIds: readonly string[]; taxRateIds: readonly string[] }): Promise<Related> {
  return {
    prices: await byId(ids.priceIds, (id) => findPrice(t, id)),
    taxRates: await byId(ids.taxRateIds, (id) => findTaxRate(t, id)),
    livemode: account.livemode,
  };
}

/** Subscriptions as Stripe shows them, with the prices and tax rates of all of them read once. */
export async function presentSubscriptions(t: AccountTransaction, account: Account, subscriptions: readonly Subscription[]) {
  const related = await readRelated(t, account, relatedToSubscriptions(subscriptions));
  return subscriptions.map((subscription) => presentSubscription(subscription, related));
}

export async function presentInvoices(t: AccountTransaction, account: Account, invoices: readonly Invoice[], allLines = false) {
  const related = await readRelated(t, account, { priceIds: [], taxRateIds: invoices.flatMap((invoice) => invoice.defaultTaxRateIds) });
  return invoices.map((invoice) => presentInvoice(invoice, related, allLines));
}

/** Customers as Stripe shows them; delinquent are those with a subscription that is past due or unpaid. */
export async function presentCustomers(t: AccountTransaction, account: Account, customers: readonly Customer[]) {
  return Promise.all(
    customers.map(async (customer) => {
      const [pastDue, unpaid] = await Promise.all(
        (['past_due', 'unpaid'] as const).map((status) => listSubscriptions(t, { limit: 1, customerId: customer.id, status })),
      );
      return presentCustomer(customer, account.livemode, [pastDue, unpaid].some((page) => page !== undefined && page.items.length > 0));
    }),
  );
}

/** The reader behind `expand[]`, inside one transaction of the account. */
export function objectReader(t: AccountTransaction, account: Account): ObjectReader {
  const { livemode } = account;
  const read = async (kind: Kind, ids: readonly string[]): Promise<Json[]> => {
    switch (kind) {
      case 'customer':
        return presentCustomers(t, account, [...(await byId(ids, (id) => findCustomer(t, id))).values()]);
      case 'product':
        return [...(await byId(ids, (id) => findProduct(t, id))).values()].map((product) => presentProduct(product, livemode));
      case 'price':
        return [...(await byId(ids, (id) => findPrice(t, id))).values()].map((price) => presentPrice(price, livemode));
      case 'tax_rate':
        return [...(await byId(ids, (id) => findTaxRate(t, id))).values()].map((rate) => presentTaxRate(rate, livemode));
      case 'payment_method':
        return [...(await byId(ids, (id) => findPaymentMethod(t, id))).values()].map((method) => presentPaymentMethod(method, livemode));
      case 'subscription':
        return presentSubscriptions(t, account, [...(await byId(ids, (id) => findSubscription(t, id))).values()]);
      case 'invoice':
        return presentInvoices(t, account, [...(await byId(ids, (id) => findInvoice(t, id))).values()]);
      default:
        throw new Error(`nothing refers to a ${kind} by id`);
    }
  };
  return {
    read: async (kind, ids) => new Map((await read(kind, ids)).map((object) => [String(object['id']), object])),
    readExtra: async (kind, path, owners) => {
      const lists = await Promise.all(owners.map((owner) => extraOf(t, account, `${kind}.${path}`, String(owner['id']))));
      return new Map(owners.map((owner, index) => [String(owner['id']), lists[index] as unknown as Json]));
    },
  };
}

async function extraOf(t: AccountTransaction, account: Account, field: string, id: string) {
  if (field === 'customer.subscriptions') {
    const page = await listSubscriptions(t, { limit: 10, customerId: id });
    return listAnswer(`/v1/customers/${id}/subscriptions`, await presentSubscriptions(t, account, page.items), page.hasMore);
  }
  const page = await listPaymentAttempts(t, { limit: 100, invoiceId: id });
  return listAnswer(`/v1/invoices/${id}`, page.items.map(presentPaymentAttempt), page.hasMore);
}
