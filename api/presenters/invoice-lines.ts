import type Stripe from 'stripe';
import { isDiscountable } from '../../domain/discounts/apply-discounts.ts';
import type { DiscountAmount } from '../../domain/discounts/discount.ts';
import type { Explanation, Invoice, InvoiceLine } from '../../domain/invoicing/invoice.ts';
import type { TaxAmount } from '../../domain/tax/tax-rate.ts';
import type { Dialect } from './dialect.ts';

export const presentTax = (tax: TaxAmount): Dialect<Stripe.InvoiceLineItem.Tax, keyof Stripe.InvoiceLineItem.Tax> => ({
  amount: tax.amount,
  tax_behavior: tax.inclusive ? 'inclusive' : 'exclusive',
  tax_rate_details: tax.taxRateId === null ? null : { tax_rate: tax.taxRateId },
  taxability_reason: Number(tax.percentage) === 0 ? 'zero_rated' : 'standard_rated',
  taxable_amount: tax.taxableAmount,
  type: 'tax_rate_details',
});

export const presentDiscountAmounts = (amounts: readonly DiscountAmount[]): { amount: number; discount: string }[] =>
  amounts.map(({ amount, discountId }) => ({ amount, discount: discountId }));

const explainDiscount = ({ discountId, couponId, name, level, percentOff, amountOff, amount }: DiscountAmount) => ({
  discount: discountId,
  coupon: couponId,
  name,
  level,
  percent_off: percentOff === null ? null : Number(percentOff),
  amount_off: amountOff,
  amount,
});

type Explained = {
  explanation: {
    sentence: string;
    rule: string;
    unit_amount_decimal: string | null;
    quantity: string | null;
    tiers:
      | {
          from: string;
          up_to: string | null;
          quantity: string;
          unit_amount_decimal: string | null;
          flat_amount_decimal: string | null;
          amount: number;
        }[]
      | null;
    bundle: { product: string; amount: number; share: string; shares: string } | null;
    usage: {
      meter: string;
      formula: string;
      start_time: number;
      end_time: number;
      events: number;
      quantity: string;
      watermark: number;
      corrects: { invoice: string | null; invoice_line_item: string | null; quantity: string; amount: number } | null;
    } | null;
    fraction: { numerator: number; denominator: number; basis: string } | null;
    exact: string;
    rounding: 'half_up';
    notes: string[];
    discounts: ReturnType<typeof explainDiscount>[];
  };
};

type LineAnswer = Dialect<
  Stripe.InvoiceLineItem,
  | 'id'
  | 'object'
  | 'amount'
  | 'currency'
  | 'description'
  | 'discount_amounts'
  | 'discountable'
  | 'discounts'
  | 'invoice'
  | 'livemode'
  | 'metadata'
  | 'parent'
  | 'period'
  | 'pretax_credit_amounts'
  | 'quantity'
  | 'quantity_decimal'
  | 'subscription'
  | 'subtotal'
> & {
  pricing: Dialect<Stripe.InvoiceLineItem.Pricing, 'price_details' | 'type' | 'unit_amount_decimal'> | null;
  taxes: ReturnType<typeof presentTax>[];
} & Explained;

export function presentLine(line: InvoiceLine, invoice: Pick<Invoice, 'id' | 'subscriptionId'>, livemode: boolean): LineAnswer {
  const taken = line.discountAmounts ?? [];
  const subscriptionId = line.subscriptionId ?? invoice.subscriptionId;
  return {
    id: line.id,
    object: 'line_item',
    amount: line.amount,
    currency: line.currency,
    description: line.description || null,
    discount_amounts: presentDiscountAmounts(taken),
    discountable: isDiscountable(line),
    discounts: taken.flatMap(({ level, discountId }) => (level === 'item' ? [discountId] : [])),
    invoice: invoice.id,
    livemode,
    metadata: line.metadata,
    parent: parentOf(line, subscriptionId),
    period: line.period,
    pretax_credit_amounts: [],
    pricing:
      line.priceId === null || line.productId === null
        ? null
        : {
            type: 'price_details',
            price_details: { price: line.priceId, product: line.productId },
            unit_amount_decimal: line.unitAmountDecimal,
          },
    quantity: line.quantity === null ? null : Number(line.quantity),
    quantity_decimal: line.quantity,
    subscription: subscriptionId,
    subtotal: line.amount,
    taxes: line.taxes.map(presentTax),
    explanation: {
      sentence: line.explanation.sentence,
      rule: line.explanation.rule,
      unit_amount_decimal: line.explanation.unitAmountDecimal,
      quantity: line.explanation.quantity,
      tiers:
        line.explanation.tiers?.map((tier) => ({
          from: tier.from,
          up_to: tier.upTo,
          quantity: tier.quantity,
          unit_amount_decimal: tier.unitAmountDecimal,
          flat_amount_decimal: tier.flatAmountDecimal,
          amount: tier.amount,
        })) ?? null,
      bundle: presentBundle(line.explanation.bundle),
      usage: presentUsage(line.explanation.usage),
      fraction: line.explanation.fraction,
      exact: line.explanation.exact,
      rounding: line.explanation.rounding,
      notes: line.explanation.notes,
      discounts: taken.map(explainDiscount),
    },
  };
}

const presentUsage = (usage: Explanation['usage']): Explained['explanation']['usage'] =>
  usage === undefined
    ? null
    : {
        meter: usage.meterId,
        formula: usage.formula,
        start_time: usage.start,
        end_time: usage.end,
        events: usage.events,
        quantity: usage.quantity,
        watermark: usage.watermark,
        corrects: usage.corrects && {
          invoice: usage.corrects.invoiceId,
          invoice_line_item: usage.corrects.invoiceLineId,
          quantity: usage.corrects.quantity,
          amount: usage.corrects.amount,
        },
      };

function parentOf(line: InvoiceLine, subscriptionId: string | null): LineAnswer['parent'] {
  const details = {
    proration: line.proration,
    proration_details: line.proration
      ? {
          credited_items:
            line.creditedInvoiceId === null || line.creditedLineId === null
              ? null
              : { invoice: line.creditedInvoiceId, invoice_line_items: [line.creditedLineId] },
        }
      : null,
    subscription: subscriptionId,
  };
  if (line.subscriptionItemId !== null) {
    return {
      type: 'subscription_item_details',
      invoice_item_details: null,
      subscription_item_details: { ...details, invoice_item: line.invoiceItemId, subscription_item: line.subscriptionItemId },
    };
  }
  if (line.invoiceItemId === null) return null;
  return {
    type: 'invoice_item_details',
    invoice_item_details: { ...details, invoice_item: line.invoiceItemId },
    subscription_item_details: null,
  };
}

const presentBundle = (bundle: InvoiceLine['explanation']['bundle']) =>
  bundle === undefined ? null : { product: bundle.productId, amount: bundle.amount, share: bundle.share, shares: bundle.shares };
