import type Stripe from 'stripe';
import type { DiscountWish } from '../../domain/discounts/discount.ts';
import { asOfTime, type Quote, type QuoteLine, type QuoteTotals } from '../../domain/quote/quote.ts';
import type { Instant } from '../../domain/time.ts';
import { presentPrice } from './catalog.ts';
import type { Dialect } from './dialect.ts';
import type { Related } from './subscriptions.ts';

interface TotalsAnswer {
  amount_subtotal: number;
  amount_total: number;
  total_details: { amount_discount: number; amount_shipping: null; amount_tax: number };
}

type QuoteAnswer = Dialect<
  Stripe.Quote,
  | 'id'
  | 'object'
  | 'amount_subtotal'
  | 'amount_total'
  | 'application'
  | 'application_fee_amount'
  | 'application_fee_percent'
  | 'automatic_tax'
  | 'collection_method'
  | 'created'
  | 'currency'
  | 'customer'
  | 'description'
  | 'expires_at'
  | 'footer'
  | 'from_quote'
  | 'header'
  | 'invoice'
  | 'livemode'
  | 'metadata'
  | 'number'
  | 'on_behalf_of'
  | 'status'
  | 'status_transitions'
  | 'subscription'
  | 'subscription_schedule'
  | 'test_clock'
  | 'total_details'
  | 'transfer_data'
> & {
  computed: {
    recurring: (TotalsAnswer & { interval: 'day' | 'week' | 'month' | 'year'; interval_count: number }) | null;
    upfront: TotalsAnswer;
  };
  default_tax_rates: string[];
  discounts: { coupon: string | null; discount: string | null; promotion_code: string | null }[];
  invoice_settings: { days_until_due: number | null };
  subscription_data: Dialect<Stripe.Quote.SubscriptionData, 'description' | 'effective_date' | 'metadata' | 'trial_period_days'>;
};

const presentTotals = ({ subtotal, discount, tax, total }: QuoteTotals): TotalsAnswer => ({
  amount_subtotal: subtotal,
  amount_total: total,
  total_details: { amount_discount: discount, amount_shipping: null, amount_tax: tax },
});

const presentWish = (wish: DiscountWish): QuoteAnswer['discounts'][number] => ({
  coupon: 'couponId' in wish ? wish.couponId : null,
  discount: 'discountId' in wish ? wish.discountId : null,
  promotion_code: 'promotionCodeId' in wish ? wish.promotionCodeId : null,
});

/** As it is at `at`: one whose time is over is canceled, whether or not that is written. */
export function presentQuote(kept: Quote, related: Pick<Related, 'livemode' | 'testClocks'>, at: Instant): QuoteAnswer {
  const quote = asOfTime(kept, at);
  const { upfront, recurring } = quote.amounts;
  return {
    id: quote.id,
    object: 'quote',
    ...presentTotals(upfront),
    application: null,
    application_fee_amount: null,
    application_fee_percent: null,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    collection_method: quote.collectionMethod,
    computed: {
      recurring: recurring && {
        ...presentTotals(recurring),
        interval: recurring.cycle.interval,
        interval_count: recurring.cycle.intervalCount,
      },
      upfront: presentTotals(upfront),
    },
    created: quote.createdAt,
    currency: quote.currency,
    customer: quote.customerId,
    default_tax_rates: quote.defaultTaxRateIds,
    description: quote.description,
    discounts: quote.discounts.map(presentWish),
    expires_at: quote.expiresAt,
    footer: quote.footer,
    from_quote: quote.fromQuoteId === null ? null : { is_revision: quote.isRevision, quote: quote.fromQuoteId },
    header: quote.header,
    invoice: quote.accepted?.invoiceId ?? null,
    invoice_settings: { days_until_due: quote.daysUntilDue },
    livemode: related.livemode,
    metadata: quote.metadata,
    number: quote.number,
    on_behalf_of: null,
    status: quote.status,
    status_transitions: { accepted_at: quote.acceptedAt, canceled_at: quote.canceledAt, finalized_at: quote.finalizedAt },
    subscription: quote.accepted?.by === 'subscription' ? quote.subscriptionId : null,
    subscription_data: {
      description: quote.subscriptionDescription,
      effective_date: quote.effectiveDate,
      metadata: quote.subscriptionMetadata,
      trial_period_days: quote.trialPeriodDays,
    },
    subscription_schedule: quote.accepted?.by === 'schedule' ? quote.scheduleId : null,
    test_clock: related.testClocks?.get(quote.customerId) ?? null,
    transfer_data: null,
  };
}

type LineAnswer = Dialect<
  Stripe.LineItem,
  'id' | 'object' | 'amount_discount' | 'amount_subtotal' | 'amount_tax' | 'amount_total' | 'currency' | 'description'
> & { price: ReturnType<typeof presentPrice>; quantity: number };

export function presentQuoteLine(line: QuoteLine, { amounts, currency }: Quote, related: Related): LineAnswer {
  const price = related.prices.get(line.priceId);
  const totals = amounts.lines[line.id];
  if (price === undefined || totals === undefined) throw new Error(`the line ${line.id} has no price or no amount`);
  return {
    id: line.id,
    object: 'item',
    amount_discount: totals.discount,
    amount_subtotal: totals.subtotal,
    amount_tax: totals.tax,
    amount_total: totals.total,
    currency,
    description: totals.description,
    price: presentPrice(price, related.livemode),
    quantity: Number(line.quantity),
  };
}
