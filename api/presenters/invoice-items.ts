import type Stripe from 'stripe';
import { isDiscountable } from '../../domain/discounts/apply-discounts.ts';
import type { InvoiceItem } from '../../domain/invoicing/invoice.ts';
import type { presentTaxRate } from './catalog.ts';
import type { Dialect } from './dialect.ts';
import { discountIds } from './discounts.ts';
import { type Related, ratesOf } from './subscriptions.ts';

type InvoiceItemAnswer = Dialect<
  Stripe.InvoiceItem,
  | 'id'
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
  | 'proration'
  | 'quantity'
  | 'test_clock'
> & {
  pricing: {
    type: 'price_details';
    price_details?: { price: string; product: string };
    unit_amount_decimal: string | null;
  } | null;
  quantity_decimal: string;
  tax_rates: ReturnType<typeof presentTaxRate>[];
};

/** Something that waits for an invoice, or is a line of one. */
export function presentInvoiceItem(item: InvoiceItem, related: Related): InvoiceItemAnswer {
  const { id, customerId, subscriptionId, invoiceId, line, taxRateIds, date } = item;
  return {
    id,
    object: 'invoiceitem',
    amount: line.amount,
    currency: line.currency,
    customer: customerId,
    date,
    description: line.description || null,
    discountable: isDiscountable({ ...line, invoiceItemId: id }),
    discounts: discountIds(item.discounts),
    invoice: invoiceId,
    livemode: related.livemode,
    metadata: line.metadata,
    parent:
      subscriptionId === null
        ? null
        : {
            type: 'subscription_details',
            subscription_details: {
              subscription: subscriptionId,
              ...(line.subscriptionItemId === null ? {} : { subscription_item: line.subscriptionItemId }),
            },
          },
    period: line.period,
    pricing:
      line.unitAmountDecimal === null
        ? null
        : {
            type: 'price_details',
            ...(line.priceId === null || line.productId === null
              ? {}
              : { price_details: { price: line.priceId, product: line.productId } }),
            unit_amount_decimal: line.unitAmountDecimal,
          },
    proration: line.proration,
    quantity: Number(line.quantity ?? 1),
    quantity_decimal: line.quantity ?? '1',
    tax_rates: ratesOf(taxRateIds, related),
    test_clock: related.testClocks?.get(customerId) ?? null,
  };
}
