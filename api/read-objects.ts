import type { AccountTransaction } from '../db/client.ts';
import { readFeatures } from '../db/features.ts';
import { listPaymentAttempts } from '../db/payment-attempts.ts';
import { findQuote } from '../db/quotes.ts';
import {
  delinquentAmong,
  readCoupons,
  readCreditGrants,
  readCreditTransactions,
  readCustomers,
  readDiscounts,
  readInvoices,
  readMeters,
  readPaymentMethods,
  readPrices,
  readProducts,
  readPromotionCodes,
  readSubscriptions,
  readTaxRates,
} from '../db/read-by-ids.ts';
import { readSchedules } from '../db/schedules.ts';
import { listSubscriptions } from '../db/subscriptions.ts';
import { readTestClocks, testClockIdsOf } from '../db/test-clocks.ts';
import type { Account } from '../domain/account.ts';
import type { Price } from '../domain/catalog/price.ts';
import type { CreditGrant, CreditTransaction } from '../domain/credits/grant.ts';
import type { CreditTopUp } from '../domain/credits/low-credit.ts';
import type { Customer } from '../domain/customer.ts';
import type { PromotionCode } from '../domain/discounts/coupon.ts';
import type { Invoice, InvoiceItem } from '../domain/invoicing/invoice.ts';
import type { Quote } from '../domain/quote/quote.ts';
import type { SubscriptionSchedule } from '../domain/schedule/schedule.ts';
import type { Subscription } from '../domain/subscription/subscription.ts';
import type { Instant } from '../domain/time.ts';
import type { Json, ObjectReader } from './expand.ts';
import type { Kind } from './expandable-fields.ts';
import { listAnswer } from './paging.ts';
import { presentCurrencyOptions, presentPrice, presentProduct, presentTiers } from './presenters/catalog.ts';
import { presentCreditTopUp } from './presenters/credit-top-ups.ts';
import { presentCreditGrant, presentCreditTransaction } from './presenters/credits.ts';
import { presentCustomer } from './presenters/customers.ts';
import { presentCoupon, presentDiscount, presentPromotionCode } from './presenters/discounts.ts';
import { presentFeature } from './presenters/entitlements.ts';
import { presentInvoiceItem } from './presenters/invoice-items.ts';
import { presentInvoice } from './presenters/invoices.ts';
import { presentMeter } from './presenters/meters.ts';
import { presentPaymentAttempt, presentPaymentMethod } from './presenters/payment-methods.ts';
import { presentQuote, presentQuoteLine } from './presenters/quotes.ts';
import { presentSchedule, ratesOfSchedules } from './presenters/schedules.ts';
import { presentSubscription, type Related, relatedToSubscriptions } from './presenters/subscriptions.ts';
import { presentTestClock } from './presenters/test-clocks.ts';

const byId = <T extends { id: string }>(rows: readonly T[]): Map<string, T> => new Map(rows.map((row) => [row.id, row]));

export const readRelated = async (
  t: AccountTransaction,
  account: Account,
  ids: { priceIds: readonly string[]; taxRateIds: readonly string[]; customerIds: readonly string[] },
): Promise<Related> => ({
  prices: byId(await readPrices(t, ids.priceIds)),
  taxRates: byId(await readTaxRates(t, ids.taxRateIds)),
  livemode: account.livemode,
  testClocks: account.livemode ? new Map() : await testClockIdsOf(t, ids.customerIds),
});

/** Subscriptions as Stripe shows them, with the prices and tax rates of all of them read once. */
export async function presentSubscriptions(t: AccountTransaction, account: Account, subscriptions: readonly Subscription[]) {
  const related = await readRelated(t, account, {
    ...relatedToSubscriptions(subscriptions),
    customerIds: subscriptions.map(({ customerId }) => customerId),
  });
  return subscriptions.map((subscription) => presentSubscription(subscription, related));
}

export async function presentInvoices(t: AccountTransaction, account: Account, invoices: readonly Invoice[], allLines = false) {
  const related = await readRelated(t, account, {
    priceIds: [],
    taxRateIds: invoices.flatMap((invoice) => invoice.defaultTaxRateIds),
    customerIds: invoices.map(({ customerId }) => customerId),
  });
  return invoices.map((invoice) => presentInvoice(invoice, related, allLines));
}

/** Quotes as Stripe shows them, each at the time of its customer; `now` is that of those who are on no test clock. */
export async function presentQuotes(t: AccountTransaction, account: Account, quotes: readonly Quote[], now: Instant) {
  const related = await readRelated(t, account, { priceIds: [], taxRateIds: [], customerIds: quotes.map(({ customerId }) => customerId) });
  const clocks = byId(await readTestClocks(t, [...(related.testClocks?.values() ?? [])]));
  return quotes.map((quote) =>
    presentQuote(quote, related, clocks.get(related.testClocks?.get(quote.customerId) ?? '')?.frozenTime ?? now),
  );
}

/** `upfront`: only what is on the first invoice. */
export async function presentQuoteLines(t: AccountTransaction, account: Account, quote: Quote, upfront = false) {
  const related = await readRelated(t, account, { priceIds: quote.lines.map(({ priceId }) => priceId), taxRateIds: [], customerIds: [] });
  const isFree = ({ priceId }: Quote['lines'][number]): boolean =>
    quote.trialPeriodDays !== null && related.prices.get(priceId)?.recurring != null;
  return quote.lines.filter((line) => !upfront || !isFree(line)).map((line) => presentQuoteLine(line, quote, related));
}

/** Schedules as Stripe shows them, with their tax rates read once. */
export async function presentSchedules(t: AccountTransaction, account: Account, schedules: readonly SubscriptionSchedule[]) {
  const related = await readRelated(t, account, {
    priceIds: [],
    taxRateIds: ratesOfSchedules(schedules),
    customerIds: schedules.map(({ customerId }) => customerId),
  });
  return schedules.map((schedule) => presentSchedule(schedule, related));
}

/** Invoice items as Stripe shows them, with their tax rates read once. */
export async function presentInvoiceItems(t: AccountTransaction, account: Account, items: readonly InvoiceItem[]) {
  const related = await readRelated(t, account, {
    priceIds: [],
    taxRateIds: items.flatMap((item) => item.taxRateIds),
    customerIds: items.map(({ customerId }) => customerId),
  });
  return items.map((item) => presentInvoiceItem(item, related));
}

/** Customers as Stripe shows them; delinquent are those with a subscription that is past due or unpaid. */
export async function presentCustomers(t: AccountTransaction, account: Account, customers: readonly Customer[]) {
  const delinquent = await delinquentAmong(
    t,
    customers.map(({ id }) => id),
  );
  return customers.map((customer) => presentCustomer(customer, account.livemode, delinquent.has(customer.id)));
}

/** Promotion codes as Stripe shows them: active where they could be redeemed at `at`. */
export async function presentPromotionCodes(t: AccountTransaction, { livemode }: Account, codes: readonly PromotionCode[], at: Instant) {
  const coupons = byId(
    await readCoupons(
      t,
      codes.map(({ couponId }) => couponId),
    ),
  );
  return codes.map((code) => presentPromotionCode(code, coupons.get(code.couponId), livemode, at));
}

/** Credit grants as Stripe shows them, with the test clocks of their customers. */
export async function presentCreditGrants(t: AccountTransaction, account: Account, grants: readonly CreditGrant[]) {
  const clocks = await clocksOf(t, account, grants);
  return grants.map((grant) => presentCreditGrant(grant, account.livemode, clocks.get(grant.customerId) ?? null));
}

/** Credit top-ups, with the test clocks of their customers. */
export async function presentCreditTopUps(t: AccountTransaction, account: Account, topUps: readonly CreditTopUp[]) {
  const clocks = await clocksOf(t, account, topUps);
  return topUps.map((topUp) => presentCreditTopUp(topUp, account.livemode, clocks.get(topUp.customerId) ?? null));
}

/** Movements of credit grants as Stripe shows them. */
export async function presentCreditTransactions(t: AccountTransaction, account: Account, moved: readonly CreditTransaction[]) {
  const clocks = await clocksOf(t, account, moved);
  return moved.map((one) => presentCreditTransaction(one, account.livemode, clocks.get(one.customerId) ?? null));
}

const clocksOf = async (t: AccountTransaction, account: Account, owned: readonly { customerId: string }[]) =>
  account.livemode
    ? new Map<string, string>()
    : testClockIdsOf(
        t,
        owned.map(({ customerId }) => customerId),
      );

/** The reader behind `expand[]`, inside one transaction of the account. */
export function objectReader(t: AccountTransaction, account: Account, at: Instant): ObjectReader {
  const { livemode } = account;
  const read = async (kind: Kind, ids: readonly string[]): Promise<Json[]> => {
    switch (kind) {
      case 'customer':
        return presentCustomers(t, account, await readCustomers(t, ids));
      case 'coupon':
        return (await readCoupons(t, ids)).map((coupon) => presentCoupon(coupon, livemode, at));
      case 'promotion_code':
        return presentPromotionCodes(t, account, await readPromotionCodes(t, ids), at);
      case 'discount':
        return (await readDiscounts(t, ids)).map(presentDiscount);
      case 'product':
        return (await readProducts(t, ids)).map((product) => presentProduct(product, livemode));
      case 'price':
        return (await readPrices(t, ids)).map((price) => presentPrice(price, livemode));
      case 'payment_method':
        return (await readPaymentMethods(t, ids)).map((method) => presentPaymentMethod(method, livemode));
      case 'subscription':
        return presentSubscriptions(t, account, await readSubscriptions(t, ids));
      case 'subscription_schedule':
        return presentSchedules(t, account, await readSchedules(t, ids));
      case 'invoice':
        return presentInvoices(t, account, await readInvoices(t, ids));
      case 'credit_grant':
        return presentCreditGrants(t, account, await readCreditGrants(t, ids));
      case 'credit_balance_transaction':
        return presentCreditTransactions(t, account, await readCreditTransactions(t, ids));
      case 'meter':
        return (await readMeters(t, ids)).map((meter) => presentMeter(meter, livemode));
      case 'feature':
        return [...(await readFeatures(t, ids)).values()].map((feature) => presentFeature(feature, livemode));
      case 'test_clock':
        return (await readTestClocks(t, ids)).map(presentTestClock);
      default:
        throw new Error(`nothing refers to a ${kind} by id`);
    }
  };
  return {
    read: async (kind, ids) => new Map((await read(kind, ids)).map((object) => [String(object['id']), object])),
    readExtra: async (kind, path, owners) => {
      const ids = owners.map((owner) => String(owner['id']));
      if (kind === 'price') return new Map((await readPrices(t, ids)).map((price) => [price.id, extraOfPrice(price, path)]));
      const lists = await Promise.all(ids.map((id) => extraOf(t, account, `${kind}.${path}`, id)));
      return new Map(ids.map((id, index) => [id, lists[index]]));
    },
  };
}

/** A price per unit has no tiers, and Stripe then leaves the field out too. */
const extraOfPrice = (price: Price, path: string): unknown =>
  path === 'tiers' ? (price.tiers ? presentTiers(price.tiers) : undefined) : presentCurrencyOptions(price);

async function extraOf(t: AccountTransaction, account: Account, field: string, id: string) {
  if (field === 'customer.subscriptions') {
    const page = await listSubscriptions(t, { limit: 10, customerId: id });
    return listAnswer(`/v1/customers/${id}/subscriptions`, await presentSubscriptions(t, account, page.items), page.hasMore);
  }
  if (field === 'quote.line_items') {
    const quote = await findQuote(t, id);
    return quote && listAnswer(`/v1/quotes/${id}/line_items`, await presentQuoteLines(t, account, quote), false);
  }
  const page = await listPaymentAttempts(t, { limit: 100, invoiceId: id });
  return listAnswer(`/v1/invoices/${id}`, page.items.map(presentPaymentAttempt), page.hasMore);
}
