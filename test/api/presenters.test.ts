import { describe, expect, it } from 'vitest';
import { presentAccount } from '../../api/presenters/accounts.ts';
import { presentAlert } from '../../api/presenters/alerts.ts';
import { presentCurrencyOptions, presentPrice, presentProduct, presentTaxRate, presentTiers } from '../../api/presenters/catalog.ts';
import { presentCreditTopUp } from '../../api/presenters/credit-top-ups.ts';
import { presentCreditGrant, presentCreditSummary, presentCreditTransaction } from '../../api/presenters/credits.ts';
import { presentBalanceTransaction, presentCustomer } from '../../api/presenters/customers.ts';
import { presentCoupon, presentDiscount, presentPromotionCode } from '../../api/presenters/discounts.ts';
import { presentLine } from '../../api/presenters/invoice-lines.ts';
import { presentInvoice } from '../../api/presenters/invoices.ts';
import { presentMeter } from '../../api/presenters/meters.ts';
import { presentPaymentAttempt, presentPaymentMethod } from '../../api/presenters/payment-methods.ts';
import { presentQuote, presentQuoteLine } from '../../api/presenters/quotes.ts';
import { presentScheduledChange } from '../../api/presenters/scheduled-changes.ts';
import { presentSchedule } from '../../api/presenters/schedules.ts';
import { presentSubscription, relatedToSubscriptions } from '../../api/presenters/subscriptions.ts';
import { account } from '../../api/schemas/accounts.ts';
import { alert } from '../../api/schemas/alerts.ts';
import { coupon } from '../../api/schemas/coupons.ts';
import { creditTopUp } from '../../api/schemas/credit-top-ups.ts';
import { creditGrant, creditSummary, creditTransaction } from '../../api/schemas/credits.ts';
import { balanceTransaction, customer } from '../../api/schemas/customers.ts';
import { discount } from '../../api/schemas/discounts.ts';
import { invoiceLine } from '../../api/schemas/invoice-lines.ts';
import { invoice } from '../../api/schemas/invoices.ts';
import { meter } from '../../api/schemas/meters.ts';
import { paymentAttempt } from '../../api/schemas/payment-attempts.ts';
import { paymentMethod } from '../../api/schemas/payment-methods.ts';
import { price } from '../../api/schemas/prices.ts';
import { product } from '../../api/schemas/products.ts';
import { promotionCode } from '../../api/schemas/promotion-codes.ts';
import { quote, quoteLine } from '../../api/schemas/quotes.ts';
import { scheduledChange } from '../../api/schemas/scheduled-changes.ts';
import { subscriptionSchedule } from '../../api/schemas/schedules.ts';
import { subscription } from '../../api/schemas/subscriptions.ts';
import { taxRate } from '../../api/schemas/tax-rates.ts';
import type { z } from '../../api/schemas/zod.ts';
import type { Quote } from '../../domain/quote/quote.ts';
import { tiered, tiersOf } from '../support/price-models.ts';
import {
  aCoupon,
  aCreditGrant,
  aCreditTopUp,
  aCreditTransaction,
  aCustomer,
  aDiscount,
  aLine,
  aMeter,
  anAccount,
  anAlert,
  anAttempt,
  anInvoice,
  aPaymentMethod,
  aPrice,
  aProduct,
  aPromotionCode,
  aQuote,
  aSchedule,
  aScheduledChange,
  aSubscription,
  aTaxRate,
  END,
  START,
} from './examples.ts';

const related = { prices: new Map([['price_1', aPrice()]]), taxRates: new Map([['txr_1', aTaxRate()]]), livemode: false };
const pending = aSubscription({
  pendingUpdate: {
    operationId: 'op_1',
    invoiceId: 'in_2',
    expiresAt: END,
    next: { ...aSubscription(), trialEnd: END, billedShrinks: [], billedInserts: [] },
  },
});

const TIERED = aPrice({
  ...tiered('volume', [
    [10, '0.5', 100],
    [null, 20],
  ]),
  currencyOptions: { jpy: { unitAmountDecimal: null, tiers: tiersOf([[null, 30]]), taxBehavior: 'inclusive' } },
});

describe('answers are what the document says', () => {
  it.each<[string, z.ZodType, object]>([
    ['account', account, presentAccount(anAccount())],
    ['customer', customer, presentCustomer(aCustomer(), false, true)],
    [
      'bare customer',
      customer,
      presentCustomer(aCustomer({ name: null, email: null, address: null, currency: null, defaultPaymentMethodId: null }), true, false),
    ],
    ['product', product, presentProduct(aProduct(), false)],
    ['price', price, presentPrice(aPrice(), false)],
    [
      'bundle',
      price,
      presentPrice(
        aPrice({
          bundle: [
            { productId: 'prod_1', share: '2', taxRateIds: ['txr_1'] },
            { productId: 'prod_2', share: '1' },
          ],
        }),
        false,
      ),
    ],
    [
      'price that gives credit',
      price,
      presentPrice(
        aPrice({
          creditGrant: {
            ...{ name: null, category: 'promotional', amount: 500, scope: { priceType: 'metered' }, priority: 50 },
            rollover: { percent: '50', maxAmount: 300, maxPeriods: null },
          },
        }),
        false,
      ),
    ],
    ['one-time price with a fraction', price, presentPrice(aPrice({ recurring: null, unitAmountDecimal: '0.25' }), false)],
    ['alert', alert, presentAlert(anAlert({ customerId: 'cus_1' }), false)],
    ['meter', meter, presentMeter(aMeter({ filters: { region: ['eu'] }, groupBy: ['model'] }), false)],
    [
      'price in packages',
      price,
      presentPrice(aPrice({ transformQuantity: { divideBy: 10, round: 'up' }, active: false, madeFor: 'si_1' }), false),
    ],
    [
      'price of a percentage',
      price,
      presentPrice(
        aPrice({
          recurring: {
            interval: 'month',
            intervalCount: 1,
            usageType: 'metered',
            meterId: 'mtr_1',
            minimumAmount: 100,
            maximumAmount: 9000,
            percentage: { rate: '1.3', fixedAmount: 25, freeAmount: 0, freeEvents: 0, minimumAmount: null, maximumAmount: 500 },
          },
        }),
        false,
      ),
    ],
    ['price with tiers', price, presentPrice(TIERED, false)],
    [
      'price with tiers and currencies, expanded',
      price,
      { ...presentPrice(TIERED, false), tiers: presentTiers(TIERED.tiers ?? []), currency_options: presentCurrencyOptions(TIERED) },
    ],
    ['tax rate', taxRate, presentTaxRate(aTaxRate(), false)],
    ['coupon', coupon, presentCoupon(aCoupon(), false, START)],
    [
      'coupon of an amount',
      coupon,
      presentCoupon(
        aCoupon({
          percentOff: null,
          amountOff: 500,
          currency: 'eur',
          currencyOptions: { usd: { amountOff: 600 } },
          appliesTo: null,
          duration: 'once',
          durationInMonths: null,
        }),
        false,
        END,
      ),
    ],
    ['promotion code', promotionCode, presentPromotionCode(aPromotionCode(), aCoupon(), false, START)],
    ['discount', discount, presentDiscount(aDiscount())],
    ['discount that has ended', discount, presentDiscount(aDiscount({ endedAt: END, subscriptionId: null }))],
    ['customer with a discount', customer, presentCustomer(aCustomer({ discount: aDiscount({ subscriptionId: null }) }), false, false)],
    [
      'line with discounts',
      invoiceLine,
      presentLine(
        aLine({
          discountAmounts: [
            { discountId: 'di_1', couponId: 'SPRING', level: 'item', name: null, percentOff: '12.5', amountOff: null, amount: 300 },
            { discountId: 'di_2', couponId: 'FIVE', level: 'invoice', name: 'Five', percentOff: null, amountOff: 500, amount: 500 },
          ],
        }),
        anInvoice(),
        false,
      ),
    ],
    ['credit grant', creditGrant, presentCreditGrant(aCreditGrant(), false, null)],
    [
      'credit grant of prices',
      creditGrant,
      presentCreditGrant(aCreditGrant({ scope: { priceIds: ['price_1'] }, name: null }), false, 'clock_1'),
    ],
    [
      'credit grant of a period',
      creditGrant,
      presentCreditGrant(
        aCreditGrant({
          recurring: { subscriptionId: 'sub_1', itemId: 'si_1', priceId: 'price_1', rollover: null, periodsRolledOver: 0 },
        }),
        false,
        null,
      ),
    ],
    ['credit top-up', creditTopUp, presentCreditTopUp(aCreditTopUp({ expiresAfter: { interval: 'year', intervalCount: 1 } }), false, null)],
    [
      'credit top-up that was declined',
      creditTopUp,
      presentCreditTopUp(aCreditTopUp({ pendingInvoiceId: 'in_1', latestInvoiceId: 'in_1', suspendedAt: START }), false, 'clock_1'),
    ],
    ['credit granted', creditTransaction, presentCreditTransaction(aCreditTransaction(), false, null)],
    [
      'credit applied',
      creditTransaction,
      presentCreditTransaction(
        aCreditTransaction({ type: 'credits_applied', amount: -400, invoiceId: 'in_1', invoiceLineId: 'il_1' }),
        false,
        'clock_1',
      ),
    ],
    ['credit balance summary', creditSummary, presentCreditSummary('cus_1', [{ currency: 'eur', available: 1, ledger: 2 }], false)],
    [
      'invoice that prepaid credit has paid a part of',
      invoice,
      presentInvoice(
        anInvoice({
          creditDraws: [{ transactionId: 'crbtxn_1', grantId: 'credgr_1', category: 'paid', invoiceLineId: 'il_1', amount: 400 }],
        }),
        related,
      ),
    ],
    ['payment method', paymentMethod, presentPaymentMethod(aPaymentMethod(), false)],
    ['bank debit', paymentMethod, presentPaymentMethod(aPaymentMethod({ type: 'sepa_debit', card: null, customerId: null }), false)],
    ['payment attempt', paymentAttempt, presentPaymentAttempt(anAttempt())],
    ['subscription', subscription, presentSubscription(aSubscription(), related)],
    [
      'subscription with scheduled changes',
      subscription,
      presentSubscription(aSubscription({ scheduledChanges: [aScheduledChange()] }), related),
    ],
    ['quote', quote, presentQuote(aQuote(), related, START)],
    [
      'quote that was accepted, a revision, on trial, without a renewal',
      quote,
      presentQuote(
        aQuote({
          status: 'accepted',
          acceptedAt: START,
          accepted: { by: 'schedule', invoiceId: null },
          fromQuoteId: 'qt_0',
          isRevision: true,
          discounts: [{ promotionCodeId: 'promo_1' }],
          amounts: { ...aQuote().amounts, recurring: null },
        }),
        related,
        END,
      ),
    ],
    ['quote that has expired', quote, presentQuote(aQuote(), related, END)],
    ['line of a quote', quoteLine, presentQuoteLine(aQuote().lines[0] as Quote['lines'][number], aQuote(), related)],
    ['subscription schedule', subscriptionSchedule, presentSchedule(aSchedule(), related)],
    [
      'subscription schedule that was released, and one that could not start',
      subscriptionSchedule,
      presentSchedule(
        aSchedule({ status: 'released', releasedAt: END, failure: { code: 'price_inactive', message: 'no', param: null } }),
        related,
      ),
    ],
    [
      'scheduled change that is a phase of a schedule',
      scheduledChange,
      presentScheduledChange(
        aScheduledChange({
          change: {
            prorationBehavior: 'none',
            paymentBehavior: 'allow_incomplete',
            phase: { scheduleId: 'sub_sched_1', index: 1, items: [{ priceId: 'price_2', quantity: '3', taxRateIds: [] }] },
          },
        }),
        false,
      ),
    ],
    ['scheduled change', scheduledChange, presentScheduledChange(aScheduledChange(), false)],
    [
      'scheduled change of everything that has failed',
      scheduledChange,
      presentScheduledChange(
        aScheduledChange({
          status: 'failed',
          failure: { code: 'price_inactive', message: 'It is archived.', param: null },
          closedAt: END,
          change: {
            items: [
              { do: 'remove', itemId: 'si_1' },
              { do: 'add', item: { id: 'si_2', priceId: 'price_2', quantity: '1', taxRateIds: ['txr_1'] } },
            ],
            billingCycleAnchor: 'now',
            defaultPaymentMethodId: null,
            defaultTaxRateIds: [],
            prorationBehavior: 'none',
            paymentBehavior: 'pending_if_incomplete',
          },
        }),
        true,
      ),
    ],
    [
      'paused subscription',
      subscription,
      presentSubscription(
        aSubscription({
          status: 'paused',
          pause: {
            at: START,
            atPeriodEnd: false,
            resumesAt: END,
            unusedTime: 'credit',
            resume: { billingCycleAnchor: 'unchanged', prorationBehavior: 'none' },
          },
          pauseCollection: { behavior: 'void', resumesAt: null, since: START },
        }),
        related,
      ),
    ],
    [
      'subscription anchored to a day',
      subscription,
      presentSubscription(
        aSubscription({ billingCycleAnchorConfig: { dayOfMonth: 31, month: null, hour: 0, minute: null, second: null } }),
        related,
      ),
    ],
    ['subscription with a pending update', subscription, presentSubscription(pending, related)],
    ['invoice', invoice, presentInvoice(anInvoice(), related)],
    [
      'draft of an external tax engine',
      invoice,
      presentInvoice(anInvoice({ status: 'draft', number: null, taxCalculator: 'fake', taxStatus: 'pending' }), related),
    ],
    ['invoice without subscription', invoice, presentInvoice(anInvoice({ subscriptionId: null, lines: [] }), related)],
    ['line', invoiceLine, presentLine(aLine(), anInvoice(), false)],
    [
      'credit',
      invoiceLine,
      presentLine(
        aLine({ amount: -100, proration: true, creditedInvoiceId: 'in_0', creditedLineId: 'il_0', invoiceItemId: 'ii_1' }),
        anInvoice(),
        false,
      ),
    ],
    [
      'line of an invoice item alone',
      invoiceLine,
      presentLine(aLine({ subscriptionItemId: null, invoiceItemId: 'ii_1' }), anInvoice(), false),
    ],
    [
      'balance transaction',
      balanceTransaction,
      presentBalanceTransaction(
        {
          id: 'cbtxn_1',
          customerId: 'cus_1',
          type: 'adjustment',
          amount: -5,
          endingBalance: -5,
          currency: 'eur',
          invoiceId: null,
          createdAt: START,
        },
        false,
      ),
    ],
  ])('%s', (_, schema, answer) => {
    expect(schema.parse(JSON.parse(JSON.stringify(answer)))).toEqual(answer);
  });
});

describe('the dialect', () => {
  it('keeps periods on the items and the subscription below the parent', () => {
    const answer = presentSubscription(aSubscription(), related);
    expect(answer.items.data[0]).toMatchObject({
      current_period_start: START,
      current_period_end: END,
      quantity: 2,
      price: { unit_amount: 1200 },
      plan: { amount: 1200 },
    });
    expect(presentInvoice(anInvoice(), related).parent?.subscription_details?.subscription).toBe('sub_1');
  });
  it('shows a fraction of a cent only in the decimal', () => {
    expect(presentPrice(aPrice({ unitAmountDecimal: '0.25' }), false)).toMatchObject({ unit_amount: null, unit_amount_decimal: '0.25' });
  });
  it('shows when a subscription that cancels at the end of its period ends', () => {
    expect(presentSubscription(aSubscription({ cancelAtPeriodEnd: true }), related)).toMatchObject({
      cancel_at_period_end: true,
      cancel_at: END,
    });
  });
  it('tells what a credit gives back', () => {
    const line = presentLine(aLine({ proration: true, creditedInvoiceId: 'in_0', creditedLineId: 'il_0' }), anInvoice(), false);
    expect(line.parent?.subscription_item_details).toMatchObject({
      proration: true,
      proration_details: { credited_items: { invoice: 'in_0', invoice_line_items: ['il_0'] } },
    });
  });
  it('embeds ten lines and says that there are more', () => {
    const lines = Array.from({ length: 12 }, (_, n) => aLine({ id: `il_${n}` }));
    expect(presentInvoice(anInvoice({ lines }), related).lines).toMatchObject({
      has_more: true,
      data: { length: 10 },
      url: '/v1/invoices/in_1/lines',
    });
    expect(presentInvoice(anInvoice({ lines }), related, true).lines).toMatchObject({ has_more: false, data: { length: 12 } });
  });
  it('shows nothing of a deleted customer', () => {
    expect(presentCustomer(aCustomer({ deleted: true }), false, false)).toEqual({ id: 'cus_1', object: 'customer', deleted: true });
  });
  it('names each price and rate to read once', () => {
    expect(relatedToSubscriptions([aSubscription(), aSubscription(), pending])).toEqual({ priceIds: ['price_1'], taxRateIds: ['txr_1'] });
  });
});
