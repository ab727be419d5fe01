import type Stripe from 'stripe';
import type { ProposedLine, Recomputation } from '../../domain/invoicing/recompute.ts';
import { sum } from '../../domain/money.ts';
import { sumTaxes } from '../../domain/tax/apply-tax-rates.ts';
import type { TaxAmount } from '../../domain/tax/tax-rate.ts';
import type { Instant } from '../../domain/time.ts';
import type { Dialect } from './dialect.ts';
import { presentLine, presentTax } from './invoice-lines.ts';
import { type Related, ratesOf } from './subscriptions.ts';

const taxIn = (taxes: readonly TaxAmount[], inclusive: boolean): number =>
  sum(taxes.filter((tax) => tax.inclusive === inclusive).map(({ amount }) => amount));
const rateIdsOf = (taxes: readonly TaxAmount[]): string[] => taxes.flatMap(({ taxRateId }) => taxRateId ?? []);

/** What a finalised invoice would be today, and what would follow from it; `at` is when that was asked. */
export function presentRecomputation(given: Recomputation, related: Related, at: Instant) {
  const { billed, now, lines } = given;
  return {
    object: 'invoice_recomputation' as const,
    created: at,
    credit_note: given.credit.length === 0 ? null : presentCreditNote(given, related, at),
    currency: billed.currency,
    customer: billed.customerId,
    difference: sum([now.total, -billed.total]),
    differences: lines
      .filter(({ difference, reasons }) => difference !== 0 || reasons.length > 0)
      .map(({ billed: before, now: after, difference, reasons }) => ({
        invoice_line_item: before.id,
        description: before.description,
        amount: before.amount,
        amount_recomputed: after.amount,
        tax: sum(before.taxes.map(({ amount }) => amount)),
        tax_recomputed: sum(after.taxes.map(({ amount }) => amount)),
        difference,
        reasons,
      })),
    invoice: billed.id,
    invoice_items: given.charge.map((line) => presentCharge(line, given, related, at)),
    livemode: related.livemode,
    recomputed: {
      lines: now.lines.map((line) => presentLine(line, billed, related.livemode)),
      subtotal: now.subtotal,
      subtotal_excluding_tax: now.subtotalExcludingTax,
      total: now.total,
      total_excluding_tax: now.totalExcludingTax,
      total_taxes: now.taxes.map(presentTax),
    },
  };
}

type CreditNoteAnswer = Dialect<
  Stripe.CreditNote,
  | 'object'
  | 'amount'
  | 'amount_shipping'
  | 'created'
  | 'currency'
  | 'customer'
  | 'customer_balance_transaction'
  | 'discount_amount'
  | 'discount_amounts'
  | 'effective_at'
  | 'invoice'
  | 'livemode'
  | 'memo'
  | 'metadata'
  | 'out_of_band_amount'
  | 'post_payment_amount'
  | 'pre_payment_amount'
  | 'pretax_credit_amounts'
  | 'reason'
  | 'refunds'
  | 'shipping_cost'
  | 'subtotal'
  | 'subtotal_excluding_tax'
  | 'total'
  | 'total_excluding_tax'
  | 'type'
  | 'voided_at'
>;

/** As Stripe's preview of a credit note, without the names that only one that is issued has. */
function presentCreditNote({ billed, credit, prePaymentAmount, postPaymentAmount }: Recomputation, related: Related, at: Instant) {
  const taxes = sumTaxes(credit.map((line) => line.taxes));
  const subtotal = sum(credit.map(({ amount }) => amount));
  const net = sum([subtotal, -taxIn(taxes, true)]);
  const total = sum(credit.map((line) => line.total));
  const answer: CreditNoteAnswer = {
    object: 'credit_note',
    amount: total,
    amount_shipping: 0,
    created: at,
    currency: billed.currency,
    customer: billed.customerId,
    customer_balance_transaction: null,
    discount_amount: 0,
    discount_amounts: [],
    effective_at: null,
    invoice: billed.id,
    livemode: related.livemode,
    memo: null,
    metadata: {},
    out_of_band_amount: null,
    post_payment_amount: postPaymentAmount,
    pre_payment_amount: prePaymentAmount,
    pretax_credit_amounts: [],
    reason: null,
    refunds: [],
    shipping_cost: null,
    subtotal,
    subtotal_excluding_tax: net,
    total,
    total_excluding_tax: net,
    type: prePaymentAmount === 0 ? 'post_payment' : postPaymentAmount === 0 ? 'pre_payment' : 'mixed',
    voided_at: null,
  };
  return {
    ...answer,
    lines: {
      object: 'list' as const,
      data: credit.map((line) => presentCreditLine(line, related)),
      has_more: false,
      url: `/v1/invoices/${billed.id}/recompute`,
    },
    total_taxes: taxes.map(presentTax),
  };
}

type CreditLineAnswer = Dialect<
  Stripe.CreditNoteLineItem,
  | 'object'
  | 'amount'
  | 'description'
  | 'discount_amount'
  | 'discount_amounts'
  | 'invoice_line_item'
  | 'livemode'
  | 'metadata'
  | 'pretax_credit_amounts'
  | 'quantity'
  | 'type'
  | 'unit_amount'
  | 'unit_amount_decimal'
>;

function presentCreditLine({ line, amount, taxes }: ProposedLine, related: Related) {
  const answer: CreditLineAnswer = {
    object: 'credit_note_line_item',
    amount,
    description: line.description,
    discount_amount: 0,
    discount_amounts: [],
    invoice_line_item: line.id,
    livemode: related.livemode,
    metadata: {},
    pretax_credit_amounts: [],
    quantity: null,
    type: 'invoice_line_item',
    unit_amount: null,
    unit_amount_decimal: null,
  };
  return { ...answer, tax_rates: ratesOf(rateIdsOf(taxes), related), taxes: taxes.map(presentTax) };
}

type ChargeAnswer = Dialect<
  Stripe.InvoiceItem,
  | 'object'
  | 'amount'
  | 'currency'
  | 'customer'
  | 'date'
  | 'description'
  | 'discountable'
  | 'discounts'
  | 'invoice'
  | 'livemode'
  | 'metadata'
  | 'parent'
  | 'period'
  | 'pricing'
  | 'proration'
  | 'quantity'
  | 'test_clock'
>;

function presentCharge({ line, amount, taxes, total }: ProposedLine, { billed }: Recomputation, related: Related, at: Instant) {
  const subscription = line.subscriptionId ?? billed.subscriptionId;
  const answer: ChargeAnswer = {
    object: 'invoiceitem',
    amount,
    currency: billed.currency,
    customer: billed.customerId,
    date: at,
    description: line.description,
    discountable: false,
    discounts: [],
    invoice: null,
    livemode: related.livemode,
    metadata: {},
    parent:
      subscription === null
        ? null
        : {
            type: 'subscription_details',
            subscription_details: {
              subscription,
              ...(line.subscriptionItemId === null ? {} : { subscription_item: line.subscriptionItemId }),
            },
          },
    period: line.period,
    pricing: null,
    proration: line.proration,
    quantity: 1,
    test_clock: related.testClocks?.get(billed.customerId) ?? null,
  };
  return { ...answer, tax_rates: ratesOf(rateIdsOf(taxes), related), invoice_line_item: line.id, taxes: taxes.map(presentTax), total };
}
