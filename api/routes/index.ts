import type { Route } from '../define-route.ts';
import { accountRoutes } from './accounts.ts';
import { alertRoutes } from './alerts.ts';
import { couponRoutes } from './coupons.ts';
import { creditTopUpRoutes } from './credit-top-ups.ts';
import { creditRoutes } from './credits.ts';
import { customerListRoutes } from './customer-lists.ts';
import { customerRoutes } from './customers.ts';
import { discountRoutes } from './discounts.ts';
import { entitlementRoutes } from './entitlements.ts';
import { eventRoutes } from './events.ts';
import { invoiceItemRoutes } from './invoice-items.ts';
import { invoiceRoutes } from './invoices.ts';
import { meterEventRoutes } from './meter-events.ts';
import { meterRoutes } from './meters.ts';
import { paymentMethodRoutes } from './payment-methods.ts';
import { priceMigrationRoutes } from './price-migrations.ts';
import { priceRoutes } from './prices.ts';
import { productFeatureRoutes } from './product-features.ts';
import { productRoutes } from './products.ts';
import { promotionCodeRoutes } from './promotion-codes.ts';
import { quoteRoutes } from './quotes.ts';
import { scheduledChangeRoutes } from './scheduled-changes.ts';
import { scheduleRoutes } from './schedules.ts';
import { subscriptionItemRoutes } from './subscription-items.ts';
import { subscriptionPauseRoutes } from './subscription-pauses.ts';
import { subscriptionRoutes } from './subscriptions.ts';
import { taxRateRoutes } from './tax-rates.ts';
import { testClockRoutes } from './test-clocks.ts';
import { timelineRoutes } from './timeline.ts';

/** Every endpoint; fixed paths stand before those with an id. */
export const ROUTES: readonly Route[] = [
  ...accountRoutes,
  ...customerRoutes,
  ...customerListRoutes,
  ...productRoutes,
  ...productFeatureRoutes,
  ...entitlementRoutes,
  ...priceRoutes,
  ...priceMigrationRoutes,
  ...taxRateRoutes,
  ...couponRoutes,
  ...promotionCodeRoutes,
  ...discountRoutes,
  ...paymentMethodRoutes,
  ...subscriptionRoutes,
  ...scheduledChangeRoutes,
  ...scheduleRoutes,
  ...quoteRoutes,
  ...timelineRoutes,
  ...subscriptionPauseRoutes,
  ...subscriptionItemRoutes,
  ...invoiceRoutes,
  ...invoiceItemRoutes,
  ...eventRoutes,
  ...meterRoutes,
  ...meterEventRoutes,
  ...alertRoutes,
  ...creditRoutes,
  ...creditTopUpRoutes,
  ...testClockRoutes,
];
