import type Stripe from 'stripe';
import { sumDiscounts } from '../../domain/discounts/apply-discounts.ts';
import type { Invoice } from '../../domain/invoicing/invoice.ts';
import type { presentTaxRate } from './catalog.ts';
import { presentCreditAmounts } from './credits.ts';
import { presentAddress } from './customers.ts';
import type { Dialect, List } from './dialect.ts';
import { presentDiscountAmounts, presentLine, presentTax } from './invoice-lines.ts';
import { type Related, ratesOf } from './subscriptions.ts';

type InvoiceAnswer = Dialect<
  Stripe.Invoice,
  | 'id'
  | 'object'
  | 'account_country'
  | 'account_name'
  | 'account_tax_ids'
  | 'amount_due'
  | 'amount_overpaid'
  | 'amount_paid'
  | 'amount_remaining'
  | 'amount_shipping'
  | 'application'
  | 'attempt_count'
  | 'attempted'
  | 'auto_advance'
  | 'automatic_tax'
  | 'automatically_finalizes_at'
  | 'billing_reason'
  | 'collection_method'
  | 'created'
  | 'currency'
  | 'custom_fields'
  | 'customer'
  | 'customer_address'
  | 'customer_email'
  | 'customer_name'
  | 'customer_phone'
  | 'customer_shipping'
  | 'default_payment_method'
  | 'default_source'
  | 'description'
  | 'discounts'
  | 'due_date'
  | 'effective_at'
  | 'ending_balance'
  | 'footer'
  | 'from_invoice'
  | 'last_finalization_error'
  | 'latest_revision'
  | 'livemode'
  | 'metadata'
  | 'next_payment_attempt'
  | 'number'
  | 'on_behalf_of'
  | 'parent'
  | 'period_end'
  | 'period_start'
  | 'post_payment_credit_notes_amount'
  | 'pre_payment_credit_notes_amount'
  | 'receipt_number'
  | 'rendering'
  | 'shipping_cost'
  | 'shipping_details'
  | 'starting_balance'
  | 'statement_descriptor'
  | 'status'
  | 'status_transitions'
  | 'subtotal'
  | 'subtotal_excluding_tax'
  | 'test_clock'
  | 'total'
  | 'total_discount_amounts'
  | 'total_excluding_tax'
  | 'total_pretax_credit_amounts'
  | 'webhooks_delivered_at'
> & {
  default_tax_rates: ReturnType<typeof presentTaxRate>[];
  lines: List<ReturnType<typeof presentLine>>;
  total_credit_amounts: ReturnType<typeof presentCreditAmounts>;
  total_taxes: ReturnType<typeof presentTax>[];
  amount_credited: number;
  /** Of a consolidated invoice, which has no `parent`: whom it bills. */
  consolidated_subscriptions: string[];
  tax_calculator: string;
  tax_status: Invoice['taxStatus'];
};

/** Lines beyond the first ten are read from `/v1/invoices/:id/lines`, as with Stripe. */
const EMBEDDED_LINES = 10;

export function presentInvoice(invoice: Invoice, related: Related, allLines = false): InvoiceAnswer {
  const shown = allLines ? invoice.lines : invoice.lines.slice(0, EMBEDDED_LINES);
  const external = invoice.taxCalculator !== 'manual';
  const taken = sumDiscounts(invoice.lines);
  return {
    id: invoice.id,
    object: 'invoice',
    account_country: invoice.seller.address?.country ?? null,
    account_name: invoice.seller.name,
    account_tax_ids: null,
    amount_due: invoice.amountDue,
    amount_overpaid: 0,
    amount_paid: invoice.amountPaid,
    amount_remaining: invoice.amountRemaining,
    amount_shipping: 0,
    application: null,
    attempt_count: invoice.attemptCount,
    attempted: invoice.attempted,
    auto_advance: invoice.autoAdvance,
    automatic_tax: {
      disabled_reason: null,
      enabled: external,
      liability: null,
      provider: external ? invoice.taxCalculator : null,
      status: !external || invoice.taxStatus === 'pending' ? null : invoice.taxStatus,
    },
    automatically_finalizes_at: invoice.automaticallyFinalizesAt,
    billing_reason: invoice.billingReason,
    collection_method: invoice.collectionMethod,
    created: invoice.createdAt,
    currency: invoice.currency,
    custom_fields: null,
    customer: invoice.customerId,
    customer_address: presentAddress(invoice.customer.address),
    customer_email: invoice.customer.email,
    customer_name: invoice.customer.name,
    customer_phone: null,
    customer_shipping: null,
    default_payment_method: null,
    default_source: null,
    default_tax_rates: ratesOf(invoice.defaultTaxRateIds, related),
    description: invoice.description,
    discounts: [...new Set(taken.map(({ discountId }) => discountId))],
    due_date: invoice.dueDate,
    effective_at: invoice.finalizedAt,
    ending_balance: invoice.endingBalance,
    footer: invoice.footer,
    from_invoice: null,
    last_finalization_error: null,
    latest_revision: null,
    lines: {
      object: 'list',
      data: shown.map((line) => presentLine(line, invoice, related.livemode)),
      has_more: invoice.lines.length > shown.length,
      url: `/v1/invoices/${invoice.id}/lines`,
    },
    livemode: related.livemode,
    metadata: invoice.metadata,
    next_payment_attempt: invoice.nextPaymentAttempt,
    number: invoice.number,
    on_behalf_of: null,
    parent:
      invoice.subscriptionId === null
        ? null
        : {
            type: 'subscription_details',
            quote_details: null,
            subscription_details: { metadata: null, subscription: invoice.subscriptionId },
          },
    period_end: invoice.periodEnd,
    period_start: invoice.periodStart,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: invoice.startingBalance,
    statement_descriptor: null,
    status: invoice.status,
    status_transitions: {
      finalized_at: invoice.finalizedAt,
      marked_uncollectible_at: invoice.markedUncollectibleAt,
      paid_at: invoice.paidAt,
      voided_at: invoice.voidedAt,
    },
    subtotal: invoice.subtotal,
    subtotal_excluding_tax: invoice.subtotalExcludingTax,
    test_clock: related.testClocks?.get(invoice.customerId) ?? null,
    total: invoice.total,
    total_credit_amounts: presentCreditAmounts(invoice.creditDraws ?? []),
    total_discount_amounts: presentDiscountAmounts(taken),
    total_excluding_tax: invoice.totalExcludingTax,
    total_pretax_credit_amounts: [],
    total_taxes: invoice.taxes.map(presentTax),
    webhooks_delivered_at: null,
    amount_credited: invoice.amountCredited,
    consolidated_subscriptions: invoice.subscriptionIds ?? [],
    tax_calculator: invoice.taxCalculator,
    tax_status: invoice.taxStatus,
  };
}
