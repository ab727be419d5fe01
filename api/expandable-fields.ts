/** Kinds of objects that may be read for, or walked through by, `expand[]`. */
export type Kind =
  | 'account'
  | 'customer'
  | 'coupon'
  | 'promotion_code'
  | 'discount'
  | 'product'
  | 'price'
  | 'price_migration'
  | 'price_migration_subscription'
  | 'price_tier'
  | 'currency_option'
  | 'tax_rate'
  | 'payment_method'
  | 'subscription'
  | 'scheduled_change'
  | 'subscription_schedule'
  | 'quote'
  | 'quote_line'
  | 'subscription_item'
  | 'invoice'
  | 'line_item'
  | 'invoice_recomputation'
  | 'invoiceitem'
  | 'payment_attempt'
  | 'event'
  | 'timeline_entry'
  | 'test_clock'
  | 'customer_balance_transaction'
  | 'feature'
  | 'product_feature'
  | 'active_entitlement'
  | 'meter'
  | 'billing_alert'
  | 'meter_event'
  | 'meter_event_batch'
  | 'meter_event_adjustment'
  | 'meter_event_summary'
  | 'credit_grant'
  | 'credit_balance_transaction'
  | 'credit_balance_summary'
  | 'credit_top_up';

/**
 * `reference`: holds an id that may become the object. `inside`: already holds the object or a list of it. `extra`: absent unless asked for;
 * read per owner. A reference may be a list of ids, and lie inside a list. `nothing`: Stripe's expandable field that is always null here.
 */
export interface Field {
  how: 'reference' | 'inside' | 'extra' | 'nothing';
  to: Kind;
  list?: true;
}

const reference = (to: Kind): Field => ({ how: 'reference', to });
const inside = (to: Kind): Field => ({ how: 'inside', to, list: true });

/** What `expand[]` may name, by kind and by path inside the object. */
export const EXPANDABLE: Record<Kind, Record<string, Field>> = {
  account: {},
  coupon: { applies_to: { how: 'inside', to: 'coupon' }, currency_options: { how: 'inside', to: 'coupon' } },
  price_migration: { from_price: reference('price'), to_price: reference('price') },
  price_migration_subscription: { subscription: reference('subscription'), invoice: reference('invoice') },
  promotion_code: {
    customer: reference('customer'),
    'promotion.coupon': reference('coupon'),
    'restrictions.currency_options': { how: 'inside', to: 'promotion_code' },
  },
  discount: { customer: reference('customer'), promotion_code: reference('promotion_code'), 'source.coupon': reference('coupon') },
  customer: {
    discount: { how: 'inside', to: 'discount' },
    'invoice_settings.default_payment_method': reference('payment_method'),
    subscriptions: { how: 'extra', to: 'subscription', list: true },
    test_clock: reference('test_clock'),
  },
  product: { default_price: reference('price') },
  price: {
    product: reference('product'),
    tiers: { how: 'extra', to: 'price_tier' },
    currency_options: { how: 'extra', to: 'currency_option' },
  },
  price_tier: {},
  currency_option: {},
  tax_rate: {},
  payment_method: { customer: reference('customer') },
  subscription: {
    customer: reference('customer'),
    default_payment_method: reference('payment_method'),
    discounts: reference('discount'),
    latest_invoice: reference('invoice'),
    items: inside('subscription_item'),
    pending_setup_intent: { how: 'nothing', to: 'subscription' },
    schedule: reference('subscription_schedule'),
    test_clock: reference('test_clock'),
  },
  scheduled_change: { subscription: reference('subscription') },
  quote: {
    customer: reference('customer'),
    invoice: reference('invoice'),
    subscription: reference('subscription'),
    subscription_schedule: reference('subscription_schedule'),
    line_items: { how: 'extra', to: 'quote_line', list: true },
    test_clock: reference('test_clock'),
  },
  quote_line: {},
  subscription_schedule: {
    customer: reference('customer'),
    subscription: reference('subscription'),
    'default_settings.default_payment_method': reference('payment_method'),
    test_clock: reference('test_clock'),
  },
  subscription_item: { discounts: reference('discount'), price: { how: 'inside', to: 'price' } },
  invoice: {
    customer: reference('customer'),
    'parent.subscription_details.subscription': reference('subscription'),
    discounts: reference('discount'),
    'total_discount_amounts.discount': reference('discount'),
    'total_credit_amounts.credit_grant': reference('credit_grant'),
    'total_credit_amounts.credit_balance_transaction': reference('credit_balance_transaction'),
    lines: inside('line_item'),
    payment_attempts: { how: 'extra', to: 'payment_attempt', list: true },
    test_clock: reference('test_clock'),
    confirmation_secret: { how: 'nothing', to: 'invoice' },
    default_payment_method: { how: 'nothing', to: 'invoice' },
  },
  line_item: {
    discounts: reference('discount'),
    'discount_amounts.discount': reference('discount'),
    subscription: reference('subscription'),
    'pricing.price_details.price': reference('price'),
  },
  invoice_recomputation: { customer: reference('customer'), invoice: reference('invoice') },
  invoiceitem: {
    discounts: reference('discount'),
    customer: reference('customer'),
    invoice: reference('invoice'),
    test_clock: reference('test_clock'),
    'pricing.price_details.price': reference('price'),
  },
  payment_attempt: {},
  event: {},
  timeline_entry: { invoice: reference('invoice') },
  test_clock: {},
  feature: {},
  product_feature: {},
  active_entitlement: { feature: reference('feature') },
  meter: {},
  billing_alert: { 'usage_threshold.meter': reference('meter'), 'usage_threshold.filters.customer': reference('customer') },
  meter_event: {},
  meter_event_batch: {},
  meter_event_adjustment: {},
  meter_event_summary: {},
  credit_grant: {
    'recurring.price': reference('price'),
    'recurring.subscription': reference('subscription'),
    customer: reference('customer'),
    test_clock: reference('test_clock'),
  },
  credit_balance_transaction: {
    credit_grant: reference('credit_grant'),
    'credit.credits_application_invoice_voided.invoice': reference('invoice'),
    'debit.credits_applied.invoice': reference('invoice'),
    test_clock: reference('test_clock'),
  },
  credit_top_up: {
    customer: reference('customer'),
    latest_invoice: reference('invoice'),
    payment_method: reference('payment_method'),
    test_clock: reference('test_clock'),
  },
  credit_balance_summary: { customer: reference('customer') },
  customer_balance_transaction: { customer: reference('customer'), invoice: reference('invoice') },
};
