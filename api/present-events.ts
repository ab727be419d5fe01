import type { AccountTransaction } from '../db/client.ts';
import type { StoredEvent } from '../db/events.ts';
import type { MigratedSubscription, ToldMigration } from '../db/price-migrations.ts';
import type { Account } from '../domain/account.ts';
import type { Price, Product } from '../domain/catalog/price.ts';
import type { CreditGrant, CreditTransaction } from '../domain/credits/grant.ts';
import type { CreditTopUp } from '../domain/credits/low-credit.ts';
import type { Customer } from '../domain/customer.ts';
import type { Coupon, PromotionCode } from '../domain/discounts/coupon.ts';
import type { Discount } from '../domain/discounts/discount.ts';
import type { EntitlementSummary } from '../domain/entitlements/feature.ts';
import type { Invoice, InvoiceItem } from '../domain/invoicing/invoice.ts';
import type { PaymentAttempt, PaymentMethod } from '../domain/payments/payment.ts';
import type { Quote } from '../domain/quote/quote.ts';
import type { SubscriptionSchedule } from '../domain/schedule/schedule.ts';
import type { ScheduledChange } from '../domain/subscription/scheduled-change.ts';
import type { Subscription } from '../domain/subscription/subscription.ts';
import type { TaxRate } from '../domain/tax/tax-rate.ts';
import type { TestClock } from '../domain/test-clock.ts';
import type { Instant } from '../domain/time.ts';
import { MIN_INSTANT } from '../domain/time.ts';
import type { AlertTriggered } from '../domain/usage/alert.ts';
import type { Meter } from '../domain/usage/meter.ts';
import type { Json } from './expand.ts';
import { presentAlertTriggered } from './presenters/alerts.ts';
import { presentPrice, presentProduct, presentTaxRate } from './presenters/catalog.ts';
import { presentCreditTopUp } from './presenters/credit-top-ups.ts';
import { presentCreditGrant, presentCreditTransaction } from './presenters/credits.ts';
import { presentCustomer } from './presenters/customers.ts';
import { presentCoupon, presentDiscount, presentPromotionCode } from './presenters/discounts.ts';
import { presentEntitlementSummary } from './presenters/entitlements.ts';
import { presentInvoiceItem } from './presenters/invoice-items.ts';
import { presentInvoice } from './presenters/invoices.ts';
import { presentMeter } from './presenters/meters.ts';
import { presentPaymentAttempt, presentPaymentMethod } from './presenters/payment-methods.ts';
import { presentMigrated, presentPriceMigration } from './presenters/price-migrations.ts';
import { presentQuote } from './presenters/quotes.ts';
import { presentScheduledChange } from './presenters/scheduled-changes.ts';
import { presentSchedule, ratesOfSchedules } from './presenters/schedules.ts';
import { presentSubscription, type Related, relatedToSubscriptions } from './presenters/subscriptions.ts';
import { presentTestClock } from './presenters/test-clocks.ts';
import { readRelated } from './read-objects.ts';

/** The events of a page as Stripe shows them: `data.object` is the object as it was then, presented now; prices in it are read once for all. */
export async function presentEvents(t: AccountTransaction, account: Account, events: readonly StoredEvent[]) {
  const subscriptions = events.flatMap((event) => (event.objectType === 'subscription' ? [event.data as Subscription] : []));
  const invoices = events.flatMap((event) => (event.objectType === 'invoice' ? [event.data as Invoice] : []));
  const items = events.flatMap((event) => (event.objectType === 'invoiceitem' ? [event.data as InvoiceItem] : []));
  const quotes = events.flatMap((event) => (event.objectType === 'quote' ? [event.data as Quote] : []));
  const schedules = events.flatMap((event) => (event.objectType === 'subscription_schedule' ? [event.data as SubscriptionSchedule] : []));
  const credits = events.flatMap((event) => (isOfCredit(event) ? [event.data as { customerId: string }] : []));
  const ids = relatedToSubscriptions([...subscriptions, ...events.flatMap((event) => earlierItems(event))]);
  const related = await readRelated(t, account, {
    ...ids,
    customerIds: [...subscriptions, ...invoices, ...items, ...schedules, ...quotes, ...credits].map(({ customerId }) => customerId),
    taxRateIds: [
      ...ids.taxRateIds,
      ...invoices.flatMap((invoice) => invoice.defaultTaxRateIds),
      ...items.flatMap((item) => item.taxRateIds),
      ...ratesOfSchedules(schedules),
    ],
  });
  return events.map((event) => presentEvent(event, related));
}

const isOfCredit = ({ objectType }: StoredEvent): boolean =>
  ['credit_grant', 'credit_balance_transaction', 'credit_top_up'].includes(objectType);

/** A subscription's items as they were before a change, whose prices are needed too. */
function earlierItems(event: StoredEvent): Subscription[] {
  const items = event.objectType === 'subscription' ? event.previous?.['items'] : undefined;
  return Array.isArray(items) ? [{ ...(event.data as Subscription), items, pendingUpdate: null }] : [];
}

function presentEvent(event: StoredEvent, related: Related) {
  const object = presentObject(event.objectType, event.data, related, event.occurredAt);
  const previous =
    event.previous === null ? null : changedIn(object, presentObject(event.objectType, before(event), related, event.occurredAt));
  return {
    id: event.id,
    object: 'event' as const,
    api_version: null,
    created: event.occurredAt,
    data: { object, ...(previous === null ? {} : { previous_attributes: previous }) },
    livemode: related.livemode,
    pending_webhooks: 0,
    request: null,
    type: event.type,
    sequence: event.sequence,
  };
}

/** The object with its earlier fields put back. What is left of an earlier pending update names only its invoice, so it is told by its absence. */
function before(event: StoredEvent): unknown {
  const previous = { ...event.previous };
  if ('pendingUpdate' in previous) previous['pendingUpdate'] = null;
  return { ...(event.data as object), ...previous };
}

function presentObject(type: string, data: unknown, related: Related, at: Instant): Json {
  switch (type) {
    case 'customer':
      return presentCustomer(data as Customer, related.livemode, false);
    case 'subscription':
      return presentSubscription(data as Subscription, related);
    case 'invoice':
      return presentInvoice(data as Invoice, related);
    case 'payment_attempt':
      return presentPaymentAttempt(data as PaymentAttempt);
    case 'credit_grant': {
      const grant = data as CreditGrant;
      return presentCreditGrant(grant, related.livemode, related.testClocks?.get(grant.customerId) ?? null);
    }
    case 'credit_balance_transaction': {
      const moved = data as CreditTransaction;
      return presentCreditTransaction(moved, related.livemode, related.testClocks?.get(moved.customerId) ?? null);
    }
    case 'credit_top_up': {
      const topUp = data as CreditTopUp;
      return presentCreditTopUp(topUp, related.livemode, related.testClocks?.get(topUp.customerId) ?? null);
    }
    case 'coupon':
      return presentCoupon(data as Coupon, related.livemode, at);
    case 'promotion_code':
      return presentPromotionCode(data as PromotionCode, undefined, related.livemode, at);
    case 'discount':
      return presentDiscount(data as Discount);
    case 'product':
      return presentProduct(data as Product, related.livemode);
    case 'price':
      return presentPrice(data as Price, related.livemode);
    case 'tax_rate':
      return presentTaxRate(data as TaxRate, related.livemode);
    case 'invoiceitem':
      return presentInvoiceItem(data as InvoiceItem, related);
    case 'payment_method':
      return presentPaymentMethod(data as PaymentMethod, related.livemode);
    case 'scheduled_change':
      return presentScheduledChange(data as ScheduledChange, related.livemode);
    case 'quote':
      // What was written then, whatever time it is now.
      return presentQuote(data as Quote, related, MIN_INSTANT);
    case 'subscription_schedule':
      return presentSchedule(data as SubscriptionSchedule, related);
    case 'price_migration': {
      const { counted, ...migration } = data as ToldMigration;
      return presentPriceMigration(migration, counted, related.livemode);
    }
    case 'price_migration_subscription':
      return presentMigrated(data as MigratedSubscription);
    case 'test_clock':
      return presentTestClock(data as TestClock);
    case 'active_entitlement_summary':
      return presentEntitlementSummary(data as EntitlementSummary, related.livemode);
    case 'alert_triggered':
      return presentAlertTriggered(data as AlertTriggered, related.livemode);
    case 'meter':
      return presentMeter(data as Meter, related.livemode);
    default:
      return { ...(data as Json), object: type };
  }
}

/** Stripe's `previous_attributes`: the fields that differ, as they were. */
function changedIn(now: Json, then: Json): Json {
  return Object.fromEntries(Object.entries(then).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(now[key])));
}
